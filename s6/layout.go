package s6

import "path"

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

// Log returns a service's log directory; the newest lines are in its file
// current.
func (l Layout) Log(name string) string { return path.Join(l.LogsDir, name) }

// logger returns the service directory of a service's logger.
func logger(service string) string { return path.Join(service, "log") }

// Files of a service directory that this package writes besides s6's own.
const (
	fileRun          = "run"
	fileLogRun       = "log/run"
	fileDown         = "down"
	fileHash         = "data/hash"          // Spec.Hash, written last
	fileManifest     = "data/manifest.json" // the Spec and whose it is
	fileStarted      = "data/started"       // Spec.processHash and process id, written by run
	fileInstanceLock = "data/lock"          // held by the service's process
	dirConfig        = "config"
	dirEnv           = "env"
)

// lockOf returns the file by which a service's process holds its instance, so
// that a second one waits until the first is gone, even one that lost its
// supervisor.
func lockOf(service string) string { return service + "/" + fileInstanceLock }

// The names under which directories are built and taken apart.
const (
	asideNew  = "new"
	asideGone = "gone"
)

// nudgeName begins the names of the services by which s6-svscan is nudged. They
// are directories in the scan directory itself, and are hidden from s6-svscan by
// a dot before their name when they are to end.
const nudgeName = "evenkeel-nudge-"
