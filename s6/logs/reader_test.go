package logs_test

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/s6/logs"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

// plant returns the logs of a, b and benthos-c: lines that are their seconds, in
// archives and current, those of a at odd and of b at even ones.
func plant(t *testing.T) filesystem.FS {
	fsys := disk(t)
	a, b, c := newLogger(t, fsys, "a"), newLogger(t, fsys, "b"), newLogger(t, fsys, "benthos-c")
	for s := int64(1); s <= 8; s++ {
		l := []*logger{b, a}[s%2]
		l.printAt(s, fmt.Sprint(s))
		if s == 3 || s == 6 {
			l.archive(time.Unix(s, 0), ".s")
		}
	}
	c.printAt(4, "four")
	return fsys
}

func TestLinesAreMerged(t *testing.T) {
	fsys := plant(t)
	for _, test := range []struct {
		name string
		o    logs.Options
		want []string
	}{
		{"all", logs.Options{Last: -1}, []string{"a 1", "b 2", "a 3", "b 4", "benthos-c four", "a 5", "b 6", "a 7", "b 8"}},
		{"of some", logs.Options{Last: -1, Names: []string{"benthos-c", "a"}}, []string{"a 1", "a 3", "benthos-c four", "a 5", "a 7"}},
		{"of one without a log", logs.Options{Last: -1, Names: []string{"d"}}, nil},
		{"none", logs.Options{}, nil},
		{"the last", logs.Options{Last: 2}, []string{"benthos-c four", "a 5", "b 6", "a 7", "b 8"}},
		{"since", logs.Options{Last: -1, Since: time.Unix(4, 0)}, []string{"b 4", "benthos-c four", "a 5", "b 6", "a 7", "b 8"}},
		{"since, within an archive", logs.Options{Last: -1, Since: time.Unix(2, 1)}, []string{"a 3", "b 4", "benthos-c four", "a 5", "b 6", "a 7", "b 8"}},
		{"since, the last", logs.Options{Last: 1, Since: time.Unix(5, 0)}, []string{"a 7", "b 8"}},
		{"only", logs.Options{Last: -1, Only: func(name string) bool { return name == "b" }}, []string{"b 2", "b 4", "b 6", "b 8"}},
	} {
		t.Run(test.name, func(t *testing.T) { assert.Equal(t, test.want, all(fsys, test.o)) })
	}
	names, err := logs.Instances(fsys, dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "benthos-c"}, names)
	_, err = logs.Instances(fsys, "/nowhere")
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

// TestStamps: those of s6-log are read, and what has none goes with what is before.
func TestStamps(t *testing.T) {
	fsys := disk(t)
	a, b := newLogger(t, fsys, "a"), newLogger(t, fsys, "b")
	a.printAt(1, "one")
	a.write("no stamp\n")
	a.printAt(3, time.Unix(3, 0).Format("2006-01-02 15:04:05.000000000")+"  both")
	b.printAt(2, "two")
	var got []logs.Line
	for line := range logs.Open(fsys, dir, logs.Options{Last: -1}).Lines(t.Context()) {
		got = append(got, line)
	}
	at := func(s int64) time.Time { return time.Unix(s, 0).UTC() }
	assert.Equal(t, []logs.Line{
		{Instance: "a", At: at(1), Text: "one"}, {Instance: "a", At: at(1), Text: "no stamp"},
		{Instance: "b", At: at(2), Text: "two"}, {Instance: "a", At: at(3), Text: "both"},
	}, got)
}

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disk(t)
		a, b := newLogger(t, fsys, "a"), newLogger(t, fsys, "b")
		a.print("before")
		f := follow(t, fsys, logs.Options{})
		assert.Empty(t, f.next(), "lines of before")
		b.print(1)
		a.print(1)
		time.Sleep(time.Millisecond)
		b.print(2)
		assert.Equal(t, []string{"a 1", "b 1", "b 2"}, f.next())
		assert.Empty(t, f.next())
		for n := range 30 { // within one look
			if n%4 == 0 {
				a.rotate()
			}
			time.Sleep(time.Millisecond)
			a.print(n)
		}
		assert.Equal(t, numbered("a", 0, 30), f.next())
		f.cancel()
		assert.True(t, f.hasEnded(), "at once")
	})
}

