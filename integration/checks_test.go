//go:build integration

package integration

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/integration/harness"
	"github.com/evenkeel/evenkeel/s6"
)

// addrEnv says where playAnswer listens.
const addrEnv = "EVENKEEL_TEST_ADDR"

// playAnswer is a service that answers over HTTP.
func playAnswer() error {
	return http.ListenAndServe(os.Getenv(addrEnv), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			http.Error(w, "no database", http.StatusServiceUnavailable)
		}
	}))
}

// freeAddr returns an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// answers returns the spec of a service that answers at an address.
func (w *world) answers(addr string, check s6.Check) *s6.Spec {
	self, err := os.Executable()
	require.NoError(w.T, err)
	check.Every = 100 * time.Millisecond
	return &s6.Spec{
		Command: []string{self}, Env: map[string]string{roleEnv: "answer", addrEnv: addr, "ROOT": w.Root}, Check: check,
		StopTimeout: 300 * time.Millisecond,
	}
}

// TestProcessThatHangs: a process that is stopped answers no more. Another one takes
// its place where that is asked for, and where it is not, the service recovers with
// the process.
func TestProcessThatHangs(t *testing.T) {
	t.Parallel()
	w := start(t)
	addrs := map[string]string{"restarted": freeAddr(t), "left": freeAddr(t)}
	// A busy machine answers in five seconds.
	all := make(map[string]*s6.Spec)
	for name, addr := range addrs {
		all[name] = w.answers(addr, s6.Check{HTTP: "http://" + addr + "/health", Failures: 50, Restart: name == "restarted"})
	}
	w.run(all)
	before := map[string]int{"restarted": w.pid("restarted"), "left": w.pid("left")}
	for name := range all {
		harness.Stop(t, before[name])
	}
	harness.Gone(t, before["restarted"])
	w.Says("left", s6.StateDegraded, "it does not answer its check: GET http://"+addrs["left"]+"/health: no answer in 100ms (5")
	harness.Kill(t, before["left"], 18) // SIGCONT
	w.Await(fsm.PhaseRunning, "left", "restarted")
	assert.Equal(t, before["left"], w.pid("left"))
	after := w.pid("restarted")
	assert.NotEqual(t, before["restarted"], after)
	s, _ := w.Manager.Instance("restarted")
	assert.Equal(t, 1, s.Observed.Check.Restarts)
	assert.Equal(t, 1, s.Observed.Restarts)
	assert.Contains(t, w.Passed("restarted"), s6.StateDegraded)
	w.another(all)
	w.Await(fsm.PhaseRunning, "left", "restarted")
	assert.Equal(t, after, w.pid("restarted"))
	s, _ = w.Manager.Instance("restarted")
	assert.Equal(t, 1, s.Observed.Check.Restarts, "another program knows of it")
}

// TestChecks of all sorts pass and fail, and say what they have seen.
func TestChecks(t *testing.T) {
	t.Parallel()
	w := start(t)
	addr, nowhere := freeAddr(t), freeAddr(t)
	hangs := "echo $$ >>\"$ROOT/checks\"; echo waiting; sleep 1000000 & wait"
	all := map[string]*s6.Spec{"http": w.answers(addr, s6.Check{HTTP: "http://" + addr + "/health"})}
	for name, check := range map[string]s6.Check{
		"tcp":    {TCP: addr},
		"exec":   {Exec: []string{"sh", "-c", `[ "$ROLE" = probed ] && [ "$(pwd)" = "$ROOT" ]`}},
		"status": {HTTP: "http://" + addr + "/ready"},
		"refuse": {TCP: nowhere},
		"exit":   {Exec: []string{"sh", "-c", "echo no database; exit 3"}},
		"hang":   {Exec: []string{"sh", "-c", hangs}},
		"none":   {Exec: []string{"/no/such/check"}},
	} {
		check.Every, check.Failures = 300*time.Millisecond, 2
		if name == "tcp" || name == "exec" {
			check.Failures = 20
		}
		all[name] = &s6.Spec{
			Command: []string{"sleep", "1000000"}, Env: map[string]string{"ROOT": w.Root, "ROLE": "probed"}, Dir: w.Root,
			StartTimeout: 10 * time.Millisecond, Check: check,
		}
	}
	w.Declare(running(all))
	w.Await(fsm.PhaseRunning, "http", "tcp", "exec")
	w.Says("status", s6.StateDegraded, "it does not answer its check: GET http://"+addr+"/ready: status 503 Service Unavailable: no database (")
	w.Says("refuse", s6.StateDegraded, "it does not answer its check: connect to "+nowhere+": connection refused (")
	w.Says("exit", s6.StateDegraded, "exited with 3: no database (")
	w.Says("hang", s6.StateDegraded, "it did not end in 300ms: waiting (")
	w.Says("none", s6.StateDegraded, "its check cannot be made: run /no/such/check: /no/such/check does not exist (")
	// What the checks have started ends with them, and with the tree.
	w.Leave()
	harness.Eventually(t, "nothing of the checks is left", func() bool {
		for _, p := range harness.ProcessesOf(w.Root) {
			if strings.Contains(strings.Join(p.Args, " "), "waiting") {
				return false
			}
		}
		return true
	})
	assert.FileExists(t, filepath.Join(w.Root, "checks"))
	w.Open()
	w.manage()
	w.Declare(nil)
	for name := range all {
		w.Await(fsm.PhaseRemoved, name)
	}
}
