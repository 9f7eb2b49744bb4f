// Package repo holds the rules of this repository as tests: which package may
// import which, how long files and functions may be, what is documented, that
// the documents show what the code is, what packages export.
//
// Diagrams and examples in the documents, and the lists of what is exported in
// testdata/api, are rewritten with
//
//	go test ./internal/repo -update
//
// In the documents a comment stands before the fenced block that is rewritten:
//
//	<!-- diagram: s6 -->
//	<!-- file: examples/minimal/main.go -->
package repo
