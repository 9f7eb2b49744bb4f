package journal_test

import (
	"context"
	"errors"
	"path"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/journal"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

type (
	service = fsm.Snapshot[*s6.Spec, s6.Observed]
	stream  = fsm.Snapshot[*benthos.Config, benthos.Observed]
	plain   = fsm.Snapshot[int, map[string]int]
)

// pass is one over a service that runs.
func pass() fsm.Reconciled {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	before := &service{Kind: s6.KindName, Name: "a", State: s6.StateRunning, Since: at.Add(-time.Minute)}
	after := *before
	after.Desired = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}}}
	after.Observed = s6.Observed{Exists: true, Deaths: 1}
	return fsm.Reconciled{
		Subject: fsm.Subject{At: at, Kind: s6.KindName, Instance: "a"}, Took: time.Millisecond,
		Decided: true, Decision: fsm.Decision{Reason: fsm.Because("it ended 3 times")}, Before: before, After: &after,
	}
}

// with returns a pass with something changed.
func with(change func(r *fsm.Reconciled, before, after *service)) fsm.Reconciled {
	r := pass()
	before, after := *r.Before.(*service), *r.After.(*service)
	change(&r, &before, &after)
	r.Before, r.After = &before, &after
	return r
}

// A pass is recorded where something is new, and only there.
func TestWhichPassesAreRecorded(t *testing.T) {
	for name, c := range map[string]struct {
		news   bool
		change func(r *fsm.Reconciled, before, after *service)
	}{
		"nothing":    {false, func(*fsm.Reconciled, *service, *service) {}},
		"times":      {false, func(r *fsm.Reconciled, _, s *service) { r.At, s.ObservedAt, r.Took = r.At.Add(time.Second), r.At, 7 }},
		"numbers":    {false, func(r *fsm.Reconciled, _, _ *service) { r.Decision.Reason = fsm.Because("it ended 14 times") }},
		"next look":  {false, func(r *fsm.Reconciled, _, _ *service) { r.Decision.After = 7 }},
		"lateness":   {false, func(_ *fsm.Reconciled, _, s *service) { s.Observed.Late = 7 }},
		"equal spec": {false, func(_ *fsm.Reconciled, _, s *service) { spec := *s.Desired.Spec; s.Desired.Spec = &spec }},
		"an hour":    {true, func(r *fsm.Reconciled, _, _ *service) { r.At = r.At.Add(time.Hour) }},
		"seen":       {true, func(_ *fsm.Reconciled, _, s *service) { s.Observed.Deaths = 2 }},
		"found":      {true, func(_ *fsm.Reconciled, s, _ *service) { s.State = s6.StateStarting }},
		"left":       {true, func(_ *fsm.Reconciled, _, s *service) { s.State = s6.StateStarting }},
		"asked":      {true, func(_ *fsm.Reconciled, _, s *service) { s.Desired.State = s6.Stopped }},
		"spec":       {true, func(_ *fsm.Reconciled, _, s *service) { s.Desired.Spec = &s6.Spec{Command: []string{"sleep"}} }},
		"rejected":   {true, func(_ *fsm.Reconciled, _, s *service) { s.Desired.Rejected = fsm.Because("it failed") }},
		"waits":      {true, func(_ *fsm.Reconciled, _, s *service) { s.Waits = fsm.Because("for another") }},
		"reason":     {true, func(r *fsm.Reconciled, _, _ *service) { r.Decision.Reason = fsm.Because("it ended") }},
		"evidence":   {true, func(r *fsm.Reconciled, _, _ *service) { r.Decision.Reason.Evidence = "signal 9" }},
		"action":     {true, func(r *fsm.Reconciled, _, _ *service) { r.Decision.Do = []fsm.Action{"create"} }},
		"event":      {true, func(r *fsm.Reconciled, _, _ *service) { r.Decision.Fire = "stop" }},
		"pending":    {true, func(r *fsm.Reconciled, _, _ *service) { r.Decision.Pending = true }},
		"put off":    {true, func(r *fsm.Reconciled, _, _ *service) { r.PutOff = true }},
		"done":       {true, func(r *fsm.Reconciled, _, _ *service) { r.Did = 1 }},
		"fired":      {true, func(r *fsm.Reconciled, _, _ *service) { r.Fired = true }},
		"failed":     {true, func(r *fsm.Reconciled, _, _ *service) { r.Err = errors.New("broken") }},
		"undecided":  {true, func(r *fsm.Reconciled, _, _ *service) { r.Decided = false }},
		"another":    {true, func(r *fsm.Reconciled, _, _ *service) { r.Instance = "b" }},
	} {
		fsys := memfs.New()
		written(t, fsys, func(j *journal.Journal) {
			hear := journal.Passes[*s6.Spec, s6.Observed](j)
			hear(pass())
			hear(with(c.change))
			hear(with(c.change))
		})
		want := 1
		if c.news {
			want = 2
		}
		assert.Len(t, passesOf(t, fsys), want, name)
	}
}

