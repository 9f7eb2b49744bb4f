package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// works is a program that keeps files, with the instances.
type works struct {
	*home
	tree    *s6test.Tree
	planner Planner
}

func newWorks(t testing.TB) *works {
	w := &works{home: newHome(t, file), tree: s6test.New(s6test.Config{})}
	t.Cleanup(func() { assert.NoError(t, w.tree.Close()) })
	w.tree.Install("sleep", s6test.Program{})
	w.tree.Install("/opt/benthos", s6test.Program{})
	prober := benthostest.NewProber()
	for n := range 2 {
		prober.Set(fmt.Sprintf("127.0.0.1:%d", FirstPort+n), benthostest.Endpoint{})
	}
	options := benthos.Options{Engine: "/opt/benthos", Prober: prober}
	r := &Runner{}
	require.NoError(t, r.manage(t.Context(), w.tree, options, w.Store, Config{}.told()))
	t.Cleanup(func() {
		assert.NoError(t, errors.Join(r.Services.Close(context.Background()), r.Streams.Close(context.Background())))
	})
	w.Keeper = r
	w.planner = Planner{
		Reader: w.Reader, Paths: w.Paths, Store: w.Store, Tree: s6.LookAt(w.tree), Streams: options, Free: w.Free,
	}
	return w
}

// keep has a file kept, and waits.
func (w *works) keep(text string) {
	w.t.Helper()
	w.write(file, text)
	w.load()
	time.Sleep(time.Minute)
	synctest.Wait()
}

// plan plans, and proves that nothing was touched.
func (w *works) plan() *Plan {
	w.t.Helper()
	before := w.seen()
	p := w.planner.Plan(w.t.Context())
	assert.Equal(w.t, before, w.seen(), "nothing is touched")
	return p
}

// seen is all that there is.
func (w *works) seen() string {
	var b strings.Builder
	for _, fsys := range []filesystem.FS{w.tree.FS(), w.Reader.FS} {
		lister{w.t, fsys, &b}.list("/")
	}
	fmt.Fprintln(&b, w.tree.Processes(), w.tree.Supervisors())
	return b.String()
}

// lister writes down what is on a filesystem.
type lister struct {
	t  testing.TB
	fs filesystem.FS
	to *strings.Builder
}

func (l lister) list(dir string) {
	l.t.Helper()
	entries, err := l.fs.ReadDir(dir)
	require.NoError(l.t, err)
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		info, err := e.Info()
		require.NoError(l.t, err)
		fmt.Fprintln(l.to, name, info.Mode(), info.Size(), info.ModTime().UnixNano())
		switch {
		case e.IsDir():
			l.list(name)
		case info.Mode().IsRegular():
			data, err := l.fs.ReadFile(name)
			require.NoError(l.t, err)
			fmt.Fprintf(l.to, "%q\n", data)
		}
	}
}

// pids returns the processes of services.
func (w *works) pids() map[string]int {
	pids := make(map[string]int)
	for _, p := range w.tree.Processes() {
		if !strings.HasSuffix(p.Service, "/log") {
			pids[p.Service] = p.PID
		}
	}
	return pids
}

// changes returns what is to be done about each instance.
func changes(p *Plan) map[string]fsm.ChangeKind {
	all := make(map[string]fsm.ChangeKind)
	for _, c := range p.Changes {
		all[c.Name] = c.Kind
	}
	return all
}

func stream(name, interval string) string {
	return fmt.Sprintf("  - {name: %s, benthosServiceConfig: {input: {generate: {mapping: 'root = 1', interval: %s}}, output: {drop: {}}}}\n", name, interval)
}

const (
	worksBefore = `services:
  - {name: same, s6ServiceConfig: {command: [sleep, '1']}}
  - {name: live, s6ServiceConfig: {command: [sleep, '1']}}
  - {name: other, s6ServiceConfig: {command: [sleep, '1']}}
  - {name: stops, s6ServiceConfig: {command: [sleep, '1']}}
  - {name: starts, desiredState: stopped, s6ServiceConfig: {command: [sleep, '1']}}
  - {name: gone, s6ServiceConfig: {command: [sleep, '1']}}
benthos:
`
	worksAfter = `services:
  - {name: same, s6ServiceConfig: {command: [sleep, '1']}}
  - {name: live, s6ServiceConfig: {command: [sleep, '1'], logFilesize: 8192}}
  - {name: other, s6ServiceConfig: {command: [sleep, '2']}}
  - {name: stops, desiredState: stopped, s6ServiceConfig: {command: [sleep, '1']}}
  - {name: starts, s6ServiceConfig: {command: [sleep, '1']}}
  - {name: new, s6ServiceConfig: {command: [sleep, '1']}}
benthos:
`
)

