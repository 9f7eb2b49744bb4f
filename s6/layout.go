package s6

import (
	"path"
	"time"
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

// hashSize is the length of the hash file.
const hashSize = 64

// scanPatience is how long s6-svscan may take to start or end a supervisor
// before it is told again.
const scanPatience = 2 * time.Second
