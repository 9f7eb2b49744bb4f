package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/s6log"
)

// finding is what came of a scenario.
type finding struct {
	Scenario int      `json:"scenario"`
	Name     string   `json:"name"`
	OK       bool     `json:"ok"`
	Seconds  float64  `json:"seconds"`
	Seen     []string `json:"seen"`
	Problem  string   `json:"problem,omitempty"`
}

// verification proves scenarios on a running program by the process table, by
// HTTP and by the log files. What the program reports is checked against these.
type verification struct {
	*program
	show   *display
	client http.Client
	proofs []*proof
	failed int
}

// proof is what is known of one instance from outside.
type proof struct {
	n    int
	name string
	log  *s6log.Reader // from when it ran first
	pid  int

	mu       sync.Mutex // guards the two below
	posted   int
	accepted []string // messages that were answered with 200
}

// scenario returns what was seen, and why it does not hold.
type scenario func(context.Context) (seen []string, err error)

// verify runs the scenarios one after the other, reports each, and stops the
// program in the one about stopping.
func verify(ctx context.Context, p *program, show *display) error {
	v := &verification{program: p, show: show}
	v.client.Transport = &http.Transport{DisableKeepAlives: true}
	for n := range p.settings.instances {
		v.proofs = append(v.proofs, &proof{n: n, name: name(n)})
	}
	defer v.close()
	v.run(ctx, 1, "service creation", v.creation)
	v.run(ctx, 2, "HTTP endpoints", v.endpoints)
	v.run(ctx, 3, "service monitoring", v.monitoring)
	v.run(ctx, 4, "failure recovery", v.recovery)
	v.run(ctx, 5, "resource isolation", v.isolation)
	rotated, rotateErr := v.rotate(ctx)
	v.run(ctx, 6, "graceful shutdown", v.shutdown)
	v.run(ctx, 7, "log management", func(ctx context.Context) ([]string, error) {
		seen, err := v.logs(ctx)
		return append(rotated, seen...), errors.Join(rotateErr, err)
	})
	if v.failed > 0 {
		return fmt.Errorf("%d of 7 scenarios do not hold", v.failed)
	}
	return nil
}

// close closes the logs that were opened.
func (v *verification) close() {
	for _, p := range v.proofs {
		if p.log != nil {
			p.log.Close()
		}
	}
}

func (v *verification) run(ctx context.Context, number int, name string, s scenario) {
	begun := time.Now()
	seen, err := s(ctx)
	f := finding{Scenario: number, Name: name, OK: err == nil, Seconds: time.Since(begun).Seconds(), Seen: seen}
	if err != nil {
		v.failed++
		f.Problem = err.Error()
	}
	if v.settings.json {
		v.show.json(f)
		return
	}
	verdict := "holds"
	if !f.OK {
		verdict = "DOES NOT HOLD"
	}
	v.show.printf("%d. %s: %s (%.1f s)\n", number, name, verdict, f.Seconds)
	for _, line := range seen {
		v.show.printf("   %s\n", line)
	}
	if !f.OK {
		v.show.printf("   problem: %s\n", strings.ReplaceAll(f.Problem, "\n", "\n            "))
	}
}

// each runs a check for every instance at the same time and returns what was
// seen in the order of the instances.
func (v *verification) each(check func(*proof) (string, error)) ([]string, error) {
	seen := make([]string, len(v.proofs))
	errs := make([]error, len(v.proofs))
	var all sync.WaitGroup
	for n, p := range v.proofs {
		all.Go(func() {
			if seen[n], errs[n] = check(p); errs[n] != nil {
				errs[n] = fmt.Errorf("%s: %w", p.name, errs[n])
			}
		})
	}
	all.Wait()
	var said []string
	for _, s := range seen {
		if s != "" {
			said = append(said, s)
		}
	}
	return said, errors.Join(errs...)
}

// eventually waits until a condition holds. The condition's last error is why
// it does not.
func (v *verification) eventually(ctx context.Context, condition func() error) error {
	ctx, cancel := context.WithTimeout(ctx, v.settings.patience)
	defer cancel()
	for {
		err := condition()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (gave up waiting: %w)", err, ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// waitFor waits until an instance reports a phase.
func (v *verification) waitFor(ctx context.Context, p *proof, phase fsm.Phase) error {
	ctx, cancel := context.WithTimeout(ctx, v.settings.patience)
	defer cancel()
	return v.instances.Wait(ctx, p.name, phase)
}

// state returns what an instance reports.
func (v *verification) state(p *proof) *snapshot {
	s, ok := v.instances.Instance(p.name)
	if !ok {
		return &snapshot{}
	}
	return s
}
