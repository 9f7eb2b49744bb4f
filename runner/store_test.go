package runner

import (
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem/filesystemtest"
	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/s6"
)

func declared(name string) *config.Declaration {
	return &config.Declaration{Entries: map[config.Key]config.Entry{
		{Kind: config.KindService, Name: name}: {State: s6.Running, Service: &s6.Spec{Command: []string{name}}},
	}}
}

// TestTheLastTwentyAreKept, by their times, where nobody else can read them.
func TestTheLastTwentyAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Store{memfs.New(), "/data/declarations"}
		last, err := s.Last()
		require.NoError(t, err)
		assert.Nil(t, last)
		for n := range 25 {
			require.NoError(t, s.Save(declared(string(rune('a'+n)))))
			require.NoError(t, s.Save(declared(string(rune('a'+n)))))
			time.Sleep(time.Second)
		}
		entries, err := s.FS.ReadDir(s.Dir)
		require.NoError(t, err)
		require.Len(t, entries, 20)
		for _, e := range entries {
			info, err := e.Info()
			require.NoError(t, err)
			assert.Equal(t, "-rw-------", info.Mode().String())
		}
		assert.Equal(t, "20000101T000005.000000000Z.json", entries[0].Name())
		last, err = s.Last()
		require.NoError(t, err)
		assert.Contains(t, last.Services(), "y")
	})
}

// TestStoreOnAFullDisk keeps what it had.
func TestStoreOnAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := memfs.New()
		s := Store{fsys, "/data/declarations"}
		require.NoError(t, s.Save(declared("a")))
		time.Sleep(time.Second)
		full := Store{filesystemtest.Inject(fsys, filesystemtest.FullDisk(0)), s.Dir}
		assert.ErrorIs(t, full.Save(declared("b")), syscall.ENOSPC)
		last, err := s.Last()
		require.NoError(t, err)
		assert.Contains(t, last.Services(), "a")
	})
}

// TestStoreWhoseClockIsSetBack knows which declaration is the newest.
func TestStoreWhoseClockIsSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Store{memfs.New(), "/data/declarations"}
		require.NoError(t, s.FS.MkdirAll(s.Dir, 0o700))
		text, err := declared("old").Encode()
		require.NoError(t, err)
		require.NoError(t, s.FS.WriteFile(s.Dir+"/20380101T000000.000000000Z.json", text, 0o600))
		for _, name := range []string{"a", "b"} {
			require.NoError(t, s.Save(declared(name)))
			last, err := s.Last()
			require.NoError(t, err)
			assert.Contains(t, last.Services(), name)
		}
	})
}
