// Package contract holds the rules of filesystem.FS that its implementations
// share: which names are refused, how errors are named, what a regular file
// is, and MkdirAll in terms of the other methods.
package contract
