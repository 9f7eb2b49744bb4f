package s6

import (
	"context"
	"os"
	"path"
	"time"

	"github.com/evenkeel/evenkeel/internal/inotify"
	"github.com/evenkeel/evenkeel/internal/spell"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// keep replaces an s6-svscan that ends. Where its end is heard, it is looked at now
// and then all the same.
func (t *SystemTree) keep(ctx context.Context) {
	// Orphans of an earlier run may be there from the beginning.
	deaf := make(map[string]*spell.Spell[bool])
	ended := make(chan struct{}, 1)
	var heard *inotify.Watch
	defer func() { unheed(heard) }()
	for orphans, served := true, false; ; {
		if orphans {
			orphans = t.releaseOrphans(time.Now(), deaf) // There is no pass.
		}
		pause := keepEvery
		if served && !orphans && heard != nil && heard.Whole() {
			pause = keepRest - time.Duration(time.Now().UnixNano())%keepRest // with passes, for each wake-up has its price
		}
		select {
		case <-ctx.Done():
			return
		case <-ended:
		case <-time.After(pause):
		}
		t.trimStderr()
		heard = t.heed(heard, ended) // before it is looked whether it serves
		if served = t.Served() == nil; served {
			continue
		}
		// A scan directory that was removed is not made again.
		if _, err := os.Stat(t.layout.ScanDir); err != nil {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, startPatience)
		// What keeps it from starting is reported by whatever next needs it.
		orphans = t.start(limited) == nil || orphans
		cancel()
	}
}

// heed has the end of the s6-svscan told, where that can be heard: its lock is closed
// then. It returns nil where it cannot.
func (t *SystemTree) heed(before *inotify.Watch, ended chan<- struct{}) *inotify.Watch {
	if t.notifier == nil || before != nil && before.Whole() {
		return before
	}
	unheed(before)
	lock := t.layout.scanLock()
	heard, err := t.notifier.Watch([]inotify.Dir{{Path: path.Dir(lock), Names: []string{path.Base(lock)}}}, func() {
		select {
		case ended <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return nil
	}
	return heard
}

func unheed(heard *inotify.Watch) {
	if heard != nil {
		heard.Close()
	}
}

// releaseOrphans tells orphans to exit after their process, and reports whether
// there is anything left to do. s6-svscan tries every second to start others in
// their place.
//
// Nobody but the supervisor of a service is sure to hold the pipe that its
// process writes to. So it is told once a logger reads that pipe. A logger's
// supervisor is told once its service's supervisor has exited: until then it
// restarts s6-log when that dies. An s6-log that reads something else, for it
// began before the process did, is told to end: the next one reads the pipe.
// Where no process is and nothing waits in the pipe, none is needed.
func (t *SystemTree) releaseOrphans(now time.Time, deaf map[string]*spell.Spell[bool]) (any bool) {
	services, err := t.pairs()
	if err != nil {
		return true // to be looked at again
	}
	scanner, err := t.scanner()
	if err != nil || scanner.PID == 0 {
		return err != nil || !scanner.Held
	}
	for _, p := range services {
		if p.unread != nil {
			any = true // to be looked at again
			continue
		}
		any = t.release(now, p, scanner, deaf) || any
	}
	return any
}

// release does that for one service. deaf has a spell for each that was left,
// until its logger reads its pipe.
func (t *SystemTree) release(now time.Time, p pair, scanner supervise.LockState, deaf map[string]*spell.Spell[bool]) (any bool) {
	service, logs := orphaned(p.supervisor, scanner), orphaned(p.logSupers, scanner)
	since := deaf[p.service]
	if !service && !logs && since == nil {
		return false
	}
	if since == nil {
		since = &spell.Spell[bool]{}
		deaf[p.service] = since
	}
	hears := t.hears(p.service, p.supervisor.PID)
	since.Note(hears == no)
	var commands []supervise.Command
	switch {
	case service && (hears != no || t.silent(p)):
		_ = t.Control(p.service, supervise.CommandExit) // it may be gone by now
	case logs && !service:
		commands = append(commands, supervise.CommandExit)
		if hears == yes {
			commands = append(commands, supervise.CommandTerm) // the rest waits in the pipe
		}
	case hears == yes:
		delete(deaf, p.service)
	}
	if since.Lasts(now, scanPatience) {
		commands = append(commands, supervise.CommandTerm) // it may read something else
	}
	if commands != nil {
		_ = t.Control(logger(p.service), commands...)
	}
	return service || logs || hears == no
}

// silent reports whether nothing runs under a service's supervisor and all of
// what was printed there has been read.
func (t *SystemTree) silent(p pair) bool {
	process, err := t.Process(p.service)
	return err == nil && process.PID == 0 && unread(p.supervisor.PID, 1) == 0
}
