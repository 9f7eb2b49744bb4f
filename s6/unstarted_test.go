package s6_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

const noRoom = "warning: unable to fork: Resource temporarily unavailable"

// What s6-supervise cannot start leaves no death and no event: it is said all the
// same, soon and with the cause. The wait of a minute that s6-supervise makes
// then is shortened: it is started as soon as it can be.
func TestWaitsThatBelongToS6AreShortened(t *testing.T) {
	for name, version := range map[string]s6test.Version{"2.11": s6test.V211, "2.13": s6test.V213, "2.15": s6test.V215} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, s6test.Config{Version: version}, func(t *testing.T, tree *s6test.Tree) {
				tree.Bar("a", noRoom)
				p := start(t, tree)
				require.NoError(t, p.Apply(t.Context(), running("a")))
				pass(3 * time.Second)
				s, _ := p.Instance("a")
				assert.Equal(t, s6.StateDegraded, s.State)
				assert.Equal(t, "s6-supervise cannot start it: "+noRoom, s.Reason.String())
				pass(time.Hour)
				s, _ = p.Instance("a")
				assert.Equal(t, "s6-supervise cannot start it: "+noRoom, s.Reason.String())
				tree.Bar("a", "")
				pass(2 * time.Second)
				require.NotZero(t, pidOf(tree, "a"))
				require.NoError(t, p.Wait(t.Context(), "a", fsm.PhaseRunning))
			})
		})
	}
}

// uncomplaining is a tree whose s6-supervise says nothing that can be read.
type uncomplaining struct{ *s6test.Tree }

func (uncomplaining) Complaint(string) (string, error) { return "", nil }

// A start that is late on a busy machine is not called impossible where
// s6-supervise has not complained. What stays so is.
func TestLateStartIsNotCalledImpossible(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		tree.Bar("a", noRoom)
		p := start(t, uncomplaining{tree})
		require.NoError(t, p.Apply(t.Context(), running("a")))
		pass(4 * time.Second)
		s, _ := p.Instance("a")
		assert.Equal(t, s6.StateStarting, s.State, s.Reason)
		pass(4 * time.Second)
		s, _ = p.Instance("a")
		assert.Equal(t, s6.StateDegraded, s.State)
		assert.Equal(t, "s6-supervise cannot start it", s.Reason.String())
	})
}

func TestComplaint(t *testing.T) {
	for said, want := range map[string]string{
		"":                                 "",
		"s6-supervise b: " + noRoom + "\n": "",
		"s6-supervise a: " + noRoom + "\n": noRoom,
		"s6-supervise a: " + noRoom + " - waiting 60 seconds\n":                                                  "",
		"s6-supervise a (child): fatal: unable to exec run: Exec format error\ns6-supervise b: " + noRoom + "\n": "fatal: unable to exec run: Exec format error",
		"s6-supervise a: warning: finish script lifetime reached maximum value - sending it a SIGKILL\n":         "",
		"s6-supervise a: fatal: another instance of s6-supervise is already running\n":                           "",
	} {
		assert.Equal(t, want, s6.Complaint(said, "a"), said)
	}
}

// mounted is a tree on a mount with noexec, for as long as that says so.
type mounted struct {
	*s6test.Tree
	noexec *atomic.Bool
}

func (m mounted) Unstartable(service string) (string, error) {
	if m.noexec.Load() {
		return service + "/run is on a mount with noexec", nil
	}
	return "", nil
}

// What can be seen without trying is said at once.
func TestWhatS6SuperviseCannotStartIsSaidAtOnce(t *testing.T) {
	inBubble(t, s6test.Config{}, func(t *testing.T, tree *s6test.Tree) {
		var noexec atomic.Bool
		noexec.Store(true)
		tree.Bar("a", "warning: unable to spawn ./run: Permission denied")
		p := start(t, mounted{tree, &noexec})
		require.NoError(t, p.Apply(t.Context(), running("a")))
		pass(100 * time.Millisecond)
		s, _ := p.Instance("a")
		assert.Equal(t, s6.StateDegraded, s.State)
		assert.Equal(t, "its command cannot be started: /data/services/a/run is on a mount with noexec", s.Reason.String())
		tree.Bar("a", "")
		noexec.Store(false)
		pass(4 * time.Second)
		assert.NotZero(t, pidOf(tree, "a"))
		p.wants(running("a"))
	})
}
