package top

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/fsm"
)

// service is an instance that runs.
func service(name string, pid int, up time.Duration) api.Summary {
	since := time.Now().Add(-up)
	return api.Summary{
		Kind: "s6", Name: name, State: "running", Phase: fsm.PhaseRunning, Since: since, Desired: "running", Runs: true, Settled: true,
		Reason: fsm.Because("its process runs").With("for longer than 1s"), Figures: api.Figures{PID: pid, Up: since},
	}
}

// stream is one that lets messages through.
func stream(name string, pid int, up time.Duration, in, out float64) api.Summary {
	s := service(name, pid, up)
	s.Kind, s.State, s.Desired = "benthos", "active", "active"
	s.Reason = fsm.Because("messages go through it").With(fmt.Sprintf("%.1f a second come in", in))
	s.Traffic = &api.Traffic{ReceivedRate: in, SentRate: out}
	return s
}

// plant is a program with instances of every sort.
func plant() *program {
	failing := stream("orders", 0, 0, 0, 0)
	failing.State, failing.Phase, failing.Traffic, failing.Restarts = "degraded", fsm.PhaseDegraded, nil, 4
	failing.Since, failing.Up, failing.Settled = time.Now().Add(-40*time.Second), time.Time{}, false
	failing.Reason = fsm.Because("its process ends again and again").With("exited with 1, and printed last: dial tcp 127.0.0.1:9092: connect: connection refused")
	failing.NextTry = time.Now().Add(88 * time.Second)
	held := service("web", 0, 0)
	held.State, held.Phase, held.Layer, held.Up = "stopped", fsm.PhaseStopped, "order", time.Time{}
	held.Since, held.Reason = time.Now().Add(-41*time.Second), fsm.Because("nothing of it runs")
	held.Waits = fsm.Because("waits for orders").With("it is degraded")
	stopped := service("importer", 0, 0)
	stopped.State, stopped.Phase, stopped.Layer, stopped.Runs, stopped.Up = "stopped", fsm.PhaseStopped, "by hand", false, time.Time{}
	stopped.Since, stopped.Waits = time.Now().Add(-3*time.Hour), fsm.Because("stopped by hand").With("by root at 2026-03-02 06:30:00")
	done := service("migrate", 0, 0)
	done.State, done.Phase, done.Since, done.Up = "done", fsm.PhaseDone, time.Now().Add(-26*time.Hour), time.Time{}
	done.Reason = fsm.Because("it did what it was to do").With("exited with 0")
	starting := stream("audit", 5120, 2*time.Second, 0, 0)
	starting.State, starting.Phase, starting.Settled, starting.Traffic = "starting", fsm.PhaseStarting, false, nil
	starting.Reason = fsm.Because("its process runs, and is not ready yet")
	p := &program{events: make(chan api.Event), ends: make(chan struct{}), list: []api.Summary{
		starting, stream("bridge", 4242, 26*time.Hour, 120, 119.5), service("database", 118, 26*time.Hour), stopped, done, failing,
		stream("telemetry", 4243, 26*time.Hour, 15300, 14100), held,
	}}
	p.why = fsm.Why{Kind: "benthos", State: "degraded", Phase: fsm.PhaseDegraded, Chain: []fsm.Link{
		{Part: fsm.PartAsked, Text: "it is asked to be active", By: "declared", At: time.Now().Add(-26 * time.Hour)},
		{Part: fsm.PartState, Text: "it is degraded: its process ends again and again", At: time.Now().Add(-40 * time.Second)},
		{Part: fsm.PartSeen, Text: "exited with 1, and printed last: dial tcp 127.0.0.1:9092: connect: connection refused"},
		{Part: fsm.PartNext, Text: "its process is started again", At: time.Now().Add(88 * time.Second)},
		{Part: fsm.PartHelp, Text: "see what it prints: evenkeel logs orders"},
	}}
	p.history = []fsm.Transition{
		{Subject: fsm.Subject{At: time.Now().Add(-26 * time.Hour)}, From: "starting", To: "active", Event: "start_done", Reason: fsm.Because("messages go through it")},
		{Subject: fsm.Subject{At: time.Now().Add(-40 * time.Second)}, From: "active", To: "degraded", Event: "degraded", Reason: fsm.Because("its process ends again and again").With("exited with 1")},
	}
	return p
}

// lives has the streams of a plant do more and less, second by second.
func (s *stage) lives(p *program, seconds int) {
	for n := range seconds {
		p.becomes(func() {
			for i := range p.list {
				if p.list[i].Traffic != nil {
					wave := 1 + 0.8*math.Sin(float64(n)/float64(4+i))
					p.list[i].Traffic = &api.Traffic{ReceivedRate: wave * 120 * float64(i), SentRate: wave * 110 * float64(i)}
				}
			}
		})
		s.passes(time.Second)
	}
}

// printing returns a Logs whose lines come from a channel for each name.
func printing(lines map[string]chan string) Logs {
	return func(ctx context.Context, name string) <-chan string {
		out := make(chan string)
		go func() {
			defer close(out)
			for {
				select {
				case line, open := <-lines[name]:
					if !open {
						return
					}
					select {
					case out <- line:
					case <-ctx.Done():
						return
					}
				case <-ctx.Done():
					return
				}
			}
		}()
		return out
	}
}
