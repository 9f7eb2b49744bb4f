package s6

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// checkTrust refuses a directory of the tree that others may write, or take the
// place of: whoever can make names there decides what this program overwrites,
// and what s6 runs as this user. A directory above may be written by others
// where it is sticky, as /tmp is, and the next one down is not theirs.
//
// What cannot be helped by this user is left to those who have set it up: a
// directory of somebody else's that everybody may write, as containers mount
// them, is refused to root alone.
func checkTrust(dir string) error {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	for at, below := real, ""; ; at, below = path.Dir(at), at {
		info, err := os.Lstat(at)
		if err != nil {
			return err
		}
		if open(info) && mayMend(info) {
			if at == real {
				return fmt.Errorf("others may write in %s (%v): what they put there would be run or overwritten as this user: take that from them with \"chmod o-w %[1]s\", and remove what is not yours", at, info.Mode())
			}
			if info.Mode()&fs.ModeSticky == 0 {
				return fmt.Errorf("others may write in %s (%v), and so replace %s: take that from them with \"chmod o-w %[1]s\", or give a directory elsewhere", at, info.Mode(), below)
			}
		}
		if below != "" && info.Mode()&fs.ModeSticky != 0 && open(info) {
			if owned, err := os.Lstat(below); err == nil && !trusted(owned) {
				return fmt.Errorf("%s belongs to user %d, who may replace it in %s: give a directory of your own", below, ownerOf(owned), at)
			}
		}
		if at == "/" {
			return nil
		}
	}
}

// checkEntries refuses a scan directory with something in it that is another
// user's: s6-svscan would run it.
func checkEntries(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !trusted(info) {
			errs = append(errs, fmt.Errorf("%s belongs to user %d, and s6-svscan would run it as this user: remove it", path.Join(dir, e.Name()), ownerOf(info)))
		}
	}
	return errors.Join(errs...)
}

// open reports whether everybody may write in a directory.
func open(info fs.FileInfo) bool { return info.Mode().Perm()&0o002 != 0 }

// trusted reports whether something is root's or this user's.
func trusted(info fs.FileInfo) bool {
	owner := ownerOf(info)
	return owner <= 0 || owner == os.Geteuid()
}

// mayMend reports whether this user can change the permissions of something.
func mayMend(info fs.FileInfo) bool {
	return os.Geteuid() == 0 || ownerOf(info) == os.Geteuid()
}

// ownerOf returns the user whose something is, -1 where a filesystem has no
// users.
func ownerOf(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

// theirs says why a service directory that exists is not to be written in: it is
// a link, or another user's, or everybody may write in it.
func theirs(dir string, info fs.FileInfo) error {
	switch {
	case info.Mode().Type() == fs.ModeSymlink:
		return fmt.Errorf("%s is a link, which is not followed: remove it", dir)
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory: remove it", dir)
	case !trusted(info):
		return fmt.Errorf("%s belongs to user %d: remove it, or give it to this user", dir, ownerOf(info))
	case open(info):
		return fmt.Errorf("others may write in %s (%v): remove it", dir, strings.TrimPrefix(info.Mode().String(), "d"))
	}
	return nil
}