// TestFollowWhoeverComes: an instance that appears is followed from its beginning,
// and one that goes is forgotten after its last line.
func TestFollowWhoeverComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disk(t)
		require.NoError(t, fsys.RemoveAll(dir))
		f := follow(t, fsys, logs.Options{})
		assert.Empty(t, f.next(), "what is not there yet is not wrong")
		require.NoError(t, fsys.Mkdir(dir, 0o755))
		a := newLogger(t, fsys, "a")
		a.print("one")
		a.rotate()
		a.print("two")
		assert.Equal(t, []string{"a one", "a two"}, f.next())
		require.NoError(t, fsys.Mkdir(dir+"/slow", 0o755))
		assert.Empty(t, f.next(), "its directory is there before its log")
		slow := &logger{t: t, fsys: fsys, name: "slow", keep: 10}
		slow.print("one")
		slow.rotate()
		slow.print("two")
		assert.Equal(t, []string{"slow one", "slow two"}, f.next(), "without a gap")
		a.print("last words")
		require.NoError(t, fsys.RemoveAll(dir+"/a"))
		assert.Equal(t, []string{"a last words"}, f.next())
		newLogger(t, fsys, "a").print("another")
		assert.Equal(t, []string{"a another"}, f.next())
		// A name that is asked for is waited for.
		named := follow(t, fsys, logs.Options{Names: []string{"b"}})
		assert.Empty(t, named.next())
		newLogger(t, fsys, "b").print("it came")
		assert.Equal(t, []string{"b it came"}, named.next())
	})
}

// TestOldLinesWithoutALogger are not taken for new ones when it comes back.
func TestOldLinesWithoutALogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disk(t)
		a := newLogger(t, fsys, "a")
		a.print("old")
		a.rotate()
		require.NoError(t, fsys.Remove(a.file("current")))
		f := follow(t, fsys, logs.Options{})
		assert.Empty(t, f.next())
		a.print("new")
		assert.Equal(t, []string{"a new"}, f.next())
	})
}

// TestOnly is asked until it has said so once.
func TestOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disk(t)
		a, own := newLogger(t, fsys, "a"), newLogger(t, fsys, "own")
		a.print("before")
		a.rotate()
		a.print("before")
		time.Sleep(time.Millisecond)
		var is atomic.Bool
		f := follow(t, fsys, logs.Options{Only: func(name string) bool { return name == "a" && is.Load() }})
		a.print("one")
		own.print("one")
		assert.Empty(t, f.next())
		is.Store(true)
		assert.Equal(t, []string{"a one"}, f.next(), "what was printed since it began")
		is.Store(false)
		a.print("last words")
		own.print("two")
		assert.Equal(t, []string{"a last words"}, f.next())
	})
}

func TestGapsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disk(t)
		a, b := newLogger(t, fsys, "a"), newLogger(t, fsys, "b")
		a.keep = 2
		f := follow(t, fsys, logs.Options{})
		b.print("one")
		b.write("hal")
		b.kill()
		time.Sleep(time.Millisecond)
		b.print("two")
		assert.Equal(t, []string{"b one", "b hal (cut)", "b gap", "b two"}, f.next())
		for n := range 5 {
			time.Sleep(time.Millisecond)
			a.print(n)
			a.rotate()
		}
		a.print(5)
		assert.Equal(t, []string{"a 0", "a gap", "a 3", "a 4", "a 5"}, f.next())
		assert.Equal(t, []string{"b one", "b hal (cut)", "b gap", "b two"}, all(fsys, logs.Options{Last: -1, Names: []string{"b"}}))
		assert.Equal(t, []string{"b two"}, all(fsys, logs.Options{Last: 1, Names: []string{"b"}}))
	})
}

// unreadable is an Injector for the paths that have a text, while it is set.
type unreadable struct{ atomic.Value }

func newUnreadable(in string) *unreadable {
	u := new(unreadable)
	u.Store(in)
	return u
}

func (u *unreadable) String() string { return "unreadable" }

func (u *unreadable) Inject(op filesystemtest.Op) filesystemtest.Fault {
	if in := u.Load().(string); in != "" && strings.HasPrefix(op.Path, in) {
		return filesystemtest.Fault{Err: syscall.EACCES}
	}
	return filesystemtest.Fault{}
}

