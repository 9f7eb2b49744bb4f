package s6_test

import (
	"io/fs"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6log"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// barredTree has a logger that exits with 111, for it may not use its
// directory, and err for whoever looks at that.
type barredTree struct {
	*s6test.Tree

	mu  sync.Mutex
	err error // guarded by mu
}

// bar sets what keeps everybody from the directory, nil for nothing.
func (b *barredTree) bar(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

func (b *barredTree) barrier() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

func (b *barredTree) Logger(name string) (supervise.LockState, error) {
	err := b.barrier()
	if err == nil {
		return b.Tree.Logger(name)
	}
	return supervise.LockState{}, &fs.PathError{Op: "open", Path: b.Layout().Log(name) + "/lock", Err: err}
}

func (b *barredTree) Status(service string) (supervise.Status, error) {
	status, err := b.Tree.Status(service)
	if b.barrier() != nil && service == b.Layout().Service("a")+"/log" {
		status.PID, status.Ready, status.WaitStatus = 0, true, 111<<8
	}
	return status, err
}

// TestLogDirectoryOfAnother: a service is degraded whose logger may not use its
// directory, although this program may not look at it either.
func TestLogDirectoryOfAnother(t *testing.T) {
	for _, barrier := range []error{syscall.EACCES, syscall.ENOTDIR} {
		inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
			barred := &barredTree{Tree: tree}
			p := start(t, barred)
			p.wants(running("a"))
			barred.bar(barrier)
			pass(time.Minute)
			s, _ := p.Instance("a")
			assert.Equal(t, fsm.PhaseDegraded, s.Phase)
			assert.Equal(t, "its logger does not run", s.Reason.Summary)
			assert.Contains(t, s.Reason.Evidence, "last exit 111, and /data/logs/a: "+barrier.Error())
			barred.bar(nil)
			pass(time.Minute)
			s, _ = p.Instance("a")
			assert.Equal(t, fsm.PhaseRunning, s.Phase, s.Reason)
			p.stop()
		})
	}
}

// TestLookThatFailedIsNoLook: what cannot be looked at is looked at again in
// the next pass, although looks are rare.
func TestLookThatFailedIsNoLook(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		settle(t, tree, running("a"))
		barred := &barredTree{Tree: tree, err: syscall.EIO}
		driver := s6.NewDriver(barred, "a", func() {})
		for range 3 {
			_, err := driver.Observe(t.Context(), running("a")["a"])
			require.ErrorIs(t, err, syscall.EIO)
			pass(100 * time.Millisecond)
		}
		barred.bar(nil)
		o, err := driver.Observe(t.Context(), running("a")["a"])
		require.NoError(t, err)
		assert.Empty(t, o.LoggerProblem)
	})
}

// TestTimesWithoutAZoneDecideNothing: the times of a log are right whatever
// zones logger and reader are in, in the hour that the end of summer time
// repeats as well.
func TestTimesWithoutAZoneDecideNothing(t *testing.T) {
	before := time.Local
	defer func() { time.Local = before }()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for _, in := range []*time.Location{time.UTC, berlin} {
		inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
			settle(t, tree, running("a"))
			// Summer time ended in Berlin on the 29th, at three o'clock.
			for _, at := range []time.Time{time.Date(2000, 10, 29, 0, 30, 0, 5, time.UTC), time.Date(2000, 10, 29, 1, 30, 0, 5, time.UTC)} {
				pass(time.Until(at))
				time.Local = in
				require.NoError(t, tree.Print("a", "two thirty "+in.String()))
				for _, read := range []*time.Location{time.UTC, berlin} {
					time.Local = read
					reader, err := s6log.NewReader(tree.FS(), tree.Layout().Log("a"), 100)
					require.NoError(t, err)
					lines, err := reader.Read(0)
					require.NoError(t, err)
					require.NoError(t, reader.Close())
					require.Len(t, lines, 1)
					assert.True(t, at.Equal(lines[0].Time), "written in %v, read in %v: %v in place of %v", in, read, lines[0].Time, at)
					assert.Equal(t, "two thirty "+in.String(), lines[0].Text)
				}
			}
		})
	}
}
