package fsm

import (
	"fmt"
	"time"
)

// Why says why an instance is where it is, in sentences for whoever looks: what is
// asked of it, what holds it, where it is, what was seen, what has failed, what comes
// next, and what would change it. All texts are masked, as by MaskText; they may hold
// texts of others, which EscapeText makes fit for a terminal.
type Why struct {
	Kind  string    `json:"kind"`
	Name  string    `json:"name"`
	State State     `json:"state,omitempty"` // empty for one that was refused and does not exist
	Phase Phase     `json:"phase"`
	Since time.Time `json:"since,omitzero"` // when State was entered
	Chain []Link    `json:"chain"`          // in the order of Parts
}

// Link is one sentence of a Why.
type Link struct {
	Part Part   `json:"part"`
	Text string `json:"text"` // without a full stop
	// At is since when that is so, or when it was; of PartNext when it will be. Zero
	// where the text says it, or nobody knows.
	At time.Time `json:"at,omitzero"`
	// By is the layer that says it, of PartAsked and PartHeld: "declared", "taken
	// back", or Hold.By.
	By string `json:"by,omitempty"`
}

// Part is what a Link is about.
type Part string

// The parts of a Why. A Why has the state always, and of the others what there is.
const (
	// PartAsked is what is asked of the instance, and since when.
	PartAsked Part = "asked"
	// PartRefused is why its last declaration was refused.
	PartRefused Part = "refused"
	// PartHeld is what keeps it from what is asked of it, and which layer says so.
	PartHeld Part = "held"
	// PartState is where it is, and what was concluded from what was seen.
	PartState Part = "state"
	// PartSeen is the evidence.
	PartSeen Part = "seen"
	// PartTrouble is why the last pass over it failed.
	PartTrouble Part = "trouble"
	// PartNext is what comes next, and when.
	PartNext Part = "next"
	// PartHelp is what would change it.
	PartHelp Part = "help"
)

// Why says why the named instance is where it is, and whether there is one, or one
// whose declaration was refused. It never blocks.
func (m *Manager[D, O]) Why(name string) (w Why, known bool) {
	refused := m.Refused()[name]
	e := m.listedAs(name)
	if e == nil {
		if refused == nil {
			return w, false
		}
		w = Why{Kind: m.kind.Name, Name: name, Phase: PhaseToBeCreated}
		w.add(PartRefused, time.Time{}, "its declaration is refused: "+refused.Error())
		w.add(PartHelp, time.Time{}, "mend what is declared of it: nothing of it exists")
		return w, true
	}
	s := e.instance.Snapshot()
	asked, since := e.instance.wantedSince()
	w = Why{Kind: s.Kind, Name: s.Name, State: s.State, Phase: s.Phase, Since: s.Since}
	w.asks(asked.State, since, asked.Rejected)
	if refused != nil {
		w.add(PartRefused, time.Time{}, "its last declaration is refused, and what was asked before goes on: "+refused.Error())
	}
	helps := explain(&w, m.kind.Explain, s)
	w.next(s.NextTry, s.NextPass, s.Err != nil, s.Held)
	w.help(helps, s.Phase, s.holds() != nil, refused != nil)
	return w, true
}

// explain adds what the snapshot says, and returns what the kind says of help.
func explain[D, O any](w *Why, kind func(*Snapshot[D, O]) []Link, s *Snapshot[D, O]) (helps []Link) {
	if s.Waits != (Reason{}) {
		w.add(PartHeld, time.Time{}, s.Waits.String()).By = s.HeldBy
	}
	state := "it is " + string(s.State)
	if s.Reason.Summary != "" && s.Reason != s.Waits {
		state += ": " + s.Reason.Summary
	}
	w.add(PartState, s.Since, state)
	if s.Reason.Evidence != "" && s.Reason != s.Waits {
		w.add(PartSeen, time.Time{}, s.Reason.Evidence)
	}
	if kind != nil {
		for _, l := range explained(kind, s) {
			if l.Part == PartHelp {
				helps = append(helps, l)
			} else {
				w.add(l.Part, l.At, l.Text)
			}
		}
	}
	if s.Err != nil {
		times := ""
		if s.Failures > 1 {
			times = fmt.Sprintf(", %d times in a row", s.Failures)
		}
		w.add(PartTrouble, time.Time{}, "the last pass over it failed"+times+": "+s.Err.Error())
	}
	return helps
}

// explained is what the kind says. A panic of it is said instead.
func explained[D, O any](kind func(*Snapshot[D, O]) []Link, s *Snapshot[D, O]) (links []Link) {
	var err error
	func() {
		defer recoverTo(&err)
		links = kind(s)
	}()
	if err != nil {
		return []Link{{Part: PartTrouble, Text: "its kind cannot say more: " + err.Error()}}
	}
	return links
}

// add adds a sentence, unless it is said already, and returns it.
func (w *Why) add(part Part, at time.Time, text string) *Link {
	text = MaskText(text)
	for n := range w.Chain {
		if w.Chain[n].Text == text {
			return &w.Chain[n]
		}
	}
	w.Chain = append(w.Chain, Link{Part: part, Text: text, At: at})
	return &w.Chain[len(w.Chain)-1]
}

// asks adds what is asked.
func (w *Why) asks(state State, since time.Time, rejected Reason) {
	switch {
	case state == "":
		w.add(PartAsked, time.Time{}, "nothing is asked of it yet: it is only looked at")
	case rejected != (Reason{}):
		w.add(PartAsked, since, "it is asked to be "+string(state)+" as before a change that was taken back").By = "taken back"
		w.add(PartRefused, time.Time{}, rejected.String())
	default:
		w.add(PartAsked, since, "it is asked to be "+string(state)).By = "declared"
	}
}

// next adds what comes next.
func (w *Why) next(try, pass time.Time, failed, held bool) {
	switch {
	case held:
		w.add(PartNext, time.Time{}, "it is not tried again until something changes, or somebody asks for it")
	case failed && !try.IsZero():
		w.add(PartNext, try, "what failed is tried again")
	case !pass.IsZero():
		w.add(PartNext, pass, "it is looked at when something changes, and in any case")
	}
}

// help adds what would change it: what the kind says, or what is true of every kind.
func (w *Why) help(helps []Link, phase Phase, holds, refused bool) {
	switch {
	case len(helps) > 0:
		for _, l := range helps {
			w.add(PartHelp, l.At, l.Text)
		}
	case holds:
		w.add(PartHelp, time.Time{}, "mend the cause, and then change what is declared of it, or retry it")
	case phase == PhaseFailed:
		w.add(PartHelp, time.Time{}, "mend the cause, and then change what is declared of it, or restart it")
	}
	if refused {
		w.add(PartHelp, time.Time{}, "mend what is declared of it: it is taken as soon as it is in order")
	}
}
