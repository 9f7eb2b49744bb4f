package s6test

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// supervisor is an s6-supervise.
type supervisor struct {
	tree *Tree
	pid  int
	name string      // "a", or "a/log" of a logger
	dir  string      // where its service directory was when it started
	id   fs.FileInfo // of that directory
	lock fs.FileInfo // of its supervise/lock
	log  *pipe       // what the process prints into, or a logger reads
	born time.Time

	status    supervise.Status
	process   *process // run, or finish while Finishing; nil while down
	notified  bool     // run has a descriptor for readiness that is still open
	nextStart time.Time
	dying     bool // was told to go down, KILL is to follow
	leaving   bool // exits once the service is down
	gone      bool
	timer     *event
	queue     []supervise.Command
}

// supervise starts an s6-supervise on a directory that has none.
func (t *Tree) supervise(name, dir string, id fs.FileInfo, log *pipe) *supervisor {
	s := &supervisor{tree: t, pid: t.newPID(), name: name, dir: dir, id: id, log: log, born: time.Now()}
	t.live = append(t.live, s)
	t.note(t.mem.MkdirAll(path.Join(dir, "event"), 0o730))
	t.note(t.mem.MkdirAll(path.Join(dir, "supervise"), 0o700))
	s.write("supervise/lock", nil)
	s.lock = t.stat(path.Join(dir, "supervise/lock"))
	s.write("supervise/death_tally", nil)
	now := time.Now()
	s.status = supervise.Status{Stamp: now, ReadyStamp: now, WantUp: !s.has("down"), Ready: true}
	// 2.15 says so in the first status; the flag goes with the next one.
	s.status.NotStarted = t.config.Version == V215
	s.announce()
	s.status.NotStarted = false
	s.emit(supervise.EventSupervisorStarted)
	s.wait(0)
	return s
}

func (s *supervisor) isLogger() bool { return isLogger(s.name) }

func isLogger(name string) bool { return strings.HasSuffix(name, "/log") }

// in reports whether the directory is still where it was. A process whose
// working directory is gone reads and writes nothing.
func (s *supervisor) in() bool { return s.tree.same(s.id, s.tree.stat(s.dir)) }

// locked reports whether the directory is known to be supervised by it: nobody
// sees a lock on a file that was deleted.
func (s *supervisor) locked() bool { return s.in() && s.locks() }

// locks is locked for one that is in its directory.
func (s *supervisor) locks() bool { return s.tree.same(s.lock, s.tree.stat(s.dir+"/supervise/lock")) }

func (s *supervisor) has(file string) bool {
	return s.in() && s.tree.stat(path.Join(s.dir, file)) != nil
}

func (s *supervisor) executable(file string) bool {
	info := s.tree.stat(path.Join(s.dir, file))
	return s.in() && info != nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// write writes a file, if there is still a directory for it.
func (s *supervisor) write(file string, data []byte) {
	if s.in() && s.tree.stat(path.Join(s.dir, path.Dir(file))) != nil {
		s.tree.note(s.tree.mem.ReplaceFile(path.Join(s.dir, file), data, 0o644))
	}
}

// setting returns the first line of a file, "" if there is none.
func (s *supervisor) setting(file string) string {
	if !s.in() {
		return ""
	}
	data, err := s.tree.mem.ReadFile(path.Join(s.dir, file))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return line
}

// timeout returns a setting in milliseconds; absent where the file is not
// there or no number, or where it says 0, which is for ever.
func (s *supervisor) timeout(file string, absent time.Duration) time.Duration {
	text := s.setting(file)
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return absent
	}
	return time.Duration(n) * time.Millisecond
}

func (s *supervisor) announce() {
	size := supervise.StatusSize
	if s.tree.config.Version == V213 {
		size = supervise.StatusSizeWithPGID
	}
	data, err := supervise.AppendStatus(nil, s.status, size)
	s.tree.note(err)
	s.write("supervise/status", data)
}

