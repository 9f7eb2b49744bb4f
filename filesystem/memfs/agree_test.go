package memfs_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/afero"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
)

// TestAgreesWithOS runs the same random operations on the operating system's
// filesystem and on another one, and wants the same results, the same errors
// and the same tree after each of them.
func TestAgreesWithOS(t *testing.T) {
	const tests, steps = 30, 80
	for name, other := range map[string]struct {
		open  func(t *testing.T) side
		links bool
		// coarse: it follows links itself, so Adapt cannot tell a directory
		// above the file to be renamed from any other.
		coarse bool
	}{
		"FS": {links: true, open: func(*testing.T) side {
			return side{memfs.New(), "/some/root"}
		}},
		"adapted MemMapFs": {open: func(*testing.T) side {
			return side{memfs.Adapt(afero.NewMemMapFs()), "/some/root"}
		}},
		"adapted OsFs": {links: true, coarse: true, open: func(t *testing.T) side {
			return side{memfs.Adapt(afero.NewOsFs()), t.TempDir() + "/root"}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(tests) {
				p := newPair(t, other.open(t), seed)
				p.links, p.coarse = other.links, other.coarse
				for range steps {
					p.step(t)
				}
				p.close(t)
			}
		})
	}
}

// side is a filesystem and the directory of it that is played with, below
// which names go up and down.
type side struct {
	filesystem.FS
	root string
}

func (s side) at(name string) string { return s.root + deep + "/" + name }

// deep keeps names with ".." in them below the root.
const deep = "/1/2/3/4/5/6/7/8/9"

// target makes an absolute target of one that begins with a slash.
func (s side) target(target string) string {
	if strings.HasPrefix(target, "/") {
		return s.root + deep + target
	}
	return target
}

// pair is two filesystems that ought to be in the same state.
type pair struct {
	sides   [2]side // the operating system's, the other
	links   bool
	coarse  bool
	random  *rand.Rand
	history []string
	open    [][2]filesystem.File
}

func newPair(t *testing.T, other side, seed uint64) *pair {
	p := &pair{
		sides:   [2]side{{filesystem.OS{}, t.TempDir() + "/root"}, other},
		random:  rand.New(rand.NewPCG(seed, 0)),
		history: []string{fmt.Sprintf("seed %d", seed)},
	}
	for _, s := range p.sides {
		require.NoError(t, s.MkdirAll(s.root+deep, 0o755))
	}
	return p
}

func (p *pair) close(t *testing.T) {
	for i, s := range p.sides {
		for _, files := range p.open {
			require.NoError(t, files[i].Close())
		}
		require.NoError(t, s.RemoveAll(s.root))
	}
}

// step does one random operation on both and compares.
func (p *pair) step(t *testing.T) {
	op := p.operation()
	p.history = append(p.history, op.name)
	var results, trees [2]string
	for i, s := range p.sides {
		results[i] = strings.ReplaceAll(op.run(s, i), s.root, "")
		trees[i] = strings.ReplaceAll(tree(s, s.root), s.root, "")
	}
	if p.coarse {
		for i := range results {
			results[i] = strings.ReplaceAll(results[i], syscall.EISDIR.Error(), syscall.ENOTEMPTY.Error())
		}
	}
	require.Equal(t, results[0], results[1], "result of the last of:\n%s", strings.Join(p.history, "\n"))
	require.Equal(t, trees[0], trees[1], "tree after:\n%s", strings.Join(p.history, "\n"))
}

// operation is one that can be run on either side, and says what came of it.
type operation struct {
	name string
	run  func(s side, i int) string
}

func (p *pair) operation() operation {
	switch p.random.IntN(8) {
	case 0, 1:
		return p.read(p.name())
	case 2:
		return p.readOpen(p.name())
	}
	return p.change(p.name(), p.name())
}

func (p *pair) change(a, b string) operation {
	perm := []fs.FileMode{0o700, 0o750, 0o755, 0o777}[p.random.IntN(4)]
	data := []byte(strings.Repeat(string(rune('a'+p.random.IntN(26))), p.random.IntN(9)))
	bare := strings.TrimRight(a, "/")
	target := p.target()
	changes := []operation{
		{"WriteFile " + a, func(s side, _ int) string { return class(s.WriteFile(s.at(a), data, perm)) }},
		{"WriteFile " + a, func(s side, _ int) string { return class(s.WriteFile(s.at(a), data, perm)) }},
		{"ReplaceFile " + a, func(s side, _ int) string { return class(s.ReplaceFile(s.at(a), data, perm)) }},
		{"Mkdir " + a, func(s side, _ int) string { return class(s.Mkdir(s.at(a), perm)) }},
		{"MkdirAll " + a, func(s side, _ int) string { return class(s.MkdirAll(s.at(a), perm)) }},
		{"Rename " + a + " " + b, func(s side, _ int) string { return class(s.Rename(s.at(a), s.at(b))) }},
		{"Rename " + a + " " + b, func(s side, _ int) string { return class(s.Rename(s.at(a), s.at(b))) }},
		{"Remove " + a, func(s side, _ int) string { return class(s.Remove(s.at(a))) }},
		{"RemoveAll " + bare, func(s side, _ int) string { return class(s.RemoveAll(s.at(bare))) }},
	}
	if p.links {
		link := operation{"Symlink " + target + " " + bare, func(s side, _ int) string {
			return class(s.Symlink(s.target(target), s.at(bare)))
		}}
		changes = append(changes, link, link, link)
	}
	return changes[p.random.IntN(len(changes))]
}