// TestPlanIsWhatIsDoneThen: what a plan says is what happens when it is applied,
// and nothing happens before.
func TestPlanIsWhatIsDoneThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorks(t)
		before, after := worksBefore+stream("same", "1s")+stream("other", "1s"), worksAfter+stream("same", "1s")+stream("other", "2s")
		w.write(file, before)
		for name, kind := range changes(w.plan()) {
			assert.Equal(t, fsm.ChangeCreate, kind, name)
		}
		w.keep(before)
		p := w.plan()
		assert.Len(t, p.Changes, 8)
		assert.Equal(t, 8, p.Count(fsm.ChangeNone), "%v", p.Changes)
		assert.True(t, p.Whole())

		w.write("/etc/evenkeel/other.yaml", after)
		w.planner.Paths = []string{"/etc/evenkeel/other.yaml"}
		p = w.plan()
		assert.True(t, p.Whole(), "%v %v", p.Problems, p.Trouble)
		want := map[string]fsm.ChangeKind{
			"same": fsm.ChangeNone, "live": fsm.ChangeLive, "other": fsm.ChangeRestart, "stops": fsm.ChangeStop,
			"starts": fsm.ChangeStart, "gone": fsm.ChangeRemove, "new": fsm.ChangeCreate,
			"benthos-same": fsm.ChangeNone, "benthos-other": fsm.ChangeRestart,
		}
		assert.Equal(t, want, changes(p))
		pids := w.pids()
		for _, c := range p.Changes {
			switch c.Kind {
			case fsm.ChangeRestart, fsm.ChangeStop, fsm.ChangeRemove:
				assert.Equal(t, pids[c.Name], c.PID, c.Name)
			default:
				assert.Zero(t, c.PID, c.Name)
			}
		}

		w.keep(after)
		now := w.pids()
		for name, kind := range want {
			was, is := pids[name], now[name]
			switch kind {
			case fsm.ChangeNone, fsm.ChangeLive:
				assert.Equal(t, was, is, name)
			case fsm.ChangeRestart:
				assert.NotContains(t, []int{0, was}, is, name)
			case fsm.ChangeStop, fsm.ChangeRemove:
				assert.Zero(t, is, name)
			case fsm.ChangeStart, fsm.ChangeCreate:
				assert.NotZero(t, is, name)
			}
		}
		p = w.plan()
		assert.Equal(t, p.Count(fsm.ChangeNone), len(p.Changes), "%v", p.Changes)
	})
}

// TestPlanOfWhatCannotBeTaken: it stays as it was declared last, and the plan is
// not whole.
func TestPlanOfWhatCannotBeTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorks(t)
		w.write(file, "services: [")
		p := w.plan()
		assert.Empty(t, p.Changes)
		assert.Len(t, p.Problems, 1)
		assert.Equal(t, []string{ErrNothing.Error()}, p.Trouble)

		good := services("a", "b") + "benthos:\n" + stream("s", "1s")
		w.keep(good)
		for text, want := range map[string]string{
			good + "services: [": "this is not YAML",
			"---\n":              "nothing is declared any more, which would remove 3 instances",
			services("a") + "  - {name: b, s6ServiceConfig: {comand: [x]}}\nbenthos:\n" + stream("s", "1s"): "did you mean command?",
		} {
			w.write(file, text)
			p = w.plan()
			assert.False(t, p.Whole())
			assert.Equal(t, 3, p.Count(fsm.ChangeNone), "%v", p.Changes)
			require.NotEmpty(t, p.Problems)
			assert.Contains(t, p.Problems[0].Error(), want)
		}
		w.write(file, "---\n")
		w.planner.AllowEmpty = true
		p = w.plan()
		assert.Equal(t, 3, p.Count(fsm.ChangeRemove))
		assert.True(t, p.Whole())

		w.planner.Streams.Linter = benthostest.Linter(func(string, []byte) error { return errors.New("there is no password=geheim") })
		w.write(file, services("a", "b")+"benthos:\n"+stream("s", "2s"))
		p = w.plan()
		assert.Equal(t, map[string]fsm.ChangeKind{"a": fsm.ChangeNone, "b": fsm.ChangeNone, "benthos-s": fsm.ChangeRefused}, changes(p))
		assert.Equal(t, file+":5:5: benthos-s is refused: not a valid Benthos configuration: there is no password=***", p.Problems[0].Error())
		assert.Empty(t, p.Trouble)

		silent := &benthos.LinterError{Path: "/opt/benthos", Err: errors.New("it hangs")}
		w.planner.Streams.Linter = benthostest.Linter(func(string, []byte) error { return silent })
		p = w.plan()
		assert.Equal(t, fsm.ChangeRestart, changes(p)["benthos-s"], "what can be said is said")
		assert.Equal(t, []string{silent.Error()}, p.Trouble)

		w.planner.NoEngine = benthos.ErrNoEngine
		p = w.plan()
		assert.Equal(t, map[string]fsm.ChangeKind{"a": fsm.ChangeNone, "b": fsm.ChangeNone, "benthos-s": fsm.ChangeUnknown}, changes(p))
		assert.Equal(t, []string{"cannot keep streams: the engine cannot be started: name an engine with --benthos"}, p.Trouble)
	})
}

