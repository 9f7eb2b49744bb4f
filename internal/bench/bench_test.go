package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const printed = `date: 2026-01-02
cores: 2
goos: linux
pkg: github.com/evenkeel/evenkeel/fsm
cpu: A CPU @ 3.00GHz
BenchmarkPass-2   	 1000	   2000 ns/op	  64 B/op	  2 allocs/op
BenchmarkPass-2   	 1000	   9000 ns/op	  64 B/op	  2 allocs/op
BenchmarkPass-2   	 1000	   3000 ns/op	  64 B/op	  2 allocs/op
BenchmarkTick/1000-2  	 5	 500 ns/op
--- BENCH: BenchmarkTick
    bench_test.go:3: key: no fact
PASS
pkg: github.com/evenkeel/evenkeel/internal/proc
BenchmarkUnder/Under-2         	 10	 1500000 ns/op
BenchmarkUnder/baseline/All-2  	 10	 3000000 ns/op	   4.26 x-faster
BenchmarkFailed-2 	--- FAIL: BenchmarkFailed-2
BenchmarkStart 	 1	 0 ns/op	 1.534 x-of-shell
ok  	github.com/evenkeel/evenkeel/internal/proc	3.2s
pkg: github.com/evenkeel/evenkeel/internal/bench
BenchmarkYardstick-2 	 10	 1000 ns/op
`

func TestParse(t *testing.T) {
	run, err := Parse(printed)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"date": "2026-01-02", "cores": "2", "goos": "linux", "cpu": "A CPU @ 3.00GHz"}, run.Facts)
	require.Len(t, run.Results, 6)
	pass := run.Results[0]
	assert.Equal(t, "fsm", pass.Package)
	assert.Equal(t, "Pass", pass.Name)
	ns, ok := pass.Value("ns/op")
	assert.True(t, ok)
	assert.InDelta(t, 3000, ns, 0, "the median")
	assert.Equal(t, []string{"ns/op", "B/op", "allocs/op"}, pass.Units())
	_, ok = pass.Value("x-faster")
	assert.False(t, ok)
	assert.Equal(t, "Tick/1000", run.Results[1].Name)
	assert.Equal(t, "Start", run.Results[4].Name)
	assert.Equal(t, "Measured on 2026-01-02, on 2 cores of A CPU @ 3.00GHz.", run.Where())
}

func TestParseRefuses(t *testing.T) {
	for name, line := range map[string]string{
		"iterations": "BenchmarkA \t many\t 1 ns/op",
		"value":      "BenchmarkA \t 1\t one ns/op",
		"unit":       "BenchmarkA \t 1\t 1 ns/op 2",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(line)
			assert.ErrorContains(t, err, `cannot read "BenchmarkA`)
		})
	}
}

func TestFigures(t *testing.T) {
	for want, got := range map[string]string{
		"0":       digits(0),
		"0.0123":  digits(0.01234),
		"0.123":   digits(0.1234),
		"1.23":    digits(1.234),
		"12.3":    digits(12.34),
		"123":     digits(123.4),
		"1234":    digits(1234),
		"123 ns":  duration(123),
		"1.50 µs": duration(1500),
		"2.00 s":  figure(2000, "up-ms"),
		"20.0 ms": figure(20e6, "ns/op"),
		"1.27 %":  figure(1.272, "idle-%core"),
		"81.0 MB": figure(81, "MB"),
		"402":     figure(402, "processes"),
		"0.500":   figure(0.5, "lost"),
	} {
		assert.Equal(t, want, got)
	}
}

func TestOwnTable(t *testing.T) {
	run, err := Parse(printed)
	require.NoError(t, err)
	got, err := OwnTable(run)
	require.NoError(t, err)
	assert.Equal(t, `| benchmark | time | of a read | of its baseline | its own figures |
|---|--:|--:|--:|--:|
| fsm: Pass | 3.00 µs | 3.00 × |  |  |
| fsm: Tick/1000 | 500 ns | 0.500 × |  |  |
| internal/proc: Under/Under | 1.50 ms | 1500 × | 0.500 × |  |
| internal/proc: Under/baseline/All | 3.00 ms | 3000 × |  | 4.26 x-faster |
| internal/proc: Start |  |  |  | 1.53 x-of-shell |
| internal/bench: Yardstick | 1.00 µs | 1.00 × |  |  |
`, got)

	_, err = OwnTable(&Run{})
	assert.ErrorContains(t, err, "there is no BenchmarkYardstick")
}

const peersPrinted = `unmeasured-other: it is not there
version-s6: 2.13
version-evenkeel: of this checkout
BenchmarkSleepers/services=3/evenkeel-2 	 1	 20 up-ms	 5 back-ms	 7 known-ms	 30 processes
BenchmarkSleepers/services=3/s6-2 	 1	 10 up-ms	 5 back-ms	 20 processes
BenchmarkStreams/streams=2/<mode>-2 	 1	 1500 up-ms
`

func TestPeersTables(t *testing.T) {
	run, err := Parse(peersPrinted)
	require.NoError(t, err)
	got := PeersTables(run, map[string]string{"Sleepers/services=3": "a.svg"})
	for _, want := range []string{
		"### 3 services that sleep\n",
		"### 2 Benthos\n",
		"![3 services that sleep](a.svg)\n",
		"| evenkeel | 20.0 ms | 5.00 ms | 7.00 ms |",
		"| s6 | **10.0 ms** | 5.00 ms | does not say |",
		"| <mode> | 1.50 s | stays down | does not say |",
		"| 30 |\n",
		"| s6 | 2.13 |\n",
		"| other | not measured: it is not there |\n",
	} {
		assert.Contains(t, got, want)
	}
}