// TestWhatCannotBeReadIsTold, once, and keeps nothing else from being read.
func TestWhatCannotBeReadIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := newUnreadable(dir + "/a/")
		under := disk(t)
		fsys := filesystemtest.Inject(under, bad)
		a, b := newLogger(t, under, "a"), newLogger(t, under, "b")
		a.print(1)
		b.print(1)
		const wrong = "a error: cannot read log: open /logs/a/current: permission denied"
		assert.Equal(t, []string{wrong, "b 1"}, all(fsys, logs.Options{Last: -1}))

		f := follow(t, fsys, logs.Options{Last: 1})
		b.print(2)
		assert.Equal(t, []string{wrong, "b 1", "b 2"}, f.next())
		assert.Empty(t, f.next())
		a.print(2)
		bad.Store("")
		assert.Equal(t, []string{"a 2"}, f.next())
		bad.Store(dir + "/a/")
		assert.Equal(t, []string{"a error: cannot read log: stat /logs/a/current: permission denied"}, f.next())
		bad.Store("")
		a.print(3)
		assert.Equal(t, []string{"a 3"}, f.next())
		bad.Store(dir)
		b.print(3)
		got := f.next()
		slices.Sort(got)
		assert.Equal(t, []string{
			"a error: cannot read log: stat /logs/a/current: permission denied",
			"b error: cannot read log: stat /logs/b/current: permission denied",
			"error: cannot list logs: readdir /logs: permission denied",
		}, got)
		assert.Empty(t, f.next())
		bad.Store("")
		assert.Equal(t, []string{"b 3"}, f.next())
	})
}

// TestOldLinesOfWhatCouldNotBeListed are not taken for new ones.
func TestOldLinesOfWhatCouldNotBeListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := newUnreadable(dir)
		under := disk(t)
		a := newLogger(t, under, "a")
		a.print("old")
		f := follow(t, filesystemtest.Inject(under, bad), logs.Options{})
		assert.Equal(t, []string{"error: cannot list logs: readdir /logs: permission denied"}, f.next())
		bad.Store("")
		assert.Empty(t, f.next())
		a.print("new")
		assert.Equal(t, []string{"a new"}, f.next())
	})
}

// during is an Injector that does something ahead of an operation.
type during struct {
	do atomic.Pointer[func(filesystemtest.Op)] // nil for nothing
}

func (d *during) String() string { return "during" }

func (d *during) set(do func(filesystemtest.Op)) { d.do.Store(&do) }

func (d *during) Inject(op filesystemtest.Op) filesystemtest.Fault {
	if do := d.do.Load(); do != nil {
		(*do)(op)
	}
	return filesystemtest.Fault{}
}

// TestLinesOfMeanwhileWait: a line that is printed while the log of another
// instance, which was looked at already, gets one of before, comes after that.
func TestLinesOfMeanwhileWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		under := disk(t)
		a, b := newLogger(t, under, "a"), newLogger(t, under, "b")
		look := new(during)
		fsys := filesystemtest.Inject(under, look)
		f := follow(t, fsys, logs.Options{})
		seen := make(map[string]bool)
		look.set(func(op filesystemtest.Op) {
			if seen[op.Path] = true; op.Kind != filesystemtest.Stat || !seen[dir+"/a/current"] || !seen[dir+"/b/current"] {
				return
			}
			look.do.Store(nil) // both logs are looked at, one of them has been
			first, second := a, b
			if op.Path == dir+"/a/current" {
				first, second = b, a
			}
			time.Sleep(time.Millisecond)
			first.print("earlier")
			time.Sleep(time.Millisecond)
			second.print("later")
		})
		assert.Empty(t, f.next())
		got := f.next()
		require.Len(t, got, 2)
		assert.Contains(t, got[0], "earlier")
		assert.Contains(t, got[1], "later")
	})
}

// TestLinesOfMeanwhileAreNotThere for a Reader that does not follow.
func TestLinesOfMeanwhileAreNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		under := disk(t)
		a, look := newLogger(t, under, "a"), new(during)
		a.print("there")
		reader := logs.Open(filesystemtest.Inject(under, look), dir, logs.Options{Last: -1})
		look.set(func(filesystemtest.Op) {
			time.Sleep(time.Millisecond)
			a.print("not there")
		})
		var got []string
		for line := range reader.Lines(t.Context()) {
			got = append(got, line.Text)
		}
		assert.Equal(t, []string{"there"}, got, "although the log never ends")
	})
}

// TestClockThatWasSetBack holds up nobody: what has a stamp that is still to come
// is delivered.
func TestClockThatWasSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disk(t)
		a, b := newLogger(t, fsys, "a"), newLogger(t, fsys, "b")
		f := follow(t, fsys, logs.Options{})
		a.printAt(time.Now().Add(time.Hour).Unix(), "from before the clock was set")
		a.print("after it")
		b.print("one")
		assert.Equal(t, []string{"b one", "a from before the clock was set", "a after it"}, f.next())
		assert.Equal(t, []string{"b one", "a from before the clock was set", "a after it"}, all(fsys, logs.Options{Last: -1}))
	})
}

