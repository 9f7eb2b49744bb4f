//go:build integration

package peers

import (
	"syscall"
	"testing"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// bareS6 is s6-svscan over service directories that a script has made.
type bareS6 struct {
	loggers bool
	job     *Job
	program *harness.Program
}

func (b *bareS6) Version() (string, error) { return debian("s6-svscan", "s6") }

// s6Script makes a service directory of each line NAME COMMAND of the file "declared".
// A logger is what evenkeel gives a service by default.
const s6Script = `
mkdir scan
while read -r name command; do
	mkdir -p services/$name
	printf '#!/bin/sh\nexec 2>&1\nexec %s\n' "$command" >services/$name/run
	chmod +x services/$name/run
	if [ $LOGGERS = true ]; then
		mkdir -p services/$name/log logs/$name
		printf '#!/bin/sh\nexec s6-log n10 s1048576 T %s\n' "$PWD/logs/$name" >services/$name/log/run
		chmod +x services/$name/log/run
	fi
	ln -s ../services/$name scan/$name
done <declared
exec s6-svscan -c 10000 scan
`

func (b *bareS6) Start(t testing.TB, j *Job) {
	t.Helper()
	b.job = j
	declared := ""
	for _, s := range j.Services {
		declared += s.Name + " " + s.Shell() + "\n"
	}
	write(t, j, "declared", declared)
	loggers := "LOGGERS=false"
	if b.loggers {
		loggers = "LOGGERS=true"
	}
	b.program = start(t, j, "env", loggers, "sh", "-ec", s6Script)
}

func (b *bareS6) Ended(t testing.TB, s *Service) func() bool {
	return differs(t, b.job, "s6-svstat", "-o", "up,pid", "services/"+s.Name)
}

func (b *bareS6) Change(t testing.TB, s *Service) {
	t.Helper()
	write(t, b.job, "services/"+s.Name+"/run", "#!/bin/sh\nexec 2>&1\nexec "+s.Shell()+"\n")
	run(t, b.job, "s6-svc", "-r", "services/"+s.Name)
}

func (b *bareS6) Stop(testing.TB) { b.program.Signal(syscall.SIGTERM) }
