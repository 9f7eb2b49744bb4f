package config_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/badfiles"
	"github.com/evenkeel/evenkeel/s6"
)

const ofUMHCore = `
agent:
  metricsPort: 8080
  location: {0: plant, 1: line}
  releaseChannel: stable
templates: []
internal:
  services:
    - name: hello
      desiredState: running
      s6ServiceConfig:
        command: [/usr/local/bin/benthos, -c, /run/service/hello/config/hello.yaml]
        env: {LOG: debug, N: 5, EMPTY: }
        configFiles:
          hello.yaml: |
            input: {generate: {mapping: 'root = 1'}}
        memoryLimit: 1048576
        logFilesize: 4096
    - name: idle
      desiredState: stopped
      s6ServiceConfig: {command: [sleep, "1"], memoryLimit: 0, logFilesize: 0}
  benthos:
    - name: hello
      desiredState: active
      benthosServiceConfig:
        input: {generate: {mapping: 'root = "${WHO:you}"', interval: 1s}}
        pipeline: {processors: []}
        output: {stdout: {}}
        cache_resources: [{label: c, memory: {}}]
        rate_limit_resources: []
        metrics_port: 4195
        debug_level: true
  redpanda: {name: redpanda, desiredState: stopped}
dataFlow:
  - name: flow
    desiredState: stopped
    debug_level: true
    dataFlowComponentConfig:
      benthos:
        input: {stdin: {}}
        output: {drop: {}}
`

// TestFileOfUMHCore: what it says of services and streams is read, under the
// names that their services have there, and the rest is named.
func TestFileOfUMHCore(t *testing.T) {
	d := readText(t, ofUMHCore)
	require.Empty(t, problems(d))
	assert.Equal(t, map[string]fsm.Desired[*s6.Spec]{
		"hello": {State: s6.Running, Spec: &s6.Spec{
			Command:     []string{"/usr/local/bin/benthos", "-c", "/run/service/hello/config/hello.yaml"},
			Env:         map[string]string{"LOG": "debug", "N": "5", "EMPTY": ""},
			ConfigFiles: map[string]string{"hello.yaml": "input: {generate: {mapping: 'root = 1'}}\n"},
			Limits:      s6.Limits{Memory: 1 << 20}, Log: s6.Log{FileSize: 4096},
		}},
		"idle": {State: s6.Stopped, Spec: &s6.Spec{Command: []string{"sleep", "1"}}},
	}, d.Services())
	assert.Equal(t, map[string]fsm.Desired[*benthos.Config]{
		"benthos-hello": {State: benthos.Active, Spec: &benthos.Config{
			Input:              map[string]any{"generate": map[string]any{"mapping": benthos.Text{Value: `root = "${WHO:you}"`, Style: benthos.SingleQuoted}, "interval": "1s"}},
			Pipeline:           map[string]any{"processors": []any{}},
			Output:             map[string]any{"stdout": map[string]any{}},
			CacheResources:     []map[string]any{{"label": "c", "memory": map[string]any{}}},
			RateLimitResources: []map[string]any{},
			MetricsPort:        4195, DebugLevel: true,
		}},
		"benthos-dataflow-flow": {State: benthos.Stopped, Spec: &benthos.Config{
			Input: map[string]any{"stdin": map[string]any{}}, Output: map[string]any{"drop": map[string]any{}}, DebugLevel: true,
		}},
	}, d.Streams())
	assert.Equal(t, []config.Section{
		{At: config.Position{File: "f.yaml", Line: 2, Column: 1}, Name: "agent"},
		{At: config.Position{File: "f.yaml", Line: 6, Column: 1}, Name: "templates"},
		{At: config.Position{File: "f.yaml", Line: 33, Column: 3}, Name: "internal.redpanda"},
	}, d.NotRun)
	assert.Equal(t, config.Position{File: "f.yaml", Line: 9, Column: 7}, d.Entries[config.Key{Kind: config.KindService, Name: "hello"}].At)
}