// TestUntil delivers what was written by then, and ends.
func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := disk(t)
		a := newLogger(t, fsys, "a")
		until := make(chan struct{})
		f := follow(t, fsys, logs.Options{Until: until})
		a.print("last words")
		close(until)
		synctest.Wait()
		a.print("of which the logger knew")
		time.Sleep(250 * time.Millisecond)
		assert.True(t, f.hasEnded())
		require.Len(t, f.lines(), 2)
		assert.Equal(t, "of which the logger knew", f.lines()[1].Text)
	})
}

// TestLookIsCheap: where nothing was written, it is a Stat of each log, and nothing
// of one that is not wanted.
func TestLookIsCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		under := disk(t)
		for n := range 50 {
			newLogger(t, under, fmt.Sprint("a", n)).print("one")
			newLogger(t, under, fmt.Sprint("b", n)).print("one")
		}
		var lists, stats, others atomic.Int64
		look := new(during)
		wanted := func(name string) bool { return name[0] == 'a' }
		f := follow(t, filesystemtest.Inject(under, look), logs.Options{Last: -1, Only: wanted})
		require.Len(t, f.next(), 50)
		look.set(func(op filesystemtest.Op) {
			switch op.Kind {
			case filesystemtest.ReadDir:
				lists.Add(1)
			case filesystemtest.Stat:
				stats.Add(1)
			default:
				others.Add(1)
			}
		})
		for range 5 {
			f.between()
		}
		assert.Equal(t, []int64{5, 5 * 50, 0}, []int64{lists.Load(), stats.Load(), others.Load()})
	})
}

// TestLogsAreReadAsTheyAreTaken: who takes one line has a log read no further than
// to the next.
func TestLogsAreReadAsTheyAreTaken(t *testing.T) {
	under := disk(t)
	for _, name := range []string{"a", "b"} {
		l := newLogger(t, under, name)
		l.write(strings.Repeat(strings.Repeat("x", 99)+"\n", 100_000))
	}
	read, look := 0, new(during)
	look.set(func(op filesystemtest.Op) {
		if op.Kind == filesystemtest.ReadAt {
			read++
		}
	})
	fsys := filesystemtest.Inject(under, look)
	taken := 0
	for range logs.Open(fsys, dir, logs.Options{Last: -1}).Lines(t.Context()) {
		if taken++; taken == 1000 {
			break
		}
	}
	assert.LessOrEqual(t, read, 4, "parts of 64 KiB")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	taken = 0
	for range logs.Open(fsys, dir, logs.Options{Last: -1}).Lines(ctx) {
		taken++
		cancel()
	}
	assert.Equal(t, 1, taken, "it ends with its context")
}

// TestEachLineOnceInOrder, however several loggers write and rotate.
func TestEachLineOnceInOrder(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			fsys := disk(t)
			loggers := make(map[string]*logger)
			printed := make(map[string]int)
			f := follow(t, fsys, logs.Options{})
			time.Sleep(time.Millisecond)
			for range 2000 {
				// At odd milliseconds; looks are at even ones.
				time.Sleep(time.Duration(1+random.IntN(5)) * 2 * time.Millisecond)
				name := string(rune('a' + random.IntN(4)))
				if loggers[name] == nil {
					loggers[name] = newLogger(t, fsys, name)
				}
				if random.IntN(9) == 0 && loggers[name].current != "" {
					loggers[name].rotate()
				}
				loggers[name].print(printed[name])
				printed[name]++
			}
			f.between()
			for name, n := range printed {
				var got []string
				for _, line := range f.lines() {
					if line.Instance == name {
						got = append(got, shown(line))
					}
				}
				require.Equal(t, numbered(name, 0, n), got, "seed %d", seed)
			}
			require.True(t, slices.IsSortedFunc(f.lines(), func(a, b logs.Line) int { return a.At.Compare(b.At) }), "seed %d", seed)
		})
	}
}

// TestLinesThatGoOn are cut where a Reader of s6log cuts them.
func TestLinesThatGoOn(t *testing.T) {
	fsys := disk(t)
	newLogger(t, fsys, "a").write(strings.Repeat("x", s6log.MaxLine+1) + "\nnext\n")
	got := all(fsys, logs.Options{Last: -1})
	require.Len(t, got, 2)
	assert.Equal(t, "a "+strings.Repeat("x", s6log.MaxLine)+" (cut)", got[0])
	assert.Equal(t, "a next", got[1])
}
