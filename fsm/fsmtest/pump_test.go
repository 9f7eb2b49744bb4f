package fsmtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
)

// A pump is installed, takes a second to build up pressure and as long to spin
// down.
const (
	pumpOff      fsm.State = "off"
	pumpPriming  fsm.State = "priming"
	pumpPumping  fsm.State = "pumping"
	pumpDry      fsm.State = "dry"
	pumpSpinning fsm.State = "spinning_down"
)

type litres int

type gauge struct {
	Installed, Power, Turning bool
	Pressure                  litres
}

func pumpSpec() fsm.TableSpec {
	return fsm.TableSpec{
		Name: "pump",
		States: []fsm.StateSpec{
			{Name: pumpOff, Phase: fsm.PhaseStopped},
			{Name: pumpPriming, Phase: fsm.PhaseStarting},
			{Name: pumpPumping, Phase: fsm.PhaseRunning},
			{Name: pumpDry, Phase: fsm.PhaseDegraded},
			{Name: pumpSpinning, Phase: fsm.PhaseStopping},
		},
		Initial: pumpOff,
		Targets: []fsm.Target{{Name: pumpPumping, Phase: fsm.PhaseRunning}, {Name: pumpOff, Phase: fsm.PhaseStopped}},
		Rows: []fsm.Row{
			{Event: "start", From: pumpOff, To: pumpPriming},
			{Event: "pressure", From: pumpPriming, To: pumpPumping},
			{Event: "no_pressure", From: pumpPriming, To: pumpDry},
			{Event: "pressure_lost", From: pumpPumping, To: pumpDry},
			{Event: "pressure", From: pumpDry, To: pumpPumping},
			{Event: "stop", From: pumpPriming, To: pumpSpinning},
			{Event: "stop", From: pumpPumping, To: pumpSpinning},
			{Event: "stop", From: pumpDry, To: pumpSpinning},
			{Event: "stop_done", From: pumpSpinning, To: pumpOff},
		},
	}
}

type pumpInput = fsm.Input[litres, gauge]

func decidePump(in pumpInput) fsm.Decision {
	if in.Desired.State == fsm.StateRemoved {
		return removePump(in)
	}
	why := func(summary string) fsm.Reason { return fsm.Reason{Summary: summary} }
	on := in.Desired.State == pumpPumping
	pressure := in.Observed.Pressure >= in.Desired.Spec && in.Observed.Turning
	switch in.State {
	case fsm.StateRemoving:
		return removePump(in)
	case fsm.StateCreating:
		if !in.Observed.Installed {
			return fsm.Decision{Do: []fsm.Action{"install"}, Reason: why("it is being installed")}
		}
		return fsm.Decision{Fire: fsm.EventCreateDone, Reason: why("it is installed")}
	case pumpOff:
		if on {
			return fsm.Decision{Do: []fsm.Action{"install", "power_on"}, Fire: "start", Reason: why("it is off")}
		}
		if in.Observed.Power || !in.Observed.Installed {
			return fsm.Decision{Do: []fsm.Action{"install", "power_off"}}
		}
		return fsm.Decision{}
	case pumpSpinning:
		if in.Observed.Turning || in.Observed.Power {
			return fsm.Decision{Do: []fsm.Action{"power_off"}, Reason: why("it still turns")}
		}
		return fsm.Decision{Fire: "stop_done", Reason: why("it stands still")}
	}
	switch {
	case !on:
		return fsm.Decision{Do: []fsm.Action{"power_off"}, Fire: "stop", Reason: why("it is to be off")}
	case pressure && in.State == pumpPumping:
		return fsm.Decision{}
	case pressure:
		return fsm.Decision{Fire: "pressure", Reason: why("there is pressure")}
	case in.State == pumpPumping:
		return fsm.Decision{Fire: "pressure_lost", Reason: why("the pressure is gone")}
	case in.State == pumpPriming && in.Now.Sub(in.Since) >= 3*time.Second:
		return fsm.Decision{Fire: "no_pressure", Reason: why("no pressure after 3 s")}
	case !in.Observed.Power:
		return fsm.Decision{Do: []fsm.Action{"install", "power_on"}, Reason: why("it has no power")}
	}
	return fsm.Decision{After: 500 * time.Millisecond, Reason: why("the pressure is too low")}
}

