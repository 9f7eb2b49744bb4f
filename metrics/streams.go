package metrics

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/sync/singleflight"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
)

// Limits of Streams that are given none.
const (
	// DefaultStreamTimeout is how long an engine has to answer.
	DefaultStreamTimeout = 3 * time.Second
	// DefaultMaxStream bounds the bytes of one engine's answer, DefaultMaxStreams
	// those of all.
	DefaultMaxStream  = 1 << 20
	DefaultMaxStreams = 16 << 20
)

// shortLine is what a line counts as at least, in bytes: a sample takes memory however
// short it is.
const shortLine = 64

// TextSource is how an engine is asked for its metrics. *benthos.Client is one. Its
// method may be called from any goroutine, and returns when ctx has ended.
type TextSource interface {
	// MetricsText returns what the engine at addr, a host:port, says.
	MetricsText(ctx context.Context, addr string) ([]byte, error)
}

// StreamsConfig says how Streams ask engines. Zero values mean the defaults.
type StreamsConfig struct {
	Timeout time.Duration // DefaultStreamTimeout
	// MaxStream bounds the bytes of one engine's answer, MaxStreams those of all.
	// What is longer is no answer. A line counts as 64 bytes at least.
	MaxStream, MaxStreams int64
	// Source asks engines; nil means a benthos.Client with these bounds.
	Source TextSource
}

// Streams serve the metrics of all engines on one page: each engine is asked for its
// /metrics, and each sample has a label instance more, the name of the stream. A
// label of that name of the engine's own is called exported_instance. As Prometheus
// has a label instance of its own, the scrape needs honor_labels: true.
//
// All engines are asked at once, those whose process is known to answer. One that
// hangs is waited for until its time is over, and costs the others nothing. For each
// stream that runs or is asked to, evenkeel_stream_scrape_up says whether it has
// answered. What an answer says is passed on as it is, and not kept: scrapes at one
// time ask once, and the next one asks again.
//
// All methods may be called from any goroutine.
type Streams struct {
	config StreamsConfig
	client *benthos.Client // nil where the source is another's
	parse  chan struct{}   // has room for those that are parsed at once
	flight singleflight.Group

	mu       sync.Mutex // guards the one below
	managers []*fsm.Manager[*benthos.Config, benthos.Observed]
}

var _ http.Handler = (*Streams)(nil)

// NewStreams returns Streams without managers. Close them when done.
func NewStreams(config StreamsConfig) *Streams {
	config.Timeout = cmp.Or(config.Timeout, DefaultStreamTimeout)
	config.MaxStream = cmp.Or(config.MaxStream, DefaultMaxStream)
	config.MaxStreams = cmp.Or(config.MaxStreams, DefaultMaxStreams)
	s := &Streams{parse: make(chan struct{}, runtime.GOMAXPROCS(0))}
	if config.Source == nil {
		s.client = benthos.NewClient(benthos.ClientConfig{Timeout: config.Timeout, MaxBody: config.MaxStream})
		config.Source = s.client
	}
	s.config = config
	return s
}

// Add has the engines of a manager's streams asked.
func (s *Streams) Add(m *fsm.Manager[*benthos.Config, benthos.Observed]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.managers = append(s.managers, m)
}

// Close drops the idle connections. The streams stay usable.
func (s *Streams) Close() {
	if s.client != nil {
		s.client.Close()
	}
}

// ServeHTTP implements http.Handler. It answers every path.
func (s *Streams) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Not in the context of this request: another one may wait for the same.
	scraped := s.flight.DoChan("", func() (any, error) { return s.scrape(), nil })
	select {
	case <-r.Context().Done():
	case result := <-scraped:
		families := result.Val.([]*dto.MetricFamily)
		gathered := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil })
		promhttp.HandlerFor(gathered, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	}
}

// engine is one that has to do with a scrape.
type engine struct {
	name, addr string // of its stream; empty where there is nobody to ask
}

