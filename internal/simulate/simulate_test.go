package simulate_test

import (
	"flag"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/evenkeel/evenkeel/internal/simulate"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

var (
	seeds = flag.Uint64("seeds", 20, "how many seeds to run, unless the run is a short one")
	first = flag.Uint64("first", 0, "the first of them")
	hours = flag.Float64("hours", 1, "how many simulated hours the adversary acts for")
	seed  = flag.Int64("seed", -1, "run this seed alone, and print its story")
	brief = flag.Bool("brief", false, "stop at the first seed that fails, and only name it")
	full  = flag.Bool("ops", false, "the story of -seed has every operation")
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(800) // a world is small and makes much garbage
	goleak.VerifyTestMain(m)
}

func length() time.Duration { return time.Duration(*hours * float64(time.Hour)) }

// atMost returns how many seeds to run: few in a short run.
func atMost(n uint64) uint64 {
	if testing.Short() {
		return min(n, 2)
	}
	return n
}

// TestSeeds has programs live through what the adversary does to them.
func TestSeeds(t *testing.T) {
	if *seed >= 0 {
		run := simulate.Run
		if *full {
			run = simulate.RunInFull
		}
		r := run(t, simulate.NewPlan(uint64(*seed), length()))
		fmt.Print(r.Story)
		report(t, r)
		return
	}
	for n := range atMost(*seeds) {
		t.Run(fmt.Sprint("seed ", *first+n), func(t *testing.T) {
			t.Parallel()
			if *brief && told.Load() {
				return
			}
			report(t, simulate.Run(t, simulate.NewPlan(*first+n, length())))
		})
	}
}

// told says that a seed was told in full, which is enough.
var told atomic.Bool

func report(t *testing.T, r simulate.Result) {
	if r.Violation == nil {
		return
	}
	if told.Swap(true) || *brief {
		t.Errorf("seed %d: %s\n%s", r.Plan.Seed, r.Violation.Check, r.Violation.Text)
		return
	}
	small, tried := simulate.Shrink(t, r, 150)
	var plan strings.Builder
	for _, a := range small.Plan.Actions {
		fmt.Fprintln(&plan, " ", a)
	}
	t.Errorf("seed %d: %s\n%s\n\nthe smallest plan that fails, %d actions of %d, after %d plans:\n%s\nits story:\n%s",
		r.Plan.Seed, r.Violation.Check, r.Violation.Text,
		len(small.Plan.Actions), len(r.Plan.Actions), tried, plan.String(), small.Story)
}

// TestSameSeedSameTrace: byte for byte, and in every single operation.
func TestSameSeedSameTrace(t *testing.T) {
	for seed := range atMost(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			plan := simulate.NewPlan(seed, length())
			one, other := simulate.Run(t, plan), simulate.Run(t, plan)
			require.Positive(t, one.Ops)
			if one.Story != other.Story {
				a, b := strings.Split(one.Story, "\n"), strings.Split(other.Story, "\n")
				for n := range min(len(a), len(b)) {
					require.Equal(t, a[n], b[n], "line %d of the story; -ops shows each operation", n)
				}
			}
			assert.Equal(t, one.Story, other.Story)
		})
	}
}

// TestWhatDoesNotSayWhoseItIsStays: a service that nobody asks for any more, whose
// manifest was lost while no program ran, is no leftover of a program's.
func TestWhatDoesNotSayWhoseItIsStays(t *testing.T) {
	const manifest, removed, truncated = 6, 2 * 13, 5 * 13
	for _, n := range []int{manifest + removed, manifest + truncated} {
		plan := simulate.NewPlan(1, 10*time.Minute)
		plan.Actions = []simulate.Action{
			{At: 5 * time.Minute, What: simulate.StopProgram, For: time.Minute},
			{At: 5*time.Minute + 20*time.Second, What: simulate.Remove, Name: "a"},
			{At: 5*time.Minute + 30*time.Second, What: simulate.Damage, Name: "a", N: n},
		}
		r := simulate.Run(t, plan)
		assert.Contains(t, r.Story, "data/manifest.json of a: <nil>")
		assert.Nil(t, r.Violation, r.Story)
	}
}

// TestWhatWasDeletedWhileNobodyLooked ends, and its link goes, where the next program
// is not asked for it.
func TestWhatWasDeletedWhileNobodyLooked(t *testing.T) {
	const dir = 13
	for _, orphan := range []bool{false, true} {
		plan := simulate.NewPlan(3, 10*time.Minute)
		plan.Actions = []simulate.Action{
			{At: 5 * time.Minute, What: simulate.StopProgram, For: time.Minute},
			{At: 5*time.Minute + 20*time.Second, What: simulate.Remove, Name: "a"},
			{At: 5*time.Minute + 30*time.Second, What: simulate.Damage, Name: "a", N: dir},
		}
		if orphan {
			plan.Actions = append(plan.Actions, simulate.Action{At: 5*time.Minute + 31*time.Second, What: simulate.Orphan, Name: "a"})
		}
		r := simulate.Run(t, plan)
		assert.Contains(t, r.Story, "rm -rf the directory of a: <nil>")
		assert.Nil(t, r.Violation, r.Story)
	}
}

