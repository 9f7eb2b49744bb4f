package runner

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/s6"
)

const file = "/etc/evenkeel/f.yaml"

func TestWhatIsDeclaredIsApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, file)
		h.write(file, services("a", "b"))
		h.load()
		assert.Equal(t, []string{"a", "b"}, h.names())
		h.write(file, services("a", "b", "c"))
		begun := time.Now()
		h.load()
		assert.Equal(t, []string{"a", "b", "c"}, h.names())
		assert.LessOrEqual(t, time.Since(begun), lookAgain)
		assert.Empty(t, h.told)
	})
}

// TestWhatIsMissingIsRemovedLater: files that are written in two halves, or that
// vanish for a moment, remove nothing.
func TestWhatIsMissingIsRemovedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, file)
		h.write(file, services("a", "b", "c"))
		h.load()
		both := []string{"a", "b", "c"}
		look := func() {
			t.Helper()
			_, err := h.Load(t.Context(), false)
			require.NoError(t, err)
			assert.Equal(t, both, h.names())
		}
		for range 5 { // each time that it changes, the time begins anew
			h.write(file, services("a"))
			look()
			time.Sleep(removePatience - time.Millisecond)
			look()
			h.write(file, services("a", "b"))
			look()
			time.Sleep(removePatience - time.Millisecond)
			look()
		}
		h.write(file, "")
		look()
		require.NoError(t, h.Reader.FS.Remove(file))
		look()
		time.Sleep(time.Hour)
		look()
		h.write(file, services("c", "a", "b"))
		h.load()
		assert.Equal(t, both, h.names())

		h.write(file, services("a", "b"))
		begun := time.Now()
		h.load()
		assert.Equal(t, []string{"a", "b"}, h.names())
		assert.GreaterOrEqual(t, time.Since(begun), removePatience)
		assert.Less(t, time.Since(begun), removePatience+2*lookAgain)

		h.write(file, services("b"))
		_, err := h.Load(t.Context(), true)
		require.NoError(t, err)
		begun = time.Now()
		h.load()
		assert.Equal(t, []string{"b"}, h.names(), "that was asked for")
		assert.LessOrEqual(t, time.Since(begun), lookAgain)
	})
}

// TestProblemsAreToldOnce for as long as they are there, and change nothing.
func TestProblemsAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, "/etc/evenkeel")
		h.write(file, services("a"))
		h.write("/etc/evenkeel/g.yaml", services("b"))
		h.load()
		h.write(file, "services: [")
		h.write("/etc/evenkeel/g.yaml", services("b", "c"))
		h.load()
		h.load()
		assert.Equal(t, []string{"a", "b", "c"}, h.names())
		bad := file + ":1:1: this is not YAML: did not find expected node content"
		assert.Equal(t, []string{bad}, h.told)
		h.write(file, services("a"))
		h.load()
		h.write(file, "services: [")
		h.load()
		assert.Equal(t, []string{bad, bad}, h.told, "it is there again")
	})
}

// TestLastDeclarationStaysInForce for the next program, which finds files that
// cannot be taken.
func TestLastDeclarationStaysInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, file)
		h.write(file, services("a", "b"))
		h.load()
		h.write(file, services("a")+"  - {name: b, s6ServiceConfig: {comand: [x]}}\n")
		next := h.restarted()
		next.load()
		assert.Equal(t, []string{"a", "b"}, next.names())
		assert.Len(t, next.told, 1)
		h.write(file, "")
		next = next.restarted()
		next.load()
		assert.Equal(t, []string{"a", "b"}, next.names())
		h.write(file, services("b"))
		next = next.restarted()
		next.load()
		assert.Equal(t, []string{"b"}, next.names(), "it was taken out while no program ran")

		entries, err := h.Store.FS.ReadDir(h.Store.Dir)
		require.NoError(t, err)
		assert.Len(t, entries, 2, "what did not change is kept once")
		require.NoError(t, h.Store.FS.ReplaceFile(h.Store.Dir+"/20990101T000000.000000000Z.json", []byte("torn"), 0o600))
		h.write(file, "")
		next = next.restarted()
		next.load()
		assert.Equal(t, []string{"b"}, next.names(), "one that cannot be read is none")
		assert.Contains(t, next.told[0], "/data/declarations/20990101T000000.000000000Z.json: cannot read what was declared")
	})
}