// wait lets the time-out of the current state come after d, or never if d is
// negative.
func (s *supervisor) wait(d time.Duration) {
	if s.timer != nil {
		s.timer.Stop()
	}
	if d >= 0 {
		s.timer = s.tree.after(max(d, s.tree.config.Latency), func() {
			if !s.gone {
				s.timedOut()
			}
		})
	}
}

func (s *supervisor) timedOut() {
	switch {
	case s.process == nil && s.status.WantUp:
		s.start()
	case s.process != nil && (s.status.Finishing || s.dying):
		s.process.signal(syscall.SIGKILL)
		s.wait(5 * time.Second)
	}
}

// enqueue puts commands into the control FIFO.
func (s *supervisor) enqueue(commands []supervise.Command) {
	s.queue = append(s.queue, commands...)
	s.tree.after(s.tree.config.Latency, func() {
		todo := s.queue
		s.queue = nil
		for _, c := range todo {
			if !s.gone {
				s.command(c)
			}
		}
	})
}

// signals are the commands that only send a signal to the process.
var signals = map[supervise.Command]syscall.Signal{
	supervise.CommandTerm: syscall.SIGTERM, supervise.CommandKill: syscall.SIGKILL, supervise.CommandInt: syscall.SIGINT,
	supervise.CommandHup: syscall.SIGHUP, supervise.CommandQuit: syscall.SIGQUIT, supervise.CommandAlarm: syscall.SIGALRM,
	supervise.CommandAbort: syscall.SIGABRT, supervise.CommandUsr1: syscall.SIGUSR1, supervise.CommandUsr2: syscall.SIGUSR2,
	supervise.CommandWinch: syscall.SIGWINCH,
}

func (s *supervisor) command(c supervise.Command) {
	up := s.status.Up()
	switch c {
	case supervise.CommandUp, supervise.CommandUpRemoveDown:
		if c == supervise.CommandUpRemoveDown && s.has("down") {
			s.tree.note(s.tree.mem.Remove(path.Join(s.dir, "down")))
		}
		s.want(true)
		if s.process == nil {
			s.start()
		}
	case supervise.CommandOnce:
		s.want(false)
		if s.process == nil {
			s.start()
		}
	case supervise.CommandOnceAtMost:
		s.want(false)
	case supervise.CommandDown, supervise.CommandDownCreateDown:
		if c == supervise.CommandDownCreateDown {
			s.write("down", nil)
		}
		s.down()
	case supervise.CommandExit:
		s.leave()
	case supervise.CommandRestart:
		if up {
			s.process.signal(s.downSignal())
		}
	case supervise.CommandStop, supervise.CommandCont:
		if up {
			s.pause(c == supervise.CommandStop)
		}
	default:
		if signal, known := signals[c]; known && up {
			s.process.signal(signal)
		}
	}
}

func (s *supervisor) want(up bool) {
	s.status.WantUp = up
	s.announce()
}

func (s *supervisor) pause(paused bool) {
	signal := syscall.SIGCONT
	if paused {
		signal = syscall.SIGSTOP
	}
	s.process.signal(signal)
	s.status.Paused = paused
	s.announce()
}

// down wants the service down and sees to it.
func (s *supervisor) down() {
	s.want(false)
	if !s.status.Up() {
		return
	}
	s.process.signal(s.downSignal())
	s.pause(false)
	s.dying = s.timeout("timeout-kill", 0) > 0
	if s.dying {
		s.wait(s.timeout("timeout-kill", 0))
	}
}

// leave exits once the service is down.
func (s *supervisor) leave() {
	s.leaving = true
	if s.process == nil {
		s.exit()
	}
}

// terminate is what SIGTERM does.
func (s *supervisor) terminate() {
	if s.status.Up() {
		s.down()
	}
	s.leave()
}

// downSignal is TERM unless the file names another signal, in letters of any
// case or by its number.
func (s *supervisor) downSignal() syscall.Signal {
	name := strings.ToUpper(s.setting("down-signal"))
	if n, err := strconv.Atoi(name); err == nil && n > 0 && n < 64 {
		return syscall.Signal(n)
	}
	if signal := unix.SignalNum("SIG" + strings.TrimPrefix(name, "SIG")); signal != 0 {
		return signal
	}
	return syscall.SIGTERM
}

