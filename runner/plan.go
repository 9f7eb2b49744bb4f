package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/ports"
	"github.com/evenkeel/evenkeel/s6"
)

// Planner says what Files and a Runner that begin now would do about files, and
// does nothing: beside a program that keeps them, or where none runs.
type Planner struct {
	// Reader, Paths, AllowEmpty, Metrics and Store are those of Files.
	Reader     config.Reader
	Paths      []string
	AllowEmpty bool
	Metrics    func(ctx context.Context) (exporter string, known bool)
	Store      Store
	// Tree is what there is. It is looked at: s6.Look opens one.
	Tree s6.Tree
	// Streams are the settings of the manager of streams. An error of its Linter
	// is trouble, and no verdict on any.
	Streams benthos.Options
	// NoEngine says why there is no engine; nil where there is one. What changes
	// of streams cannot be told then.
	NoEngine error
	// Free returns an error for a port that cannot be listened on; nil means that
	// the kernel is asked who listens, and that nothing is bound.
	Free func(port uint16) error
	// Diff has each change show how the files of the service would differ.
	Diff bool
}

// Plan is what would be done, and what would not be and why. No text in it has
// secrets that can be told as such.
type Plan struct {
	// Changes has each instance, by its name: those that would be removed and those
	// that stay as they are too.
	Changes []Change `json:"changes"`
	// Problems are those of files: what they are about stays as it was declared
	// last. Trouble is all else that keeps what is declared from being reached, or
	// from being known.
	Problems []config.Problem `json:"problems"`
	Trouble  []string         `json:"trouble"`
}

// Change is what would be done about one instance.
type Change struct {
	Name string      `json:"name"`
	Of   config.Kind `json:"of"`
	// Kind is what would be done. Refused: the instance stays as it is, and a
	// problem says why. Unknown: trouble says why it cannot be told.
	Kind    fsm.ChangeKind `json:"change"`
	Why     string         `json:"why,omitempty"`
	Warning string         `json:"warning,omitempty"`
	// PID is the process that runs, 0 for none. Restarts is how many before it have
	// ended under its supervisor, a hundred at most. RestartTook is how long it took
	// the last time from the end of one to the readiness of the next, or to its
	// start where it announces none; 0 where that is not known. They are there for
	// instances that would be restarted, PID for those that would stop as well.
	PID         int           `json:"pid,omitempty"`
	Restarts    int           `json:"restarts,omitempty"`
	RestartTook time.Duration `json:"restartTook,omitempty"`
	// Diff is the unified difference of the files of its service, where it was
	// asked for.
	Diff string `json:"diff,omitempty"`
}

// Whole reports whether everything that is declared can be reached: without
// problems and trouble.
func (p *Plan) Whole() bool { return len(p.Problems) == 0 && len(p.Trouble) == 0 }

// Count returns how many instances would be changed in a way.
func (p *Plan) Count(kind fsm.ChangeKind) (n int) {
	for _, c := range p.Changes {
		if c.Kind == kind {
			n++
		}
	}
	return n
}

// Plan reads the files and looks at the tree. What is wrong with either is in the
// plan.
func (p Planner) Plan(ctx context.Context) *Plan {
	plan := &Plan{Changes: []Change{}, Problems: []config.Problem{}, Trouble: []string{}}
	p.plan(ctx, plan)
	for n := range plan.Problems {
		plan.Problems[n].What = fsm.MaskText(plan.Problems[n].What)
	}
	for n := range plan.Trouble {
		plan.Trouble[n] = fsm.MaskText(plan.Trouble[n])
	}
	for n := range plan.Changes {
		c := &plan.Changes[n]
		c.Why, c.Warning = fsm.MaskText(c.Why), fsm.MaskText(c.Warning)
	}
	return plan
}

func (p Planner) plan(ctx context.Context, plan *Plan) {
	r, err := p.declared(ctx, plan)
	plan.Problems = append(plan.Problems, r.Problems...)
	if err != nil {
		plan.trouble(err)
		return
	}
	services, err := s6.NewManager(p.Tree, fsm.Config{})
	if err != nil {
		plan.trouble(err)
		return
	}
	changed := planned(ctx, plan, services, config.KindService, r, r.Services())
	options := p.Streams
	var unasked error
	options.Linter = p.linter(&unasked)
	streams, err := benthos.NewManager(p.Tree, options, fsm.Config{})
	if err != nil {
		plan.trouble(err)
		return
	}
	changed = append(changed, planned(ctx, plan, streams, config.KindStream, r, r.Streams())...)
	if unasked != nil {
		plan.trouble(unasked)
	}
	p.conclude(plan, r, changed)
}

