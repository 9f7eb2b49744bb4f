package simulate

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// program is one run of a program: managers in a loop, and their user, who asks
// for what is in a file.
type program struct {
	*life
	tree    *s6test.Tree
	engines *engines
	keepers []keeper
	order   *ordering            // nil where nothing needs anything
	onPass  func(fsm.Reconciled) // nil for nobody
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

// startProgram starts a program with that life, whose user is given so many tasks
// at most, and whose instances have those needs. onPass is told of its passes.
func startProgram(l *life, tree *s6test.Tree, engines *engines, n needs, most int, onPass func(fsm.Reconciled)) (*program, error) {
	p := &program{life: l, tree: tree, engines: engines, onPass: onPass, tasks: make(chan task, most), quit: make(chan struct{})}
	p.order = newOrdering(l, n, p.keeper, p.had)
	for _, keep := range []func() (keeper, error){p.keepServices, p.keepStreams} {
		k, err := keep()
		if err != nil {
			return nil, err
		}
		p.keepers = append(p.keepers, k)
	}
	p.story.tell("program", "%d starts", p.number)
	p.engines.forget()
	p.all.Go(func() { _ = (&fsm.Loop{Tick: tick}).Run(context.Background(), p.keepers[0], p.keepers[1]) }) // they are run once
	p.all.Go(p.user)
	p.all.Go(p.mourn)
	return p, nil
}

// resync is how often what is as asked is looked at, and tick how often the loop
// looks what is due: less often than usual, for that is most of what a simulated
// hour costs.
const (
	resync = 10 * time.Second
	tick   = time.Second
)

// keepServices returns the keeper of the services.
func (p *program) keepServices() (keeper, error) {
	k := &keeps[*s6.Spec, s6.Observed]{all: services(), want: declaration.desired, said: seeServices(), process: (*s6.Observed).Process}
	return k, k.keep(p, p.serviceKind, p.order.gate(idOf(k.all[0]).Kind, s6.Running, s6.Stopped))
}

// keepStreams returns the keeper of the streams.
func (p *program) keepStreams() (keeper, error) {
	k := &keeps[*benthos.Config, benthos.Observed]{all: streams(), want: declaration.desiredStream, said: seeStreams(), process: (*benthos.Observed).Process}
	return k, k.keep(p, p.streamKind, p.order.gate(idOf(k.all[0]).Kind, benthos.Active, benthos.Stopped))
}

// keep gives a keeper its manager, which the user uses. Its drivers are actors of
// their own.
func (k *keeps[D, O]) keep(p *program, kindOf func(*actor) (fsm.Kind[D, O], error), gate fsm.Gate) error {
	kind, err := kindOf(p.actor("user", slotUser))
	if err != nil {
		return err
	}
	kind.Open = func(name string, wake func()) (fsm.Driver[D, O], error) {
		a := p.actor(name, slotOf(name))
		its, err := kindOf(a)
		if err != nil {
			return nil, err
		}
		return its.Open(name, func() { a.wake(wake) })
	}
	kind.Resync = resync
	k.Manager, err = fsm.NewManager(kind, fsm.Config{
		Parallel: 100, Backoff: fsm.Backoff{Jitter: -1}, Listeners: []fsm.Listener{p.notice}, Gate: gate,
		OnPass: p.onPass,
	})
	return err
}

func (p *program) serviceKind(a *actor) (fsm.Kind[*s6.Spec, s6.Observed], error) {
	return s6.NewKind(newView(p.tree, a), s6.KindName)
}

func (p *program) streamKind(a *actor) (fsm.Kind[*benthos.Config, benthos.Observed], error) {
	return benthos.NewKind(newView(p.tree, a), streamOptions(p.engines, a))
}

func streamOptions(e *engines, a *actor) benthos.Options {
	return benthos.Options{
		Engine: engineCommand, Prober: &prober{e, a}, Linter: linter{a},
		HealthInterval: resync, Log: keepAll, Backoff: fsm.Backoff{Jitter: -1},
	}
}

// had reports whether an earlier program has started an instance.
func (p *program) had(a *actor, name string, d declaration) (bool, error) {
	if isStream(name) {
		return benthos.Begun(newView(p.tree, a), streamOptions(p.engines, a), name, d.stream)
	}
	return s6.Begun(newView(p.tree, a), name, d.service)
}

// keeper returns the keeper of an instance.
func (p *program) keeper(name string) keeper {
	for _, k := range p.keepers {
		if slices.Contains(k.names(), name) {
			return k
		}
	}
	return nil
}

// close closes the managers.
func (p *program) close(ctx context.Context) error {
	var errs []error
	for _, k := range slices.Backward(p.keepers) {
		errs = append(errs, k.Close(ctx))
	}
	return errors.Join(errs...)
}

func (p *program) notice(n fsm.Notice) {
	if !p.isDead() {
		p.judge.notice(n)
	}
}

// mourn ends the goroutines of a dead program.
func (p *program) mourn() {
	<-p.dead
	if err := errors.Join(p.bury(), p.close(context.Background())); err != nil {
		p.judge.violated(ProgramsEnd, "%v", err)
	}
}

// stop ends the program in order. One that does not end in time is killed.
func (p *program) stop() {
	close(p.quit)
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	err := p.close(ctx)
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
	k, d := p.keeper(t.name), t.file[t.name]
	switch t.what {
	case Declare:
		return p.order.declare(t.file, func() error {
			var errs []error
			for _, k := range p.keepers {
				errs = append(errs, p.declare(ctx, k, t))
			}
			return errors.Join(errs...)
		})
	case Set:
		return p.answered(t, p.order.declare(t.file, func() error { return k.set(ctx, t.name, d) }))
	case Remove:
		err = p.order.declare(t.file, func() error { return k.Remove(ctx, t.name) })
		if errors.Is(err, fsm.ErrUnknown) {
			err = nil
		}
		return p.answered(t, err)
	case Restart:
		p.judge.excuse(t.name)
		err := k.Restart(ctx, t.name)
		p.judge.excuse(t.name)
		time.Sleep(until(time.Now(), slotUser, 1)) // it returns in a moment of a driver
		if p.isDead() {
			return nil
		}
		p.story.tell("user", "has restarted %s: %v", t.name, err)
	case Retry:
		_ = k.Retry(t.name)
	}
	return nil
}

// declare declares what is in the file to one manager.
func (p *program) declare(ctx context.Context, k keeper, t task) error {
	err := k.apply(ctx, t.file)
	if p.isDead() || err != nil && !errors.As(err, new(*fsm.RefusedError)) {
		return err
	}
	file := maps.Clone(t.file)
	maps.DeleteFunc(file, func(name string, _ declaration) bool { return !slices.Contains(k.names(), name) })
	var again []error
	refused := k.Refused()
	p.judge.refusals(file, refused)
	for _, name := range k.names() {
		if err := p.took(t, name, refused[name]); err != nil {
			again = append(again, err)
		}
	}
	return errors.Join(again...)
}

// took has the judge know of what a manager has taken. What it refuses though it
// is not spoiled is an error, and declared again.
func (p *program) took(t task, name string, why error) error {
	switch {
	case why == nil:
		p.judge.took(t.version, name)
	case !t.file[name].spoiled || !isRefusal(why):
		return why
	}
	return nil
}

// answered judges the answer to what was asked of one instance.
func (p *program) answered(t task, err error) error {
	if p.isDead() || err != nil && !isRefusal(err) {
		return err
	}
	p.judge.refusals(map[string]declaration{t.name: t.file[t.name]}, map[string]error{t.name: err})
	return p.took(t, t.name, err)
}