func TestNothingRemovesEverythingOnlyIfAllowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, file)
		_, err := h.Load(t.Context(), false)
		assert.ErrorIs(t, err, ErrNothing)
		assert.Equal(t, []string{file + ": it cannot be read: file does not exist"}, h.told)
		assert.Zero(t, h.applies)

		h.write(file, "---\n")
		h.load()
		assert.Empty(t, h.names(), "nothing is declared where nothing runs")
		h.write(file, services("a", "b"))
		h.load()
		h.write(file, "---\n")
		h.load()
		assert.Equal(t, []string{"a", "b"}, h.names())
		assert.Equal(t, file+": nothing is declared any more, which would remove 2 instances: they stay as they are unless that is allowed", h.told[1])
		h.AllowEmpty = true
		h.load()
		assert.Empty(t, h.names())
	})
}

// TestDeclarationThatCannotBeApplied is none that is in force.
func TestDeclarationThatCannotBeApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, file)
		h.write(file, services("a"))
		h.load()
		h.write(file, services("b"))
		time.Sleep(lookAgain)
		_, err := h.Load(t.Context(), true)
		require.NoError(t, err)
		h.write(file, services("a", "b"))
		time.Sleep(lookAgain)
		h.err = errors.New("not now")
		for range 3 {
			_, err = h.Load(t.Context(), false)
			assert.ErrorIs(t, err, h.err)
		}
		last, err := h.Store.Last()
		require.NoError(t, err)
		assert.Len(t, last.Entries, 1)
		h.err = nil
		h.load()
		assert.Equal(t, []string{"a", "b"}, h.names())
	})
}

// TestRemovalIsNotForgotten where it cannot be applied at first.
func TestRemovalIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, file)
		h.write(file, services("a", "b"))
		h.load()
		h.write(file, services("a"))
		var declared []int
		for range 100 {
			h.err = nil
			if len(declared) > 30 && len(declared) < 60 {
				h.err = errors.New("not now")
			}
			_, _ = h.Load(t.Context(), false)
			if h.err == nil {
				declared = append(declared, len(h.applied.Entries))
			} else {
				declared = append(declared, 1)
			}
			time.Sleep(lookAgain)
		}
		assert.True(t, slices.IsSortedFunc(declared, func(a, b int) int { return b - a }), "%v", declared)
		assert.Equal(t, []string{"a"}, h.names())
	})
}

// TestNameOfAnotherKind is applied again until the instance that had it is gone.
func TestNameOfAnotherKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, file)
		h.write(file, services("benthos-a"))
		h.load()
		h.write(file, streams("a"))
		stream := config.Key{Kind: config.KindStream, Name: "benthos-a"}
		h.refused = map[config.Key]error{stream: fmt.Errorf("not yet: %w", s6.ErrOwned)}
		time.Sleep(lookAgain)
		for range 100 {
			again, err := h.Load(t.Context(), false)
			require.NoError(t, err)
			require.Equal(t, applyAgain, again)
			time.Sleep(again)
		}
		applies := h.applies
		h.refused = nil
		h.load()
		assert.Equal(t, applies+1, h.applies)
		assert.Contains(t, h.applied.Streams(), "benthos-a")
		assert.Empty(t, h.applied.Services())
		h.load()
		assert.Equal(t, applies+1, h.applies, "what is applied is not applied again")
	})
}

