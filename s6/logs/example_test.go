package logs_test

import (
	"context"
	"fmt"

	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/s6/logs"
)

func ExampleReader() {
	fsys := memfs.New()
	for file, text := range map[string]string{
		"/logs/db/current":  "@400000006b03c4e616a351b8 listening\n@400000006b03c58c03218d8b accepts web\n",
		"/logs/web/current": "@400000006b03c4f916a351b8 asks db\n",
	} {
		if err := fsys.MkdirAll(file[:len(file)-len("/current")], 0o755); err != nil {
			fmt.Println(err)
			return
		}
		if err := fsys.WriteFile(file, []byte(text), 0o644); err != nil {
			fmt.Println(err)
			return
		}
	}

	reader := logs.Open(fsys, "/logs", logs.Options{Last: -1})
	for line := range reader.Lines(context.Background()) {
		switch {
		case line.Err != nil:
			fmt.Println(line.Instance, line.Err)
		case line.Gap:
			fmt.Println(line.Instance, "lines may be missing here")
		default:
			fmt.Println(line.At.Format("15:04:05"), line.Instance, line.Text)
		}
	}
	// Output:
	// 04:44:49 db listening
	// 04:45:08 web asks db
	// 04:47:35 db accepts web
}