const besideUMHCore = `services:
  - name: a
    s6ServiceConfig: {command: [a]}
    user: nobody
    dir: /tmp
    limits: {memory: 1, openFiles: 2, processes: 3, fileSize: 4}
    ready: {check: [test, -e, x]}
    check: {http: 'http://127.0.0.1:8080/health', every: 5s, timeout: 2s, failures: 4, restart: true}
    startTimeout: 1s
    stopSignal: INT
    stopTimeout: 1m30s
    finish: [clean]
    finishTimeout: 2s
    log: {fileSize: 4096, files: 3, tai64n: true, removeWithService: true}
    restart: on-failure
    backoff: {from: 1s, to: 2m}
    giveUpAfter: 5
    essential: true
`

// TestKeysBesideThoseOfUMHCore are those of a Spec.
func TestKeysBesideThoseOfUMHCore(t *testing.T) {
	d := readText(t, besideUMHCore)
	require.Empty(t, problems(d))
	assert.Equal(t, &s6.Spec{
		Command: []string{"a"}, User: "nobody", Dir: "/tmp",
		Limits: s6.Limits{Memory: 1, OpenFiles: 2, Processes: 3, FileSize: 4},
		Ready:  s6.Readiness{Check: []string{"test", "-e", "x"}}, StartTimeout: time.Second,
		Check:      s6.Check{HTTP: "http://127.0.0.1:8080/health", Every: 5 * time.Second, Timeout: 2 * time.Second, Failures: 4, Restart: true},
		StopSignal: "INT", StopTimeout: 90 * time.Second,
		Finish: []string{"clean"}, FinishTimeout: 2 * time.Second,
		Log:    s6.Log{FileSize: 4096, Files: 3, TAI64N: true, RemoveWithService: true},
		Policy: s6.Policy{Restart: s6.RestartOnFailure, Backoff: s6.Backoff{From: time.Second, To: 2 * time.Minute}, GiveUpAfter: 5},
	}, d.Services()["a"].Spec)
	assert.True(t, d.Entries[config.Key{Kind: config.KindService, Name: "a"}].Essential)
}

const allOfAStream = `benthos:
  - name: a
    benthosServiceConfig:
      input: {resource: i}
      output: {resource: o}
      input_resources: [{label: i, stdin: {}}]
      processor_resources: [{label: p, log: {}}]
      output_resources: [{label: o, drop: {}}]
      metrics: {mapping: root = this}
      logger: {level: warn}
      tracer: {none: {}}
      http: {debug_endpoints: true}
      shutdown_timeout: 3s
      host: 0.0.0.0
    restart: never
    expectTraffic: 5m
    essential: true
`

// TestAllOfAStream: each section of an engine's configuration can be given.
func TestAllOfAStream(t *testing.T) {
	d := readText(t, allOfAStream)
	require.Empty(t, problems(d))
	assert.Equal(t, &benthos.Config{
		Input: map[string]any{"resource": "i"}, Output: map[string]any{"resource": "o"},
		InputResources:     []map[string]any{{"label": "i", "stdin": map[string]any{}}},
		ProcessorResources: []map[string]any{{"label": "p", "log": map[string]any{}}},
		OutputResources:    []map[string]any{{"label": "o", "drop": map[string]any{}}},
		MetricsMapping:     "root = this",
		Logger:             map[string]any{"level": "warn"}, Tracer: map[string]any{"none": map[string]any{}},
		HTTP: map[string]any{"debug_endpoints": true}, ShutdownTimeout: 3 * time.Second, Host: "0.0.0.0",
		Policy: s6.Policy{Restart: s6.RestartNever}, ExpectTraffic: 5 * time.Minute,
	}, d.Streams()["benthos-a"].Spec)
	assert.True(t, d.Entries[config.Key{Kind: config.KindStream, Name: "benthos-a"}].Essential)
}

const writtenOnce = `templates:
  - &common {stopTimeout: 5s, s6ServiceConfig: &run {command: [a], env: {A: b}}}
services:
  - {<<: *common, name: a}
  - {<<: *common, name: b, stopTimeout: 1s}
  - name: c
    s6ServiceConfig: {<<: [*run], command: [c]}
`

