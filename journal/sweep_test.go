package journal_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/journal"
	"github.com/evenkeel/evenkeel/s6"
)

// small is a journal of few small files, so that they are changed often.
func small(fsys filesystem.Appender) *journal.Journal {
	return journal.Open(journal.Config{FS: fsys, Dir: dir, Size: 3 * 2500, Files: 3})
}

// life records transitions from one number on, and a pass after each.
func life(t *testing.T, j *journal.Journal, from, to int) {
	hear := journal.Passes[*s6.Spec, s6.Observed](j)
	for n := from; n < to; n++ {
		j.Hear(transition("a", n))
		hear(with(func(_ *fsm.Reconciled, _, after *service) { after.Observed.Deaths = n }))
		time.Sleep(700 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := j.Close(ctx); err != nil {
		assert.NotErrorIs(t, err, context.DeadlineExceeded)
	}
}

// judge checks what can be read of a journal in which something went wrong: it is in
// order, and each pass is whole.
func judge(t *testing.T, fsys filesystem.FS) {
	newest := -1
	for r, err := range journal.Read(fsys, dir) {
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		require.NoError(t, err)
		if r.Transition != nil {
			require.Greater(t, r.Transition.At.Second(), newest, "in order, and once")
			newest = r.Transition.At.Second()
		}
		if r.Pass != nil {
			_, _, err := again(r.Pass)
			require.NoError(t, err)
		}
	}
}

// TestSweep has each mishap befall each operation of a journal. What is there can be
// read, and the next program goes on.
func TestSweep(t *testing.T) {
	const first, second = 12, 24
	filesystemtest.Sweep(t, filesystemtest.Mishaps(), func(t *testing.T, m filesystemtest.Mishap, injector filesystemtest.Injector) {
		synctest.Test(t, func(t *testing.T) {
			disk := memfs.New()
			faulty := filesystemtest.Inject(disk, injector)
			life(t, small(faulty), 0, first)
			if faulty.Crashed() && m.Loses != nil {
				require.NoError(t, faulty.LosePower(m.Loses))
			}
			judge(t, disk)

			life(t, small(disk), first, second)
			judge(t, disk)
			says := strings.Join(told(t, disk, dir), "\n")
			assert.True(t, strings.HasSuffix(says, "pass\nthe 23\npass"), says)
			assert.LessOrEqual(t, len(entries(t, disk)), 3)
			assert.Less(t, sizeOf(t, disk), int64(3*2500+1))
		})
	})
}

// Where nothing dies, what is missing is told: as many at most.
func TestNothingIsMissingInSilence(t *testing.T) {
	const most = 12
	mishaps := filesystemtest.Mishaps()
	alive := mishaps[:0:0]
	for _, m := range mishaps {
		if !strings.Contains(m.Name, "when") {
			alive = append(alive, m)
		}
	}
	filesystemtest.Sweep(t, alive, func(t *testing.T, _ filesystemtest.Mishap, injector filesystemtest.Injector) {
		synctest.Test(t, func(t *testing.T) {
			disk := memfs.New()
			j := journal.Open(journal.Config{FS: filesystemtest.Inject(disk, injector), Dir: dir})
			hear := journal.Passes[*s6.Spec, s6.Observed](j)
			for n := range most {
				j.Hear(transition("a", n))
				hear(with(func(_ *fsm.Reconciled, _, after *service) { after.Observed.Deaths = n }))
				time.Sleep(700 * time.Millisecond)
			}
			time.Sleep(2 * time.Minute)
			require.NoError(t, j.Close(t.Context()))
			seen, missing := 0, 0
			for r, err := range journal.Read(disk, dir) {
				require.NoError(t, err)
				if r.Gap != nil {
					missing += r.Gap.Missing
				} else {
					seen++
				}
			}
			assert.Equal(t, 1+2*most, seen+missing)
		})
	})
}
