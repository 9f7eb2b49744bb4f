package runner

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6"
)

const (
	// treeTime bounds the start of a private tree, against hanging.
	treeTime = time.Minute
	// endTime is how long a private tree may take to end after its instances.
	endTime = 20 * time.Second
)

// Config says what a Runner works with.
type Config struct {
	// Dir has services/ and logs/, which are kept between runs.
	Dir string
	// ScanDir is the scan directory of an s6-svscan that runs already; none means
	// a private one in Dir, which the Runner starts and ends.
	ScanDir string
	// Engine is the Benthos executable, as in benthos.Options.
	Engine string
	// Later are instances that a private tree does not start when it begins: those
	// that depend on others, which are to be started first.
	Later []string
	// Store keeps which changes are tried and which were taken back. The zero value
	// keeps that for as long as the program runs.
	Store Store
	// Linter checks configurations of streams, as in benthos.Options; nil means the
	// engine's own.
	Linter benthos.ConfigLinter
	// Listeners are told what happens to instances of both kinds.
	Listeners []fsm.Listener
	// OnPass are told of each pass over instances of both kinds, and over what those
	// own, as fsm.Config.OnPass is.
	OnPass []func(fsm.Reconciled)
}

// Scan returns the scan directory, given or private.
func (c Config) Scan() string { return cmp.Or(c.ScanDir, filepath.Join(c.Dir, "scan")) }

// Runner keeps services and Benthos streams: a tree, a manager for each kind, and
// a loop that makes their passes. What runs belongs to s6, and goes on if the
// program that has the Runner is killed.
type Runner struct {
	// Tree is where everything runs.
	Tree *s6.SystemTree
	// Services and Streams are the managers. What is asked of them is the
	// caller's.
	Services *fsm.Manager[*s6.Spec, s6.Observed]
	Streams  *fsm.Manager[*benthos.Config, benthos.Observed]
	// Loop makes their passes. It runs already; how many of its ticks were late is
	// for those who measure.
	Loop *fsm.Loop

	options benthos.Options // of the streams
	private bool            // the tree is
	started bool            // by this Runner

	essential essentials
	ordering  *ordering
	probation *probation
	follows   sync.WaitGroup
	unfollow  context.CancelFunc

	applying sync.Mutex // guards wanted, and is held while that is applied
	wanted   *Wanted    // last, nil for nothing
}

// Start opens the tree, starting a private one if none is given, and has passes
// made from then on. Of ctx only the values count: what has begun is ended by
// Halt and End, or by LetGo.
func Start(ctx context.Context, c Config) (*Runner, error) {
	ctx = context.WithoutCancel(ctx)
	tree, started, err := openTree(ctx, c)
	if err != nil {
		return nil, err
	}
	r := &Runner{Tree: tree, private: c.ScanDir == "", started: started}
	if err := r.manage(ctx, tree, benthos.Options{Engine: c.Engine, Linter: c.Linter}, c.Store, c.told()); err != nil {
		return nil, errors.Join(err, r.LetGo())
	}
	return r, nil
}

// told returns the part of a manager's configuration that says who is told of what.
func (c Config) told() fsm.Config {
	config := fsm.Config{Listeners: c.Listeners}
	if len(c.OnPass) > 0 {
		config.OnPass = func(pass fsm.Reconciled) {
			for _, hear := range c.OnPass {
				hear(pass)
			}
		}
	}
	return config
}

// manage makes the managers on a tree, with what both have in common, and has their
// passes made.
func (r *Runner) manage(ctx context.Context, tree s6.Tree, streams benthos.Options, store Store, both fsm.Config) (err error) {
	r.options = streams
	r.probation = newProbation(store, r.outcome)
	r.ordering = newOrdering(tree, streams, r.probation.passed)
	ofServices, ofStreams := both, both
	ofServices.Gate, ofStreams.Gate = r.ordering.gate(config.KindService), r.ordering.gate(config.KindStream)
	if r.Services, err = s6.NewManager(tree, ofServices); err != nil {
		return err
	}
	if r.Streams, err = benthos.NewManager(tree, streams, ofStreams); err != nil {
		return err
	}
	r.ordering.services, r.ordering.streams = r.Services, r.Streams
	r.Loop = new(fsm.Loop)
	go r.Loop.Run(ctx, r.Services, r.Streams)
	following, unfollow := context.WithCancel(ctx)
	r.unfollow = unfollow
	r.follows.Go(func() { r.probation.follow(following, r.tellRejected, r.applyAgain) })
	return nil
}