// TestPlanOfNamesThatOthersHave: an instance of another kind makes way where it is
// not declared any more, and that of another owner does not.
func TestPlanOfNamesThatOthersHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorks(t)
		w.keep(services("benthos-a", "b"))
		data := w.tree.Layout().Service("foreign") + "/data"
		require.NoError(t, w.tree.FS().MkdirAll(data, 0o755))
		require.NoError(t, w.tree.FS().WriteFile(data+"/manifest.json", []byte(`{"version": 1, "kind": "other", "spec": {"command": ["x"]}}`), 0o600))
		w.write(file, services("b", "foreign")+"benthos:\n"+stream("a", "1s"))
		p := w.plan()
		var told []string
		for _, c := range p.Changes {
			told = append(told, fmt.Sprint(c.Name, " ", c.Of, " ", c.Kind))
		}
		assert.Equal(t, []string{"b service none", "benthos-a service remove", "benthos-a stream create", "foreign service refused"}, told)
		require.Len(t, p.Problems, 1)
		assert.Contains(t, p.Problems[0].Error(), `a service of another owner has its name: it belongs to "other"`)
	})
}

// TestPlanWhereNothingRuns is of what was left on disk.
func TestPlanWhereNothingRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorks(t)
		w.keep(services("a", "b") + "  - {name: c, desiredState: stopped, s6ServiceConfig: {command: [sleep, '1']}}\n")
		boot := w.tree.Reboot()
		boot.KillSvscan()
		t.Cleanup(func() { assert.NoError(t, boot.Close()) })
		w.tree, w.planner.Tree = boot, s6.LookAt(boot)
		assert.Equal(t, map[string]fsm.ChangeKind{"a": fsm.ChangeStart, "b": fsm.ChangeStart, "c": fsm.ChangeNone}, changes(w.plan()))
	})
}

// TestPlanShowsWhatDiffersAndNoSecret: a secret that changes is seen to.
func TestPlanShowsWhatDiffersAndNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorks(t)
		w.planner.Diff = true
		text := func(secret, plain string) string {
			require.NoError(t, w.Reader.FS.WriteFile("/etc/evenkeel/secret", []byte(secret+"\n"), 0o600))
			return fmt.Sprintf(`services:
  - name: a
    s6ServiceConfig:
      command: [sleep, --token, %[1]s, --api-key=%[1]s, %[2]s]
      env: {BY: {file: secret}, PLAIN: %[1]s}
      configFiles: {c.conf: "x %[1]s"}
benthos:
  - name: s
    benthosServiceConfig:
      input: {generate: {mapping: 'root = "%[2]s"'}}
      output: {http_client: {url: 'http://u:%[1]s@h/', headers: {X-Token: %[1]s}, n: 1}}
`, secret, plain)
		}
		w.keep(text("geheim1", "one"))
		w.write(file, text("geheim2", "two"))
		p := w.plan()
		text2, err := json.Marshal(p)
		require.NoError(t, err)
		assert.NotContains(t, string(text2), "geheim")
		require.Len(t, p.Changes, 2)
		for _, line := range []string{
			"--- a/a/env/BY\n+++ b/a/env/BY\n@@ -1,1 +1,1 @@\n-***\n+*** (changed)\n",
			"--- a/a/env/PLAIN\n", "--- a/a/config/c.conf\n",
			"--token '***' '--api-key=***' one", "--token '*** (changed)' '--api-key=*** (changed)' two",
		} {
			assert.Contains(t, p.Changes[0].Diff, line)
		}
		for _, line := range []string{
			"-    mapping: root = \"one\"\n+    mapping: root = \"two\"\n",
			"-      X-Token: '***'\n", "+      X-Token: '*** (changed)'\n", "+    url: http://u:*** (changed)@h/\n",
		} {
			assert.Contains(t, p.Changes[1].Diff, line)
		}
		assert.NotContains(t, p.Changes[1].Diff, "b/benthos-s/run", "it is the same")

		w.write(file, text("geheim1", "one"))
		for _, c := range w.plan().Changes {
			assert.Empty(t, c.Diff)
		}
	})
}