// Passes of other kinds are heard, and not recorded; an instance that is gone is
// forgotten; one without a Same is compared as it is.
func TestWhosePassesAreRecorded(t *testing.T) {
	fsys := memfs.New()
	written(t, fsys, func(j *journal.Journal) {
		ofStreams := journal.Passes[*benthos.Config, benthos.Observed](j)
		ofServices := journal.Passes[*s6.Spec, s6.Observed](j)
		ofPlain := journal.Passes[int, map[string]int](j)
		for range 2 {
			ofStreams(pass())
			ofServices(pass())
			ofPlain(pass())
		}
		j.Hear(fsm.Closed{Subject: pass().Subject})
		ofServices(pass())
		for _, seen := range []int{1, 1, 2} {
			s := &plain{State: "lit", Observed: map[string]int{"lamp": seen}}
			ofPlain(fsm.Reconciled{Subject: fsm.Subject{Kind: "plain", Instance: "a"}, Before: s, After: s, Decided: true})
		}
	})
	var kinds []string
	for _, p := range passesOf(t, fsys) {
		kinds = append(kinds, p.Kind)
	}
	assert.Equal(t, []string{"s6", "s6", "plain", "plain"}, kinds)
}

// What is read is what was told, whole and as a difference.
func TestPassIsReadAsItWas(t *testing.T) {
	fsys := memfs.New()
	written(t, fsys, func(j *journal.Journal) {
		hear := journal.Passes[*s6.Spec, s6.Observed](j)
		hear(pass())
		hear(with(func(r *fsm.Reconciled, _, after *service) {
			after.Observed.Exists, after.Observed.Left = false, []int{7, 8}
			r.Decision = fsm.Decision{Do: []fsm.Action{"one", "two"}, After: time.Second}
			r.Did, r.Err = 1, errors.New("cannot two: full")
		}))
		hear(with(func(r *fsm.Reconciled, _, _ *service) { r.Decided, r.Err = false, errors.New("cannot observe: broken") }))
		hear(pass())
	})
	all := passesOf(t, fsys)
	require.Len(t, all, 4)
	assert.JSONEq(t, `{"now": "2026-01-02T03:04:05Z", "state": "running", "since": "2026-01-02T03:03:05Z",
		"desired": {"state": "running", "spec": {"command": ["sleep", "1"], "ready": {}}},
		"observed": {"exists": true, "linked": false, "watched": false, "intact": false, "supervised": false, "loggerSupervised": false, "deaths": 1, "restarts": 0}}`,
		string(all[0].Input))
	first := *all[0]
	first.Input = nil
	assert.Equal(t, journal.Pass{
		Kind: "s6", Instance: "a", State: s6.StateRunning, Decision: fsm.Decision{Reason: fsm.Because("it ended 3 times")}, Took: time.Millisecond,
	}, first)
	assert.Contains(t, string(all[1].Input), `"exists":false`)
	assert.Contains(t, string(all[1].Input), `"left":[7,8]`)
	second := *all[1]
	second.Input = nil
	assert.Equal(t, journal.Pass{
		Kind: "s6", Instance: "a", State: s6.StateRunning, Decision: fsm.Decision{Do: []fsm.Action{"one", "two"}, After: time.Second},
		Did: 1, Err: "cannot two: full", Took: time.Millisecond,
	}, second)
	assert.Nil(t, all[2].Input)
	assert.Equal(t, "cannot observe: broken", all[2].Err)
	assert.Equal(t, all[0], all[3])

	text, err := fsys.ReadFile(path.Join(dir, entries(t, fsys)[0].Name()))
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(string(text), `"sleep"`), "once whole, and once more where there was no input before")
}

