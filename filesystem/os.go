package filesystem

import (
	"bytes"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/filesystem/internal/contract"
)

// OS is the filesystem of the operating system. The zero value is ready.
//
// Opening a FIFO, a socket or a device never blocks: it is refused with an
// error that satisfies fs.ErrInvalid.
type OS struct{}

var _ Appender = OS{}

// ReadFile implements [FS].
func (OS) ReadFile(name string) ([]byte, error) {
	f, info, err := openRead(name)
	if err != nil {
		return nil, contract.PathError("open", name, err)
	}
	defer f.Close()
	content := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	if _, err := content.ReadFrom(f); err != nil {
		return nil, contract.PathError("read", name, err)
	}
	return content.Bytes(), nil
}

// ReadRange implements [FS] with four system calls and one allocation.
func (OS) ReadRange(name string, p []byte, off int64) (int, error) {
	if err := contract.CheckName(name); err != nil {
		return 0, contract.PathError("open", name, err)
	}
	fd, err := openFD(name)
	if err != nil {
		return 0, contract.PathError("open", name, err)
	}
	defer unix.Close(fd)
	for n := 0; ; {
		if n == len(p) {
			return n, nil
		}
		m, err := unix.Pread(fd, p[n:], off+int64(n))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return n, contract.PathError("read", name, err)
		case m == 0:
			return n, io.EOF
		default:
			n += m
		}
	}
}

// openFD opens a regular file for reading without the weight of an *os.File.
func openFD(name string) (int, error) {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	for err == unix.EINTR {
		fd, err = unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	}
	if err != nil {
		return -1, openError(err)
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	for err == unix.EINTR {
		err = unix.Fstat(fd, &st)
	}
	if err == nil {
		switch uint32(st.Mode) & unix.S_IFMT {
		case unix.S_IFREG:
			return fd, nil
		case unix.S_IFDIR:
			err = unix.EISDIR
		default:
			err = contract.ErrNotRegular
		}
	}
	unix.Close(fd)
	return -1, err
}

// openError turns what open(2) says of a socket, or of a FIFO that nobody
// reads, into contract.ErrNotRegular.
func openError(err error) error {
	if contract.Cause(err) == unix.ENXIO {
		return contract.ErrNotRegular
	}
	return err
}

// Open implements [FS].
func (OS) Open(name string) (File, error) {
	f, _, err := openRead(name)
	if err != nil {
		return nil, contract.PathError("open", name, err)
	}
	return f, nil
}

func openRead(name string) (*os.File, fs.FileInfo, error) {
	if err := contract.CheckName(name); err != nil {
		return nil, nil, err
	}
	return openRegular(name, os.O_RDONLY)
}

// openRegular opens a regular file that exists. It does not wait for the
// other end of a FIFO.
func openRegular(name string, flag int) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(name, flag|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, openError(err)
	}
	info, err := f.Stat()
	if err == nil {
		err = contract.Regular(info)
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// Readlink implements [FS].
func (OS) Readlink(name string) (string, error) {
	if err := contract.CheckName(name); err != nil {
		return "", contract.PathError("readlink", name, err)
	}
	// Services are known by their links, which each pass reads.
	var short [256]byte
	if n, err := unix.Readlink(name, short[:]); err == nil && n < len(short) {
		return string(short[:n]), nil
	}
	target, err := os.Readlink(name)
	return target, contract.PathError("readlink", name, err)
}

// Stat implements [FS].
func (OS) Stat(name string) (fs.FileInfo, error) {
	if err := contract.CheckName(name); err != nil {
		return nil, contract.PathError("stat", name, err)
	}
	info, err := os.Stat(name)
	return info, contract.PathError("stat", name, err)
}

// Lstat implements [FS].
func (OS) Lstat(name string) (fs.FileInfo, error) {
	if err := contract.CheckName(name); err != nil {
		return nil, contract.PathError("lstat", name, err)
	}
	info, err := os.Lstat(name)
	return info, contract.PathError("lstat", name, err)
}

// ReadDir implements [FS].
func (OS) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := contract.CheckName(name); err != nil {
		return nil, contract.PathError("readdir", name, err)
	}
	entries, err := os.ReadDir(name)
	return entries, contract.PathError("readdir", name, err)
}

// SameFile implements [FS].
func (OS) SameFile(a, b fs.FileInfo) bool { return os.SameFile(a, b) }