// TestPlanOfAnInstanceThatCannotBeSeen is unknown, and no other is.
func TestPlanOfAnInstanceThatCannotBeSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorks(t)
		w.keep(services("a", "b"))
		w.planner.Tree = s6.LookAt(blind{w.tree, w.tree.Layout().Service("a") + "/data/hash"})
		p := w.plan()
		assert.Equal(t, map[string]fsm.ChangeKind{"a": fsm.ChangeUnknown, "b": fsm.ChangeNone}, changes(p))
		require.Len(t, p.Trouble, 1)
		assert.Contains(t, p.Trouble[0], "it is not known what becomes of a: ")
	})
}

// blind is a tree on which one file cannot be read.
type blind struct {
	*s6test.Tree
	file string
}

func (b blind) FS() filesystem.FS { return blindFS{b.Tree.FS(), b.file} }

type blindFS struct {
	filesystem.FS
	file string
}

func (b blindFS) ReadRange(name string, p []byte, off int64) (int, error) {
	if name == b.file {
		return 0, &fs.PathError{Op: "read", Path: name, Err: syscall.EIO}
	}
	return b.FS.ReadRange(name, p, off)
}

// thousand declares as many instances, half of them streams.
func thousand() string {
	var b strings.Builder
	b.WriteString("services:\n")
	for n := range 500 {
		fmt.Fprintf(&b, "  - {name: service-%d, s6ServiceConfig: {command: [sleep, '%[1]d'], env: {N: '%[1]d'}}}\n", n)
	}
	b.WriteString("benthos:\n")
	for n := range 500 {
		b.WriteString(stream(fmt.Sprint("stream-", n), "1s"))
	}
	return b.String()
}

// TestPlanOfWhatWasDamaged: what a run would put back is said of services and of
// those of streams, and which process would end.
func TestPlanOfWhatWasDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorks(t)
		w.keep(worksBefore + stream("same", "1s"))
		pids, l := w.pids(), w.tree.Layout()
		for _, name := range []string{"same", "benthos-same"} {
			require.NoError(t, w.tree.FS().WriteFile(l.Service(name)+"/run", []byte("#!/bin/sh\n"), 0o700))
		}
		w.tree.KillSvscan()
		require.NoError(t, w.tree.KillSupervisor("other"))
		p := w.plan()
		assert.True(t, p.Whole(), "%v %v", p.Problems, p.Trouble)
		for _, c := range p.Changes {
			switch c.Name {
			case "same", "benthos-same":
				assert.Equal(t, fsm.ChangeLive, c.Kind, c.Name)
				assert.Equal(t, "its files are put back: run is not as it was written", c.Why)
			case "other":
				assert.Equal(t, fsm.ChangeRestart, c.Kind)
				assert.Equal(t, pids["other"], c.PID)
			default:
				assert.Equal(t, fsm.ChangeNone, c.Kind, c.Name)
			}
		}
		w.tree.StartSvscan()
	})
}

// BenchmarkPlanThousand parses, validates and plans a file of a thousand entries
// without a linter, where nothing is there.
func BenchmarkPlanThousand(b *testing.B) {
	w := newWorks(b)
	w.write(file, thousand())
	for b.Loop() {
		p := w.planner.Plan(b.Context())
		require.Equal(b, 1000, p.Count(fsm.ChangeCreate))
		require.True(b, p.Whole())
	}
}