// A pass that cannot be read takes those along that are written as what differs from
// it, and none is taken for another.
func TestDamagedPass(t *testing.T) {
	fsys := memfs.New()
	deaths := func(n int) fsm.Reconciled {
		return with(func(_ *fsm.Reconciled, _, after *service) { after.Observed.Deaths = n })
	}
	written(t, fsys, func(j *journal.Journal) {
		hear := journal.Passes[*s6.Spec, s6.Observed](j)
		for n := range 4 {
			hear(deaths(n))
		}
	})
	name := path.Join(dir, entries(t, fsys)[0].Name())
	text, err := fsys.ReadFile(name)
	require.NoError(t, err)
	lines := strings.SplitAfter(string(text), "\n")
	lines[3] = strings.Replace(lines[3], "at", "ta", 1) // the third pass
	require.NoError(t, fsys.WriteFile(name, []byte(strings.Join(lines, "")), 0))
	written(t, fsys, func(j *journal.Journal) { journal.Passes[*s6.Spec, s6.Observed](j)(deaths(7)) })
	assert.Equal(t, []string{"begun", "pass", "pass", "1 missing", "1 missing", "begun", "pass"}, told(t, fsys, dir))
	var seen []string
	for r := range journal.Read(fsys, dir) {
		if r.Pass != nil {
			_, deaths, _ := strings.Cut(string(r.Pass.Input), `"deaths":`)
			seen = append(seen, deaths[:1])
		}
	}
	assert.Equal(t, []string{"0", "1", "7"}, seen)
}

// Where a file is full, the first pass in the next is whole.
func TestEachFileIsWhole(t *testing.T) {
	fsys := memfs.New()
	j := journal.Open(journal.Config{FS: fsys, Dir: dir, Size: 3 * 3000, Files: 3})
	hear := journal.Passes[*s6.Spec, s6.Observed](j)
	for n := range 100 {
		hear(with(func(_ *fsm.Reconciled, _, after *service) { after.Observed.Deaths = n }))
	}
	require.NoError(t, j.Close(context.Background()))
	all := passesOf(t, fsys)
	assert.Greater(t, len(all), 10)
	for _, e := range entries(t, fsys) {
		text, err := fsys.ReadFile(path.Join(dir, e.Name()))
		require.NoError(t, err)
		assert.Equal(t, 1, strings.Count(string(text), `"sleep"`))
	}
}

// When the disk is well again, every instance is recorded whole, whether there is
// something new or not.
func TestAfterAnOutageEverythingIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := memfs.New()
		full := filesystemtest.FailFrom(1, 10*time.Second, errFull)
		j := journal.Open(journal.Config{FS: filesystemtest.Inject(fsys, filesystemtest.OnKind(filesystemtest.AppendFile, full)), Dir: dir})
		hear := journal.Passes[*s6.Spec, s6.Observed](j)
		for range 30 {
			time.Sleep(time.Second)
			hear(pass())
		}
		require.NoError(t, j.Close(t.Context()))
		assert.Equal(t, []string{"2 missing", "pass"}, told(t, fsys, dir))
	})
}

