// Package inotify tells what happens in directories, as inotify(7) of Linux does.
//
// It tells of what processes of this machine do, and of no other: what another
// machine does to a filesystem that the two share is not heard. See [Local].
package inotify
