package simulate

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// world is what a plan is carried out in.
type world struct {
	plan    Plan
	story   *story
	judge   *judge
	faults  *faults
	tree    *s6test.Tree
	engines *engines
	onPass  func(fsm.Reconciled) // nil for nobody

	// What the adversary alone touches.
	program  *program // nil while none runs
	started  []*program
	programs int
	file     map[string]declaration // what the user wants
	before   map[string]declaration // what was wanted before it was spoiled
	version  int                    // of the file
	whole    whole                  // what was damaged
	heard    int                    // how many of the tree's complaints
	later    []todo                 // in order of time
}

// todo is something that the adversary does later.
type todo struct {
	at time.Time
	do func()
}

// alive returns the processes of a service, without its logger, its finish and
// their children, which kids returns.
func (w *world) alive(name string) []s6test.Process { return w.processes(name, false) }
func (w *world) kids(name string) []s6test.Process  { return w.processes(name, true) }

func (w *world) processes(name string, children bool) (all []s6test.Process) {
	for _, p := range w.tree.Processes() {
		if p.Service == name && !p.Finish && p.Child == children {
			all = append(all, p)
		}
	}
	return all
}

// lookEvery is how often the judge looks where nothing happens.
const lookEvery = 20 * time.Second

// wait lets time pass until then, in the adversary's slot, and does what is to
// be done later. It reports whether all is well.
func (w *world) wait(then time.Time) bool {
	for {
		next := then
		if look := time.Now().Add(lookEvery); look.Before(next) {
			next = look
		}
		due := len(w.later) > 0 && !w.later[0].at.After(next)
		if due {
			next = w.later[0].at
		}
		if d := time.Until(next); d > 0 {
			time.Sleep(until(next, slotAdversary, 0) + d)
		}
		w.look()
		if w.judge.verdict() != nil {
			return false
		}
		if due {
			first := w.later[0]
			w.later = w.later[1:]
			first.do()
		} else if !time.Now().Before(then) {
			return true
		}
	}
}

// after has something done later.
func (w *world) after(d time.Duration, do func()) {
	at := time.Now().Add(d).Truncate(time.Microsecond)
	n := 0
	for n < len(w.later) && !w.later[n].at.After(at) {
		n++
	}
	w.later = slices.Insert(w.later, n, todo{at, do})
}

// look has the judge look at everything.
func (w *world) look() {
	complaints := w.tree.Violations()
	var deleted []string
	for _, v := range complaints[w.heard:] {
		switch {
		case strings.Contains(v, "two processes"):
			w.judge.violated(TwoProcesses, "%s", v)
		case strings.Contains(v, "deleted while"):
			deleted = append(deleted, v)
		default:
			w.judge.unsound(v)
		}
	}
	w.judge.deletedAlive(deleted)
	w.heard = len(complaints)
	if w.program == nil || w.program.isDead() {
		return
	}
	for _, k := range w.program.keepers {
		for _, s := range k.see() {
			w.judge.look(&s)
		}
	}
}

// want changes what the user wants of an instance; a declaration without a state
// is none.
func (w *world) want(name string, d declaration) {
	w.version++
	if d.state == "" && !d.spoiled {
		delete(w.file, name)
	} else {
		w.file[name] = d
	}
	w.judge.ask(name, d, w.version)
}

func (w *world) behave(name string, n int) {
	p := behaviours()[n].program
	if isStream(name) { // what an engine answers is what tells that it is ready
		w.engines.behave(name, p.ReadyAfter)
		p.ReadyAfter = s6test.Never
	}
	w.tree.SetProgram(name, p)
	w.judge.behave(name, behaviours()[n].program)
}