// engines returns those of the streams that run or are asked to.
func (s *Streams) engines() (all []engine) {
	s.mu.Lock()
	managers := slices.Clone(s.managers)
	s.mu.Unlock()
	seen := make(map[string]bool)
	for _, m := range managers {
		for _, snapshot := range m.Snapshot() {
			if e, is := engineOf(snapshot); is && !seen[e.name] {
				seen[e.name] = true
				all = append(all, e)
			}
		}
	}
	return all
}

// engineOf returns the engine of a stream that runs or is asked to. It is asked only
// if its process was last seen to answer there: somebody else may have the port.
func engineOf(s *stream) (e engine, is bool) {
	o := &s.Observed
	there, works := o.Process()
	if !there && (s.Desired.State != benthos.Active || s.Phase.Over()) {
		return e, false
	}
	e.name = s.Name
	if works && s.Desired.Spec != nil && o.Health.Alive && o.Health.PID == o.Service.Observed.PID() {
		e.addr = s.Desired.Spec.EndpointAddr()
	}
	return e, true
}

// answer is what came of asking one.
type answer struct {
	of       string                       // the stream
	families map[string]*dto.MetricFamily // nil for no answer
	took     time.Duration
}

// scrape asks all engines, and returns what they say.
func (s *Streams) scrape() []*dto.MetricFamily { return page(s.askAll(s.engines())) }

// askAll asks engines, all at once.
func (s *Streams) askAll(engines []engine) []answer {
	ctx, cancel := context.WithTimeout(context.Background(), s.config.Timeout)
	defer cancel()
	answers := make([]answer, len(engines))
	var all sync.WaitGroup
	var left atomic.Int64 // of the bytes of all
	left.Store(s.config.MaxStreams)
	for n, e := range engines {
		answers[n].of = e.name
		if e.addr == "" {
			continue
		}
		all.Go(func() {
			began := time.Now()
			families, err := s.ask(ctx, e.addr, &left)
			answers[n].took = time.Since(began)
			if err == nil {
				answers[n].families = families
			}
		})
	}
	all.Wait()
	return answers
}

// errTooLong says that an answer, or all together, are longer than what is read.
var errTooLong = errors.New("the answer is too long")

// ask returns what an engine says. It takes what that is long from what is left.
func (s *Streams) ask(ctx context.Context, addr string, left *atomic.Int64) (map[string]*dto.MetricFamily, error) {
	text, err := s.config.Source.MetricsText(ctx, addr)
	if err != nil {
		return nil, err
	}
	size := int64(max(len(text), shortLine*bytes.Count(text, []byte("\n"))))
	if size > s.config.MaxStream {
		return nil, errTooLong
	}
	if left.Add(-size) < 0 {
		left.Add(size)
		return nil, errTooLong
	}
	s.parse <- struct{}{}
	defer func() { <-s.parse }()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(bytes.NewReader(text))
}

// page returns what all answers say, and what is to be said of them.
func page(answers []answer) []*dto.MetricFamily {
	m := make(merged)
	up := scrapeFamily("evenkeel_stream_scrape_up", "Whether the engine of the stream has answered this scrape.")
	took := scrapeFamily("evenkeel_stream_scrape_duration_seconds", "How long the engine of the stream took to answer, or not to.")
	dropped := scrapeFamily("evenkeel_stream_scrape_dropped_samples", "Samples of the engine that cannot stand beside those of other engines, or have names of evenkeel.")
	for _, a := range answers {
		answered := 0.0
		if a.families != nil {
			answered = 1
		}
		note(up, a.of, answered)
		note(took, a.of, a.took.Seconds())
		note(dropped, a.of, float64(m.add(a.of, a.families)))
	}
	if len(answers) > 0 {
		m[up.GetName()], m[took.GetName()], m[dropped.GetName()] = up, took, dropped
	}
	return m.sorted()
}

func scrapeFamily(name, help string) *dto.MetricFamily {
	return &dto.MetricFamily{Name: &name, Help: &help, Type: dto.MetricType_GAUGE.Enum()}
}

// note adds a sample about a stream.
func note(f *dto.MetricFamily, stream string, value float64) {
	name := "name"
	f.Metric = append(f.Metric, &dto.Metric{
		Label: []*dto.LabelPair{{Name: &name, Value: &stream}}, Gauge: &dto.Gauge{Value: &value},
	})
}
