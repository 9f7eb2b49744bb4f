package main

import (
	"regexp"
	"slices"
)

// mutation is a fault that can be made.
type mutation struct {
	name  string
	edits []edit
	by    campaign
}

// campaign is what is to find a fault: a test, and what it prints where it does.
type campaign struct {
	pkg, test string
	tries     string // how many are told by this flag
	flags     []string
	found     *regexp.Regexp
}

// seeds are those of the simulation.
func seeds() campaign {
	return campaign{"./internal/simulate", "^TestSeeds$", "-seeds", []string{"-brief"}, regexp.MustCompile(`seed \d+: .*`)}
}

// lives are those of whole programs with their files.
func lives() campaign {
	return campaign{"./runner", "^TestLives$", "-rapid.checks", []string{"-rapid.nofailfile"}, regexp.MustCompile(`after deed .*`)}
}

// edit replaces a text that is once in a file.
type edit struct{ file, find, replace string }

func one(name, file, find, replace string) mutation {
	return mutation{name, []edit{{file, find, replace}}, seeds()}
}

func ofLives(name, file, find, replace string) mutation {
	return mutation{name, []edit{{file, find, replace}}, lives()}
}

// none is no fault. No seed finds it.
func none(by campaign) mutation { return mutation{name: "no fault", by: by} }

// mutations returns the faults. Each was made once: in UMH Core, or in this
// library before a test was written for it.
func mutations() []mutation {
	return slices.Concat(ofTheCore(), ofReading(), ofActing(), ofOrder(), ofStreams(), ofPrograms())
}

// ofTheCore are faults in how instances are managed.
func ofTheCore() []mutation {
	return []mutation{
		// Six errors in a row were a permanent failure, though each may be gone
		// in the next second.
		one("a few errors are for good", "fsm/internal/pace/pace.go",
			"*current = current.again(now, o.Attempt, o.Err, o.Permanent, rule)",
			"*current = current.again(now, o.Attempt, o.Err, o.Permanent || current.count >= 5, rule)"),
		// A configuration that does not parse read as an empty one.
		one("what is refused is removed", "fsm/declare.go",
			"			want[name] = found\n", "			want[name] = Desired[D]{State: StateRemoved, Spec: found.Spec}\n"),
		one("what is refused is applied", "fsm/declare.go",
			"		if _, ok := refused[name]; !ok {\n			want[name] = d\n", "		if _, ok := refused[name]; !ok || true {\n			want[name] = d\n"),
		// What an earlier run had left was not known, and stayed for ever.
		one("what was left is not removed", "fsm/declare.go",
			"			want[name] = Desired[D]{State: StateRemoved, Spec: found.Spec}\n", "			_ = found\n"),
		// Removed was what could not be observed any more.
		one("removed before it is settled", "fsm/dispatch.go",
			"after.State == StateRemoved && after.Desired.State == StateRemoved", "after.Desired.State == StateRemoved"),
		// A pass that fired was not followed by another.
		one("what failed is never tried again", "fsm/internal/pace/pace.go",
			"return now.Before(f.next) || f.held && f.attempt == a", "return true"),
	}
}

// ofReading are faults in what is concluded from what is seen.
func ofReading() []mutation {
	return []mutation{
		// A context that had ended, or any other error, read as "does not exist".
		one("an error is an absence", "s6/manifest.go",
			"	return err == nil, err\n", "	return err == nil, nil\n"),
		// running was kept while the process was down.
		one("running is sticky", "s6/decide.go",
			"	if r, bad := trouble(in); bad {\n		return fsm.Decision{Fire: EventDegraded, Reason: r}",
			"	if r, bad := trouble(in); bad && o.CommandProblem != \"\" {\n		return fsm.Decision{Fire: EventDegraded, Reason: r}"),
		// A process that hung was running, for all that was known.
		one("what hangs is running", "s6/decide_reasons.go",
			"	case o.Check.failing():\n", "	case o.Check.failing() && o.CommandProblem != \"\":\n"),
		// A process that died after ten milliseconds had been called running.
		one("running at once", "s6/observed.go",
			"return o.Stays - now.Sub(since), within(now, since, o.Stays)", "return 0, false"),
		// Any change removed and created the service again.
		one("any change restarts", "s6/spec.go",
			"process.Log, process.Note, process.StartTimeout, process.Ready.Stays = Log{}, \"\", 0, 0", "process.Note = \"\""),
		// The process was not looked at for what it had been started from.
		one("a change restarts nothing", "s6/observed.go",
			"return o.Up() && o.Started != \"\" && o.Started != o.WantProcess", "return false"),
		// The status was believed, whoever held the lock.
		one("strays are not seen", "s6/driver_since.go",
			"	o.StrayPID = stray\n", ""),
		// What was to be heard was counted on, and was not.
		one("rests though nothing is heard", "s6/driver_hear.go",
			"	if !d.quiet || d.heard || d.watch == nil {\n		return d.quiet && d.heard\n", "	if true {\n		return d.quiet\n"),
	}
}

