package inotify

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// zfs and bcachefs are what statfs(2) says of two filesystems that are not part of
// package unix.
const (
	zfs      = 0x2fc12fc1
	bcachefs = 0xca451a4e
)

// Local reports whether a directory is on a filesystem of which it is known that all
// that happens to it is done by processes of this machine, and told.
func Local(dir string) (bool, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return false, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return slices.Contains([]uint32{
		unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC,
		unix.TMPFS_MAGIC, unix.RAMFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC, zfs, bcachefs,
	}, uint32(stat.Type)), nil
}