func (p *Plan) trouble(err error) { p.Trouble = append(p.Trouble, err.Error()) }

// declared returns what is to be kept.
func (p Planner) declared(ctx context.Context, plan *Plan) (Wanted, error) {
	if p.Reader.FS == nil {
		p.Reader.FS = filesystem.OS{}
	}
	last, unknown, err := p.Store.before()
	if err != nil {
		plan.trouble(err)
	}
	d := p.Reader.Read(p.Paths...)
	for _, file := range d.Files {
		if p.Reader.Look(file.Name) != file.Seen {
			plan.trouble(fmt.Errorf("%s was written while it was read: plan again", file.Name))
		}
	}
	b := basis{
		last: last, unknown: unknown, allowEmpty: p.AllowEmpty, path: p.Paths[0], free: p.Free,
		stays: func(_ config.Key, _ config.Entry, unclear bool) bool { return unclear },
	}
	if b.free == nil {
		b.free = unheld
	}
	if p.NoEngine != nil && len(d.Streams())+len(last.Streams()) > 0 {
		plan.trouble(fmt.Errorf("cannot keep streams: %w: name an engine with --benthos", p.NoEngine))
	} else if p.Metrics != nil && silent(d) {
		known := false
		if b.exporter, known = p.Metrics(ctx); !known {
			plan.trouble(errors.New("the engine does not say whether it has the Prometheus exporter: streams that say nothing of metrics are planned as if it had"))
		}
	}
	w, err := b.declare(d)
	if err != nil {
		return w, err
	}
	return p.tried(plan, w, last)
}

// tried returns what is wanted without the changes that were taken back and are not
// tried again.
func (p Planner) tried(plan *Plan, w Wanted, last *config.Declaration) (Wanted, error) {
	known, err := p.Store.changes()
	if err != nil {
		plan.trouble(err)
	}
	next, err := known.judge(w, known.taken(Wanted{Declaration: last}).Entries, func(config.Key) bool { return true })
	if err != nil {
		return w, err
	}
	for _, key := range next.keys() {
		if e, listed := w.Entries[key]; listed && next[key].Rejected != (fsm.Reason{}) {
			what := key.Name + " stays as it was: this change was taken back, and is not tried again until it is another one: " + next[key].Rejected.Evidence
			w.Problems = append(w.Problems, config.Problem{At: e.At, Entry: key, What: what})
		}
	}
	return next.taken(w), nil
}

// silent reports whether there is a stream that says nothing of metrics.
func silent(d *config.Declaration) bool {
	for _, e := range d.Entries {
		if e.Stream != nil && e.Stream.Metrics == "" {
			return true
		}
	}
	return false
}

// unheld reports whether nobody listens on a port of a stream that says nothing
// of its host, without binding it: an engine may be about to.
func unheld(port uint16) error {
	addr := net.JoinHostPort(benthos.DefaultHost, strconv.Itoa(int(port)))
	holder, held, err := ports.HolderOf(addr)
	if err == nil && held {
		err = &ports.TakenError{Addr: addr, Port: port, PID: holder.PID, Process: holder.Process}
	}
	return err
}

// planned returns what a manager would do.
func planned[D, O any](ctx context.Context, plan *Plan, m *fsm.Manager[D, O], of config.Kind, r Wanted, desired map[string]fsm.Desired[D]) (all []planning) {
	err := addHeld(ctx, m, desired, keysOf(r.Held, of), r.Stays)
	var changes []fsm.Change
	if err == nil {
		changes, err = m.Plan(ctx, desired)
	}
	if err = errors.Join(err, m.Close(ctx)); err != nil {
		plan.trouble(fmt.Errorf("nothing can be said of what is a %s: %w", of, err))
	}
	for _, c := range changes {
		all = append(all, planning{c, config.Key{Kind: of, Name: c.Name}})
	}
	return all
}