// act does what the adversary does.
func (w *world) act(a Action) {
	say := func(format string, args ...any) { w.story.tell("ADVERSARY", format, args...) }
	switch a.What {
	case Declare, Set, Remove, Spoil, Restart, Retry:
		w.ask(a)
	case Signal:
		say("signal %d to %s: %v", a.N, a.Name, w.harm(a.Name, func() error { return w.tree.Kill(a.Name, syscall.Signal(a.N)) }))
	case Betray:
		_ = w.tree.Kill(a.Name, syscall.SIGKILL)
	case Pause:
		say("%s is paused for %v: %v", a.Name, a.For, w.tree.Kill(a.Name, syscall.SIGSTOP))
		w.judge.pauses(a.Name, time.Now().Add(a.For))
		w.after(a.For, func() { _ = w.tree.Kill(a.Name, syscall.SIGCONT) })
	case Stall:
		say("%s answers no check for %v: %v", a.Name, a.For, w.stall(a.Name))
		w.after(a.For, func() { w.answers(a.Name) })
	case Behave:
		say("%s %s from its next start on, for %v", a.Name, behaviours()[a.N].does, a.For)
		w.behave(a.Name, a.N)
		w.after(a.For, func() { w.behave(a.Name, 0) })
	case KillLogger:
		say("the logger of %s is killed: %v", a.Name, w.tree.Kill(a.Name+"/log", syscall.SIGKILL))
	case Orphan:
		say("the supervisor of %s is killed: %v", a.Name, w.harm(a.Name, func() error { return w.tree.KillSupervisor(a.Name) }))
	case OrphanLog:
		say("the supervisor of the logger of %s is killed: %v", a.Name, w.tree.KillSupervisor(a.Name+"/log"))
	case Damage:
		w.whole.keep(w.tree, a.Name)
		w.judge.doom(a.Name)
		w.judge.excuseUntil(a.Name, time.Now().Add(settleTime))
		says, lost := damage(w.tree, a.Name, a.N)
		w.judge.loses(a.Name, lost, w.tree.Processes())
		say("%s", says)
	case KillSvscan:
		say("s6-svscan is killed, another comes in %v", a.For)
		w.tree.KillSvscan()
		w.after(a.For, w.tree.StartSvscan)
	case Answer:
		how := answerings()[a.N%len(answerings())]
		say("the engine of %s %s, for %v", a.Name, how.does, a.For)
		w.after(a.For, w.engines.answer(a.Name, how))
	case TakePort:
		w.takePort(a)
	case Fail, Fill, ReadOnly, Slow, Hang:
		f := newFault(a, time.Now().Add(a.For))
		say("%s", f.says)
		w.faults.add(f)
	case KillProgram, StopProgram:
		w.endProgram(a)
	case SetClock:
		w.setClock(jumps()[a.N%len(jumps())], max(a.For, 2*time.Second))
	}
}

// takePort has somebody else take a port of a stream, and maybe kills its process,
// which has it.
func (w *world) takePort(a Action) {
	port := 0
	if a.N%2 == 1 {
		port = otherPort
	}
	addr := nthVariant(a.Name, port).stream.EndpointAddr()
	w.story.tell("ADVERSARY", "%s is taken as soon as it is free, for %v", addr, a.For)
	w.engines.take(addr, time.Now().Add(a.For))
	if a.N >= 2 {
		err := w.harm(a.Name, func() error { return w.tree.Kill(a.Name, syscall.SIGKILL) })
		w.story.tell("ADVERSARY", "signal 9 to %s: %v", a.Name, err)
	}
}

// stall has the process of a service answer no check, which may be a reason to end
// it, and answers has it answer again.
func (w *world) stall(name string) error {
	return w.harm(name, func() error {
		err := w.tree.Hang(name, true)
		if all := w.alive(name); err == nil && len(all) > 0 {
			w.judge.stalls(name, all[0].PID)
		}
		return err
	})
}

func (w *world) answers(name string) {
	_ = w.tree.Hang(name, false)
	w.judge.stalls(name, 0)
}

// recorded reports whether it is written down that a service's process is the one
// with that id.
func (w *world) recorded(name string, pid int) bool {
	text, err := w.tree.FS().ReadFile(path.Join(w.tree.Layout().Service(name), recordFile))
	words := strings.Fields(string(text))
	return err == nil && len(words) > 2 && words[1] == strconv.Itoa(pid)
}

// harm does something that may end a service's process.
func (w *world) harm(name string, do func() error) error {
	w.judge.doom(name)
	return do()
}

