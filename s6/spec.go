package s6

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/fsm"
)

// Spec is what a service is made from. It is handed over by pointer and must
// not be modified afterwards; a change is a new Spec.
type Spec struct {
	// Command is the program and its arguments. A program without a slash is
	// looked up in PATH, one with a relative path from Dir.
	Command []string `json:"command" yaml:"command"`
	// Env is added to the environment of the supervision tree.
	Env map[string]string `json:"env,omitempty" yaml:"env,omitempty"`
	// Dir is the working directory; empty means the service directory.
	Dir string `json:"dir,omitempty" yaml:"dir,omitempty"`
	// ConfigFiles are written to config/ in the service directory before the
	// command starts, with mode 0600: file name to content. Other files there
	// are left alone.
	ConfigFiles map[string]string `json:"configFiles,omitempty" yaml:"configFiles,omitempty"`
	// User to run as, by s6-setuidgid; it needs a tree that runs as root.
	User string `json:"user,omitempty" yaml:"user,omitempty"`
	// Limits of the process, by s6-softlimit.
	Limits Limits `json:"limits,omitzero" yaml:"limits,omitempty"`
	// Ready says how it is known that the process does its work.
	Ready Readiness `json:"ready" yaml:"ready,omitempty"`
	// Check says how it is found out whether the process still does its work.
	Check Check `json:"check,omitzero" yaml:"check,omitempty"`
	// StartTimeout is how long starting may take before the service counts as
	// degraded; zero means 30 s. The process is not killed for it.
	StartTimeout time.Duration `json:"startTimeout,omitempty" yaml:"startTimeout,omitempty"`
	// StopSignal ends the process: the name of a signal such as INT or
	// SIGINT; empty means TERM.
	StopSignal string `json:"stopSignal,omitempty" yaml:"stopSignal,omitempty"`
	// StopTimeout is how long after StopSignal the process gets KILL; zero
	// means 10 s. There is always one.
	StopTimeout time.Duration `json:"stopTimeout,omitempty" yaml:"stopTimeout,omitempty"`
	// Policy says what follows on the end of a process. A run of the program that
	// ends in order has stopped it.
	Policy `yaml:",inline"`
	// Finish is run after each end of the process, with the exit code (256 if a
	// signal ended it), the signal and the service's name as further arguments.
	// If it exits with 125, the service has failed, as it has for GiveUpAfter.
	Finish []string `json:"finish,omitempty" yaml:"finish,omitempty"`
	// FinishTimeout is how long Finish may take, in whole seconds; zero means 5 s.
	// What the process has left running is ended before: the processes of its process
	// group get StopSignal when the process itself has ended, however it ended,
	// and KILL when half of this time is over.
	FinishTimeout time.Duration `json:"finishTimeout,omitempty" yaml:"finishTimeout,omitempty"`
	// Log says how what the process prints is kept.
	Log Log `json:"log,omitzero" yaml:"log,omitempty"`
	// Note is kept with the service and means nothing to this package. A kind
	// that builds on services keeps its own spec in it.
	Note string `json:"note,omitempty" yaml:"-"`
}

// Limits are soft limits of a process; zero means unlimited by this package.
type Limits struct {
	// Memory in bytes, of writable private memory (RLIMIT_DATA): what the
	// process allocates, and not the address space it only reserves.
	Memory int64 `json:"memory,omitempty" yaml:"memory,omitempty"`
	// OpenFiles is a number of descriptors (RLIMIT_NOFILE).
	OpenFiles int64 `json:"openFiles,omitempty" yaml:"openFiles,omitempty"`
	// Processes is a number of processes of the user (RLIMIT_NPROC).
	Processes int64 `json:"processes,omitempty" yaml:"processes,omitempty"`
	// FileSize in bytes (RLIMIT_FSIZE).
	FileSize int64 `json:"fileSize,omitempty" yaml:"fileSize,omitempty"`
}

