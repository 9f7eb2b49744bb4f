package memfs

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"

	"github.com/spf13/afero"
	"github.com/spf13/afero/mem"

	"github.com/evenkeel/evenkeel/filesystem/internal/contract"
)

// maxLinks is how many links a name may lead through, as on Linux.
const maxLinks = 40

// place is where a name leads.
type place struct {
	path string      // what the filesystem below knows it as
	info fs.FileInfo // what is there, itself and not what it points to; nil: nothing
	dir  bool        // the name ends in a slash: it can only be a directory
	// opaque: the path is relative or leads through a link that the filesystem
	// below follows, so that only that filesystem knows what it is inside of.
	opaque bool
}

// inside tells whether p is below dir; false where only the filesystem below
// could tell.
func (p place) inside(dir place) bool {
	return !p.opaque && !dir.opaque && strings.HasPrefix(p.path, dir.path+"/")
}

// existing is locate for what has to be there.
func (a *adapted) existing(name string, follow bool) (place, error) {
	at, err := a.locate(name, follow)
	if err == nil && at.info == nil {
		err = fs.ErrNotExist
	}
	return at, err
}

// locate finds where a name leads, following links in all elements but the
// last, and in that one where follow says so. All but the last must be there.
func (a *adapted) locate(name string, follow bool) (place, error) {
	if err := contract.CheckName(name); err != nil {
		return place{}, err
	}
	if at, ok := a.recall(name, follow); ok {
		return at, nil
	}
	at, rest := a.begin(name)
	at.opaque = at.path == ""
	for links := 0; len(rest) > 0; {
		element, last := rest[0], len(rest) == 1
		rest = rest[1:]
		if element == "." {
			continue
		}
		if element == ".." {
			at.path, at.info = up(at.path, at.opaque), nil
			continue
		}
		next := join(at.path, element)
		info, err := a.lstat(next)
		if err == nil && info.Mode().Type() == fs.ModeSymlink && (follow || !last) {
			if links++; links > maxLinks {
				return place{}, syscall.ELOOP
			}
			if a.ownLinks {
				if rest, err = a.expand(&at, next, rest); err != nil {
					return place{}, err
				}
				continue
			}
			at.opaque = true
			info, err = a.stat(next)
		}
		switch {
		case last && errors.Is(err, fs.ErrNotExist):
			return place{path: next, dir: at.dir, opaque: at.opaque}, nil
		case err != nil:
			return place{}, err
		case !info.IsDir() && (!last || at.dir):
			return place{}, syscall.ENOTDIR
		}
		at.path, at.info = next, info
	}
	if at.info != nil {
		return at, nil
	}
	info, err := a.stat(join(at.path, ""))
	at.info = info
	return at, err
}

// recall is locate for a name that is known and leads through no link.
func (a *adapted) recall(name string, follow bool) (place, bool) {
	if !a.ownLinks {
		return place{}, false
	}
	file, ok := a.known.get(name)
	if !ok || file == nil {
		return place{path: name}, ok
	}
	info := describeOwn(file)
	return place{path: name, info: info}, !follow || info.mode.Type() != fs.ModeSymlink
}

// begin returns where locate begins, and the elements that it has to follow from
// there: the last one where all others are known.
func (a *adapted) begin(name string) (at place, rest []string) {
	slash := strings.LastIndexByte(name, '/')
	if a.ownLinks && slash > 0 && slash < len(name)-1 {
		if dir, ok := a.known.get(name[:slash]); ok && dir != nil && mem.GetFileInfo(dir).IsDir() {
			return place{path: name[:slash]}, []string{name[slash+1:]}
		}
	}
	at = place{dir: strings.HasSuffix(name, "/")}
	if a.ownLinks || strings.HasPrefix(name, "/") {
		at.path = "/"
	}
	return at, elements(name)
}

// expand puts the target of a link found at a place in front of the elements
// that are left.
func (a *adapted) expand(at *place, link string, rest []string) ([]string, error) {
	target, err := a.readlink(link)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(target, "/") {
		at.path = "/"
	}
	at.info = nil
	if len(rest) == 0 && strings.HasSuffix(target, "/") {
		at.dir = true
	}
	return append(elements(target), rest...), nil
}

// elements splits a name; a slash at its end makes no difference.
func elements(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '/' })
}

// join is path.Join without the cleaning.
func join(dir, element string) string {
	switch {
	case element == "" && dir == "":
		return "."
	case element == "":
		return dir
	case dir == "" || strings.HasSuffix(dir, "/"):
		return dir + element
	}
	return dir + "/" + element
}

// up returns the parent of a directory.
func up(dir string, opaque bool) string {
	if opaque {
		return join(dir, "..")
	}
	return parentOf(dir)
}

// parentOf returns the directory that an entry found by locate is in.
func parentOf(name string) string {
	slash := strings.LastIndexByte(name, '/')
	switch slash {
	case -1:
		return "."
	case 0:
		return "/"
	}
	return name[:slash]
}

func (a *adapted) stat(name string) (fs.FileInfo, error) {
	info, err := a.fsys.Stat(name)
	if err != nil {
		return nil, contract.Cause(err)
	}
	return snapshot(info), nil
}

func (a *adapted) lstat(name string) (fs.FileInfo, error) {
	if a.ownLinks {
		return a.lstatOwn(name)
	}
	lstater, ok := a.fsys.(afero.Lstater)
	if !ok {
		return a.stat(name)
	}
	info, _, err := lstater.LstatIfPossible(name)
	if err != nil {
		return nil, contract.Cause(err)
	}
	return snapshot(info), nil
}

// lstatOwn is lstat where ownLinks. The path begins at the root and leads through
// no link.
func (a *adapted) lstatOwn(path string) (fs.FileInfo, error) {
	file, ok := a.known.get(path)
	if !ok {
		info, err := a.fsys.Stat(path)
		switch {
		case err == nil:
			file = info.(*mem.FileInfo).FileData
		case !errors.Is(err, fs.ErrNotExist):
			return nil, contract.Cause(err)
		}
		a.known.put(path, file)
	}
	if file == nil {
		return nil, fs.ErrNotExist
	}
	return describeOwn(file), nil
}
