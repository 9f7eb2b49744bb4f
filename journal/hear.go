package journal

import (
	"fmt"

	"github.com/evenkeel/evenkeel/fsm"
)

// Hear is an fsm.Listener that records what it is told.
func (j *Journal) Hear(n fsm.Notice) {
	owned := false
	for {
		outer, is := n.(fsm.Owned)
		if !is {
			break
		}
		n, owned = outer.Notice, true
	}
	about := n.About()
	note := func(what What, err error) {
		text := ""
		if err != nil {
			text = err.Error()
		}
		j.note(about, what, text, owned)
	}
	switch n := n.(type) {
	case fsm.Transition:
		j.offer(entry{Record: Record{At: n.At, Transition: &Transition{n, owned}}})
	case fsm.Refused:
		note(Refused, n.Err)
	case fsm.RefusalEnded:
		note(Taken, n.Err)
	case fsm.Warned:
		note(Warned, n.Err)
	case fsm.PassFailed:
		note(Failed, n.Err)
	case fsm.PassRecovered:
		note(Recovered, n.Err)
	case fsm.Overran:
		note(Overran, fmt.Errorf("a pass has taken more than %v", n.After))
	case fsm.Closed:
		note(Closed, n.Err)
		j.forgets(n.Instance)
	}
}

// forgets has those who compare passes forget an instance.
func (j *Journal) forgets(instance string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, forget := range j.forget {
		forget(instance)
	}
}