func TestChart(t *testing.T) {
	run, err := Parse(peersPrinted)
	require.NoError(t, err)
	for _, j := range run.Jobs() {
		picture := Chart(j)
		decoder := xml.NewDecoder(strings.NewReader(picture))
		for err = error(nil); err == nil; {
			_, err = decoder.Token()
		}
		require.ErrorIs(t, err, io.EOF, "it is XML")
		for _, c := range columns() {
			assert.Equal(t, c.unit != "lost" && c.unit != "processes", strings.Contains(picture, ">"+c.head+"<"), c.head)
		}
	}
	picture := Chart(run.Jobs()[0])
	assert.Contains(t, picture, `width="190.0" height="14" rx="2" fill="`+ours+`"`, "the largest is the longest")
	assert.Contains(t, picture, `width="95.0" height="14" rx="2" fill="`+theirs+`"`, "half of it")
	assert.Contains(t, picture, ">does not say<")
}

func repository() fstest.MapFS {
	return fstest.MapFS{
		DocumentName: {Data: []byte("# B\n<!-- figures: own -->\nearlier\n<!-- /figures -->\nby hand\n\n" +
			"<!-- figures: peers -->\n<!-- /figures -->\n<!-- figures: steady -->\nkept\n<!-- /figures -->\n")},
		RunsDir + "/own.txt":   {Data: []byte(printed)},
		RunsDir + "/peers.txt": {Data: []byte(peersPrinted)},
	}
}

func TestDocument(t *testing.T) {
	r := repository()
	text, pictures, err := Document(r)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(text, "# B\n<!-- figures: own -->\nMeasured on 2026-01-02"))
	assert.Contains(t, text, "<!-- /figures -->\nby hand\n")
	assert.NotContains(t, text, "earlier")
	assert.Contains(t, text, "kept")
	assert.Contains(t, text, "![3 services that sleep](docs/pictures/peers-sleepers-services-3.svg)")
	assert.Len(t, pictures, 2)
	assert.Equal(t, Chart(must(t, peersPrinted).Jobs()[0]), pictures["docs/pictures/peers-sleepers-services-3.svg"])

	r[DocumentName] = &fstest.MapFile{Data: []byte(text)}
	again, _, err := Document(r)
	require.NoError(t, err)
	assert.Equal(t, text, again)

	r[RunsDir+"/steady.txt"] = &fstest.MapFile{Data: []byte("BenchmarkSteady/services=9 \t 1\t 2.5 idle-%core\t 9 MB\n")}
	_, _, err = Document(r)
	require.NoError(t, err)
	r[RunsDir+"/steady-cpu.txt"] = &fstest.MapFile{Data: []byte("of cpu\n")}
	r[RunsDir+"/steady-allocs.txt"] = &fstest.MapFile{Data: []byte("of allocs\n")}
	text, _, err = Document(r)
	require.NoError(t, err)
	assert.Contains(t, text, "| idle, of a core | 2.50 % |\n")
	assert.Contains(t, text, "```\nof cpu\n```\n")
	assert.Contains(t, text, "```\nof allocs\n```\n")
}

func must(t *testing.T, printed string) *Run {
	t.Helper()
	run, err := Parse(printed)
	require.NoError(t, err)
	return run
}

func TestDocumentSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		file, text, want string
	}{
		"no yardstick":    {RunsDir + "/own.txt", "", "there is no BenchmarkYardstick"},
		"not to be read":  {RunsDir + "/peers.txt", "BenchmarkA \t 1\t x ns/op", "cannot use docs/benchmarks/peers.txt"},
		"nothing steady":  {RunsDir + "/steady.txt", "", "no benchmark has told of one"},
		"an unknown part": {DocumentName, "<!-- figures: others -->\n<!-- /figures -->\n", "there are only own, peers and steady"},
	} {
		t.Run(name, func(t *testing.T) {
			r := repository()
			r[RunsDir+"/others.txt"] = &fstest.MapFile{}
			r[c.file] = &fstest.MapFile{Data: []byte(c.text)}
			_, _, err := Document(r)
			assert.ErrorContains(t, err, c.want)
		})
	}
	_, _, err := Document(fstest.MapFS{})
	assert.True(t, errors.Is(err, fs.ErrNotExist))
}

// TestFiguresAreThoseOfTheRuns holds that nobody has typed a figure, nor drawn one.
func TestFiguresAreThoseOfTheRuns(t *testing.T) {
	root := os.DirFS("../..")
	text, pictures, err := Document(root)
	require.NoError(t, err)
	pictures[DocumentName] = text
	for name, want := range pictures {
		got, err := fs.ReadFile(root, name)
		require.NoError(t, err)
		assert.True(t, string(got) == want, "%s does not show what is in %s: run go run ./internal/bench/write", name, RunsDir)
	}
	drawn, err := filepath.Glob("../../" + PicturesDir + "/peers-*.svg")
	require.NoError(t, err)
	assert.Len(t, drawn, len(pictures)-1, "a picture of no run: remove it")
}

// BenchmarkYardstick reads a file of a kilobyte.
func BenchmarkYardstick(b *testing.B) {
	file := filepath.Join(b.TempDir(), "file")
	require.NoError(b, os.WriteFile(file, make([]byte, 1024), 0o600))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := os.ReadFile(file); err != nil {
			b.Fatal(err)
		}
	}
}