// outcome returns that of an instance. late says that its time is over.
func (r *Runner) outcome(key config.Key, late bool) outcome {
	if key.Kind == config.KindService {
		return outcomeOf(r.Services, key.Name, func(s6.Observed) bool { return false }, func(o s6.Observed) bool { return o.Stale() }, late)
	}
	unseen := func(o benthos.Observed) bool { return o.Service != nil && o.Service.Err != nil && !o.Service.Held }
	stale := func(o benthos.Observed) bool { return o.Service != nil && o.Service.Observed.Stale() }
	return outcomeOf(r.Streams, key.Name, unseen, stale, late)
}

// tellRejected tells listeners of a change that is taken back.
func (r *Runner) tellRejected(key config.Key, why fsm.Reason) {
	r.tell(key, func(s fsm.Subject) fsm.Notice { return fsm.Refused{Subject: s, Err: errors.New(why.String())} })
}

// tellForgotten tells listeners of the changes that were taken back, and are not
// asked for any more.
func (r *Runner) tellForgotten(before, now trials) {
	for key, was := range before {
		if was.Rejected != (fsm.Reason{}) && now[key].Rejected != was.Rejected {
			r.tell(key, func(s fsm.Subject) fsm.Notice {
				return fsm.RefusalEnded{Subject: s, Err: errors.New(was.Rejected.String())}
			})
		}
	}
}

// tell tells listeners what becomes of a change of an instance.
func (r *Runner) tell(key config.Key, notice func(fsm.Subject) fsm.Notice) {
	about, tell := fsm.Subject{At: time.Now(), Kind: s6.KindName, Instance: key.Name}, r.Services.Tell
	if key.Kind == config.KindStream {
		about.Kind, tell = benthos.KindName, r.Streams.Tell
	}
	_ = tell(notice(about)) // that a listener panics changes nothing
}

func (c Config) tree() s6.TreeConfig {
	return s6.TreeConfig{
		ScanDir:     c.Scan(),
		ServicesDir: filepath.Join(c.Dir, "services"),
		LogsDir:     filepath.Join(c.Dir, "logs"),
		Later:       c.Later,
	}
}

// Look opens the tree to look at it alone, as s6.Look does.
func (c Config) Look() (s6.Tree, error) { return s6.Look(c.tree()) }

// openTree reports whether it started the tree.
func openTree(ctx context.Context, c Config) (tree *s6.SystemTree, started bool, err error) {
	config := c.tree()
	if c.ScanDir != "" {
		tree, err = s6.Attach(config)
		return tree, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, treeTime)
	defer cancel()
	return s6.StartPrivate(ctx, config)
}

// Apply implements Keeper. Listeners are told of instances that are refused.
//
// A change of an instance that ran is taken back if the instance does not run with
// it in its time to start: what ran before runs again, and the instance is degraded
// with the reason. That change is not tried again until it is another one, also not
// by the next program.
func (r *Runner) Apply(ctx context.Context, w Wanted) error {
	r.applying.Lock()
	defer r.applying.Unlock()
	r.wanted = nil
	d := *w.Declaration // the caller's own, who may change it
	d.Entries = maps.Clone(d.Entries)
	w.Declaration = &d
	if err := r.apply(ctx, w); err != nil {
		return err
	}
	r.wanted = &w
	return nil
}

// applyAgain applies what was wanted last, unless that has failed, for which it is
// applied again in any case.
func (r *Runner) applyAgain(ctx context.Context) error {
	r.applying.Lock()
	defer r.applying.Unlock()
	if r.wanted == nil {
		return nil
	}
	return r.apply(ctx, *r.wanted)
}

