package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/ports"
)

// prober is how an actor of a program asks engines.
type prober struct {
	*engines
	actor *actor
}

var (
	_ benthos.Prober       = (*prober)(nil)
	_ benthos.ConfigLinter = linter{}
)

// strangerPID is the process that takes ports.
const strangerPID = 7

// turn waits for the actor's turn to ask something.
func (p *prober) turn(what string) error {
	return p.actor.Inject(filesystemtest.Op{Kind: filesystemtest.Query, Path: what}).Err
}

// ask asks at an address, and returns who answers, and how.
func (p *prober) ask(ctx context.Context, path, addr string) (one engine, how answering, err error) {
	if err := p.turn("http://" + addr + path); err != nil {
		return one, how, err
	}
	one, how, err = p.reached(addr)
	if err != nil {
		return one, how, err
	}
	wait := how.after
	if how.hangs {
		wait = benthos.DefaultRequestTimeout
	}
	if wait > 0 {
		if err := p.wait(ctx, wait); err != nil {
			return one, how, err
		}
	}
	if how.hangs {
		return one, how, fmt.Errorf("cannot ask %s: %w", addr, context.DeadlineExceeded)
	}
	return one, how, nil
}

// reached returns who accepts a connection at an address.
func (p *prober) reached(addr string) (engine, answering, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pid := p.holder(addr)
	if pid == 0 && p.wanted(addr) {
		return engine{}, answering{}, errors.New("status 404: another program")
	}
	if pid == 0 || p.conducts[p.running[pid].name].refuses {
		return engine{}, answering{}, fmt.Errorf("cannot ask %s: %w", addr, syscall.ECONNREFUSED)
	}
	one := p.running[pid]
	one.asked++
	c := p.conducts[one.name]
	one.count(c.answering)
	how := c.answering
	if time.Since(c.since) < how.blindAfter {
		how.metrics = nil
	}
	return *one, how, nil
}

// wait lets time pass, and returns in a moment of the actor's own.
func (p *prober) wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	case <-p.actor.dead:
		return gone().Err
	}
	time.Sleep(until(time.Now(), p.actor.slot, 1))
	return ctx.Err()
}

// Ping implements benthos.Prober.
func (p *prober) Ping(ctx context.Context, addr string) error {
	_, _, err := p.ask(ctx, "/ping", addr)
	return err
}

// Ready implements benthos.Prober.
func (p *prober) Ready(ctx context.Context, addr string) (benthos.ReadyState, error) {
	one, how, err := p.ask(ctx, "/ready", addr)
	switch {
	case err != nil:
		return benthos.ReadyState{}, err
	case one.readyAfter < 0 || time.Since(one.began) < one.readyAfter:
		return benthos.ReadyState{Reason: "input not connected yet"}, nil
	case how.flaps && one.asked%2 == 0:
		return benthos.ReadyState{Ready: true}, nil
	}
	return benthos.ReadyState{Ready: how.notReady == "", Reason: how.notReady}, nil
}

// Version implements benthos.Prober.
func (p *prober) Version(ctx context.Context, addr string) (benthos.VersionInfo, error) {
	_, _, err := p.ask(ctx, "/version", addr)
	return benthos.VersionInfo{Version: "simulated"}, err
}

// Metrics implements benthos.Prober.
func (p *prober) Metrics(ctx context.Context, addr string) (benthos.Metrics, error) {
	one, how, err := p.ask(ctx, "/metrics", addr)
	if err == nil {
		err = how.metrics
	}
	if err != nil {
		return benthos.Metrics{}, err
	}
	p.tell(one.pid)
	return one.counts, nil
}

// Holder implements benthos.Prober.
func (p *prober) Holder(addr string) (ports.Holder, bool, error) {
	if err := p.turn("holder of " + addr); err != nil {
		return ports.Holder{}, false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if pid := p.holder(addr); pid != 0 {
		return ports.Holder{PID: pid, Process: "benthos"}, true, nil
	}
	if p.wanted(addr) {
		return ports.Holder{PID: strangerPID, Process: "nc"}, true, nil
	}
	return ports.Holder{}, false, nil
}

// Listens implements benthos.Prober.
func (p *prober) Listens(pid int, addr string) (bool, error) {
	if err := p.turn("listens at " + addr); err != nil {
		return false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.holder(addr) == pid, nil
}

// linter refuses what is spoiled.
type linter struct{ actor *actor }

// Lint implements benthos.ConfigLinter.
func (l linter) Lint(_ context.Context, docs map[string][]byte) (refused map[string]error, err error) {
	refused = make(map[string]error)
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		if f := l.actor.Inject(filesystemtest.Op{Kind: filesystemtest.Query, Path: "lint " + name}); f.Err != nil {
			return nil, &benthos.LinterError{Path: engineCommand, Err: f.Err}
		}
		if bytes.Contains(docs[name], []byte(spoiledInput)) {
			refused[name] = errors.New("unable to infer input type: " + spoiledInput)
		}
	}
	return refused, nil
}
