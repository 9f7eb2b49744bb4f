//go:build integration

// Package page tests the page of api/page in a real browser, on a server of a
// thousand instances that exist nowhere else. Run it with
//
//	go test -tags integration ./integration/page
//
// It needs Chromium. The flag -pictures names a directory for pictures of the page.
package page