func (r *Runner) apply(ctx context.Context, w Wanted) error {
	if err := r.ordering.recall(r.probation.store); err != nil {
		return err
	}
	w, before, err := r.probation.take(w)
	if err != nil {
		return err
	}
	r.essential.note(w.Declaration, w.Held)
	trials := r.probation.all()
	services := rejected(trials, w, config.KindService, w.Services())
	streams := rejected(trials, w, config.KindStream, w.Streams())
	err = r.ordering.Declare(r.ordering.take(w), func() error {
		return errors.Join(
			apply(ctx, r.Services, services, keysOf(w.Held, config.KindService), w.Stays),
			r.ordering.applyStreams(ctx, streams, w))
	})
	if err != nil {
		return err
	}
	r.probation.applied(w, before, r.Refused())
	r.tellForgotten(before, r.probation.all())
	r.ordering.forget(r.probation.store)
	return nil
}

// Refused implements Keeper.
func (r *Runner) Refused() map[config.Key]error {
	all := make(map[config.Key]error)
	for name, why := range r.Services.Refused() {
		all[config.Key{Kind: config.KindService, Name: name}] = why
	}
	for name, why := range r.Streams.Refused() {
		all[config.Key{Kind: config.KindStream, Name: name}] = why
	}
	return all
}

// Halt asks every instance that was declared to stop, whatever its spec is, and
// waits for all until ctx ends. Each stops before what it depends on, and streams,
// which finish what they have accepted, before services that depend on none. In the
// last third of the time until then nothing waits any more. No change is taken back
// from then on: what ran before is not to run again. The error names what has not
// stopped.
func (r *Runner) Halt(ctx context.Context) error {
	// Not the snapshots: a pass that has not been made yet has not taken over what
	// was declared.
	return r.halt(ctx, r.Services.Declared(), r.Streams.Declared())
}

func (r *Runner) halt(ctx context.Context, services map[string]fsm.Desired[*s6.Spec], streams map[string]fsm.Desired[*benthos.Config]) error {
	r.endTrials()
	members := r.ordering.ending(slices.Collect(maps.Keys(services)), slices.Collect(maps.Keys(streams)))
	err := r.ordering.Halt(members, releaseTime(ctx), func() error {
		return errors.Join(r.services().ask(ctx, services), r.streams().ask(ctx, streams))
	})
	stopped := make(chan error)
	go func() { stopped <- r.services().wait(ctx, services) }()
	return errors.Join(err, r.streams().wait(ctx, streams), <-stopped)
}

func (r *Runner) streams() halter[*benthos.Config, benthos.Observed] {
	return halter[*benthos.Config, benthos.Observed]{r.Streams, r.Tree, benthos.Stopped, StreamProblem}
}

func (r *Runner) services() halter[*s6.Spec, s6.Observed] {
	return halter[*s6.Spec, s6.Observed]{r.Services, r.Tree, s6.Stopped, func(s *fsm.Snapshot[*s6.Spec, s6.Observed]) error { return s.Err }}
}

// StreamProblem returns why a stream makes no progress, by itself or because its
// service does not; nil if it does. Such a stream makes no transitions.
func StreamProblem(s *fsm.Snapshot[*benthos.Config, benthos.Observed]) error {
	if service := s.Observed.Service; s.Err == nil && service != nil {
		return service.Err
	}
	return s.Err
}

// endTrials leaves what is tried to the next program.
func (r *Runner) endTrials() {
	if r.unfollow != nil {
		r.unfollow()
		r.follows.Wait()
	}
}

// End ends the passes, and a private tree with all that runs in it, once the
// instances have ended.
func (r *Runner) End() error { return r.letGo(r.private) }

// LetGo ends the passes, and a private tree if this Runner has started it, for a
// program that cannot begin, or that leaves what it has kept to another one. What
// runs in a tree that others have started goes on.
func (r *Runner) LetGo() error { return r.letGo(r.started) }

func (r *Runner) letGo(endTree bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	var errs []error
	r.endTrials()
	if r.Services != nil {
		errs = append(errs, r.Services.Close(ctx))
	}
	if r.Streams != nil {
		errs = append(errs, r.Streams.Close(ctx))
	}
	if endTree {
		errs = append(errs, r.Tree.Shutdown(ctx))
	}
	return errors.Join(append(errs, r.Tree.Close())...)
}
