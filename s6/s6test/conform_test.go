package s6test_test

import (
	"path"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/s6test/conform"
)

// examined is a tree in memory as the conformance suite sees it.
type examined struct {
	*s6test.Tree
	t       *testing.T
	version s6test.Version
}

func (e examined) Version() s6test.Version { return e.version }

func (e examined) Program(service string, p s6test.Program) {
	require.NoError(e.t, e.FS().WriteFile(path.Join(e.Layout().Service(service), "program"), nil, 0o755))
	e.SetProgram(service, p)
}

func (e examined) Begun(string, int) bool { return true }

func (e examined) Stopped(int) bool { return true }

func (e examined) Pause(d time.Duration, _ string) { pass(d) }

// Eventually bounds how much fake time something takes.
func (e examined) Eventually(what string, so func() error) {
	e.t.Helper()
	for end := time.Now().Add(time.Minute); ; pass(time.Millisecond) {
		err := so()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			require.FailNow(e.t, "it did not come about", "%s: %v", what, err)
		}
	}
}

// TestConforms plays what s6 does: integration plays the same on real s6.
func TestConforms(t *testing.T) {
	for version, name := range map[s6test.Version]string{s6test.V211: "2.11", s6test.V213: "2.13", s6test.V215: "2.15"} {
		for _, scenario := range conform.Scenarios() {
			t.Run(name+" "+scenario.Name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					tree := s6test.New(s6test.Config{Version: version, Hears: true})
					t.Cleanup(func() { assert.NoError(t, tree.Close()) })
					scenario.Play(t, examined{tree, t, version})
				})
			})
		}
	}
}
