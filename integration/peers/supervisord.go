//go:build integration

package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/evenkeel/evenkeel/integration/harness"
)

// supervisord writes the logs of its services itself.
type supervisord struct {
	job     *Job
	program *harness.Program
}

func (s *supervisord) Version() (string, error) { return debian("supervisord", "supervisor") }

const supervisordHead = `[supervisord]
nodaemon = true
logfile = %(here)s/supervisord.log
pidfile = %(here)s/supervisord.pid
childlogdir = %(here)s/logs
minfds = 8192

[unix_http_server]
file = %(here)s/s.sock

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl = unix://%(here)s/s.sock
`

func (s *supervisord) declare(t testing.TB) {
	t.Helper()
	text := supervisordHead
	for _, service := range s.job.Services {
		text += fmt.Sprintf("\n[program:%s]\ncommand = %s\nautorestart = true\nredirect_stderr = true\n", service.Name, service.Shell())
	}
	write(t, s.job, "supervisord.conf", text)
}

func (s *supervisord) Start(t testing.TB, j *Job) {
	t.Helper()
	s.job = j
	write(t, j, "logs/.keep", "")
	s.declare(t)
	s.program = start(t, j, "supervisord", "-c", "supervisord.conf")
}

func (s *supervisord) Ended(_ testing.TB, service *Service) func() bool {
	return mentions(func() string {
		text, _ := os.ReadFile(filepath.Join(s.job.Root, "supervisord.log"))
		return strings.ReplaceAll(string(text), "\x00", "")
	}, "exited: "+service.Name)
}

func (s *supervisord) Change(t testing.TB, service *Service) {
	t.Helper()
	if service.Stream != nil {
		// Its file has changed, and not its command.
		start(t, s.job, "supervisorctl", "-c", "supervisord.conf", "restart", service.Name)
		return
	}
	s.declare(t)
	start(t, s.job, "supervisorctl", "-c", "supervisord.conf", "update")
}

func (s *supervisord) Stop(testing.TB) { s.program.Signal(syscall.SIGTERM) }