// TestWhatIsWrittenOnce is taken over by aliases and merges.
func TestWhatIsWrittenOnce(t *testing.T) {
	d := readText(t, writtenOnce)
	require.Empty(t, problems(d))
	all := d.Services()
	assert.Equal(t, &s6.Spec{Command: []string{"a"}, Env: map[string]string{"A": "b"}, StopTimeout: 5 * time.Second}, all["a"].Spec)
	assert.Equal(t, &s6.Spec{Command: []string{"a"}, Env: map[string]string{"A": "b"}, StopTimeout: time.Second}, all["b"].Spec)
	assert.Equal(t, &s6.Spec{Command: []string{"c"}, Env: map[string]string{"A": "b"}}, all["c"].Spec)
}

func TestValuesFromElsewhere(t *testing.T) {
	fsys := memfs.New()
	require.NoError(t, fsys.MkdirAll("/etc/evenkeel", 0o755))
	for name, text := range map[string]string{
		"/etc/evenkeel/a.yaml": `services:
  - name: a
    s6ServiceConfig:
      command: [a]
      env: {FILE: {file: password}, ABSOLUTE: {file: /token}, VARIABLE: {env: HOME}, EMPTY: {env: NOTHING}}
`,
		"/etc/evenkeel/password": "hunter2\r\n", "/token": "two\nlines\n\n",
	} {
		require.NoError(t, fsys.WriteFile(name, []byte(text), 0o600))
	}
	d := config.Reader{FS: fsys, LookupEnv: func(name string) (string, bool) {
		return map[string]string{"HOME": "/root"}[name], name == "HOME" || name == "NOTHING"
	}}.Read("/etc/evenkeel/a.yaml")
	require.Empty(t, problems(d))
	assert.Equal(t, map[string]string{
		"FILE": "hunter2", "ABSOLUTE": "two\nlines\n", "VARIABLE": "/root", "EMPTY": "",
	}, d.Services()["a"].Spec.Env)
	var read []string
	for _, f := range d.Files {
		read = append(read, f.Name)
		assert.NotEmpty(t, f.Seen)
	}
	assert.Equal(t, []string{"/etc/evenkeel/a.yaml", "/token", "/etc/evenkeel/password"}, read)
	require.NoError(t, fsys.WriteFile("/token", nil, 0o600))
	d = config.Reader{FS: fsys, LookupEnv: func(string) (string, bool) { return "", true }}.Read("/etc/evenkeel/a.yaml")
	assert.Equal(t, "/etc/evenkeel/a.yaml:5:47: s6ServiceConfig.env.ABSOLUTE cannot be read: /token is empty, as a file is that is being written", problems(d))
}

var nothing = []string{"---\n", "{}\n", "services:\n", "services: []\nbenthos: ~\ninternal:\n", "\xef\xbb\xbf---\n"}

// goodFiles are files that are taken as a whole.
func goodFiles() []string {
	return append(nothing, ofUMHCore, besideUMHCore, allOfAStream, writtenOnce, linted, one("a"), many(3), badfiles.Good, dependencies)
}

// TestDeclarationOfNothing is none of an empty file.
func TestDeclarationOfNothing(t *testing.T) {
	for _, text := range nothing {
		d := readText(t, text)
		assert.Empty(t, problems(d))
		assert.Empty(t, d.Entries)
	}
}

// TestDirectory stands for its *.yaml. One that is bad keeps the others from
// nothing.
func TestDirectory(t *testing.T) {
	fsys := memfs.New()
	require.NoError(t, fsys.MkdirAll("d/e.yaml", 0o755))
	require.NoError(t, fsys.MkdirAll("empty", 0o755))
	for name, text := range map[string]string{
		"d/a.yaml": one("a"), "d/b.yaml": one("b"), "d/bad.yaml": "services: [", "d/twice.yaml": one("a"),
		"d/.hidden.yaml": one("x"), "d/c.yml": one("x"), "d/a.yaml~": one("x"), "d/note.txt": "?",
	} {
		require.NoError(t, fsys.WriteFile(name, []byte(text), 0o600))
	}
	d := config.Reader{FS: fsys}.Read("d", "d/b.yaml", "empty", "none")
	assert.Equal(t, `d/bad.yaml:1:1: this is not YAML: did not find expected node content
d/e.yaml: it cannot be read: is a directory
d/twice.yaml:1:12: there are two entries for the s6 service a: the other is at d/a.yaml:1:12
empty: it cannot be read: there is no *.yaml in it
none: it cannot be read: file does not exist`, problems(d))
	assert.Len(t, d.Entries, 1)
	assert.Contains(t, d.Services(), "b")
}

