// Package filesystem is the small filesystem interface that the rest of the
// library reads and writes through.
//
// [OS] is the real one. Package memfs has one in memory and makes one of any
// afero.Fs. Package filesystemtest holds the suite that all of them pass, and
// fault injection for those who build on [FS].
//
// Nothing here caches: what a method returns is what the filesystem said
// during that call.
package filesystem