// ofActing are faults in what is done.
func ofActing() []mutation {
	return []mutation{
		// Directories were deleted under live processes.
		one("deleted under its supervisors", "s6/driver_remove.go",
			"	case len(held) > 0:\n", "	case len(held) > 2:\n"),
		// SIGKILL of s6-supervise left the old process, and a second ran beside it.
		one("no instance lock", "s6/render.go",
			"tools.path(\"s6-setlock\"), \"./\" + fileInstanceLock, ", ""),
		// s6-svc -r was sent to a service that was down, where it does nothing.
		one("restart of what is down", "s6/driver_act.go",
			"Control(d.service, supervise.CommandUp)", "Control(d.service, supervise.CommandRestart)"),
		// There was no timeout-kill, and nobody insisted.
		one("nobody insists", "s6/ending.go",
			"	return endInsist\n", "	return endWait\n"),
		// Versions of s6 forget what they owe, or stop at a dangling link.
		one("s6-svscan is not nudged", "s6/decide_parts.go",
			"	case in.Now.Sub(o.Owed) >= scanPatience:\n", "	case in.Now.IsZero():\n"),
		// A stop that could not be written down was none.
		one("stopped only in memory", "s6/driver_ending.go",
			"	fileErr := d.fs.WriteFile(path.Join(d.service, fileDown), nil, 0o644)\n", "	var fileErr error\n	_ = path.Join\n"),
		// A restart by hand counted as done when s6 had been told.
		one("a restart is forgotten", "s6/driver_act.go",
			"err := d.mark(startedReplaced, &status)", "err := d.tree.Control(d.service, supervise.CommandTerm)"),
		// That nothing was to run again was forgotten by the next program.
		one("the end is forgotten", "s6/decide.go",
			"ended && (o.Verdict != \"\" || !o.Failed)", "ended && in.State == StateStarting && (o.Verdict != \"\" || !o.Failed)"),
		// What crashed was started at once each time, and its crash was no longer the
		// first.
		one("a crash loop has no pause", "s6/deaths.go",
			"		o.Deaths == 1 && o.Unasked && ", "		o.Unasked && "),
		// A file down was left behind by a start.
		one("down stays", "s6/driver_act.go",
			"	if err := d.fs.Remove(path.Join(d.service, fileDown)); err != nil && !errors.Is(err, fs.ErrNotExist) {\n		return err\n	}\n", "	_, _ = fs.ErrNotExist, path.Join\n"),
		// A stopped process was said to be stopped when it had been told.
		one("told is stopped", "s6/observed.go",
			"return !o.Locked && len(o.Left) == 0 && (!o.Supervised || o.Ended || o.Status.PID == 0 && !o.Status.WantUp && !o.Unheard)", "return !o.Supervised || !o.Status.WantUp"),
		// What its supervisor was about to start was said to be stopped.
		one("what is about to start is stopped", "s6/observed.go",
			"!o.Status.WantUp && !o.Unheard)", "!o.Status.WantUp)"),
	}
}