func one(name string) string {
	return fmt.Sprintf("services: [{name: %s, s6ServiceConfig: {command: [sleep, '1']}}]\n", name)
}

// TestFileThatVanishes while it is read, or that cannot be read, is a problem:
// what it asked for is not known. One that cannot be looked at has changed, for
// all that is known.
func TestFileThatVanishes(t *testing.T) {
	fsys := memfs.New()
	require.NoError(t, fsys.MkdirAll("d", 0o755))
	require.NoError(t, fsys.WriteFile("d/a.yaml", []byte(one("a")), 0o600))
	require.NoError(t, fsys.WriteFile("d/b.yaml", []byte(one("b")), 0o600))
	for n := 1; n <= 6; n++ { // one after the other, each operation of the filesystem
		d := config.Reader{FS: filesystemtest.Inject(fsys, filesystemtest.FailNth(n, syscall.EIO))}.Read("d")
		changed := slices.ContainsFunc(d.Files, func(f config.File) bool { return f.Seen != config.Reader{FS: fsys}.Look(f.Name) })
		if n == 3 || n == 5 { // it is only looked at
			assert.True(t, changed, n)
			continue
		}
		assert.False(t, changed, n)
		assert.NotEmpty(t, d.Problems, n)
		assert.LessOrEqual(t, len(d.Entries), 1, n)
	}
}

// TestThousandEntries are read as one.
func TestThousandEntries(t *testing.T) {
	assert.Len(t, readText(t, many(1000)).Entries, 1000)
}

func many(n int) string {
	var b strings.Builder
	b.WriteString("services:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - name: service-%d\n    desiredState: running\n    s6ServiceConfig:\n      command: [/usr/bin/serve, -v]\n      env: {PORT: '%d', LEVEL: info}\n      configFiles: {serve.yaml: 'port: %d'}\n    stopTimeout: 5s\n", i, i, i)
	}
	return b.String()
}

func BenchmarkReadThousand(b *testing.B) {
	fsys := memfs.New()
	require.NoError(b, fsys.WriteFile("f.yaml", []byte(many(1000)), 0o600))
	for b.Loop() {
		if d := (config.Reader{FS: fsys}).Read("f.yaml"); len(d.Entries) != 1000 {
			b.Fatal(problems(d))
		}
	}
}

// FuzzRead: no text makes it panic, and each entry is taken or has a problem
// that names where.
func FuzzRead(f *testing.F) {
	for _, test := range allBad() {
		if len(test.Text) < 1<<16 {
			f.Add(test.Text)
		}
	}
	f.Add(one("a"))
	f.Fuzz(func(t *testing.T, text string) {
		fsys := memfs.New()
		require.NoError(t, fsys.WriteFile("f.yaml", []byte(text), 0o600))
		d := config.Reader{FS: fsys}.Read("f.yaml")
		for _, p := range d.Problems {
			assert.Equal(t, "f.yaml", p.At.File)
			assert.NotEmpty(t, p.What)
			assert.NotContains(t, d.Entries, p.Entry)
		}
		for key, e := range d.Entries {
			assert.NoError(t, s6.CheckName(key.Name))
			assert.Equal(t, key.Kind == config.KindService, e.Service != nil)
			assert.Equal(t, key.Kind == config.KindStream, e.Stream != nil)
			if e.Service != nil {
				assert.NoError(t, e.Service.Validate())
			} else {
				assert.NoError(t, e.Stream.Validate())
			}
		}
	})
}
