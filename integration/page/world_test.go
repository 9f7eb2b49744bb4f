//go:build integration

package page

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/api/page"
	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

// plant is a source whose instances are what a test says they are.
type plant struct {
	kind  string
	table *fsm.Table
	feed  *api.Feed
	mu    sync.Mutex // guards all
	all   map[string]*api.Instance
}

func newPlant(t testing.TB, feed *api.Feed, table *fsm.Table, err error, kind string) *plant {
	t.Helper()
	require.NoError(t, err)
	return &plant{kind: kind, table: table, feed: feed, all: make(map[string]*api.Instance)}
}

func (p *plant) Kind() string      { return p.kind }
func (p *plant) Table() *fsm.Table { return p.table }

func (p *plant) List() (all []api.Summary) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		all = append(all, one.Summary)
	}
	slices.SortFunc(all, func(a, b api.Summary) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (p *plant) Instance(name string) (one api.Instance, exists bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found, exists := p.all[name]; exists {
		return *found, true
	}
	return one, false
}

func (p *plant) Why(name string) (w fsm.Why, known bool) {
	one, known := p.Instance(name)
	if !known {
		return w, false
	}
	w = fsm.Why{Kind: p.kind, Name: name, State: one.State, Phase: one.Phase, Since: one.Since, Chain: []fsm.Link{
		{Part: fsm.PartAsked, Text: "it is asked to be " + string(one.Desired), At: one.Since.Add(-26 * time.Hour), By: "declared"},
		{Part: fsm.PartState, Text: "it is " + string(one.State) + ": " + one.Reason.Summary, At: one.Since},
	}}
	if one.Reason.Evidence != "" {
		w.Chain = append(w.Chain, fsm.Link{Part: fsm.PartSeen, Text: one.Reason.Evidence})
	}
	if one.Error != "" {
		w.Chain = append(w.Chain, fsm.Link{Part: fsm.PartTrouble, Text: fmt.Sprintf("the last pass over it failed, %d times in a row: %s", one.Failures, one.Error)},
			fsm.Link{Part: fsm.PartNext, Text: "what failed is tried again", At: one.NextTry},
			fsm.Link{Part: fsm.PartHelp, Text: "mend the cause, and then change what is declared of it, or retry it"})
	}
	return w, true
}

func (p *plant) Restart(context.Context, string) error { return nil }
func (p *plant) Retry(string) error                    { return nil }

// set has an instance be something else, without a word about it.
func (p *plant) set(name string, change func(*api.Instance)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all[name] == nil {
		p.all[name] = &api.Instance{Summary: api.Summary{Kind: p.kind, Name: name}}
	}
	change(p.all[name])
}

// move has an instance be in another state, and says so.
func (p *plant) move(name string, to fsm.State, event fsm.Event, reason fsm.Reason, at time.Time) {
	var told fsm.Transition
	p.set(name, func(one *api.Instance) {
		told = fsm.Transition{
			Subject: fsm.Subject{At: at, Kind: p.kind, Instance: name}, From: one.State, To: to, Event: event,
			ToPhase: p.table.Phase(to), Reason: reason,
		}
		one.State, one.Phase, one.Since, one.Reason = to, told.ToPhase, at, reason
		one.History = append(slices.Clone(one.History), told)
	})
	p.feed.Hear(told)
}

// gone has an instance be gone, and says so.
func (p *plant) gone(name string) {
	p.mu.Lock()
	delete(p.all, name)
	p.mu.Unlock()
	p.feed.Hear(fsm.Closed{Subject: fsm.Subject{At: time.Now(), Kind: p.kind, Instance: name}})
}

// world is a server with its instances, and an address.
type world struct {
	t        testing.TB
	services *plant
	streams  *plant
	feed     *api.Feed
	server   *api.Server
	url      string
	mu       sync.Mutex // guards asked
	asked    []string
	logLines []string
	files    atomic.Pointer[[]api.File]
}

// newWorld serves what a test fills it with to those with that access.
func newWorld(t testing.TB, access api.Access) *world {
	t.Helper()
	w := &world{t: t, feed: api.NewFeed()}
	w.files.Store(new([]api.File))
	services, err := s6.NewTable()
	w.services = newPlant(t, w.feed, services, err, s6.KindName)
	streams, err := benthos.NewTable()
	w.streams = newPlant(t, w.feed, streams, err, benthos.KindName)
	w.server = &api.Server{
		Sources: []api.Source{w.services, w.streams}, Feed: w.feed, Hands: w, Version: "1.4.0", Page: page.Handler(),
		Log: w.log, Config: func(string, string) ([]api.File, error) { return *w.files.Load(), nil },
	}
	server := httptest.NewServer(w.server.Handler(access))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	w.url = server.URL
	return w
}

func (w *world) note(verb, kind, name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, verb+" "+kind+" "+name)
	return nil
}