// ofOrder are faults in what waits for what.
func ofOrder() []mutation {
	return []mutation{
		// Everything was started at once, whatever it needed.
		one("nothing waits with its start", "fsm/order/hold.go",
			"	if len(needs) == 0 || o.through[id] || o.started(id) {", "	if len(needs) >= 0 || o.through[id] || o.started(id) {"),
		// What had stopped counted as there, for its last pass had seen it running.
		one("seen before it changes", "fsm/order/hold.go",
			"(o.applying > 0 || !v.is(is) ||", "(!v.is(is) ||"),
		one("what is to stop is started after", "fsm/order/hold.go",
			" || !runs) {", ") {"),
		// What waited and was no longer declared started until its manager knew.
		one("what is removed starts", "fsm/order/hold.go",
			"needs := o.member(id).Needs", "needs := o.members[id].Needs"),
		one("what goes was started before", "fsm/order/hold.go",
			"	return v.Started || v.Goes || o.begun[id].sure\n", "	return v.Started || o.begun[id].sure\n"),
		one("nothing waits with its stop", "fsm/order/hold.go",
			"	if len(users) == 0 || !o.started(id) {", "	if len(users) >= 0 || !o.started(id) {"),
		// A stream was running while it was about to be replaced.
		one("what is replaced is started after", "benthos/observed.go",
			"return there, works && o.up()", "return there, works"),
		// What is not declared any more was forgotten with what it needs.
		one("what goes needs nothing", "fsm/order/hold.go",
			"	for _, members := range []map[ID]Member{o.members, o.leaving} {", "	for _, members := range []map[ID]Member{o.members} {"),
		// What an earlier program had started was not known, and stopped at once.
		one("nothing was started before", "fsm/order/hold.go",
			"return v.Started || !v.Goes && o.begun[id].begun", "return v.Started"),
	}
}

// ofStreams are faults in what is concluded of an engine.
func ofStreams() []mutation {
	return []mutation{
		// The counter is cumulative: one failed write degraded a stream until its
		// engine was started again.
		one("a failed write is for good", "benthos/driver_stream.go",
			"RecentErrors: s.errors.delta().counts.OutputError,", "RecentErrors: s.latest.OutputError,"),
		// Samples that were missing counted as zero.
		one("what cannot be read is zero", "benthos/driver_observe.go",
			"	case err == nil:\n		s.count(", "	case !errors.Is(err, ErrNoMetrics):\n		s.count("),
		// The status was up without looking.
		one("ready without being so", "benthos/engine_probe.go",
			"	case !state.Ready:\n", "	case false:\n"),
		// An engine that finds its port taken never listens.
		one("no port is no trouble", "benthos/driver_observe.go",
			"		s.taken.found(s.health.PID, s.health.PortTaken)\n", ""),
		// An engine whose port was taken for a moment was waited for.
		one("what never listens is waited for", "benthos/driver_observe.go",
			"	if s.deaf.note(now, pid, listens) {\n", "	if s.deaf.note(now, pid, listens) && now.IsZero() {\n"),
		// What fails to answer was started again, over and over.
		one("what does not answer is ended", "benthos/decide.go",
			"	case o.PortTaken != \"\":\n		return fsm.Because(\"it cannot listen\")", "	case o.PortTaken != \"\" || in.State == StateDegraded && o.up() && !o.Health.Alive:\n		return fsm.Because(\"it cannot listen\")"),
	}
}

// ofPrograms are faults in what becomes of files, and of what is asked by hand.
func ofPrograms() []mutation {
	return []mutation{
		// What had been taken back was tried again by the next program.
		ofLives("what was taken back is forgotten", "runner/probation.go",
			"	p.trials = known\n", "	p.trials = make(trials)\n"),
		// What an earlier run had started was no way back.
		ofLives("nothing ran before", "runner/probation.go",
			"		p.ran[key] = !ends(e)\n", "		p.ran[key] = !ends(e) && key.Name == \"\"\n"),
		// A program that was killed during a change left no way back.
		ofLives("a trial is not written down", "runner/probation.go",
			"		unsaved = p.store.saveChanges(next)\n", "		unsaved = nil\n"),
		// What was stopped by hand started with the next program.
		ofLives("a stop by hand is forgotten", "runner/byhand.go",
			"	all[key] = Override{Kind: key.Kind, Name: key.Name, By: by, At: time.Now()}\n	if err := r.probation.store.saveOverrides(all); err != nil {",
			"	all[key] = Override{Kind: key.Kind, Name: key.Name, By: by, At: time.Now()}\n	if err := error(nil); err != nil {"),
	}
}
