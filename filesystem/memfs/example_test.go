package memfs_test

import (
	"fmt"

	"github.com/spf13/afero"

	"github.com/evenkeel/evenkeel/filesystem/memfs"
)

// Afero makes missing parents of a file on its own; the contract does not.
func Example() {
	fsys := memfs.Adapt(afero.NewMemMapFs())
	fmt.Println(fsys.WriteFile("/missing/settings.yaml", nil, 0o600))
	fmt.Println(fsys.MkdirAll("/etc", 0o755))
	fmt.Println(fsys.ReplaceFile("/etc/settings.yaml", []byte("colour: green"), 0o600))
	content, err := fsys.ReadFile("/etc/settings.yaml")
	fmt.Println(string(content), err)
	// Output:
	// write /missing/settings.yaml: file does not exist
	// <nil>
	// <nil>
	// colour: green <nil>
}

func ExampleFS_Append() {
	fsys := memfs.New()
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
