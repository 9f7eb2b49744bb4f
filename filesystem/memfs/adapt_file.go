package memfs

import (
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"github.com/spf13/afero"
	"github.com/spf13/afero/mem"

	"github.com/evenkeel/evenkeel/filesystem/internal/contract"
)

// openFile is a [filesystem.File] of an afero.File, whose ReadAt may move an
// offset that all readers share.
type openFile struct {
	name string

	mu     sync.Mutex // guards what follows
	file   afero.File
	closed bool
}

// ReadAt implements [io.ReaderAt].
func (f *openFile) ReadAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return 0, contract.PathError("read", f.name, fs.ErrClosed)
	case off < 0:
		return 0, contract.PathError("read", f.name, fs.ErrInvalid)
	}
	for n := 0; ; {
		if n == len(p) {
			return n, nil
		}
		m, err := f.file.ReadAt(p[n:], off+int64(n))
		n += m
		switch {
		case err == io.EOF, err == io.ErrUnexpectedEOF, m == 0 && err == nil:
			return n, io.EOF
		case err != nil:
			return n, contract.PathError("read", f.name, err)
		}
	}
}

// Stat implements [filesystem.File].
func (f *openFile) Stat() (fs.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, contract.PathError("stat", f.name, fs.ErrClosed)
	}
	info, err := f.file.Stat()
	if err != nil {
		return nil, contract.PathError("stat", f.name, err)
	}
	return named(snapshot(info), path.Base(f.name)), nil
}

// Close implements [io.Closer].
func (f *openFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return contract.PathError("close", f.name, fs.ErrClosed)
	}
	f.closed = true
	return contract.PathError("close", f.name, f.file.Close())
}

// memInfo is what a file of afero.MemMapFs was when it was described; afero's
// own description changes with the file.
type memInfo struct {
	name    string
	size    int64
	mode    fs.FileMode
	modTime time.Time
	data    *mem.FileData
}

func (i *memInfo) Name() string       { return i.name }
func (i *memInfo) Size() int64        { return i.size }
func (i *memInfo) Mode() fs.FileMode  { return i.mode }
func (i *memInfo) ModTime() time.Time { return i.modTime }
func (i *memInfo) IsDir() bool        { return i.mode.IsDir() }
func (i *memInfo) Sys() any           { return nil }

// describeOwn returns a description of a file that stays as it is. It has no name
// yet.
func describeOwn(file *mem.FileData) *memInfo {
	live := mem.FileInfo{FileData: file}
	return &memInfo{size: live.Size(), mode: live.Mode(), modTime: live.ModTime(), data: file}
}

// snapshot returns a description that stays as it is.
func snapshot(info fs.FileInfo) fs.FileInfo {
	live, ok := info.(*mem.FileInfo)
	if !ok {
		return info
	}
	own := describeOwn(live.FileData)
	own.name = live.Name()
	return own
}

// named gives a description, which nobody else has, the name that the caller
// used.
func named(info fs.FileInfo, name string) fs.FileInfo {
	if i, ok := info.(*memInfo); ok {
		i.name = name
	}
	return info
}

func sameFile(x, y fs.FileInfo) bool {
	a, ok := x.(*memInfo)
	if !ok {
		return os.SameFile(x, y)
	}
	b, ok := y.(*memInfo)
	return ok && a.data == b.data
}

// openOwn opens a file of afero.MemMapFs for reading.
func openOwn(info fs.FileInfo) afero.File {
	return mem.NewReadOnlyFileHandle(info.(*memInfo).data)
}

// contentOf returns what is in a file of afero.MemMapFs that nobody changes
// meanwhile.
func contentOf(info fs.FileInfo) ([]byte, error) {
	content := make([]byte, info.Size())
	_, err := io.ReadFull(openOwn(info), content)
	return content, err
}
