package simulate

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// Result is what came of a plan.
type Result struct {
	Plan      Plan
	Violation *Violation // nil where there is none
	Story     string
	Ops       int
}

// Run carries out a plan. A violation is for the caller to judge: it does not
// fail t.
func Run(t *testing.T, plan Plan) (r Result) { return carryOut(t, plan, false, nil) }

// RunInFull is Run with a line in the story for every operation.
func RunInFull(t *testing.T, plan Plan) (r Result) { return carryOut(t, plan, true, nil) }

// RunTold is Run with somebody who is told of each pass of each program, and who must
// not be of the bubble in which they run.
func RunTold(t *testing.T, plan Plan, onPass func(fsm.Reconciled)) (r Result) {
	return carryOut(t, plan, false, onPass)
}

func carryOut(t *testing.T, plan Plan, full bool, onPass func(fsm.Reconciled)) (r Result) {
	synctest.Test(t, func(*testing.T) {
		w := &world{
			plan: plan, story: newStory(full), faults: newFaults(), onPass: onPass,
			file: make(map[string]declaration), before: make(map[string]declaration), whole: make(whole),
		}
		w.judge = newJudge(w.story, plan.Needs)
		w.tree = s6test.New(s6test.Config{Version: plan.Version, Latency: plan.Latency, MaxPID: plan.MaxPID, Hears: plan.Hears, OnProcess: w.happens})
		w.engines = newEngines(w.tree.FS(), w.tree.Layout())
		w.judge.engines, w.judge.faults = w.engines, w.faults
		w.judge.alive, w.judge.kids = w.alive, w.kids
		w.judge.records.told, w.judge.records.written = plan.Version != s6test.V211, w.recorded
		w.run()
		r = Result{Plan: plan, Violation: w.judge.verdict(), Story: w.story.String(), Ops: w.story.ops}
	})
	return r
}

// run carries out the plan.
func (w *world) run() {
	w.story.tell("world", "seed %d, s6 %d, a step of s6 takes %v, what happens to files is heard: %v", w.plan.Seed, w.plan.Version, w.plan.Latency, w.plan.Hears)
	if len(w.plan.Needs) > 0 {
		w.story.tell("world", "%v", w.plan.Needs)
	}
	w.tree.Install("sleep", s6test.Program{})
	w.tree.Install(engineCommand, s6test.Program{})
	for _, name := range names() {
		w.behave(name, 0)
		w.want(name, run(name, 0))
	}
	w.startProgram()
	for _, a := range w.plan.Actions {
		if !w.wait(w.story.begin.Add(a.At)) {
			break
		}
		w.act(a)
	}
	if w.wait(w.story.begin.Add(w.plan.For)) {
		w.calm()
	}
	w.end()
}

// end ends everything.
func (w *world) end() {
	w.faults.clear()
	for _, p := range w.started {
		p.die()
		p.all.Wait()
	}
	time.Sleep(time.Second) // a check that is under way is not waited for
	_ = w.tree.Close()      // its violations have been looked at
}

// happens is told of each process. One without its port is to be replaced.
func (w *world) happens(h s6test.Happening) {
	portless := w.engines.happens(h)
	w.judge.happens(h)
	if portless {
		w.judge.doom(h.Service)
	}
}
