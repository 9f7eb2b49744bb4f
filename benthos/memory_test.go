package benthos_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/benthos/benthostest"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// hosted is a tree that says its processes are this host's.
type hosted struct{ *s6test.Tree }

func (hosted) OnHost() bool { return true }

// trap returns an engine that leaves a trace where it is executed, and whether
// it has been.
func trap(t *testing.T) (engine string, sprung func() bool) {
	engine = filepath.Join(t.TempDir(), "benthos")
	trace := engine + ".trace"
	require.NoError(t, os.WriteFile(engine, []byte("#!/bin/sh\n: >"+trace+"\nexit 1\n"), 0o755))
	return engine, func() bool {
		_, err := os.Stat(trace)
		return err == nil
	}
}

func TestNothingIsExecutedOnATreeInMemory(t *testing.T) {
	engine, sprung := trap(t)
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		m.tree.Install(engine, s6test.Program{ReadyAfter: s6test.Never})
		m.prober.Set(endpoint, benthostest.Endpoint{})
		m.options.Engine = engine
		manager := m.manage(t)
		require.NoError(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})))
		require.NoError(t, manager.Wait(t.Context(), "a", fsm.PhaseRunning))
		err := manager.Set(t.Context(), "a", fsm.Desired[*benthos.Config]{State: benthos.Active, Spec: &benthos.Config{MetricsPort: 9080}})
		require.ErrorIs(t, err, benthos.ErrConfig, "what can be seen without an engine is refused")
	})
	assert.False(t, sprung())
}

// The trap works.
func TestEngineLintsOnATreeOfTheHost(t *testing.T) {
	engine, sprung := trap(t)
	m := newMemory(t)
	m.options.Engine = engine
	manager, err := benthos.NewManager(hosted{m.tree}, m.options, fsm.Config{})
	require.NoError(t, err)
	var none *benthos.LinterError
	require.ErrorAs(t, manager.Apply(t.Context(), active(map[string]*benthos.Config{"a": stream("1s")})), &none)
	assert.True(t, sprung())
	require.NoError(t, manager.Close(context.Background()))
}

func TestOnATreeInMemoryTheProberIsTheCallers(t *testing.T) {
	m := newMemory(t)
	m.options.Prober = nil
	_, err := benthos.NewKind(m.tree, m.options)
	assert.ErrorContains(t, err, "give Options.Prober, for instance benthostest.NewProber()")
	_, err = benthos.NewKind(hosted{m.tree}, m.options)
	assert.NoError(t, err)
}
