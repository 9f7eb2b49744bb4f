// Package benthostest provides a fake of the HTTP endpoint that a Benthos
// engine serves, for tests of programs that watch one. It behaves as Bento does
// unless told otherwise, path by path: ready or not, slow, hanging, failing,
// talking nonsense.
package benthostest
