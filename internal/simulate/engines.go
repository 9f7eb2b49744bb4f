package simulate

import (
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// engineCommand is the engine of all streams.
const engineCommand = "/usr/bin/benthos"

// engineBoot is how long an engine takes until it listens.
const engineBoot = 20 * time.Millisecond

// answering is how an engine answers. The zero answering is that of one which is
// ready and has nothing to do.
type answering struct {
	does       string
	flows      bool          // messages come in
	fails      bool          // and cannot be written
	notReady   string        // what it waits for
	flaps      bool          // that only every second time
	refuses    bool          // connections
	hangs      bool          // until who asks gives up
	after      time.Duration // it answers so late
	metrics    error         // why they cannot be read
	blindAfter time.Duration // how long they can still be read
	restarts   bool          // its counters go back to zero now and then
}

// answerings of engines. The first is good.
func answerings() []answering {
	unread := fmt.Errorf("cannot read the metrics: more than %d bytes", 4<<20)
	return []answering{
		{does: "answers well"},
		{does: "has messages coming in", flows: true},
		{does: "cannot write", flows: true, fails: true},
		{does: "is not ready", notReady: "output not connected"},
		{does: "is ready every second time", notReady: "input not connected", flaps: true},
		{does: "refuses connections", refuses: true},
		{does: "hangs", hangs: true},
		{does: "answers late", after: 900 * time.Millisecond, flows: true},
		{does: "has metrics that cannot be read", flows: true, metrics: unread},
		{does: "cannot write, and soon has metrics that cannot be read", flows: true, fails: true, metrics: unread, blindAfter: settleTime},
		{does: "has no metrics", metrics: benthos.ErrNoMetrics},
		{does: "counts from zero now and then", flows: true, restarts: true},
	}
}

// engines are the processes of streams as who asks them sees them: each listens,
// from shortly after its beginning to its end, at the endpoint of the
// configuration that lay in its directory when it began, if that was free then.
type engines struct {
	fs     filesystem.FS
	layout s6.Layout

	mu       sync.Mutex // guards all below
	running  map[int]*engine
	conducts map[string]*conduct
	stranger map[string]time.Time // until when somebody else wants a port, by address
	clear    time.Time            // since when a program runs that can look at all
}

// engine is a process of a stream.
type engine struct {
	pid        int
	name       string
	addr       string // where it listens, empty for nowhere
	began      time.Time
	readyAfter time.Duration
	counts     benthos.Metrics
	counted    time.Time
	asked      int
	told       int    // how often the program has read that more writes had failed
	toldErrors uint64 // how many, the last time
}

// conduct is how the engines of a stream behave.
type conduct struct {
	answering
	since      time.Time     // when they began to
	unready    time.Time     // since when none can have said that it is ready; zero if one can
	readyAfter time.Duration // of the next one
	portless   int           // how many in a row have had no port
}

func newEngines(fs filesystem.FS, layout s6.Layout) *engines {
	e := &engines{fs: fs, layout: layout, running: make(map[int]*engine), conducts: make(map[string]*conduct), stranger: make(map[string]time.Time)}
	for _, name := range streams() {
		e.conducts[name] = new(conduct)
	}
	return e
}

// happens is told of each process, and reports whether one has no port: it
// is to be replaced.
func (e *engines) happens(h s6test.Happening) (portless bool) {
	if h.Finish || h.Child || !isStream(h.Service) {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch h.Change {
	case s6test.Begun:
		one := &engine{pid: h.PID, name: h.Service, began: time.Now(), counted: time.Now(), readyAfter: e.conducts[h.Service].readyAfter}
		if addr := e.endpoint(h.Service); !e.has(addr) && !e.wanted(addr) {
			one.addr = addr
		}
		e.running[h.PID] = one
		if one.addr != "" {
			e.conducts[h.Service].portless = 0
			return false
		}
		e.conducts[h.Service].portless++
		return true
	case s6test.Ended:
		delete(e.running, h.PID)
	}
	return false
}

// endpoint returns where the configuration has the next engine listen.
func (e *engines) endpoint(name string) string {
	doc, err := e.fs.ReadFile(path.Join(e.layout.Service(name), "config/benthos.yaml"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(doc)) {
		if addr, ok := strings.CutPrefix(strings.TrimSpace(line), "address: "); ok {
			return strings.Trim(addr, `"'`)
		}
	}
	return ""
}

// has reports whether a process listens on an address, or is about to.
func (e *engines) has(addr string) bool {
	for _, one := range e.running {
		if one.addr == addr {
			return true
		}
	}
	return false
}

// holder returns the process that listens on an address, 0 for none.
func (e *engines) holder(addr string) int {
	for pid, one := range e.running {
		if addr != "" && one.addr == addr && time.Since(one.began) >= engineBoot {
			return pid
		}
	}
	return 0
}

// wanted reports whether somebody else takes the port as soon as it is free.
func (e *engines) wanted(addr string) bool { return time.Now().Before(e.stranger[addr]) }

// answer has the engines of a stream answer otherwise, until the end of that, or
// until they are to answer in yet another way.
func (e *engines) answer(name string, how answering) (end func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, one := range e.running {
		if one.name == name {
			one.count(e.conducts[name].answering)
			if !how.fails {
				one.told = 0
			}
		}
	}
	c := e.conducts[name]
	c.answering, c.since = how, time.Now()
	if can := how.notReady == "" && !how.refuses && !how.hangs || how.flaps; can {
		c.unready = time.Time{}
	} else if c.unready.IsZero() {
		c.unready = c.since
	}
	began := c.since
	return func() {
		if e.began(name).Equal(began) {
			e.answer(name, answering{})
		}
	}
}

// began returns when the engines of a stream began to answer as they do.
func (e *engines) began(name string) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.conducts[name].since
}

// behave has the engines of a stream be ready after a while, from the next one
// on.
func (e *engines) behave(name string, readyAfter time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.conducts[name].readyAfter = readyAfter
}

// take has somebody else take a port.
func (e *engines) take(addr string, until time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stranger[addr] = until
}

// calm has the engines of a stream answer well, and nobody else take a port.
func (e *engines) calm(name string) {
	e.answer(name, answering{})
	e.mu.Lock()
	defer e.mu.Unlock()
	for addr := range e.stranger {
		if e.wanted(addr) {
			e.stranger[addr] = time.Now()
		}
	}
}

// contended reports whether somebody else wants a port, or lately did.
func (e *engines) contended(addr string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return time.Since(e.stranger[addr]) < settleTime
}

// unready returns how long no engine of a stream can have said that it is ready.
func (e *engines) unready(name string) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.conducts[name]; c != nil && !c.unready.IsZero() {
		return time.Since(c.unready)
	}
	return 0
}

// forgotten returns how long an engine of a stream has had no port, where that is
// too long: it has thirty seconds to begin to listen, or a minute after one that
// was slow, the next one in a row twice as many, and so on, while a program can
// look at it.
func (e *engines) forgotten(name string) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, one := range e.running {
		since := min(time.Since(one.began), time.Since(e.clear))
		if one.name == name && one.addr == "" && since > settleTime+(30*time.Second)<<min(max(e.conducts[name].portless, 1), 4) {
			return since
		}
	}
	return 0
}

