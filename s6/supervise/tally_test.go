package supervise_test

import (
	"io/fs"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// tallyBytes is what s6-supervise wrote after a SIGKILL and a SIGTERM, and
// one exit with code 3 in the same form.
const tallyBytes = "400000006b03c5ba239062128909" + "400000006b03c5bb015cfb828f0f" + "400000006b03c5bb0172ae2f0300"

var tallyDeaths = []supervise.Death{
	{Time: time.Date(2026, 11, 23, 4, 48, 21, 596664850, time.UTC), ExitCode: 137, Signal: syscall.SIGKILL},
	{Time: time.Date(2026, 11, 23, 4, 48, 22, 22870914, time.UTC), ExitCode: 143, Signal: syscall.SIGTERM},
	{Time: time.Date(2026, 11, 23, 4, 48, 22, 24292911, time.UTC), ExitCode: 3},
}

func TestTallyBothWays(t *testing.T) {
	raw := unhex(t, tallyBytes)
	deaths, err := supervise.DecodeTally(raw)
	require.NoError(t, err)
	assert.Equal(t, tallyDeaths, deaths)
	var again []byte
	for _, death := range deaths {
		again = supervise.AppendDeath(again, death)
	}
	assert.Equal(t, raw, again)
}

func TestTallyCutAnywhere(t *testing.T) {
	raw := unhex(t, tallyBytes)
	for size := range len(raw) + 1 {
		deaths, err := supervise.DecodeTally(raw[:size])
		require.NoError(t, err)
		assert.Equal(t, tallyDeaths[:size/supervise.TallySize], deaths[:])
	}
}

func TestTallyWithBadRecord(t *testing.T) {
	raw := unhex(t, tallyBytes)
	raw[supervise.TallySize] = 0xff
	deaths, err := supervise.DecodeTally(raw)
	var stampErr *supervise.StampError
	require.ErrorAs(t, err, &stampErr)
	assert.Contains(t, err.Error(), "record 1")
	assert.Equal(t, tallyDeaths[:1], deaths)
}

func TestReadTally(t *testing.T) {
	fsys := memfs.New()
	_, err := supervise.ReadTally(fsys, "/svc")
	require.ErrorIs(t, err, fs.ErrNotExist)

	require.NoError(t, fsys.MkdirAll("/svc/supervise", 0o755))
	require.NoError(t, fsys.WriteFile("/svc/supervise/death_tally", nil, 0o644))
	deaths, err := supervise.ReadTally(fsys, "/svc")
	require.NoError(t, err)
	assert.Empty(t, deaths)

	require.NoError(t, fsys.WriteFile("/svc/supervise/death_tally", unhex(t, tallyBytes), 0o644))
	deaths, err = supervise.ReadTally(fsys, "/svc")
	require.NoError(t, err)
	assert.Equal(t, tallyDeaths, deaths)
}

func FuzzDecodeTally(f *testing.F) {
	raw := unhex(f, tallyBytes)
	f.Add(raw)
	f.Add(raw[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		deaths, err := supervise.DecodeTally(b)
		require.LessOrEqual(t, len(deaths), len(b)/supervise.TallySize)
		if err == nil {
			require.Len(t, deaths, len(b)/supervise.TallySize)
		}
		var raw []byte
		for _, death := range deaths {
			raw = supervise.AppendDeath(raw, death)
		}
		again, err := supervise.DecodeTally(raw)
		require.NoError(t, err)
		assert.Equal(t, deaths, again)
	})
}
