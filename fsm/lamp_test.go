package fsm_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
)

// A lamp is screwed in and lit. What it is to be is in its watts.
const (
	lampOff      fsm.State = "off"
	lampLighting fsm.State = "lighting"
	lampLit      fsm.State = "lit"
	lampDark     fsm.State = "dark"
	lampDimming  fsm.State = "dimming"
)

type watts int

type bulb struct {
	There, Power, Glows bool
	Watts               watts
}

type lampDesired = fsm.Desired[watts]

func lit(w watts) lampDesired  { return lampDesired{State: lampLit, Spec: w} }
func off(w watts) lampDesired  { return lampDesired{State: lampOff, Spec: w} }
func gone(w watts) lampDesired { return lampDesired{State: fsm.StateRemoved, Spec: w} }

func lampSpec() fsm.TableSpec {
	return fsm.TableSpec{
		Name: "lamp",
		States: []fsm.StateSpec{
			{Name: lampOff, Phase: fsm.PhaseStopped},
			{Name: lampLighting, Phase: fsm.PhaseStarting},
			{Name: lampLit, Phase: fsm.PhaseRunning},
			{Name: lampDark, Phase: fsm.PhaseDegraded},
			{Name: lampDimming, Phase: fsm.PhaseStopping},
		},
		Initial: lampOff,
		Targets: []fsm.Target{{Name: lampLit, Phase: fsm.PhaseRunning}, {Name: lampOff, Phase: fsm.PhaseStopped}},
		Rows: []fsm.Row{
			{Event: "light", From: lampOff, To: lampLighting},
			{Event: "glow", From: lampLighting, To: lampLit},
			{Event: "glow", From: lampDark, To: lampLit},
			{Event: "burn_out", From: lampLit, To: lampDark},
			{Event: "no_light", From: lampLighting, To: lampDark},
			{Event: "dim", From: lampLighting, To: lampDimming},
			{Event: "dim", From: lampLit, To: lampDimming},
			{Event: "dim", From: lampDark, To: lampDimming},
			{Event: "dim_done", From: lampDimming, To: lampOff},
		},
	}
}

func lampTable(t testing.TB) *fsm.Table {
	t.Helper()
	table, err := fsm.NewTable(lampSpec())
	require.NoError(t, err)
	return table
}

type lampInput = fsm.Input[watts, bulb]

func decideLamp(in lampInput) fsm.Decision {
	b, want := in.Observed, in.Desired
	switch in.State {
	case fsm.StateCreating:
		switch {
		case want.State == fsm.StateRemoved:
			return fsm.Decision{Fire: fsm.EventRemove, Reason: why("it is not wanted")}
		case !b.There:
			return fsm.Decision{Do: []fsm.Action{"screw_in"}, Reason: why("it is being screwed in")}
		}
		return fsm.Decision{Fire: fsm.EventCreateDone, Reason: why("it is there")}
	case fsm.StateRemoving:
		if b.There {
			return fsm.Decision{Do: []fsm.Action{"unscrew"}, Reason: why("it is still there")}
		}
		return fsm.Decision{Fire: fsm.EventRemoveDone, Reason: why("it is gone")}
	}
	if want.State == lampLit {
		return decideLight(in)
	}
	return decideDark(in)
}

func decideLight(in lampInput) fsm.Decision {
	b := in.Observed
	light := []fsm.Action{"screw_in", "switch_on"}
	switch {
	case in.State == lampOff && b.Glows:
		return fsm.Decision{Fire: "light", Reason: why("it glows already")}
	case in.State == lampOff:
		return fsm.Decision{Do: light, Fire: "light", Reason: why("it is off")}
	case in.State == lampDimming && b.Power:
		return fsm.Decision{Do: []fsm.Action{"switch_off"}, Reason: why("it is being dimmed")}
	case in.State == lampDimming:
		return fsm.Decision{Fire: "dim_done", Reason: why("it is dark")}
	case b.Glows && in.State != lampLit:
		return fsm.Decision{Fire: "glow", Reason: why("it glows")}
	case b.Glows && b.Watts != in.Desired.Spec:
		return fsm.Decision{Do: []fsm.Action{"set"}, Reason: why(fmt.Sprintf("it has %d W, not %d", b.Watts, in.Desired.Spec))}
	case b.Glows:
		return fsm.Decision{}
	case in.State == lampLit:
		return fsm.Decision{Fire: "burn_out", Reason: why("it went dark")}
	case in.State == lampLighting && in.Now.Sub(in.Since) >= 2*time.Second:
		return fsm.Decision{Fire: "no_light", Reason: why("no light after 2 s")}
	case !b.Power || in.State == lampDark:
		return fsm.Decision{Do: light, After: time.Second, Reason: why("it does not glow")}
	}
	return fsm.Decision{After: 100 * time.Millisecond, Reason: why("it does not glow yet")}
}

func decideDark(in lampInput) fsm.Decision {
	b := in.Observed
	switch {
	case in.State != lampOff && in.State != lampDimming:
		return fsm.Decision{Fire: "dim", Reason: why("it is not to be lit")}
	case b.Power:
		return fsm.Decision{Do: []fsm.Action{"switch_off"}, Reason: why("it still has power")}
	case in.State == lampDimming:
		return fsm.Decision{Fire: "dim_done", Reason: why("it has no power")}
	case in.Desired.State == fsm.StateRemoved:
		return fsm.Decision{Fire: fsm.EventRemove, Reason: why("it is not wanted")}
	}
	return fsm.Decision{}
}