// start spawns run.
func (s *supervisor) start() {
	if !s.executable("run") || s.tree.barred[s.name] != "" {
		s.wait(s.tree.config.Version.unstartable())
		return
	}
	s.notified = s.setting("notification-fd") != ""
	s.nextStart = time.Time{}
	s.dying = false
	s.process = s.tree.spawn(s, roleRun)
	s.wait(-1)
	s.status.PID, s.status.PGID = s.process.pid, s.process.pid
	s.status.Ready = false
	s.status.Stamp = time.Now()
	s.announce()
	s.emit(supervise.EventUp)
}

// ready is told that the process announced readiness.
func (s *supervisor) ready() {
	s.notified = false
	s.nextStart = time.Now().Add(time.Second)
	s.status.Ready, s.status.ReadyStamp = true, time.Now()
	s.announce()
	s.emit(supervise.EventReady)
}

// reap records the end of run or of finish.
func (s *supervisor) reap(wait supervise.WaitStatus) {
	if s.status.Finishing {
		failed := wait.ExitCode() == 125
		if failed {
			s.status.WantUp = false
			s.finished(supervise.EventFailed, supervise.EventFinished)
			return
		}
		s.finished(supervise.EventFinished)
		return
	}
	s.dying, s.notified = false, false
	s.status.WaitStatus = wait
	s.status.Paused, s.status.Ready = false, false
	s.status.Stamp = time.Now()
	s.tally(wait)
	if !s.executable("finish") {
		s.finished(supervise.EventDied, supervise.EventFinished)
		return
	}
	after := s.process.pid
	s.process = s.tree.spawn(s, roleFinish)
	s.process.after = after
	s.status.PID, s.status.Finishing = s.process.pid, true
	if d := s.timeout("timeout-finish", 5*time.Second); d > 0 {
		s.wait(d)
	} else {
		s.wait(-1)
	}
	s.announce()
	s.emit(supervise.EventDied)
}

// finished is after run and finish.
func (s *supervisor) finished(events ...supervise.Event) {
	s.process = nil
	s.status.PID, s.status.PGID, s.status.Finishing = 0, 0, false
	s.status.Ready, s.status.ReadyStamp = true, time.Now()
	if s.nextStart.IsZero() {
		s.wait(time.Second)
	} else {
		s.wait(max(0, time.Until(s.nextStart)))
	}
	s.announce()
	s.emit(events...)
	if s.leaving {
		s.exit()
	}
}

// tally records a death; the newest hundred are kept. What cannot be read of
// those before is forgotten.
func (s *supervisor) tally(wait supervise.WaitStatus) {
	const kept = 100
	death := supervise.Death{Time: s.status.Stamp, ExitCode: wait.ExitCode()}
	if wait.Signaled() {
		death.Signal = wait.Signal()
		death.ExitCode = 128 + int(wait.Signal())
	}
	if !s.in() {
		return
	}
	old, err := s.tree.mem.ReadFile(path.Join(s.dir, "supervise/death_tally"))
	if err != nil || len(old)%supervise.TallySize != 0 {
		old = nil
	}
	if len(old) >= kept*supervise.TallySize {
		old = old[supervise.TallySize:]
	}
	s.write("supervise/death_tally", supervise.AppendDeath(slices.Clone(old), death))
}

// exit is the ordinary end.
func (s *supervisor) exit() {
	if s.gone {
		return
	}
	s.end()
	s.emit(supervise.EventSupervisorExited)
}

// end is any end, also that by SIGKILL. A process goes on without it.
func (s *supervisor) end() {
	s.gone = true
	s.wait(-1)
	s.tree.live = slices.DeleteFunc(s.tree.live, func(other *supervisor) bool { return other == s })
	if s.process != nil {
		s.process.supervisor = nil
	}
	s.tree.excuse(s.dir)
	if s.in() {
		s.tree.closes(path.Join(s.dir, "supervise/lock"))
	}
	s.log.ended()
	s.tree.after(s.tree.config.Latency, func() {
		if s.tree.svscan != nil {
			s.tree.svscan.reap(s)
		}
	})
}
