//go:build container

// Package container tests the container images from outside, on the Docker
// engine of this machine, which must be there. Run it with
//
//	go test -tags container ./integration/container
//
// It builds the images first, and base images that are neither here nor to be
// pulled. Every container is removed afterwards.
package container
