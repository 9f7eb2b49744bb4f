package s6

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
)

// escalation is what is due for a process that is to end.
type escalation int

const (
	endAsk    escalation = iota // it is to be told: nobody has yet
	endWait                     // it was told and has some time left
	endInsist                   // it has not ended in time
)

// readManner returns what a service directory says of it, which s6-supervise
// goes by. What it does not say, or cannot be read, is the default.
func readManner(fsys filesystem.FS, service string) manner {
	m := (*Spec)(nil).manner()
	if data, err := fsys.ReadFile(path.Join(service, fileDownSignal)); err == nil {
		m.signal = cmp.Or(signalOf(strings.TrimSpace(string(data))), m.signal)
	}
	if data, err := fsys.ReadFile(path.Join(service, fileTimeoutKill)); err == nil {
		if ms, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 31); err == nil && ms > 0 {
			m.patience = time.Duration(ms) * time.Millisecond
		}
	}
	return m
}

// endings are processes that were told to end, including supervisors, by their
// ids, each with the time when it was told. The zero value has none.
type endings map[int]time.Time

// due returns what is due for a process that has this much time to end. A
// process that was not told is to be told first, whatever became of another.
func (e endings) due(now time.Time, pid int, patience time.Duration) escalation {
	told, ok := e[pid]
	switch {
	case !ok:
		return endAsk
	case now.Sub(told) < patience:
		return endWait
	}
	return endInsist
}

// downDue returns what is due for a process that s6-supervise was told to bring
// down. It kills the process itself, some time after it has read that.
func (e endings) downDue(now time.Time, pid int, m manner) escalation {
	return e.due(now, pid, m.patience+overduePatience)
}

// has reports whether a process was told.
func (e endings) has(pid int) bool {
	_, ok := e[pid]
	return ok
}

// note records that a process is being told. Its time begins at the moment of
// the call, not at the clock reading of the pass: a slow pass must not shorten
// it.
func (e *endings) note(pid int) {
	if *e == nil {
		*e = make(endings)
	}
	(*e)[pid] = time.Now()
}

// keep forgets all processes but these: an id may belong to another process one
// day.
func (e endings) keep(there ...int) {
	if len(e) > 0 {
		maps.DeleteFunc(e, func(pid int, _ time.Time) bool { return !slices.Contains(there, pid) })
	}
}