// Whatever somebody keeps secret, none of it reaches the disk.
func TestNoSecretIsRecorded(t *testing.T) {
	const planted = "geheim"
	fsys := memfs.New()
	named := "cannot: password=" + planted
	spec := &s6.Spec{
		Command: []string{"sleep", "--token", planted}, Env: map[string]string{"ANY": planted},
		ConfigFiles: map[string]string{"c": planted}, Note: planted, Finish: []string{"http://u:" + planted + "@h"},
	}
	seen := s6.Observed{
		CommandProblem: named, LoggerProblem: named, StatusProblem: named, Complaint: named, Damage: named, LastWords: named,
		Check: s6.Checked{What: named, Problem: named, Why: named},
	}
	says := fsm.Because(named).With("http://u:" + planted + "@h")
	inner := &service{
		Desired: fsm.Desired[*s6.Spec]{Spec: spec, Rejected: says}, Waits: says, Reason: says, Observed: seen, Err: errors.New(named),
		History: []fsm.Transition{{Reason: says}},
	}
	outer := &stream{
		Desired: fsm.Desired[*benthos.Config]{Spec: &benthos.Config{Input: map[string]any{"x": map[string]any{"password": planted}}, Note: planted}, Rejected: says},
		Waits:   says,
		Observed: benthos.Observed{
			Service: inner, PortTaken: named, AnnounceProblem: named, LogProblem: named,
			Health: benthos.Health{Problem: named, PortTaken: named, MetricsProblem: named},
		},
	}
	about := fsm.Subject{Kind: "any", Instance: "a"}
	written(t, fsys, func(j *journal.Journal) {
		told := fsm.Reconciled{Subject: about, Decided: true, Decision: fsm.Decision{Reason: says}, Err: errors.New(named)}
		ofServices, ofStreams := told, told
		ofServices.Before, ofServices.After = inner, inner
		ofStreams.Before, ofStreams.After = outer, outer
		journal.Passes[*s6.Spec, s6.Observed](j)(ofServices)
		journal.Passes[*benthos.Config, benthos.Observed](j)(ofStreams)
		j.Hear(fsm.Transition{Subject: about, Reason: says})
		j.Hear(fsm.Refused{Subject: about, Err: errors.New(named)})
		j.Declared(about, named)
	})
	require.Len(t, passesOf(t, fsys), 2)
	text, err := fsys.ReadFile(path.Join(dir, entries(t, fsys)[0].Name()))
	require.NoError(t, err)
	assert.NotContains(t, string(text), planted)
	assert.NotContains(t, string(text), "history", "transitions are records of their own")
	assert.Equal(t, 6, strings.Count(string(text), "\n"), "and all of it is there")
	assert.Equal(t, planted, spec.Env["ANY"], "what is recorded stays as it was")
	assert.Len(t, inner.History, 1)
}

// odd is a spec that panics or fails where it is to be JSON.
type odd int

func (o odd) MarshalJSON() ([]byte, error) {
	if o > 1 {
		panic("boom, token=geheim")
	}
	return nil, errors.New("no JSON, token=geheim")
}

func TestPassWithoutJSON(t *testing.T) {
	fsys := memfs.New()
	written(t, fsys, func(j *journal.Journal) {
		for _, spec := range []odd{1, 2} {
			s := &fsm.Snapshot[odd, int]{Desired: fsm.Desired[odd]{State: "lit", Spec: spec}}
			journal.Passes[odd, int](j)(fsm.Reconciled{Subject: fsm.Subject{Kind: "odd", Instance: "a"}, Before: s, After: s, Decided: true})
		}
	})
	says := told(t, fsys, dir)
	require.Len(t, says, 3)
	assert.Contains(t, says[1], "unrecorded: ")
	assert.Contains(t, says[1], "no JSON, token=***")
	assert.Contains(t, says[2], "unrecorded: cannot record a pass: its kind panicked: boom, token=***")
}

// setBack gives a time the reading of a wall clock that was set back since, by an
// hour: its reading of the monotonic clock is an hour sooner.
func setBack(at time.Time) time.Time {
	(*struct { // as in package time
		wall uint64
		ext  int64
	})(unsafe.Pointer(&at)).ext -= int64(time.Hour)
	return at
}

// For how long something has been so is decided on by the clock that nobody sets.
func TestClockThatIsSet(t *testing.T) {
	now := time.Now()
	since := setBack(now)
	require.Equal(t, time.Hour, now.Sub(since))
	require.Equal(t, time.Duration(0), now.Round(0).Sub(since.Round(0)))
	before := &service{State: s6.StateStarting, Since: since}
	after := *before
	after.Desired = fsm.Desired[*s6.Spec]{State: s6.Running, Spec: new(s6.Spec)}
	after.Observed = s6.Observed{Owed: since}
	in := fsm.Input[*s6.Spec, s6.Observed]{Now: now, State: before.State, Since: since, Desired: after.Desired, Observed: after.Observed}
	decision := s6.Decide(in)
	inner := after // that of a stream, behind a pointer
	outer := stream{Observed: benthos.Observed{Service: &inner}}

	fsys := memfs.New()
	written(t, fsys, func(j *journal.Journal) {
		both(j)(fsm.Reconciled{Subject: fsm.Subject{At: now, Kind: s6.KindName}, Before: before, After: &after, Decided: true, Decision: decision})
		both(j)(fsm.Reconciled{Subject: fsm.Subject{At: now, Kind: benthos.KindName}, Before: &outer, After: &outer, Decided: true})
	})
	all := passesOf(t, fsys)
	require.Len(t, all, 2)
	decided, same, err := again(all[0])
	require.NoError(t, err)
	assert.True(t, same, "%+v was decided, and now is %+v", decision, decided)
	wall := now.Add(-time.Hour).Format(time.RFC3339Nano)
	assert.Contains(t, string(all[1].Input), `"owed":"`+wall+`"`)
	assert.Equal(t, since, inner.Observed.Owed, "what is recorded stays as it was")
}