// endProgram ends the program, and has another one started.
func (w *world) endProgram(a Action) {
	p := w.program
	if p == nil {
		return
	}
	again := func() {
		p.die()
		if w.program == p {
			w.startProgram()
		}
	}
	switch {
	case a.What == KillProgram:
		w.story.tell("ADVERSARY", "the program is to be killed in its operation %d from now", a.N)
		p.left.Store(int64(a.N))
		w.after(a.For, again)
	default:
		w.story.tell("ADVERSARY", "the program is to end")
		w.program = nil
		p.all.Go(p.stop)
		w.after(a.For, func() {
			p.die()
			if w.program == nil {
				w.startProgram()
			}
		})
	}
}

// setClock kills the program, sets the clock, and has another program start after
// a while.
func (w *world) setClock(d, then time.Duration) {
	p := w.program
	if p == nil {
		return
	}
	p.die()
	w.judge.jumps()
	w.story.tell("ADVERSARY", "the clock is set forward by %v: %v", d, setClock(w.tree, d))
	w.after(then, func() {
		if w.program == p {
			w.startProgram()
		}
	})
}

// ask has the user ask for something.
func (w *world) ask(a Action) {
	random := rand.New(rand.NewPCG(w.plan.Seed, uint64(a.N)))
	name := a.Name
	switch a.What {
	case Declare:
		for _, name := range names() {
			w.want(name, anyDeclaration(random, name))
		}
		name = ""
	case Set:
		d := anyDeclaration(random, name)
		if d.state == "" {
			d = run(name, a.N)
		}
		if before := w.file[name]; a.N%3 == 0 && before.state != "" {
			w.after(a.For, func() {
				w.want(name, before)
				w.story.tell("user", "takes the change of %s back", name)
				w.tell(Set, name)
			})
		}
		w.want(name, d)
	case Remove:
		w.want(name, declaration{})
	case Spoil:
		d, there := w.file[name]
		if !there || d.spoiled {
			return
		}
		w.before[name] = d
		w.want(name, declaration{spoiled: true})
		a.What = Declare
		if a.N%2 == 0 {
			a.What = Set
		}
		w.after(a.For, func() {
			if w.file[name].spoiled {
				w.want(name, w.before[name])
				w.story.tell("user", "takes %s back", name)
				w.tell(Declare, "")
			}
		})
	case Restart:
		w.judge.excuse(name)
	}
	w.story.tell("user", "%s %s: %s", a.What, name, w.wanted())
	w.tell(a.What, name)
}

// tell tells the user of the program, if there is one.
func (w *world) tell(what What, name string) {
	if w.program != nil && !w.program.isDead() {
		w.program.tasks <- task{what, name, maps.Clone(w.file), w.version}
	}
}

// startProgram starts the next program.
func (w *world) startProgram() {
	w.programs++
	w.judge.starts()
	l := &life{
		seed: w.plan.Seed, number: w.programs, layout: w.tree.Layout(),
		story: w.story, judge: w.judge, faults: w.faults, dead: make(chan struct{}),
	}
	l.left.Store(-1)
	// Two for each action, for what is asked is taken back, and those of the end.
	p, err := startProgram(l, w.tree, w.engines, w.plan.Needs, 2*len(w.plan.Actions)+10, w.onPass)
	if err != nil {
		w.judge.violated(ManagersAnswer, "a program cannot start: %v", err)
		return
	}
	w.program = p
	w.tree.Opened(func() bool { return !p.isDead() })
	w.started = append(w.started, p)
	w.tell(Declare, "")
}

// wanted is what the user wants, as text.
func (w *world) wanted() string {
	var all []string
	for _, name := range names() {
		all = append(all, fmt.Sprintf("%s %s", name, w.file[name]))
	}
	return strings.Join(all, ", ")
}

func anyDeclaration(random *rand.Rand, name string) declaration {
	switch random.IntN(6) {
	case 0:
		return declaration{}
	case 1:
		return stop(name, random.IntN(100))
	}
	return run(name, random.IntN(100))
}