func removePump(in pumpInput) fsm.Decision {
	summary := fsm.Reason{Summary: "it is not wanted any more"}
	switch in.State {
	case fsm.StateCreating, pumpOff:
		return fsm.Decision{Fire: fsm.EventRemove, Reason: summary}
	case fsm.StateRemoving:
		if in.Observed.Installed {
			return fsm.Decision{Do: []fsm.Action{"power_off", "uninstall"}, Reason: summary}
		}
		return fsm.Decision{Fire: fsm.EventRemoveDone, Reason: summary}
	}
	off := in
	off.Desired.State = pumpOff
	d := decidePump(off)
	d.Reason = summary
	return d
}

// pump is a World.
type pump struct {
	gauge
	supply litres
	speed  time.Duration
	refuse error // of power_on
	blind  int   // observations to fail
}

func (p *pump) Observe(context.Context, fsm.Desired[litres]) (gauge, error) {
	if p.blind > 0 {
		p.blind--
		return gauge{}, errors.New("the gauge is fogged")
	}
	return p.gauge, nil
}

func (p *pump) Do(_ context.Context, action fsm.Action, _ fsm.Desired[litres]) error {
	switch action {
	case "install":
		p.Installed = true
	case "power_on":
		if p.refuse != nil {
			return p.refuse
		}
		if !p.Installed {
			return errors.New("it is not installed")
		}
		p.Power = true
	case "power_off":
		p.Power = false
	case "uninstall":
		p.gauge = gauge{}
	default:
		return errors.ErrUnsupported
	}
	return nil
}

func (p *pump) Advance(d time.Duration) {
	if p.Power {
		p.speed = min(p.speed+d, time.Second)
	} else {
		p.speed = max(p.speed-d, 0)
	}
	p.Turning = p.speed > 0
	p.Pressure = 0
	if p.speed == time.Second {
		p.Pressure = p.supply
	}
}

func pumpKind(t testing.TB) fsm.Kind[litres, gauge] {
	t.Helper()
	table, err := fsm.NewTable(pumpSpec())
	require.NoError(t, err)
	return fsm.Kind[litres, gauge]{Name: "pump", Table: table, Decide: decidePump}
}

func scene(name string, p pump) fsmtest.Scene[litres, gauge] {
	return fsmtest.Scene[litres, gauge]{Name: name, New: func(time.Time) fsmtest.World[litres, gauge] {
		fresh := p
		return &fresh
	}}
}

func pumpCheck(t testing.TB) fsmtest.Check[litres, gauge] {
	t.Helper()
	dry := scene("dry well", pump{})
	dry.Ends = map[fsm.State][]fsm.Phase{pumpPumping: {fsm.PhaseDegraded}}
	broken := scene("no mains", pump{supply: 9, refuse: fsm.Permanent(errors.New("no mains"))})
	broken.Ends = map[fsm.State][]fsm.Phase{pumpPumping: {fsm.PhaseStopped, fsm.PhaseStarting, fsm.PhaseDegraded}}
	return fsmtest.Check[litres, gauge]{
		Kind:  pumpKind(t),
		Specs: []litres{3, 6},
		Scenes: []fsmtest.Scene[litres, gauge]{
			scene("nothing there", pump{supply: 9}),
			scene("pumping", pump{supply: 9, speed: time.Second, gauge: gauge{Installed: true, Power: true, Turning: true, Pressure: 9}}),
			scene("hard to read", pump{supply: 9, blind: 5}),
			dry, broken,
		},
	}
}