func (w *world) Stop(_ context.Context, kind, name, _ string) error {
	return w.note("stop", kind, name)
}
func (w *world) Start(_ context.Context, kind, name, _ string) error {
	return w.note("start", kind, name)
}
func (w *world) Restart(_ context.Context, kind, name, _ string) error {
	return w.note("restart", kind, name)
}
func (w *world) Retry(_ context.Context, kind, name, _ string) error {
	return w.note("retry", kind, name)
}

// wasAsked returns what was asked for by hand.
func (w *world) wasAsked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asked)
}

// log writes the lines that there are, and ends with whoever reads them.
func (w *world) log(ctx context.Context, _ string, lines api.LogLines, to io.Writer) error {
	for _, line := range w.logLines {
		if _, err := fmt.Fprintln(to, line); err != nil {
			return err
		}
	}
	if lines.Follow {
		<-ctx.Done()
	}
	return nil
}

// instances are how many a full world has.
const instances = 1000

// sites are where the instances of a full world are.
var sites = []string{"press", "furnace", "packer", "cnc", "boiler", "palletizer", "mixer", "coater"}

// fill makes a thousand instances, most of which run.
func (w *world) fill() {
	now := time.Now()
	for n := range instances {
		of, name := w.streams, fmt.Sprintf("%s-%d-opcua", sites[n%len(sites)], n/len(sites)+1)
		if n%5 == 4 {
			of, name = w.services, fmt.Sprintf("%s-%d-gateway", sites[n%len(sites)], n/len(sites)+1)
		}
		since := now.Add(-time.Duration(n*n%9000+70) * time.Minute / 3)
		of.set(name, func(one *api.Instance) { running(of, one, n, since) })
		if n%47 == 3 {
			of.set(name, func(one *api.Instance) { troubled(one, n, now) })
		}
	}
}

// running has an instance run.
func running(of *plant, one *api.Instance, n int, since time.Time) {
	one.Since, one.Phase, one.Runs, one.Settled, one.Generation = since, fsm.PhaseRunning, true, true, 1
	one.Figures = api.Figures{PID: 4100 + n, Up: since.Add(-20 * time.Second), Restarts: n * n % 3}
	if of.kind == s6.KindName {
		one.State, one.Desired = s6.StateRunning, s6.Running
		one.Reason = fsm.Because("it has stayed up for a second")
		return
	}
	one.State, one.Desired = benthos.StateActive, benthos.Active
	one.Reason = fsm.Because("messages are processed")
	one.Traffic = &api.Traffic{Sent: uint64(90000 + 17*n), SentRate: float64(n*37%900) / 4, ReceivedRate: float64(n*37%900) / 4}
	if n%9 == 2 {
		one.State, one.Reason, one.Traffic.SentRate = benthos.StateIdle, fsm.Because("no message came for 30 s"), 0
	}
}

// troubled has something be wrong with an instance, or on its way.
func troubled(one *api.Instance, n int, now time.Time) {
	one.Settled = false
	switch n / 47 % 5 {
	case 0:
		one.State, one.Phase, one.Since = "degraded", fsm.PhaseDegraded, now.Add(-time.Duration(n)*time.Second)
		one.Reason = fsm.Because("writes fail").With("output errors rose from 12 to 57 in 10 s; broker-2:9092 refuses connections")
		one.Failures, one.NextTry = 4, now.Add(90*time.Second)
		one.Error = "cannot reach output kafka: dial tcp 10.3.1.20:9092: connect: connection refused"
	case 1:
		one.State, one.Phase, one.Since, one.Held = "failed", fsm.PhaseFailed, now.Add(-time.Duration(n)*time.Minute), true
		one.Reason = fsm.Because("given up after 5 tries").With(`exit code 1; it printed: "bad certificate: x509: certificate has expired"`)
		one.Figures = api.Figures{Restarts: 5}
	case 2:
		one.State, one.Phase, one.Since = "starting", fsm.PhaseStarting, now.Add(-3*time.Second)
		one.Reason = fsm.Because("its process runs, and is not ready yet")
	case 3:
		one.State, one.Phase, one.Layer = "stopped", fsm.PhaseStopped, "by hand"
		one.Waits = fsm.Because("stopped by hand").With("by anna at 2026-11-20T09:12:00Z")
		one.Figures = api.Figures{}
	default:
		one.Refused = `output.kafka: field "topic" is required`
	}
}

