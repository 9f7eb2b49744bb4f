// Package memfs has filesystems for tests, and for programs that keep their
// files elsewhere.
//
// [New] makes a filesystem in memory, [Adapt] makes a filesystem.FS of any
// afero.Fs. Both are built on github.com/spf13/afero, which neither package
// filesystem nor what is built on it brings in.
package memfs