func (p *pair) read(a string) operation {
	reads := []operation{
		{"ReadFile " + a, func(s side, _ int) string { return result(s.ReadFile(s.at(a))) }},
		{"ReadRange " + a, func(s side, _ int) string { return readRange(s, s.at(a)) }},
		{"Stat " + a, func(s side, _ int) string { return described(s.Stat(s.at(a))) }},
		{"Lstat " + a, func(s side, _ int) string { return described(s.Lstat(s.at(a))) }},
		{"ReadDir " + a, func(s side, _ int) string { return listed(s.ReadDir(s.at(a))) }},
	}
	if p.links {
		reads = append(reads, operation{"Readlink " + a, func(s side, _ int) string {
			return result(s.Readlink(s.at(a)))
		}})
	}
	return reads[p.random.IntN(len(reads))]
}

// readOpen opens a file on both sides, or looks at one that is open and whose
// name may be another's by now.
func (p *pair) readOpen(name string) operation {
	if len(p.open) == 0 || len(p.open) < 4 && p.random.IntN(2) == 0 {
		var files [2]filesystem.File
		return operation{"Open " + name, func(s side, i int) string {
			f, err := s.Open(s.at(name))
			files[i] = f
			if i == 1 && files[0] != nil && err == nil {
				p.open = append(p.open, files)
			}
			return class(err)
		}}
	}
	files := p.open[p.random.IntN(len(p.open))]
	return operation{"look at an open file and at " + name, func(s side, i int) string {
		content, err := io.ReadAll(io.NewSectionReader(files[i], 0, 1<<20))
		info, statErr := files[i].Stat()
		named, _ := s.Stat(s.at(name))
		return fmt.Sprint(result(content, err), described(info, statErr), s.SameFile(info, named))
	}}
}

// name returns a name below the root: short, so that operations meet.
func (p *pair) name() string {
	name := p.element()
	for range p.random.IntN(3) {
		name += "/" + p.element()
	}
	if p.random.IntN(20) == 0 {
		name += "/"
	}
	return name
}

func (p *pair) element() string {
	switch p.random.IntN(25) {
	case 0:
		return "."
	case 1:
		return ".."
	}
	return string(rune('a' + p.random.IntN(3)))
}

// target returns what a link may point to: absolute or relative, there or not,
// the link itself among them.
func (p *pair) target() string {
	if p.random.IntN(3) == 0 {
		return "/" + p.name()
	}
	target := p.element()
	for range p.random.IntN(3) {
		target = path.Join("..", target)
	}
	return target
}

// tree writes down all that can be seen of a tree.
func tree(fsys filesystem.FS, root string) string {
	var b strings.Builder
	var walk func(dir string)
	walk = func(dir string) {
		entries, err := fsys.ReadDir(dir)
		fmt.Fprintln(&b, dir, class(err))
		for _, entry := range entries {
			name := path.Join(dir, entry.Name())
			info, err := fsys.Lstat(name)
			fmt.Fprint(&b, name, entry.Type(), described(info, err))
			switch entry.Type() {
			case fs.ModeDir:
				walk(name)
			case fs.ModeSymlink:
				fmt.Fprintln(&b, result(fsys.Readlink(name)))
			default:
				fmt.Fprintln(&b, result(fsys.ReadFile(name)))
			}
		}
	}
	walk(root)
	return b.String()
}

func described(info fs.FileInfo, err error) string {
	if err != nil {
		return class(err)
	}
	size := info.Size()
	if info.IsDir() || info.Mode().Type() == fs.ModeSymlink {
		size = 0
	}
	return fmt.Sprintf(" %s %d ", info.Mode(), size)
}

func listed(entries []fs.DirEntry, err error) string {
	return fmt.Sprint(entries, class(err))
}

func result[T ~string | ~[]byte](content T, err error) string {
	return fmt.Sprintf(" %q %s", string(content), class(err))
}

func readRange(fsys filesystem.FS, name string) string {
	p := make([]byte, 3)
	n, err := fsys.ReadRange(name, p, 2)
	return result(p[:n], err)
}

// class names the kind of an error, the same for all that a caller could tell
// it by.
func class(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil, err == io.EOF:
		return fmt.Sprint(err)
	case errors.Is(err, fs.ErrInvalid):
		return "invalid"
	case errors.Is(err, fs.ErrNotExist):
		return "not exist"
	case errors.As(err, &errno) && errno != syscall.EEXIST:
		return errno.Error()
	case errors.Is(err, fs.ErrExist):
		return "exist"
	}
	return err.Error()
}
