package fsmtest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
)

// pumpDriver drives a pump on which time goes by itself. It owns the gauge,
// which shows what was when it was last reconciled.
type pumpDriver struct {
	pump
	shown  gauge
	since  time.Time
	opened *int
	err    error // of closing
}

func (d *pumpDriver) ReconcileOwned(context.Context) {
	d.Advance(time.Since(d.since))
	d.shown, d.since = d.gauge, time.Now()
}

func (d *pumpDriver) OwnedDue() time.Time { return d.since.Add(200 * time.Millisecond) }

func (d *pumpDriver) Observe(context.Context, fsm.Desired[litres]) (gauge, error) {
	return d.shown, nil
}

func (d *pumpDriver) Close() error {
	*d.opened--
	return d.err
}

// liveCheck is the check of a pump with its own driver, in one scene.
func liveCheck(t *testing.T, opened *int, err error) check {
	c := pumpCheck(t)
	c.Kind.Open = func(string, func()) (fsm.Driver[litres, gauge], error) {
		*opened++
		return &pumpDriver{pump: pump{supply: 9}, since: time.Now(), opened: opened, err: err}, nil
	}
	c.Scenes = []fsmtest.Scene[litres, gauge]{{Name: "live", New: func(time.Time) fsmtest.World[litres, gauge] {
		return fsmtest.Live(t, c.Kind, "a")
	}}}
	c.Unused = []fsm.Row{{Event: "no_pressure", From: pumpPriming, To: pumpDry}}
	return c
}

func TestLiveDriverIsReconciledInBubbleTimeAndClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened, before := 0, time.Now()
		liveCheck(t, &opened, nil).Run(t)
		assert.Zero(t, opened)
		assert.Greater(t, time.Since(before), time.Second)
	})
}

func TestLiveDriverThatCannotBeClosedIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened, l := 0, &ledger{TB: t}
		liveCheck(t, &opened, errors.New("it sticks")).Run(l)
		require.NotEmpty(t, l.failures)
		assert.Contains(t, l.failures[0], "it cannot be closed: it sticks")
	})
}

func (l *ledger) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	panic(l)
}

func TestLiveDriverThatCannotBeOpened(t *testing.T) {
	kind := pumpKind(t)
	kind.Open = func(string, func()) (fsm.Driver[litres, gauge], error) { return nil, errors.New("it is locked") }
	l := &ledger{TB: t}
	assert.Panics(t, func() { fsmtest.Live(l, kind, "a") })
	assert.Equal(t, []string{`cannot open pump "a": it is locked`}, l.failures)
}
