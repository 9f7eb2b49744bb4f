package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/proc"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

// creation: every instance runs, with one process of its own.
func (v *verification) creation(ctx context.Context) ([]string, error) {
	return v.each(func(p *proof) (string, error) {
		if err := v.waitFor(ctx, p, fsm.PhaseRunning); err != nil {
			return "", err
		}
		pid, err := v.only(p)
		if err != nil {
			return "", err
		}
		p.pid = pid
		if p.log, err = s6log.NewReader(v.Tree.FS(), v.Tree.Layout().Log(p.name), s6log.FromEnd); err != nil {
			return "", err
		}
		p.log.Files = s6.Log{}.Kept()
		s := v.state(p)
		return fmt.Sprintf("%s is %s, with the one process %d (Benthos %s)", p.name, s.State, pid, s.Observed.Health.Version), nil
	})
}

// endpoints: a message goes in and comes out in the log, and the HTTP endpoint
// answers on each path.
func (v *verification) endpoints(ctx context.Context) ([]string, error) {
	return v.each(func(p *proof) (string, error) {
		message, err := v.post(ctx, p, 0)
		if err != nil {
			return "", err
		}
		log := v.Tree.Layout().Log(p.name) + "/current"
		err = v.eventually(ctx, func() error {
			data, err := os.ReadFile(log)
			if err == nil && !strings.Contains(string(data), message) {
				err = fmt.Errorf("%s does not hold %s", log, message)
			}
			return err
		})
		if err != nil {
			return "", err
		}
		answers, err := v.askPaths(ctx, p)
		return fmt.Sprintf("%s took a message with 200 and printed it; %s", v.url(p.n), answers), err
	})
}

func (v *verification) askPaths(ctx context.Context, p *proof) (string, error) {
	var answers []string
	var errs []error
	for _, path := range []string{"/ping", "/ready", "/version", "/metrics"} {
		status, body, err := v.get(ctx, p, path)
		switch {
		case err != nil:
			errs = append(errs, err)
		case path == "/metrics" && v.metrics == benthos.MetricsNone:
		case status != http.StatusOK:
			errs = append(errs, fmt.Errorf("%s was answered with %d", path, status))
		case path == "/metrics" && !strings.Contains(body, "input_received"):
			errs = append(errs, errors.New("/metrics does not count what was received"))
		}
		answers = append(answers, fmt.Sprintf("%s %d", path, status))
	}
	return strings.Join(answers, ", "), errors.Join(errs...)
}

// monitoring: what instances report agrees with the process table, when all is
// well, when a process hangs, and when an instance is stopped.
func (v *verification) monitoring(ctx context.Context) ([]string, error) {
	seen, err := v.each(func(p *proof) (string, error) {
		pid, err := v.only(p)
		if err != nil {
			return "", err
		}
		if says := v.state(p).Observed.Service.Observed.PID(); says != pid {
			return "", fmt.Errorf("it says that its process is %d, which is %d", says, pid)
		}
		return "", nil
	})
	if err != nil {
		return seen, err
	}
	seen = append(seen, "each instance names the process that the process table shows")

	first := v.proofs[0]
	pid, err := v.only(first)
	if err != nil {
		return seen, err
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return seen, err
	}
	if err := v.waitFor(ctx, first, fsm.PhaseDegraded); err != nil {
		return seen, errors.Join(err, syscall.Kill(pid, syscall.SIGCONT))
	}
	seen = append(seen, fmt.Sprintf("%s with its process frozen: degraded: %s", first.name, v.state(first).Reason))
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		return seen, err
	}
	if err := v.waitFor(ctx, first, fsm.PhaseRunning); err != nil {
		return seen, err
	}
	seen = append(seen, fmt.Sprintf("%s thawed: %s again", first.name, v.state(first).State))
	more, err := v.stopOne(ctx, v.proofs[len(v.proofs)-1])
	return append(seen, more...), err
}

