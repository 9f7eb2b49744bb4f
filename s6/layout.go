package s6

import (
	"fmt"
	"hash/crc32"
	"path"
	"strings"
)

// Layout says where a tree's directories are. All paths are absolute.
type Layout struct {
	// ScanDir is what s6-svscan watches: a link for each service.
	ScanDir string
	// ServicesDir holds the service directories, under the services' names.
	ServicesDir string
	// LogsDir holds the log directories, under the services' names.
	LogsDir string
}

// Service returns a service's directory.
func (l Layout) Service(name string) string { return path.Join(l.ServicesDir, name) }

// Link returns where the scan directory links to a service.
func (l Layout) Link(name string) string { return path.Join(l.ScanDir, name) }

// Log returns a service's log directory. The newest lines are in its file
// current.
func (l Layout) Log(name string) string { return path.Join(l.LogsDir, name) }

// managerLock returns the lock of the program that manages the services.
func (l Layout) managerLock() string { return path.Join(l.ServicesDir, ".lock") }

// scanControl is where s6-svscan reads commands, scanLock what it holds while
// it lives, and scanStderr the file for the diagnostics of an s6-svscan that
// StartPrivate started.
func (l Layout) scanControl() string { return path.Join(l.ScanDir, ".s6-svscan", "control") }
func (l Layout) scanLock() string    { return path.Join(l.ScanDir, ".s6-svscan", "lock") }
func (l Layout) scanStderr() string  { return path.Join(l.ScanDir, ".stderr") }

// logLock returns what an s6-log holds while it writes to its log directory.
func (l Layout) logLock(name string) string { return path.Join(l.Log(name), "lock") }

// What is built or deleted beside the service directories has the names of its
// owner and its service with one of these before it. No instance and no service
// can have such a name, for it begins with a dot.
const (
	asideNew  = ".new-"
	asideGone = ".gone-"
)

// aside returns where an owner's service directory is built or deleted.
func (l Layout) aside(prefix, owner, name string) string {
	return path.Join(l.ServicesDir, prefix+owner+".."+name) // neither has two dots in a row
}

// nudgeName begins the names of the services by which s6-svscan is nudged. They
// are directories in the scan directory itself. A dot before their name hides
// them from s6-svscan when they are to end.
const nudgeName = "evenkeel-nudge-"

// nudgePrefix begins the names of this tree's own nudges: other programs may
// have other services under the same s6-svscan.
func (l Layout) nudgePrefix() string {
	return fmt.Sprintf("%s%08x-", nudgeName, crc32.ChecksumIEEE([]byte(l.ServicesDir)))
}

// hidden returns the name under which s6-svscan ignores a directory in the scan
// directory, unhidden the one under which it sees it.
func hidden(dir string) string {
	return path.Join(path.Dir(dir), "."+strings.TrimPrefix(path.Base(dir), "."))
}

func unhidden(dir string) string {
	return path.Join(path.Dir(dir), strings.TrimPrefix(path.Base(dir), "."))
}

// reserved reports whether a name means something else in a scan directory than
// a service of this package. s6-svscan has a name for its own logger.
func reserved(name string) bool {
	return name == "s6-svscan-log" || strings.HasPrefix(name, nudgeName)
}

// What is in a service directory. This package's own are the directories env
// and config and all in data but the check. The rest is what s6 looks for.
const (
	fileRun            = "run"
	fileFinish         = "finish"
	fileDown           = "down"
	fileDownSignal     = "down-signal"
	fileTimeoutKill    = "timeout-kill"
	fileTimeoutFinish  = "timeout-finish"
	fileNotificationFD = "notification-fd"
	fileCheck          = "data/check"         // run by s6-notifyoncheck
	fileHash           = "data/hash"          // Spec.Hash, written last
	fileManifest       = "data/manifest.json" // the Spec and whose it is
	fileStarted        = "data/started"       // Spec.processHash, process id and supervisor, written by run; by the program where that was lost
	fileUnfinished     = "data/unfinished"    // processes that no finish script has seen to, written by run
	fileMarked         = "data/marked"        // what a process counts as started from, and which
	fileCourse         = "data/course"        // what has become of the processes, written by run and finish
	filePauses         = "data/pauses"        // which process has looked whether it has to wait, written by run
	fileHung           = "data/hung"          // restarts for a check, and which process is to be replaced for it
	fileInstanceLock   = "data/lock"          // held by the service's process
	fileBorder         = "data/border"        // whether a border ends what was printed, written by run and finish
	dirData            = "data"
	dirConfig          = "config"
	dirEnv             = "env"
	dirEvent           = "event"
	dirLog             = "log" // the service directory of the logger

	// fileSuperviseLock is held by the supervisor, which makes it.
	fileSuperviseLock = "supervise/lock"

	fileLogSuperviseLock  = dirLog + "/" + fileSuperviseLock
	fileLogRun            = dirLog + "/" + fileRun
	fileLogTimeoutKill    = dirLog + "/" + fileTimeoutKill
	fileLogNotificationFD = dirLog + "/" + fileNotificationFD
	dirLogEvent           = dirLog + "/" + dirEvent
)

// What data/marked says in place of a hash: that it is not known what the
// process was started from, as data/started does where run was covered while the
// files changed, that a restart of the process was asked for, and that the files
// changed while the process waited for the instance lock. startedHung stands for
// what data/hung says: that the process did not answer its check. None of them is the hash
// of anything, so another process has to take its place.
const (
	startedUnknown  = "0000000000000000000000000000000000000000000000000000000000000000"
	startedReplaced = "1111111111111111111111111111111111111111111111111111111111111111"
	startedHung     = "3333333333333333333333333333333333333333333333333333333333333333"
	startedWaiting  = "2222222222222222222222222222222222222222222222222222222222222222"
)

// unknownHash is in data/started where it was lost what the process was started
// from. It says nothing, as if the file were not there.
const unknownHash = "-"

// logger returns the service directory of a service's logger.
func logger(service string) string { return path.Join(service, dirLog) }

// lockOf returns the instance lock of a service. Its process holds it, so that
// a second one waits until the first is gone, even if the first has lost its
// supervisor.
func lockOf(service string) string { return service + "/" + fileInstanceLock }

// supervisorLock is what a service's s6-supervise holds while it lives, control
// where it reads commands, and events where it writes events.
func supervisorLock(service string) string { return service + "/" + fileSuperviseLock }
func control(service string) string        { return service + "/supervise/control" }
func events(service string) string         { return service + "/" + dirEvent }
