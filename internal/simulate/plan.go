package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/s6/s6test"
)

// What is a thing that the adversary does.
type What string

// What the adversary does to declarations, to processes, to s6, to the
// filesystem and to programs.
const (
	Declare     What = "declare"      // several instances anew, N says what
	Set         What = "set"          // one instance, N says to what, and whether that is taken back after For
	Remove      What = "remove"       // one instance
	Spoil       What = "spoil"        // declares what is refused
	Restart     What = "restart"      // one instance, by hand
	Retry       What = "retry"        // one instance, by hand
	Signal      What = "signal"       // N to a process
	Pause       What = "pause"        // a process, For some time
	Stall       What = "stall"        // a process answers no check, For some time
	Behave      What = "behave"       // an instance's next processes behave as N says, For some time
	KillLogger  What = "kill logger"  // SIGKILL to an s6-log
	Orphan      What = "orphan"       // SIGKILL to a service's s6-supervise
	OrphanLog   What = "orphan log"   // SIGKILL to a logger's s6-supervise
	Damage      What = "damage"       // to a service directory, N says what
	KillSvscan  What = "kill svscan"  // another starts after For
	Answer      What = "answer"       // a stream's engines answer as N says, For some time
	TakePort    What = "take port"    // somebody else takes a port of a stream, N says which and whether its process is killed, For some time
	Fail        What = "fail"         // operations fail, N says which and how, For some time
	Fill        What = "fill"         // the disk has room for N bytes, For some time
	ReadOnly    What = "read only"    // the filesystem, For some time
	Slow        What = "slow"         // each operation takes up to N microseconds, For some time
	Hang        What = "hang"         // one operation in N hangs until For is over
	KillProgram What = "kill program" // at its N-th operation from now; another starts after For
	SetClock    What = "set clock"    // while no program runs, N says how far; another starts after For
	StopProgram What = "stop program" // in order; another starts after For
	Betray      What = "betray"       // SIGKILL to a process behind the judge's back; no seed has it
)

// Action is one thing that the adversary does.
type Action struct {
	At   time.Duration // from the beginning
	What What
	Name string        // of an instance, where it is about one
	N    int           // a number, as What says
	For  time.Duration // how long, as What says
}

// String returns the action as a line of a plan.
func (a Action) String() string {
	return fmt.Sprintf("%v %s %s n=%d for=%v", a.At, a.What, a.Name, a.N, a.For)
}

// Plan is what a world goes through.
type Plan struct {
	Seed    uint64
	For     time.Duration // until the adversary stops
	Version s6test.Version
	Latency time.Duration // of each step of s6
	MaxPID  int           // process ids come again from there on; 0 for never
	Needs   needs         // which stay the same
	Hears   bool          // what happens to files is heard
	Actions []Action      // in order of time
}

// behaviours of processes. The first is good.
func behaviours() []behaviour {
	return []behaviour{
		{"ends when told", s6test.Program{StopAfter: 20 * time.Millisecond}},
		{"crashes at once", s6test.Program{RunFor: time.Millisecond, ExitCode: 1}},
		{"ends well after two seconds", s6test.Program{RunFor: 2 * time.Second}},
		{"ends well after twenty seconds", s6test.Program{RunFor: 20 * time.Second}},
		{"crashes after forty seconds", s6test.Program{RunFor: 40 * time.Second, ExitCode: 3}},
		{"is deaf", s6test.Program{Deaf: true}},
		{"takes three seconds to end", s6test.Program{StopAfter: 3 * time.Second}},
		{"is never ready", s6test.Program{ReadyAfter: s6test.Never}},
		{"is ready after eight seconds", s6test.Program{ReadyAfter: 8 * time.Second}},
		{"has a slow finish", s6test.Program{StopAfter: 50 * time.Millisecond, FinishFor: time.Second}},
		{"starts a child", s6test.Program{StopAfter: 20 * time.Millisecond, Children: []s6test.Program{{}}}},
		{"starts children and crashes", s6test.Program{RunFor: 15 * time.Second, ExitCode: 1, Children: []s6test.Program{{Deaf: true}, {StopAfter: time.Second}}}},
		{"fails for good", s6test.Program{RunFor: time.Second, ExitCode: 1, FinishCode: 125}},
	}
}

