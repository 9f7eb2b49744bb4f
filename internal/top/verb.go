package top

import (
	"fmt"

	"github.com/evenkeel/evenkeel/fsm"
)

// question is something that is asked for by hand, and not before somebody says yes.
type question struct {
	verb, name string
	text       string // names the instance, and says what will happen
}

// questionOf returns the question before something is asked of an instance by hand.
func questionOf(verb string, r *row) *question {
	name := fsm.EscapeLine(r.Name)
	q := &question{verb: verb, name: r.Name}
	switch verb {
	case "stop":
		q.text = fmt.Sprintf("Stop %s? It stays stopped until it is started by hand, over restarts of the program as well. What depends on it goes on.", name)
	case "start":
		q.text = fmt.Sprintf("Start %s? If it was stopped by hand, it is again what is declared of it. Nothing else changes.", name)
	case "restart":
		process := "a process"
		if r.PID != 0 {
			process = fmt.Sprintf("process %d", r.PID)
		}
		q.text = fmt.Sprintf("Restart %s? Another process takes the place of %s as soon as that has ended. What depends on it goes on.", name, process)
	case "retry":
		q.text = fmt.Sprintf("Retry %s? What has failed, or is held, is tried at once. What runs goes on.", name)
	}
	return q
}