// TestWhatIsNotKnownIsNotRemoved: where nobody knows what was declared before,
// what is wrong now may be about anything.
func TestWhatIsNotKnownIsNotRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, "/etc/evenkeel")
		h.write(file, services("a")+"  - {name: b, s6ServiceConfig: {comand: [x]}}\n")
		h.load()
		assert.Equal(t, []config.Key{{Kind: config.KindService, Name: "b"}}, h.held)
		assert.True(t, h.remove, "all names are known")
		h = h.restarted()
		require.NoError(t, h.Store.FS.RemoveAll(h.Store.Dir))
		h.write("/etc/evenkeel/g.yaml", "services: [")
		h.load()
		assert.Equal(t, []string{"a"}, h.names())
		assert.False(t, h.remove)

		h = h.restarted()
		h.AllowEmpty = true
		require.NoError(t, h.Store.FS.RemoveAll(h.Store.Dir))
		require.NoError(t, h.Reader.FS.Remove(file))
		_, err := h.Load(t.Context(), false)
		assert.ErrorIs(t, err, ErrNothing)
		assert.Zero(t, h.applies)
	})
}

// TestEntryThatMoves to a file that cannot be read yet is not missing.
func TestEntryThatMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, "/etc/evenkeel")
		h.write(file, services("a", "b"))
		h.load()
		h.write(file, services("a"))
		h.write("/etc/evenkeel/g.yaml", "services: [")
		for range 50 {
			time.Sleep(time.Second)
			_, err := h.Load(t.Context(), false)
			require.NoError(t, err)
			require.Equal(t, []string{"a", "b"}, h.names())
		}
		h.write("/etc/evenkeel/g.yaml", services("b"))
		h.load()
		assert.Equal(t, []string{"a", "b"}, h.names())
	})
}

// TestFileOfTwoHalves takes effect when it is whole, not before.
func TestFileOfTwoHalves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, file)
		whole := services("a", "b")
		for end := 1; end < len(whole); end++ {
			h.write(file, whole[:end])
			again, err := h.Load(t.Context(), false)
			require.NoError(t, err)
			require.Equal(t, lookAgain, again)
			require.Zero(t, h.applies)
			time.Sleep(lookAgain / 4)
		}
		h.write(file, whole)
		h.load()
		assert.Equal(t, []string{"a", "b"}, h.names())

		time.Sleep(time.Hour)
		applies := h.applies
		for end := 1; end < len(whole); end++ {
			h.write(file, whole[:end])
			_, err := h.Load(t.Context(), false)
			require.NoError(t, err)
			time.Sleep(lookAgain / 4)
		}
		assert.Equal(t, applies, h.applies)
		assert.Empty(t, h.told)
		for range 200 { // longer than anybody should need
			h.write(file, services("a"))
			_, err := h.Load(t.Context(), false)
			require.NoError(t, err)
			time.Sleep(lookAgain / 2)
		}
		assert.Equal(t, []string{"a", "b"}, h.names())
		assert.Equal(t, []string{file + ": somebody has it open for writing, and what it declared stays as it was until it is closed"}, h.told)
		h.load()
		assert.Equal(t, []string{"a"}, h.names())
	})
}

// TestWhatWasUnknownIsKnownOnceAllIsClear: from then on there is a last
// declaration to hold others against.
func TestWhatWasUnknownIsKnownOnceAllIsClear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, file)
		h.write(file, services("a", "b"))
		h.load()
		assert.True(t, h.remove, "what an earlier program has left")
		h.write(file, "services: [")
		h.load()
		assert.True(t, h.remove, "what is to stay is listed by now")
		assert.Equal(t, []string{"a", "b"}, h.names())
	})
}

// TestReadyOnceItWasApplied: neither while a file is being written, nor where that
// failed, nor where there is nothing.
func TestReadyOnceItWasApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHome(t, file)
		taken := func() bool {
			t.Helper()
			_, _ = h.Load(t.Context(), false)
			return h.Taken()
		}
		assert.False(t, taken(), "there is no file")
		h.write(file, services("a"))
		assert.False(t, taken(), "it was written a moment ago")
		time.Sleep(lookAgain)
		h.err = errors.New("fog")
		assert.False(t, taken())
		h.err = nil
		assert.True(t, taken())
		assert.True(t, taken(), "nothing has changed")
		h.write(file, "services: [")
		assert.False(t, taken())
		time.Sleep(lookAgain)
		assert.True(t, taken(), "what cannot be taken stays as it was")
	})
}
