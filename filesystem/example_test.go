package filesystem_test

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/evenkeel/evenkeel/filesystem"
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
	s := settings{fsys: filesystem.NewMemory(), path: "/settings.yaml"}
	fmt.Println(s.load())
	fmt.Println(s.save("colour: green"))
	fmt.Println(s.load())
	// Output:
	// defaults <nil>
	// <nil>
	// colour: green <nil>
}

func ExampleMemory_Append() {
	fsys := filesystem.NewMemory()
	_ = fsys.Append("/current", []byte("first line\n"))
	reader, err := fsys.Open("/current")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer reader.Close()

	// A logger rotates: the reader keeps the file it has open.
	_ = fsys.Rename("/current", "/@1.s")
	_ = fsys.Append("/current", []byte("of the new file\n"))
	p := make([]byte, 100)
	n, err := reader.ReadAt(p, 0)
	fmt.Printf("%q %v\n", p[:n], err)
	// Output: "first line\n" EOF
}
