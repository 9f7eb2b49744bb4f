// Package repo holds the rules of this repository as tests: which package may
// import which, how long files and functions may be, what is documented, that
// the documents show what the code is.
//
// Diagrams and examples in the documents are written anew with
//
//	go test ./internal/repo -update
//
// where a comment stands before the fenced block they go into:
//
//	<!-- diagram: s6 -->
//	<!-- file: examples/minimal/main.go -->
package repo