// Readiness says how it is known that a process does its work. At most one
// field is set. With FD, Check or Announced, s6 itself restarts a process that had
// been ready for a second within milliseconds of its death; otherwise it
// restarts it after a second, unless it is told to by a program that runs.
type Readiness struct {
	// Stays: the process has run for this long without ending. Zero, with no
	// other field set, means a second: s6 itself treats a process that ends
	// sooner as one that failed to start, and pauses before the next.
	Stays time.Duration `json:"stays,omitempty" yaml:"stays,omitempty"`
	// FD: the process itself writes a newline to this descriptor.
	FD int `json:"fd,omitempty" yaml:"fd,omitempty"`
	// Check is a command that exits with 0 once the process is ready;
	// s6-notifyoncheck runs it until then.
	Check []string `json:"check,omitempty" yaml:"check,omitempty"`
	// Announced: a program that watches the process calls Tree.AnnounceReady.
	Announced bool `json:"announced,omitempty" yaml:"announced,omitempty"`
}

// required reports whether readiness is announced to s6.
func (r Readiness) required() bool { return r.FD > 0 || len(r.Check) > 0 || r.Announced }

// stays is how long a process has to run to count as ready, zero if readiness
// is announced.
func (r Readiness) stays() time.Duration {
	if r.required() {
		return 0
	}
	return cmp.Or(r.Stays, defaultStays)
}

// Log says how s6-log keeps what a service prints, in the directory that the
// Layout names.
type Log struct {
	// FileSize in bytes at which a log file is rotated; zero means 1 MiB.
	// s6-log takes 4096 to 268435455.
	FileSize int64 `json:"fileSize,omitempty" yaml:"fileSize,omitempty"`
	// Files is how many rotated files are kept; zero means 10, negative none.
	Files int `json:"files,omitempty" yaml:"files,omitempty"`
	// TAI64N leaves out the readable local time, which otherwise follows the
	// TAI64N label of each line.
	TAI64N bool `json:"tai64n,omitempty" yaml:"tai64n,omitempty"`
	// RemoveWithService removes the logs with the service.
	RemoveWithService bool `json:"removeWithService,omitempty" yaml:"removeWithService,omitempty"`
}

// Kept returns how many rotated files are kept, with the default filled in.
func (l Log) Kept() int { return max(0, cmp.Or(l.Files, defaultLogFiles)) }

const (
	defaultLogSize  = 1 << 20
	defaultLogFiles = 10
	minLogSize      = 4096
	maxLogSize      = 268435455
)

// stopSignals are the signals that a down-signal file may name.
var stopSignals = []string{"TERM", "INT", "HUP", "QUIT", "KILL", "USR1", "USR2", "ALRM", "ABRT"}

// Validate returns everything that is wrong with the spec, nil for nothing. It
// looks at the spec alone: whether the command exists is a matter of
// observation.
func (s *Spec) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if len(s.Command) == 0 {
		bad("command: it must name a program")
	}
	text := func(field string, values ...string) {
		if slices.ContainsFunc(values, func(v string) bool { return strings.ContainsRune(v, 0) || !utf8.ValidString(v) }) {
			bad("%s: it must be UTF-8 without NUL", field)
		}
	}
	program := func(field string, command []string) {
		if len(command) > 0 && command[0] == "" {
			bad("%s: it must name a program", field)
		}
		text(field, command...)
	}
	program("command", s.Command)
	program("finish", s.Finish)
	program("ready.check", s.Ready.Check)
	text("dir", s.Dir)
	text("note", s.Note)
	for _, key := range slices.Sorted(maps.Keys(s.Env)) {
		if err := fsm.CheckName(key); err != nil || strings.Contains(key, "=") {
			bad("env: %q is not a name for a variable", key)
		}
		text("env."+key, s.Env[key])
	}
	for _, name := range slices.Sorted(maps.Keys(s.ConfigFiles)) {
		if err := fsm.CheckName(name); err != nil {
			bad("configFiles: %w", err)
		}
		text("configFiles."+name, s.ConfigFiles[name])
	}
	if s.Dir != "" && !path.IsAbs(s.Dir) {
		bad("dir: %q must be an absolute path", s.Dir)
	}
	if strings.HasPrefix(s.User, "-") || !utf8.ValidString(s.User) ||
		strings.ContainsFunc(s.User, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '/' }) {
		bad("user: %q is not a user name", s.User)
	}
	errs = append(errs, s.validateNumbers()...)
	errs = append(errs, s.Check.validate(s.Policy)...)
	return errors.Join(errs...)
}