// An idle service is recorded once, and again after an hour.
func TestIdleServiceWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := memfs.New()
		j := journal.Open(journal.Config{FS: fsys, Dir: dir})
		tree := s6test.New(s6test.Config{})
		tree.Install("sleep", s6test.Program{})
		m, err := s6.NewManager(tree, fsm.Config{OnPass: both(j), Listeners: []fsm.Listener{j.Hear}})
		require.NoError(t, err)
		go m.Run(t.Context())
		require.NoError(t, m.Apply(t.Context(), map[string]fsm.Desired[*s6.Spec]{"a": {State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep", "1"}}}}))
		require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
		time.Sleep(time.Minute)
		before := len(told(t, fsys, dir))
		size := sizeOf(t, fsys)
		time.Sleep(10 * time.Hour)
		assert.InDelta(t, before+10, len(told(t, fsys, dir)), 1)
		assert.Less(t, sizeOf(t, fsys)-size, int64(10*500))
		require.NoError(t, m.Close(t.Context()))
		require.NoError(t, tree.Close())
		require.NoError(t, j.Close(t.Context()))
		says := strings.Join(told(t, fsys, dir), "\n")
		assert.Contains(t, says, "begun")
		for _, p := range passesOf(t, fsys) {
			_, same, err := again(p)
			if !errors.Is(err, journal.ErrUndecided) {
				require.NoError(t, err)
				assert.True(t, same)
			}
		}
	})
}

// Messages that come in all the time are no news, and neither is a stream that gets
// none: an hour of either takes little.
func TestStreamsWriteLittle(t *testing.T) {
	for name, rate := range map[string]uint64{"idle": 0, "active": 10} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fsys := memfs.New()
				j := journal.Open(journal.Config{FS: fsys, Dir: dir})
				tree := s6test.New(s6test.Config{})
				tree.Install("/usr/bin/benthos", s6test.Program{ReadyAfter: s6test.Never})
				prober := benthostest.NewProber()
				prober.Set("127.0.0.1:9080", benthostest.Endpoint{})
				m, err := benthos.NewManager(tree, benthos.Options{Engine: "/usr/bin/benthos", Prober: prober}, fsm.Config{OnPass: both(j), Listeners: []fsm.Listener{j.Hear}})
				require.NoError(t, err)
				go m.Run(t.Context())
				spec := &benthos.Config{
					MetricsPort: 9080, Input: map[string]any{"generate": map[string]any{"mapping": "root = 1"}}, Output: map[string]any{"drop": map[string]any{}},
				}
				require.NoError(t, m.Apply(t.Context(), map[string]fsm.Desired[*benthos.Config]{"a": {State: benthos.Active, Spec: spec}}))
				require.NoError(t, m.Wait(t.Context(), "a", fsm.PhaseRunning))
				var size int64
				for second := range uint64(3600 + 60) {
					if second == 60 {
						size = sizeOf(t, fsys)
					}
					prober.Set("127.0.0.1:9080", benthostest.Endpoint{Metrics: benthos.Metrics{InputReceived: rate * second, OutputSent: rate * second}})
					time.Sleep(time.Second)
				}
				s, _ := m.Instance("a")
				assert.Equal(t, name, string(s.State))
				assert.Less(t, sizeOf(t, fsys)-size, int64(10_000))
				require.NoError(t, m.Close(t.Context()))
				require.NoError(t, tree.Close())
				require.NoError(t, j.Close(t.Context()))
				for _, p := range passesOf(t, fsys) {
					if _, same, err := again(p); !errors.Is(err, journal.ErrUndecided) {
						require.NoError(t, err)
						require.True(t, same)
					}
				}
			})
		})
	}
}

// sizeOf returns the size of a journal.
func sizeOf(t *testing.T, fsys *memfs.FS) (size int64) {
	t.Helper()
	for _, e := range entries(t, fsys) {
		info, err := e.Info()
		require.NoError(t, err)
		size += info.Size()
	}
	return size
}
