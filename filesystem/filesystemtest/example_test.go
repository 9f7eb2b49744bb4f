package filesystemtest_test

import (
	"fmt"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
)

// publish makes a release the current one.
func publish(fsys filesystem.FS, release, content string) error {
	if err := fsys.MkdirAll("/releases/"+release, 0o755); err != nil {
		return err
	}
	if err := fsys.WriteFile("/releases/"+release+"/page", []byte(content), 0o644); err != nil {
		return err
	}
	if err := fsys.RemoveAll("/next"); err != nil {
		return err
	}
	if err := fsys.Symlink("releases/"+release, "/next"); err != nil {
		return err
	}
	return fsys.Rename("/next", "/current")
}

// A crash at any operation of an update leaves the old page or the new one,
// and the update can be done again.
func Example() {
	for n := 1; ; n++ {
		disk := memfs.New()
		if err := publish(disk, "1", "old"); err != nil {
			fmt.Println(err)
		}
		faulty := filesystemtest.Inject(disk, filesystemtest.Crash(n))
		err := publish(faulty, "2", "new page")
		page, readErr := disk.ReadFile("/current/page")
		fmt.Printf("%s: %v; page: %s %v; again: %v\n",
			faulty, err, page, readErr, publish(disk, "2", "new page"))
		if faulty.Count() < n {
			break
		}
	}
	// Output:
	// Crash(1): mkdirall /releases/2: crashed; page: old <nil>; again: <nil>
	// Crash(2): writefile /releases/2/page: crashed; page: old <nil>; again: <nil>
	// Crash(3): removeall /next: crashed; page: old <nil>; again: <nil>
	// Crash(4): symlink releases/2 /next: crashed; page: old <nil>; again: <nil>
	// Crash(5): rename /next /current: crashed; page: old <nil>; again: <nil>
	// Crash(6): <nil>; page: new page <nil>; again: <nil>
}