// story gives an instance a history, files and a log.
func (w *world) story(name string) {
	at := time.Now().Add(-47 * time.Minute)
	step := func(after time.Duration, to fsm.State, event fsm.Event, summary, evidence string) {
		at = at.Add(after)
		w.streams.move(name, to, event, fsm.Because(summary).With(evidence), at)
	}
	w.streams.set(name, func(one *api.Instance) {
		running(w.streams, one, 33, at)
		one.State, one.Phase = fsm.StateToBeCreated, fsm.PhaseToBeCreated
		one.Spec = json.RawMessage(`{"metricsPort": 9083, "input": {"opcua": {"endpoint": "opc.tcp://10.3.0.14:4840", "password": "***"}}}`)
		one.Observed = json.RawMessage(`{"ready": false, "outputErrors": 57}`)
	})
	step(0, "creating", "create", "it is declared", "")
	step(time.Second, "stopped", "create_done", "its service directory is there", "")
	for range 3 {
		step(2*time.Second, "starting", "start", "it is asked to be active", "")
		step(time.Second, "starting_config_loading", "s6_started", "its process runs", "PID 4133")
		step(2*time.Second, "starting_waiting_for_healthchecks", "config_loaded", "the engine answers", "/version")
		step(3*time.Second, "starting_waiting_for_service_to_remain_running", "healthchecks_passed", "the engine is ready", "/ready: 200")
		step(5*time.Second, "idle", "start_done", "it has stayed up for 5 s", "")
		step(4*time.Second, "active", "data_received", "messages are processed", "112 in 10 s")
		step(6*time.Minute, "degraded", "degraded", "writes fail", "output errors rose from 0 to 31 in 10 s")
		step(70*time.Second, "stopping", "stop", "it is asked to be stopped", "")
		step(2*time.Second, "stopped", "stop_done", "nothing of it runs", "")
	}
	step(2*time.Second, "starting", "start", "it is asked to be active", "")
	step(4*time.Second, "degraded", "start_failed", "writes fail", "output errors rose from 12 to 57 in 10 s; broker-2:9092 refuses connections")
	w.streams.set(name, func(one *api.Instance) {
		one.Settled, one.Failures, one.NextTry, one.Restarts = false, 4, time.Now().Add(80*time.Second), 3
		one.Error = "cannot reach output kafka: dial tcp 10.3.1.20:9092: connect: connection refused"
	})
	w.files.Store(&[]api.File{
		{Name: "config/benthos.yaml", Was: config("broker-1:9092"), Is: config("broker-2:9092")},
		{Name: "run", Was: "#!/bin/sh\nexec benthos -c config/benthos.yaml\n", Is: "#!/bin/sh\nexec benthos -c config/benthos.yaml\n"},
	})
	for n := range 60 {
		w.logLines = append(w.logLines, fmt.Sprintf("%s level=error msg=\"Failed to send message to kafka: connection refused\" attempt=%d @service=benthos",
			at.Add(time.Duration(n)*time.Second).UTC().Format("2006-01-02T15:04:05.000Z"), n+1))
	}
}

func config(broker string) string {
	return "input:\n  opcua:\n    endpoint: opc.tcp://10.3.0.14:4840\n    password: '***'\noutput:\n  kafka:\n    addresses: [" + broker + "]\n    topic: plant.press-2\nhttp:\n  address: 127.0.0.1:9083\n"
}

// open opens the page in a tab, and waits until all instances are there.
func (w *world) open(b *tab, hash string) {
	b.t.Helper()
	b.do(chromedp.Navigate(w.url + "/" + hash))
	if hash == "" {
		b.becomes("all rows are there", `performance.getEntriesByName("rows-all").length`)
	}
}

// linkTo is where an instance is shown.
func linkTo(p *plant, name string) string {
	return "#/instances/" + url.PathEscape(name) + "?kind=" + p.kind
}
