package main

import (
	"flag"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/fsm/fsmtest"
)

var update = flag.Bool("update", false, "write the golden files")

func kindOn(t *testing.T, fsys filesystem.FS) fsm.Kind[*Spec, Observed] {
	kind, err := NewKind(fsys, "/")
	require.NoError(t, err)
	return kind
}

// scene is a disk with a file of a certificate that holds something.
func scene(t *testing.T, name, holds string, faults ...filesystemtest.Injector) fsmtest.Scene[*Spec, Observed] {
	return fsmtest.Scene[*Spec, Observed]{Name: name, New: func(time.Time) fsmtest.World[*Spec, Observed] {
		disk := memfs.New()
		require.NoError(t, disk.WriteFile("/web.pem", []byte(holds), 0o600))
		return fsmtest.Live(t, kindOn(t, filesystemtest.Inject(disk, faults...)), "web")
	}}
}

func TestExhaustively(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := scene(t, "full disk", "", filesystemtest.FullDisk(0))
		full.Ends = map[fsm.State][]fsm.Phase{Valid: {fsm.PhaseCreating, fsm.PhaseDegraded}}
		scenes := []fsmtest.Scene[*Spec, Observed]{full, scene(t, "no certificate", "")}
		for name, s := range map[string]*Spec{"fresh": {"press", time.Hour}, "old": {"press", time.Minute}, "foreign": {"lathe", time.Hour}} {
			text, err := certify(s, time.Now())
			require.NoError(t, err)
			scenes = append(scenes, scene(t, name, string(text)))
		}
		fsmtest.Check[*Spec, Observed]{Kind: kindOn(t, nil), Specs: []*Spec{{"press", time.Hour}}, Scenes: scenes}.Run(t)
	})
}

func TestStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := filesystemtest.Inject(memfs.New(), filesystemtest.FullDisk(2000)) // holds two, not three
		s := fsmtest.NewStory(t, kindOn(t, disk), "web")
		s.Ask(fsm.Desired[*Spec]{State: Valid, Spec: &Spec{"press", time.Minute}})
		s.Watch(2 * time.Minute)
		s.Ask(fsm.Desired[*Spec]{State: fsm.StateRemoved})
		s.Watch(time.Second)
		s.Golden("testdata/story.txt", *update)
	})
}
