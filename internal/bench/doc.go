// Package bench turns what benchmarks print into the part of BENCHMARKS.md with
// figures in it, and into its pictures. Nobody types a figure: what runs have printed
// is in docs/benchmarks, in the format of go test -bench, which benchstat reads.
//
// # Files
//
// From low to high: each file uses only the ones before it.
//
//   - run.go: what a run has printed
//   - figure.go: how a figure is written
//   - table.go: tables of Markdown
//   - own.go: the project's own benchmarks, beside their baselines
//   - peers.go: the same job under several programs
//   - chart.go: the same as bars
//   - document.go: the document with all of that
package bench
