package runner

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// halt ends everything in a given time.
func (e *estate) halt(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return e.runner.Halt(ctx)
}

// TestEndsInOrder: what others need stops after them, however both are taken out.
func TestEndsInOrder(t *testing.T) {
	for name, after := range map[string]map[string]wish{
		"both are removed":                     {"d": {Sleeps: 1}},
		"one is removed, the other is stopped": {"a": {Sleeps: 1, Stopped: true}},
		"both are stopped":                     {"a": {Sleeps: 1, Stopped: true}, "b": {Sleeps: 1, Stopped: true, Needs: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEstate(t)
				defer e.close()
				e.keep(map[string]wish{"a": {Sleeps: 1}, "b": {Sleeps: 1, Needs: "a"}})
				time.Sleep(5 * time.Second)
				require.Len(t, e.works(), 2)
				e.keep(after)
				time.Sleep(time.Minute)
				assert.Empty(t, e.wrong)
				assert.NotContains(t, e.works(), "a")
				assert.NotContains(t, e.works(), "b")
			})
		})
	}
}

// TestHaltOfWhatIsOver: a job that has come to its end, and that others depend on,
// is no problem at the end of everything.
func TestHaltOfWhatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEstate(t)
		defer e.close()
		e.tree.Install("job", s6test.Program{RunFor: 100 * time.Millisecond})
		e.tree.Install("slow", s6test.Program{StopAfter: 2 * time.Second})
		e.keepText("services:\n  - {name: a, restart: never, s6ServiceConfig: {command: [job]}}\n" +
			"  - {name: b, dependsOn: [a], s6ServiceConfig: {command: [slow]}}\n")
		time.Sleep(time.Minute)
		require.Equal(t, "slow", e.works()["b"].Command[0])
		require.NoError(t, e.halt(15*time.Second))
		for _, name := range []string{"a", "b"} {
			s, _ := e.runner.Services.Instance(name)
			assert.Equal(t, s6.StateStopped, s.State)
		}
	})
}

// TestStopOfWhatChangedMeanwhile: what is to stop after others runs until then as an
// earlier run has left it, also when it is declared in another way by now.
func TestStopOfWhatChangedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEstate(t)
		defer e.close()
		e.tree.Install("slow", s6test.Program{StopAfter: 5 * time.Second})
		wishes := func(command, state string) string {
			return "services:\n  - {name: a, desiredState: " + state + ", s6ServiceConfig: {command: [" + command + "]}}\n" +
				"  - {name: b, desiredState: " + state + ", dependsOn: [a], s6ServiceConfig: {command: [slow]}}\n"
		}
		e.keepText(wishes("sleep, '1'", "running"))
		time.Sleep(time.Minute)
		pid := e.pid()
		e.leave()
		e.begin()
		e.keepText(wishes("sleep, '2'", "stopped"))
		time.Sleep(3 * time.Second)
		assert.Equal(t, pid, e.pid())
		time.Sleep(time.Minute)
		assert.Empty(t, e.works())
	})
}

// unclear is a tree that cannot say for a while whether a process of a runs.
type unclear struct{ until time.Time }

func (u unclear) Inject(op filesystemtest.Op) filesystemtest.Fault {
	if op.Kind == filesystemtest.Query && strings.HasPrefix(op.Path, "process of ") && strings.HasSuffix(op.Path, "/a") && time.Now().Before(u.until) {
		return filesystemtest.Fault{Err: syscall.EIO}
	}
	return filesystemtest.Fault{}
}

func (unclear) String() string { return "unclear" }

// TestUnclearAtFirst: what could not be found out at first, is later: nothing starts
// before what it depends on for that.
func TestUnclearAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEstate(t)
		defer e.close()
		e.tree.Install("crash", s6test.Program{RunFor: 10 * time.Millisecond, ExitCode: 3})
		wishes := trialFile("sleep, '1'", "dependsOn: [b]") + "  - {name: b, s6ServiceConfig: {command: [crash]}}\n"
		e.keepText(wishes)
		time.Sleep(time.Minute)
		e.is(s6.StateStopped, "", "waits for b to be ready")
		e.leave()
		e.fails = []filesystemtest.Injector{unclear{time.Now().Add(5 * time.Second)}}
		e.begin()
		e.keepText(wishes)
		time.Sleep(time.Minute)
		e.is(s6.StateStopped, "", "waits for b to be ready")
	})
}