type behaviour struct {
	does    string
	program s6test.Program
}

// weights say how often the adversary does what. Where instances need one another,
// it is what is asked of them that changes most.
func weights(ordered bool) []weight {
	declares := 8
	if ordered {
		declares = 60
	}
	return []weight{
		{Declare, declares}, {Set, 8}, {Remove, 4}, {Spoil, 3}, {Restart, 8}, {Retry, 2},
		{Signal, 8}, {Pause, 3}, {Stall, 6}, {Behave, 10},
		{KillLogger, 3}, {Orphan, 5}, {OrphanLog, 2}, {KillSvscan, 4}, {Damage, 4},
		{Answer, 6}, {TakePort, 2},
		{Fail, 9}, {Fill, 4}, {ReadOnly, 2}, {Slow, 3}, {Hang, 3},
		{KillProgram, 9}, {StopProgram, 2}, {SetClock, 2},
	}
}

type weight struct {
	what What
	n    int
}

// NewPlan returns the plan of a seed.
func NewPlan(seed uint64, length time.Duration) Plan {
	random := rand.New(rand.NewPCG(seed, 7))
	p := Plan{
		Seed: seed, For: length,
		Version: s6test.Version(random.IntN(3)),
		Latency: pick(random, time.Millisecond, time.Millisecond, 20*time.Millisecond, 300*time.Millisecond),
		MaxPID:  pick(random, 0, 0, 140),
		Needs:   anyNeeds(seed),
		Hears:   seed%4 != 0,
	}
	all, weights := 0, weights(p.Needs != nil)
	for _, w := range weights {
		all += w.n
	}
	for at := time.Duration(0); ; {
		at += pause(random)
		if at >= length {
			return p
		}
		p.Actions = append(p.Actions, newAction(random, at, weights, random.IntN(all)))
	}
}

// pause between two actions: they come in bursts.
func pause(random *rand.Rand) time.Duration {
	most := pick(random, 5*time.Millisecond, 200*time.Millisecond, 5*time.Second, 40*time.Second, 3*time.Minute)
	return time.Duration(random.Int64N(int64(most))).Truncate(time.Microsecond)
}

func newAction(random *rand.Rand, at time.Duration, weights []weight, lot int) Action {
	a := Action{At: at, Name: names()[random.IntN(len(names()))]}
	for _, w := range weights {
		if lot -= w.n; lot < 0 {
			a.What = w.what
			break
		}
	}
	a.For = pick(random, 3*time.Millisecond, 300*time.Millisecond, 4*time.Second, 25*time.Second, 70*time.Second)
	switch a.What {
	case Signal:
		a.N = pick(random, 9, 9, 15, 6)
	case Behave:
		a.N = random.IntN(len(behaviours()))
	case Answer:
		a.Name, a.N = anyStream(random), random.IntN(1<<20)
	case Stall:
		a.Name, a.For = pick(random, services()...), pick(random, 4*time.Second, 70*time.Second, 3*time.Minute)
	case TakePort:
		a.Name, a.N = anyStream(random), random.IntN(4)
	case Fill:
		a.N = pick(random, 0, 100, 1500)
	case Slow:
		a.N = pick(random, 300, 20_000)
	case Hang:
		a.N = pick(random, 1, 10, 100)
	case KillProgram:
		a.N = random.IntN(60)
		a.For = min(a.For, 4*time.Second)
	default:
		a.N = random.IntN(1 << 20)
	}
	switch a.What {
	case Declare, KillProgram, StopProgram, SetClock, KillSvscan, Fail, Fill, ReadOnly, Slow, Hang:
		a.Name = ""
	}
	return a
}

func anyStream(random *rand.Rand) string { return streams()[random.IntN(len(streams()))] }

// without returns the plan without some of its actions, by their indices.
func (p Plan) without(drop []int) Plan {
	all := p.Actions
	p.Actions = nil
	for n, a := range all {
		if !slices.Contains(drop, n) {
			p.Actions = append(p.Actions, a)
		}
	}
	return p
}
