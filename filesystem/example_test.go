package filesystem_test

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
)

// settings is written for any filesystem, and tested on the one in memory.
type settings struct {
	fsys filesystem.FS
	path string
}

func (s settings) load() (string, error) {
	content, err := s.fsys.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return "defaults", nil
	}
	return string(content), err
}

func (s settings) save(content string) error {
	return s.fsys.ReplaceFile(s.path, []byte(content), 0o600)
}

func Example() {
	s := settings{fsys: memfs.New(), path: "/settings.yaml"}
	fmt.Println(s.load())
	fmt.Println(s.save("colour: green"))
	fmt.Println(s.load())
	// Output:
	// defaults <nil>
	// <nil>
	// colour: green <nil>
}
