//go:build integration

package peers

import (
	"syscall"
	"testing"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// runit is runsvdir over service directories that a script has made, with a logger
// for each.
type runit struct {
	job     *Job
	program *harness.Program
}

func (r *runit) Version() (string, error) { return debian("runsvdir", "runit") }

const runitScript = `
mkdir scan
while read -r name command; do
	mkdir -p services/$name/log logs/$name
	printf '#!/bin/sh\nexec 2>&1\nexec %s\n' "$command" >services/$name/run
	printf '#!/bin/sh\nexec svlogd -tt %s\n' "$PWD/logs/$name" >services/$name/log/run
	chmod +x services/$name/run services/$name/log/run
	ln -s ../services/$name scan/$name
done <declared
exec runsvdir scan
`

func (r *runit) Start(t testing.TB, j *Job) {
	t.Helper()
	r.job = j
	declared := ""
	for _, s := range j.Services {
		declared += s.Name + " " + s.Shell() + "\n"
	}
	write(t, j, "declared", declared)
	r.program = start(t, j, "sh", "-ec", runitScript)
}

// Ended compares what sv status says of the process: it counts the seconds, too.
func (r *runit) Ended(t testing.TB, s *Service) func() bool {
	return differs(t, r.job, "sh", "-c", `sv status "$1" | sed 's/).*//'`, "sh", r.job.Root+"/services/"+s.Name)
}

func (r *runit) Change(t testing.TB, s *Service) {
	t.Helper()
	write(t, r.job, "services/"+s.Name+"/run", "#!/bin/sh\nexec 2>&1\nexec "+s.Shell()+"\n")
	run(t, r.job, "sv", "term", r.job.Root+"/services/"+s.Name)
}

func (r *runit) Stop(testing.TB) { r.program.Signal(syscall.SIGHUP) }