// planning is what a manager would do about an instance.
type planning struct {
	fsm.Change
	key config.Key
}

// conclude adds the changes, with what else is known of each.
func (p Planner) conclude(plan *Plan, r Wanted, all []planning) {
	slices.SortFunc(all, func(a, b planning) int { return a.key.Compare(b.key) })
	leaving := make(map[string]bool)
	for _, c := range all {
		if c.Kind == fsm.ChangeRemove {
			leaving[c.Name] = true
		}
	}
	byHand, err := p.Store.overrides()
	if err != nil {
		plan.trouble(err)
	}
	for _, c := range all {
		if by, is := byHand[c.key]; is && (c.Kind == fsm.ChangeStart || c.Kind == fsm.ChangeNone) {
			c.Kind, c.Why = fsm.ChangeNone, by.reason().String()
		}
		if c.Kind == fsm.ChangeRefused && errors.Is(c.Err, s6.ErrOwned) && leaving[c.Name] {
			c.Kind, c.Why = fsm.ChangeCreate, "it takes the place of the instance of another kind that has its name"
		}
		if p.NoEngine != nil && c.key.Kind == config.KindStream && !certain(c.Kind) {
			c.Kind, c.Why = fsm.ChangeUnknown, "there is no engine to make its service from"
		}
		plan.Changes = append(plan.Changes, p.change(plan, r, c))
	}
}

// certain reports whether a change of a stream is one whatever engine runs it.
func certain(kind fsm.ChangeKind) bool {
	switch kind {
	case fsm.ChangeCreate, fsm.ChangeStart, fsm.ChangeStop, fsm.ChangeRemove, fsm.ChangeRefused:
		return true
	}
	return false
}

// change adds what is known of an instance beside its change.
func (p Planner) change(plan *Plan, r Wanted, c planning) Change {
	out := Change{Name: c.Name, Of: c.key.Kind, Kind: c.Kind, Why: c.Why, Warning: c.Warning}
	e, listed := r.Entries[c.key]
	if c.Kind == fsm.ChangeCreate || c.Kind == fsm.ChangeStart {
		for n, need := range r.Needs(c.key) {
			out.Why += []string{", after ", " and "}[min(n, 1)] + need.Name + " is " + string(need.Is)
		}
	}
	switch c.Kind {
	case fsm.ChangeRefused:
		if listed {
			plan.Problems = append(plan.Problems, config.Problem{At: e.At, Entry: c.key, What: c.Name + " is refused: " + c.Why})
		} else {
			plan.trouble(fmt.Errorf("%s stays as it is: %w", c.Name, c.Err))
		}
		return out
	case fsm.ChangeUnknown:
		if c.Err != nil {
			plan.trouble(fmt.Errorf("it is not known what becomes of %s: %w", c.Name, c.Err))
		}
		return out
	case fsm.ChangeRestart, fsm.ChangeStop, fsm.ChangeRemove:
		was, err := s6.LastRestart(p.Tree, c.Name)
		if err != nil {
			plan.trouble(err)
		}
		if out.PID = was.PID; c.Kind == fsm.ChangeRestart {
			out.Restarts, out.RestartTook = was.Restarts, was.Took
		}
	}
	if p.Diff && c.Kind != fsm.ChangeNone {
		var err error
		if out.Diff, err = p.diff(c.key, e); err != nil {
			plan.trouble(fmt.Errorf("cannot show what changes of %s: %w", c.Name, err))
		}
	}
	return out
}

// diff returns how the files of an instance's service would differ. An instance
// that is not declared has an entry without anything in it.
func (p Planner) diff(key config.Key, e config.Entry) (string, error) {
	was, is, err := shownFiles(p.Tree, p.Streams, key, e)
	return differences(key.Name, was, is), err
}

// linter is what streams are planned with: an engine that gives no verdict leaves
// the rest of the plan as it is, and err has why.
func (p Planner) linter(err *error) benthos.ConfigLinter {
	switch linter := p.Streams.Linter; {
	case p.NoEngine != nil, linter == nil && !p.Tree.OnHost():
		return Unlinted{}
	case linter == nil:
		return lenient{&benthos.Linter{Path: p.Streams.Engine}, err}
	default:
		return lenient{linter, err}
	}
}