func (s *Spec) validateNumbers() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	duration := func(field string, d time.Duration) {
		if d < 0 || d > longestTimeout || d > 0 && d < shortestTimeout {
			bad("%s: %v must be from 1ms to 24h", field, d)
		}
	}
	duration("startTimeout", s.StartTimeout)
	duration("ready.stays", s.Ready.Stays)
	duration("stopTimeout", s.StopTimeout)
	duration("finishTimeout", s.FinishTimeout)
	if wrong, is := s.Policy.Validate().(interface{ Unwrap() []error }); is {
		errs = append(errs, wrong.Unwrap()...)
	}
	limit := func(field string, n int64) {
		if n < 0 {
			bad("%s: %d must not be negative", field, n)
		}
	}
	limit("limits.memory", s.Limits.Memory)
	limit("limits.openFiles", s.Limits.OpenFiles)
	limit("limits.processes", s.Limits.Processes)
	limit("limits.fileSize", s.Limits.FileSize)
	if n := s.Log.FileSize; n != 0 && (n < minLogSize || n > maxLogSize) {
		bad("log.fileSize: %d must be from %d to %d", n, minLogSize, maxLogSize)
	}
	if s.StopSignal != "" && !slices.Contains(stopSignals, strings.TrimPrefix(s.StopSignal, "SIG")) {
		bad("stopSignal: %q must be one of %v", s.StopSignal, stopSignals)
	}
	set := 0
	for _, used := range []bool{s.Ready.Stays != 0, s.Ready.FD != 0, len(s.Ready.Check) > 0, s.Ready.Announced} {
		if used {
			set++
		}
	}
	if set > 1 {
		bad("ready: only one of stays, fd, check and announced can be set")
	}
	if s.Ready.FD != 0 && (s.Ready.FD < 3 || s.Ready.FD > 255) {
		bad("ready.fd: %d must be from 3 to 255", s.Ready.FD)
	}
	return errs
}

func (s *Spec) workingDir(service string) string {
	if s.Dir == "" {
		return service
	}
	return s.Dir
}

// StartTime is how long starting may take before the service counts as degraded.
func (s *Spec) StartTime() time.Duration { return cmp.Or(s.StartTimeout, defaultStartTimeout) }

// StopTime is how long after the stop signal the process is killed.
func (s *Spec) StopTime() time.Duration { return s.manner().patience }

// manner is how a process is made to end: by a signal, and by KILL if it has not
// ended in this time.
type manner struct {
	signal   syscall.Signal
	patience time.Duration
}

// manner returns how the process is made to end, the default without a spec.
func (s *Spec) manner() manner {
	m := manner{syscall.SIGTERM, defaultStopTimeout}
	if s == nil {
		return m
	}
	return manner{
		signal:   cmp.Or(signalOf(s.StopSignal), m.signal),
		patience: cmp.Or(s.StopTimeout, m.patience),
	}
}

// signalOf returns a signal by its name, with or without SIG before it, 0 for
// none.
func signalOf(name string) syscall.Signal {
	return unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(name), "SIG"))
}

// finishTimeout is how long all may take that comes after the end of the
// process and before another start, and groupTimeout how much of it the
// processes have that it has left running.
func (s *Spec) finishTimeout() time.Duration {
	if s == nil {
		return defaultFinishTimeout
	}
	return cmp.Or(s.FinishTimeout, defaultFinishTimeout)
}

func (s *Spec) groupTimeout() time.Duration { return s.finishTimeout() / 2 }

// Hash is the same for specs that ask for the same thing, whether a map or list
// is nil or empty, and differs otherwise. It is a SHA-256 in hex.
func (s *Spec) Hash() string {
	data, err := json.Marshal(s)
	if err != nil {
		// A Spec holds strings, numbers, and lists and maps of these.
		data = []byte(err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// hashSize is the length of the hash file.
const hashSize = 64

// processHash is the Hash of what reaches the process. Specs have the same
// processHash if they differ only in how logs are kept, in a note, in how long to
// wait, in how the process is checked, or in what s6-supervise looks up when the
// process is to end or has ended.
func (s *Spec) processHash() string {
	process := *s
	process.Log, process.Note, process.StartTimeout, process.Ready.Stays = Log{}, "", 0, 0
	process.StopSignal, process.StopTimeout = "", 0
	process.Finish, process.FinishTimeout = nil, 0
	process.Policy, process.Check = Policy{}, Check{}
	return process.Hash()
}
