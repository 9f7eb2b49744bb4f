package simulate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// program is one run of a program: a manager in a loop, and its user, who asks
// for what is in a file.
type program struct {
	*life
	tree    *s6test.Tree
	manager *fsm.Manager[*s6.Spec, s6.Observed]
	tasks   chan task
	quit    chan struct{} // closed when it is to end
	all     sync.WaitGroup
}

// task is something that the user asks for.
type task struct {
	what    What
	name    string
	file    map[string]declaration // as it is then
	version int
}

// startProgram starts a program with that life.
func startProgram(l *life, tree *s6test.Tree) (*program, error) {
	p := &program{life: l, tree: tree, tasks: make(chan task, 10000), quit: make(chan struct{})}
	kind, err := s6.NewKind(newView(tree, p.actor("user", slotUser)), s6.KindName)
	if err != nil {
		return nil, err
	}
	kind.Open, kind.Resync = p.open, resync
	p.manager, err = fsm.NewManager(kind, fsm.Config{
		Parallel: 100, Backoff: fsm.Backoff{Jitter: -1}, Listeners: []fsm.Listener{p.notice},
	})
	if err != nil {
		return nil, err
	}
	p.story.tell("program", "%d starts", p.number)
	p.all.Go(func() { _ = new(fsm.Loop).Run(context.Background(), p.manager) }) // it is run once
	p.all.Go(p.user)
	p.all.Go(p.mourn)
	return p, nil
}

// resync is how often what is as asked is looked at: less often than usual, for
// that is most of what a simulated hour costs.
const resync = 10 * time.Second

func (p *program) actor(name string, slot int) *actor {
	return &actor{life: p.life, name: name, slot: slot}
}

// open opens a driver that is an actor of its own.
func (p *program) open(name string, wake func()) (fsm.Driver[*s6.Spec, s6.Observed], error) {
	a := p.actor(name, slotDrivers+slices.Index(names(), name))
	kind, err := s6.NewKind(newView(p.tree, a), s6.KindName)
	if err != nil {
		return nil, err
	}
	return kind.Open(name, func() { a.wake(wake) })
}

func (p *program) notice(n fsm.Notice) {
	if !p.isDead() {
		p.judge.notice(n)
	}
}

// mourn ends the goroutines of a dead program.
func (p *program) mourn() {
	<-p.dead
	if err := errors.Join(p.bury(), p.manager.Close(context.Background())); err != nil {
		p.judge.violated(ProgramsEnd, "%v", err)
	}
}

// stop ends the program in order. One that does not end in time is killed.
func (p *program) stop() {
	close(p.quit)
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	err := p.manager.Close(ctx)
	if err != nil && !p.isDead() {
		p.story.tell("program", "%d cannot end: %v", p.number, err)
	}
	p.die()
}

// stopTime is how long a program may take to end in order.
const stopTime = 20 * time.Second

// user does one task after the other. What fails is tried again, with all that
// is declared, five seconds later.
func (p *program) user() {
	var again <-chan time.Time
	last := task{what: Declare}
	for {
		var t task
		select {
		case t = <-p.tasks:
		default:
			select {
			case t = <-p.tasks:
			case <-again:
				t = last
			case <-p.dead:
				return
			case <-p.quit:
				return
			}
		}
		if p.isDead() {
			return
		}
		again = nil
		if t.file != nil {
			last = t
			last.what = Declare
		}
		if err := p.do(t); err != nil && !p.isDead() {
			p.story.tell("user", "%s %s: %v", t.what, t.name, err)
			again = time.After(until(time.Now(), slotUser, 5_000_000))
		}
	}
}

// do does a task. What is refused is no error.
func (p *program) do(t task) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	d := t.file[t.name]
	switch t.what {
	case Declare:
		return p.declare(ctx, t)
	case Set:
		return p.answered(t, p.manager.Set(ctx, t.name, d.desired()))
	case Remove:
		err = p.manager.Remove(ctx, t.name)
		if errors.Is(err, fsm.ErrUnknown) {
			err = nil
		}
		return p.answered(t, err)
	case Restart:
		p.judge.excuse(t.name)
		err := p.manager.Restart(ctx, t.name)
		p.judge.excuse(t.name)
		time.Sleep(until(time.Now(), slotUser, 1)) // it returns in a moment of a driver
		if p.isDead() {
			return nil
		}
		p.story.tell("user", "has restarted %s: %v", t.name, err)
	case Retry:
		_ = p.manager.Retry(t.name)
	}
	return nil
}

func (p *program) declare(ctx context.Context, t task) error {
	all := make(map[string]fsm.Desired[*s6.Spec])
	for name, d := range t.file {
		all[name] = d.desired()
	}
	err := p.manager.Apply(ctx, all)
	if p.isDead() || err != nil && !errors.As(err, new(*fsm.RefusedError)) {
		return err
	}
	refused := p.manager.Refused()
	p.judge.refusals(t.file, refused)
	var again []error
	for _, name := range names() {
		switch why := refused[name]; {
		case why == nil || errors.Is(why, s6.ErrSpec):
			p.judge.took(t.version, name)
		default:
			again = append(again, why)
		}
	}
	return errors.Join(again...)
}

// answered judges the answer to what was asked of one service.
func (p *program) answered(t task, err error) error {
	refused := errors.Is(err, s6.ErrSpec)
	if p.isDead() || err != nil && !refused {
		return err
	}
	p.judge.refusals(map[string]declaration{t.name: t.file[t.name]}, map[string]error{t.name: err})
	p.judge.took(t.version, t.name)
	return nil
}

// desired is what a manager is given.
func (d declaration) desired() fsm.Desired[*s6.Spec] {
	if d.spoiled {
		return fsm.Desired[*s6.Spec]{State: s6.Running, Spec: &s6.Spec{Command: []string{"sleep"}, StopSignal: "NONE"}}
	}
	return d.Desired
}