// TestRecordsThatAreLost: what a process has started ends with it where it was lost
// which process that was. Up to 2.12 that takes a program which has seen it, and
// where there was no time for that nobody is to blame.
func TestRecordsThatAreLost(t *testing.T) {
	const child, record, removed = 10, 8, 2 * 13
	for _, version := range []s6test.Version{s6test.V211, s6test.V213, s6test.V215} {
		for _, later := range []time.Duration{time.Second, time.Minute} {
			plan := simulate.NewPlan(1, 10*time.Minute)
			plan.Version, plan.Latency, plan.Actions = version, 300*time.Millisecond, []simulate.Action{
				{At: time.Minute, What: simulate.Behave, Name: "x", N: child, For: 5 * time.Minute},
				{At: 2 * time.Minute, What: simulate.Signal, Name: "x", N: int(syscall.SIGKILL)},
				{At: 4 * time.Minute, What: simulate.Damage, Name: "x", N: record + removed},
				{At: 4*time.Minute + later, What: simulate.Restart, Name: "x"},
			}
			r := simulate.Run(t, plan)
			assert.Contains(t, r.Story, "rm data/started of x: <nil>")
			assert.Contains(t, r.Story, "child")
			assert.Nil(t, r.Violation, r.Story)
		}
	}
}

// TestRecordThatIsLostTwice: it was written again before the directory was deleted, and
// the program has not seen that yet.
func TestRecordThatIsLostTwice(t *testing.T) {
	const record, dir, removed = 8, 13, 2 * 13
	plan := simulate.NewPlan(1, 10*time.Minute)
	plan.Actions = []simulate.Action{
		{At: 2 * time.Minute, What: simulate.Damage, Name: "a", N: record + removed},
		{At: 4*time.Minute + 4*time.Second, What: simulate.Damage, Name: "a", N: dir},
		{At: 4*time.Minute + 4*time.Second + time.Millisecond, What: simulate.Retry, Name: "b"},
	}
	r := simulate.Run(t, plan)
	assert.Contains(t, r.Story, "rm -rf the directory of a: <nil>")
	assert.Nil(t, r.Violation, r.Story)
}

// TestFinishScriptIsLostJustBeforeTheEnd: what the process has started is there until
// the program ends it, for it has had no time to put the script back.
func TestFinishScriptIsLostJustBeforeTheEnd(t *testing.T) {
	const crashes, finish, removed, truncated = 11, 2, 2 * 13, 5 * 13
	for _, how := range []int{removed, truncated} {
		plan := simulate.NewPlan(2, 10*time.Minute)
		plan.Actions = []simulate.Action{
			{At: time.Minute, What: simulate.Behave, Name: "b", N: crashes, For: 90 * time.Second},
			{At: 2*time.Minute - time.Second, What: simulate.Signal, Name: "b", N: int(syscall.SIGKILL)},
			{At: 2*time.Minute + 14*time.Second, What: simulate.Damage, Name: "b", N: finish + how},
		}
		r := simulate.Run(t, plan)
		assert.Contains(t, r.Story, "finish of b: <nil>")
		assert.Regexp(t, `process \d+ ends: exit 1`, r.Story)
		assert.Nil(t, r.Violation, r.Story)
	}
}

// TestViolationIsFoundToldAndShrunk kills a process behind the judge's back, in
// the midst of all that the adversary does.
func TestViolationIsFoundToldAndShrunk(t *testing.T) {
	length := time.Hour
	if testing.Short() {
		length /= 4
	}
	plan := simulate.NewPlan(1, length)
	require.Nil(t, simulate.Run(t, plan).Violation)
	betrayals := 0
	for at := 10 * time.Minute; at < length; at += 10 * time.Minute {
		for _, name := range []string{"a", "b", "x"} {
			plan.Actions = append(plan.Actions, simulate.Action{At: at, What: simulate.Betray, Name: name})
			betrayals++
		}
	}
	slices.SortStableFunc(plan.Actions, func(a, b simulate.Action) int { return int(a.At - b.At) })
	r := simulate.Run(t, plan)
	require.NotNil(t, r.Violation)
	assert.Equal(t, simulate.PIDKept, r.Violation.Check)
	small, tried := simulate.Shrink(t, r, 300)
	assert.Less(t, tried, 100)
	require.Len(t, small.Plan.Actions, 1)
	assert.Equal(t, simulate.Betray, small.Plan.Actions[0].What)
	assert.Contains(t, small.Story, "VIOLATED  2: a process that nobody gave a reason to end goes on")
	assert.Contains(t, small.Story, "starting → running (its process runs: pid")
	t.Logf("%d of %d actions were betrayals; what is left:\n%s", betrayals, len(plan.Actions), small.Story)
}
