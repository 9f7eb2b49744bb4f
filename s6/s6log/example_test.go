package s6log_test

import (
	"fmt"

	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

func ExampleReader() {
	fsys := memfs.New()
	current := []byte("@400000006b03c4e616a351b8 listening\n@400000006b03c58c03218d8b ready\nhalf a li")
	if err := fsys.Mkdir("/logs", 0o755); err != nil {
		fmt.Println(err)
		return
	}
	if err := fsys.WriteFile("/logs/current", current, 0o644); err != nil {
		fmt.Println(err)
		return
	}

	reader, err := s6log.NewReader(fsys, "/logs", s6log.FromBeginning)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer reader.Close()
	lines, err := reader.Read(0)
	for _, line := range lines {
		fmt.Println(line.Time.Format("15:04:05.000"), line.Text)
	}
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// 04:44:49.379 listening
	// 04:47:35.052 ready
}
