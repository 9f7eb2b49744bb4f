package metrics

import (
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/evenkeel/evenkeel/fsm"
)

// Config holds the settings of a Collector; the zero value works.
type Config struct {
	// UMHCore has the metrics served under the names, labels and values of UMH Core
	// as well, so that dashboards made for it go on. Names there do not follow the
	// rules of Prometheus, and each instance has some twenty further series.
	UMHCore bool
}

// source is a manager that was added.
type source struct {
	kind      string
	instances func() []instance
	refused   func() int
}

// Collector collects the metrics of managers. It is a prometheus.Collector for a
// registry of one's own; Handler has one. All its methods may be called from any
// goroutine.
type Collector struct {
	config    Config
	catalogue *catalogue
	umhCore   *umhCatalogue // nil where it is not asked for
	took      *prometheus.HistogramVec

	mu      sync.Mutex // guards the four below
	sources []source
	loops   []*fsm.Loop
	tallies map[key]*tally
	scrapes uint64 // that have begun
}

var _ prometheus.Collector = (*Collector)(nil)

// New returns a Collector without managers.
func New(config Config) *Collector {
	c := &Collector{
		config: config, catalogue: newCatalogue(), tallies: make(map[key]*tally),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "evenkeel_pass_duration_seconds",
			Help:    "How long passes took, by the kind of instance. Passes over what an instance owns are within its own.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"kind"}),
	}
	if config.UMHCore {
		c.umhCore = newUMHCatalogue()
	}
	return c
}

// Add has the instances of a manager collected. Listen and OnPass are to be told
// what happens to them, by the fsm.Config that the manager was made with. A manager
// that is closed has no instances.
func Add[D, O any](c *Collector, m *fsm.Manager[D, O]) {
	s := source{
		kind: m.Kind(),
		instances: func() []instance {
			snapshots := m.Snapshot()
			all := make([]instance, len(snapshots))
			for n, s := range snapshots {
				all[n] = instanceOf(s)
			}
			return all
		},
		refused: func() int { return len(m.Refused()) },
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sources = append(c.sources, s)
}

// AddLoop has the ticks of a loop counted.
func (c *Collector) AddLoop(l *fsm.Loop) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loops = append(c.loops, l)
}

// Listen is a fsm.Listener for fsm.Config.Listeners.
func (c *Collector) Listen(n fsm.Notice) {
	of := n.About()
	k := key{of.Kind, of.Instance}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch n := n.(type) {
	case fsm.Transition:
		c.tally(k).moved(n)
	case fsm.Overran:
		c.tally(k).overruns++
	case fsm.Closed:
		// Where that comes late, another instance of the name has begun, and is counted
		// from here on: as after a restart of the program.
		delete(c.tallies, k)
	}
}

// OnPass is for fsm.Config.OnPass.
func (c *Collector) OnPass(r fsm.Reconciled) {
	c.took.WithLabelValues(strings.ToValidUTF8(r.Kind, "")).Observe(r.Took.Seconds())
	of := r.Owner
	if of == (fsm.Subject{}) {
		of = r.Subject
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally(key{of.Kind, of.Instance}).passed(r)
}

// tally returns that of an instance, with the lock held.
func (c *Collector) tally(k key) *tally {
	t := c.tallies[k]
	if t == nil {
		t = &tally{}
		c.tallies[k] = t
	}
	t.touched = c.scrapes
	return t
}

// counted returns what is counted of an instance, with what its snapshot says.
func (c *Collector) counted(i *instance) tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tally(i.key)
	t.see(i.snapshot)
	return t.copied()
}

// begin begins a scrape, and returns its number, and what is collected in it.
func (c *Collector) begin() (scrape uint64, sources []source, loops []*fsm.Loop) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scrapes++
	return c.scrapes, slices.Clone(c.sources), slices.Clone(c.loops)
}

// forget forgets what was counted of instances that are not there any more: those
// that a scrape has not seen, and of which nobody has told since it began.
func (c *Collector) forget(scrape uint64, seen map[key]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k, t := range c.tallies {
		if !seen[k] && t.touched < scrape {
			delete(c.tallies, k)
		}
	}
}