func why(summary string) fsm.Reason { return fsm.Reason{Summary: summary} }

// house holds lamps that glow as soon as they have power. It counts what is
// done to them.
type house struct {
	mu sync.Mutex // guards all below
	// before, where set, is called at the beginning of each operation, by the
	// name of the action, "observe" or "close"; it may fail, block or panic.
	before func(ctx context.Context, name, op string) error
	lamps  map[string]*bulb
	asked  map[string]lampDesired // as a lamp remembers it
	ops    map[string][]string    // but observations
	looks  map[string]int
	inside map[string]int
	twice  []string // entered while another operation was under way
	wakes  map[string]func()
	opened map[string]int
}

func newHouse() *house {
	return &house{
		lamps: map[string]*bulb{}, asked: map[string]lampDesired{}, ops: map[string][]string{}, looks: map[string]int{},
		inside: map[string]int{}, wakes: map[string]func(){}, opened: map[string]int{},
	}
}

// hook sets what is called before each operation; nil for nothing.
func (h *house) hook(before func(ctx context.Context, name, op string) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.before = before
}

func (h *house) open(name string, wake func()) (fsm.Driver[watts, bulb], error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wakes[name] = wake
	h.opened[name]++
	return &lampDriver{h, name}, nil
}

func (h *house) kind(t testing.TB) fsm.Kind[watts, bulb] {
	return fsm.Kind[watts, bulb]{Name: "lamp", Table: lampTable(t), Decide: decideLamp, Open: h.open}
}

// discover is a Kind's Discover.
func (h *house) discover(context.Context) (map[string]lampDesired, map[string]error, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.asked), nil, nil
}

// compareLamp is a Kind's Compare.
func compareLamp(d lampDesired, b bulb) fsm.Change {
	switch {
	case d.State == lampLit && !b.Glows:
		return fsm.Change{Kind: fsm.ChangeStart, Why: "it is dark"}
	case d.State == lampOff && b.Power:
		return fsm.Change{Kind: fsm.ChangeStop, Why: "it is lit"}
	case d.State == lampLit && b.Watts != d.Spec:
		return fsm.Change{Kind: fsm.ChangeLive, Why: fmt.Sprintf("%d W become %d", b.Watts, d.Spec)}
	}
	return fsm.Change{Kind: fsm.ChangeNone, Why: "it is as it should be"}
}

// put puts a lamp there, as an earlier run of the program left it.
func (h *house) put(name string, b bulb, asked lampDesired) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lamps[name], h.asked[name] = &b, asked
}

// cut takes a lamp's light.
func (h *house) cut(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b := h.lamps[name]; b != nil {
		b.Power, b.Glows = false, false
	}
}

func (h *house) wake(name string) {
	h.mu.Lock()
	wake := h.wakes[name]
	h.mu.Unlock()
	if wake != nil {
		wake()
	}
}

func (h *house) look(name string) (b bulb, done []string, looks int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if lamp := h.lamps[name]; lamp != nil {
		b = *lamp
	}
	return b, append(done, h.ops[name]...), h.looks[name]
}

func (h *house) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.ops)
	clear(h.looks)
}

// enter books the beginning of an operation and returns what books its end.
func (h *house) enter(ctx context.Context, name, op string) (leave func(), err error) {
	h.mu.Lock()
	if h.inside[name]++; h.inside[name] > 1 {
		h.twice = append(h.twice, name+" "+op)
	}
	before := h.before
	h.mu.Unlock()
	leave = func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.inside[name]--
	}
	if before == nil {
		return leave, nil
	}
	defer func() {
		if v := recover(); v != nil {
			leave()
			panic(v)
		}
	}()
	return leave, before(ctx, name, op)
}

type lampDriver struct {
	*house
	name string
}

func (d *lampDriver) Observe(ctx context.Context, _ lampDesired) (bulb, error) {
	leave, err := d.enter(ctx, d.name, "observe")
	defer leave()
	if err != nil {
		return bulb{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.looks[d.name]++
	if b := d.lamps[d.name]; b != nil {
		return *b, nil
	}
	return bulb{}, nil
}

func (d *lampDriver) Do(ctx context.Context, action fsm.Action, desired lampDesired) error {
	leave, err := d.enter(ctx, d.name, string(action))
	defer leave()
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ops[d.name] = append(d.ops[d.name], string(action))
	if action == "screw_in" && d.lamps[d.name] == nil {
		d.lamps[d.name] = &bulb{There: true}
	}
	b := d.lamps[d.name]
	if b == nil {
		return errors.New("there is no lamp")
	}
	switch action {
	case "screw_in":
	case "switch_on":
		b.Power, b.Glows, b.Watts = true, true, desired.Spec
	case "switch_off":
		b.Power, b.Glows = false, false
	case "set":
		b.Watts = desired.Spec
	case "unscrew":
		delete(d.lamps, d.name)
		delete(d.asked, d.name)
		return nil
	default:
		return fmt.Errorf("unknown action %q: %w", action, errors.ErrUnsupported)
	}
	d.asked[d.name] = desired
	return nil
}

func (d *lampDriver) Close() error {
	leave, err := d.enter(context.Background(), d.name, "close")
	defer leave()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened[d.name]--
	return err
}
