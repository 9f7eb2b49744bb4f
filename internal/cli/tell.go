package cli

import (
	"fmt"
	"sync"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/runner"
)

// teller prints each transition, and what is refused, once for as long as it is.
type teller struct {
	out, errs *runner.Outlet

	mu   sync.Mutex // guards told
	told map[string]string
}

// hear is an fsm.Listener.
func (t *teller) hear(n fsm.Notice) {
	switch n := n.(type) {
	case fsm.Transition:
		t.mu.Lock()
		delete(t.told, n.Instance) // what comes after it is news
		t.mu.Unlock()
		say(t.out, "%s %s %s -> %s (%s) %s", n.At.Format("15:04:05.000"), n.Instance, n.From, n.To, n.Event, n.Reason)
	case fsm.Refused:
		t.once(n.Instance, fmt.Sprintf("%s is refused: %v", n.Instance, n.Err))
	case fsm.Warned:
		t.once(n.Instance, fmt.Sprintf("%s: %v", n.Instance, n.Err))
	}
}

func (t *teller) once(name, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.told[name] == text {
		return
	}
	t.told[name] = text
	say(t.errs, "%s", text)
}
