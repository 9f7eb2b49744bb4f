//go:build integration

package peers

import (
	"syscall"
	"testing"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// forking is s6 with a reconciler as it is written first: a script that asks
// s6-svstat about each service every second, and tells what has changed.
type forking struct {
	bareS6
	reconciler *harness.Program
}

const forkingScript = `
trap 'kill $!; exit' TERM
while :; do
	while read -r name command; do
		now=$(s6-svstat -o up,pid services/$name 2>&1) || continue
		read -r was <seen.$name || was=
		[ "$now" = "$was" ] || { echo "$name: $now"; echo "$now" >seen.$name; }
	done <declared
	sleep 1 & wait $!
done 2>/dev/null
`

func (f *forking) Start(t testing.TB, j *Job) {
	t.Helper()
	f.bareS6.Start(t, j)
	f.reconciler = start(t, j, "sh", "-c", forkingScript)
}

func (f *forking) Ended(_ testing.TB, s *Service) func() bool {
	return mentions(f.reconciler.Stdout.String, s.Name)
}

func (f *forking) Stop(t testing.TB) {
	f.reconciler.Signal(syscall.SIGTERM)
	f.bareS6.Stop(t)
}