// stopOne stops an instance, looks, and starts it again.
func (v *verification) stopOne(ctx context.Context, p *proof) (seen []string, err error) {
	desired := v.desired(benthos.Active)
	stopped := desired[key(p.name)]
	stopped.State = benthos.Stopped
	desired[key(p.name)] = stopped
	if err := v.ask(ctx, desired); err != nil {
		return nil, err
	}
	if err := v.waitFor(ctx, p, fsm.PhaseStopped); err != nil {
		return nil, err
	}
	err = v.eventually(ctx, func() error {
		pids, err := v.benthosOf(p)
		if err == nil && len(pids) > 0 {
			err = fmt.Errorf("%s is stopped and has the processes %v", p.name, pids)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	seen = append(seen, p.name+" asked to stop: stopped, and no process of it is left")
	if err := v.ask(ctx, v.desired(benthos.Active)); err != nil {
		return seen, err
	}
	if err := v.waitFor(ctx, p, fsm.PhaseRunning); err != nil {
		return seen, err
	}
	if p.pid, err = v.only(p); err != nil {
		return seen, err
	}
	return append(seen, fmt.Sprintf("%s asked to be active: %s as process %d", p.name, v.state(p).State, p.pid)), v.unmoved(p)
}

// unmoved returns an error if an instance other than p has another process than
// before.
func (v *verification) unmoved(p *proof) error {
	var errs []error
	for _, other := range v.proofs {
		if other == p {
			continue
		}
		if pid, err := v.only(other); err != nil {
			errs = append(errs, err)
		} else if pid != other.pid {
			errs = append(errs, fmt.Errorf("%s lost its process %d and has %d", other.name, other.pid, pid))
		}
	}
	return errors.Join(errs...)
}

// readyFor waits until an instance's process has been ready for a while.
func (v *verification) readyFor(ctx context.Context, p *proof, while time.Duration) error {
	return v.eventually(ctx, func() error {
		status, err := v.Tree.Status(v.Tree.Layout().Service(p.name))
		if age := time.Since(status.ReadyStamp); err == nil && (!status.Up() || !status.Ready || age < while) {
			err = fmt.Errorf("%s has been ready for %v, not for %v", p.name, age, while)
		}
		return err
	})
}

// kill kills an instance's process with SIGKILL, and waits until another one
// serves.
func (v *verification) kill(ctx context.Context, p *proof) (old int, took time.Duration, err error) {
	if old, err = v.only(p); err != nil {
		return old, 0, err
	}
	if err := syscall.Kill(old, syscall.SIGKILL); err != nil {
		return old, 0, err
	}
	begun := time.Now()
	err = v.eventually(ctx, func() error {
		_, err := v.post(ctx, p, 0)
		return err
	})
	took = time.Since(begun)
	if err != nil {
		return old, took, err
	}
	if p.pid, err = v.only(p); err == nil && p.pid == old {
		err = fmt.Errorf("process %d survived", old)
	}
	return old, took, err
}

// recovery: an instance whose process is killed serves again with another
// process. s6 restarts a process at once if it has been ready for a second.
func (v *verification) recovery(ctx context.Context) (seen []string, err error) {
	for _, p := range v.proofs {
		if err := v.readyFor(ctx, p, 1100*time.Millisecond); err != nil {
			return seen, err
		}
		old, took, err := v.kill(ctx, p)
		if err != nil {
			return seen, fmt.Errorf("%s: %w", p.name, err)
		}
		if err := v.waitFor(ctx, p, fsm.PhaseRunning); err != nil {
			return seen, err
		}
		seen = append(seen, fmt.Sprintf("%s killed (process %d): served again after %d ms (process %d)", p.name, old, took.Milliseconds(), p.pid))
		if err := v.unmoved(p); err != nil {
			return seen, err
		}
	}
	return seen, nil
}

// isolation: while one instance is killed over and over, the others keep their
// processes and answer.
func (v *verification) isolation(ctx context.Context) ([]string, error) {
	if len(v.proofs) == 1 {
		return []string{"there is one instance, and none to be isolated from it"}, nil
	}
	victim, kills, answers := v.proofs[0], 10, 0
	for range kills {
		if _, _, err := v.kill(ctx, victim); err != nil {
			return nil, fmt.Errorf("%s: %w", victim.name, err)
		}
		for _, p := range v.proofs[1:] {
			if _, err := v.post(ctx, p, 0); err != nil {
				return nil, fmt.Errorf("%s, while %s was killed: %w", p.name, victim.name, err)
			}
			answers++
		}
		if err := v.unmoved(victim); err != nil {
			return nil, err
		}
	}
	seen := []string{fmt.Sprintf("%s was killed %d times; the others kept their processes and answered %d of %d requests",
		victim.name, kills, answers, kills*(len(v.proofs)-1))}
	if s := v.state(victim); s.Phase == fsm.PhaseDegraded {
		seen = append(seen, fmt.Sprintf("%s says: %s", victim.name, s.Reason))
	}
	return seen, nil
}

// shutdown: at SIGTERM, requests under way are finished and nothing is left
// behind.
func (v *verification) shutdown(ctx context.Context) ([]string, error) {
	answers := make([]<-chan error, len(v.proofs))
	_, _ = v.each(func(p *proof) (string, error) {
		answers[p.n] = v.begin(ctx, p)
		return "", nil
	})
	begun := time.Now()
	if ctx.Err() == nil { // a signal after another one would end the program at once
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			return nil, err
		}
	}
	<-ctx.Done() // as without -verify
	errs := []error{v.stop()}
	took := time.Since(begun)
	for _, answer := range answers {
		errs = append(errs, <-answer)
	}
	errs = append(errs, v.nothingLeft())
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return []string{
		fmt.Sprintf("%d requests that were under way at SIGTERM were answered with 200", len(v.proofs)),
		fmt.Sprintf("all had ended after %d ms, and no process is left", took.Milliseconds()),
	}, nil
}

// begin sends an instance a request that it holds for a while, and returns once
// the instance has taken the request, or has answered it. An engine without
// metrics cannot say that it has: it gets half of the while to take it.
func (v *verification) begin(ctx context.Context, p *proof) (answer <-chan error) {
	const hold = 2 * time.Second
	before, answered := v.received(ctx, p), make(chan error, 1)
	go func() {
		_, err := v.post(context.WithoutCancel(ctx), p, hold)
		answered <- err
	}()
	if v.metrics == benthos.MetricsNone {
		time.Sleep(hold / 2)
		return answered
	}
	_ = v.eventually(ctx, func() error { // if not, the answer tells
		if len(answered) == 0 && v.received(ctx, p) <= before {
			return fmt.Errorf("%s has not taken its request", p.name)
		}
		return nil
	})
	return answered
}

// nothingLeft returns an error if a process of the tree is left. A process that
// has released its locks may stay in the process table for a moment.
func (v *verification) nothingLeft() error {
	return v.eventually(context.Background(), v.left)
}

// left returns an error that names the processes of the tree. In a tree that
// was there before, the supervisors stay.
func (v *verification) left() error {
	var errs []error
	for _, dir := range []string{v.Tree.Layout().ServicesDir, v.Tree.Layout().ScanDir} {
		left, err := proc.System.UnderReal(dir)
		if err != nil {
			errs = append(errs, err)
		}
		for _, process := range left {
			if v.scanDir == "" || !process.OfS6() {
				errs = append(errs, fmt.Errorf("process %d (%s) is left in %s", process.PID, process.Program, process.Dir))
			}
		}
	}
	return errors.Join(errs...)
}
