package s6

import (
	"context"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// What the tests of this package need to see of its inside.

var (
	Compare   = compare
	Complaint = complaint
)

// NewDriver returns the driver of a plain service.
func NewDriver(tree Tree, name string, wake func()) fsm.Driver[*Spec, Observed] {
	return newDriver(tree, KindName, name, wake)
}

// CheckOnHost makes a check as the tree of an s6-svscan does.
func CheckOnHost(tools Tools) (check func(ctx context.Context, service string, spec *Spec) error, end func(context.Context)) {
	t := &SystemTree{tools: tools}
	return t.Check, t.checkers.end
}

// Quote renders words for a POSIX shell.
func Quote(words ...string) string { return quote(words) }

// ProcessHash is the hash of what reaches the process.
func ProcessHash(s *Spec) string { return s.processHash() }

// RecentDeaths counts the deaths that nobody asked for, which were seen a moment ago.
func RecentDeaths(deaths []supervise.Death, asked []time.Time, opened, changed, now time.Time) int {
	return DeathsSeen(deaths, now, asked, opened, changed, now)
}

// DeathsSeen is RecentDeaths of such as were seen at a time, one after the other.
func DeathsSeen(deaths []supervise.Death, seen time.Time, asked []time.Time, opened, changed, now time.Time) int {
	tally := tallyCache{stamp: seen}
	for n := range deaths {
		tally.read(seen, deaths[:n+1], seen)
	}
	count, _ := recentDeaths(&tally, requests{opened: opened, asked: asked, changed: changed, stop: syscall.SIGTERM}, now)
	return count
}

// RenderedFile is a file of a service directory to be.
type RenderedFile struct {
	Name, Data string
	Mode       uint32
}

// Render returns the files of a service directory in the order of writing.
func Render(spec *Spec, logDir string, tools Tools) ([]RenderedFile, error) {
	files, err := render(spec, KindName, logDir, tools)
	var all []RenderedFile
	for _, f := range files {
		all = append(all, RenderedFile{f.name, f.data, uint32(f.mode)})
	}
	return all, err
}

// ServicesLimit is the limit of an s6-svscan that was started with these
// arguments, and the arguments by which one with this usage takes many services.
func ServicesLimit(args []string, usage string) (Limit, []string) {
	options := optionsIn([]byte(usage))
	return servicesLimit(args, options), options.raised()
}