// obscured notes that a program cannot look at all, or lately could not.
func (e *engines) obscured() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clear = time.Now()
}

// deaf reports whether an engine of a stream has no port.
func (e *engines) deaf(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, one := range e.running {
		if one.name == name && one.addr == "" {
			return true
		}
	}
	return false
}

// tell notes that the program has read the counters of a process, and whether
// they said that more writes had failed.
func (e *engines) tell(pid int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	one := e.running[pid]
	if one != nil && one.counts.OutputError > one.toldErrors {
		one.told, one.toldErrors = one.told+1, one.counts.OutputError
	}
}

// knownToFail reports whether the program has read twice that an engine of a
// stream fails to write, which it has done ever since.
func (e *engines) knownToFail(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, one := range e.running {
		if one.name == name && e.conducts[name].fails && one.told >= 2 {
			return true
		}
	}
	return false
}

// forget notes that another program has begun, which has read nothing.
func (e *engines) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clear = time.Now()
	for _, one := range e.running {
		one.told, one.toldErrors = 0, 0
	}
}

// count counts what came in since it was last counted: a message a second.
func (one *engine) count(how answering) {
	n := uint64(time.Since(one.counted).Seconds())
	one.counted = one.counted.Add(time.Duration(n) * time.Second)
	if how.restarts && one.asked%5 == 4 {
		one.counts = benthos.Metrics{}
	}
	if how.flows {
		one.counts.InputReceived += n
		if how.fails {
			one.counts.OutputError += n
		} else {
			one.counts.OutputSent += n
		}
	}
}
