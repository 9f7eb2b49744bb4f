package journal_test

import (
	"context"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/journal"
)

// A program records what happens, and the next one tells it.
func Example() {
	disk := memfs.New() // or filesystem.OS{}
	j := journal.Open(journal.Config{FS: disk, Dir: "/var/lib/me/journal"})
	config := fsm.Config{OnPass: journal.Passes[string, int](j), Listeners: []fsm.Listener{j.Hear}}
	// m, err := fsm.NewManager(kind, config), and so on. Then this is told:
	config.Listeners[0](fsm.Transition{
		Subject: fsm.Subject{At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Kind: "lamp", Instance: "hall"},
		From:    "off", To: "lit", Event: "start", ToPhase: fsm.PhaseRunning, Reason: fsm.Because("asked to be lit"),
	})
	if err := j.Close(context.Background()); err != nil {
		fmt.Println(err)
	}

	history, missing, err := journal.History(disk, "/var/lib/me/journal", "hall")
	for _, r := range history {
		if t := r.Transition; t != nil {
			fmt.Println(t.At.Format(time.TimeOnly), t.Instance, t.From, "->", t.To, t.Reason)
		}
	}
	fmt.Println(missing, "missing", err)
	// Output:
	// 03:04:05 hall off -> lit asked to be lit
	// 0 missing <nil>
}
