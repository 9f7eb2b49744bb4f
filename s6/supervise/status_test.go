package supervise_test

import (
	"errors"
	"io/fs"
	"math"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/filesystem/memfs"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

// The stamps in goldenStatus and goldenTally.
var (
	stampUp    = time.Date(2026, 11, 23, 4, 47, 35, 52530571, time.UTC)
	stampReady = time.Date(2026, 11, 23, 4, 47, 35, 254399091, time.UTC)
)

const (
	bytesUp    = "400000006b03c58c03218d8b"
	bytesReady = "400000006b03c58c0f29d273"
	pid11480   = "0000000000002cd8"
	noPID      = "0000000000000000"
)

// goldenStatus are status files in both layouts, with the flags that
// s6-supervise is known to write.
var goldenStatus = []struct {
	name   string
	bytes  string
	status supervise.Status
	up     bool
	done   bool
}{
	{"up", bytesUp + bytesReady + pid11480 + "0000" + "04",
		supervise.Status{Stamp: stampUp, ReadyStamp: stampReady, PID: 11480, WantUp: true}, true, false},
	{"up and ready", bytesUp + bytesReady + pid11480 + "0000" + "0c",
		supervise.Status{Stamp: stampUp, ReadyStamp: stampReady, PID: 11480, WantUp: true, Ready: true}, true, false},
	{"up again after SIGKILL", bytesUp + bytesReady + pid11480 + "0009" + "0c",
		supervise.Status{Stamp: stampUp, ReadyStamp: stampReady, PID: 11480, WaitStatus: 9, WantUp: true, Ready: true}, true, false},
	{"paused", bytesUp + bytesReady + pid11480 + "0000" + "05",
		supervise.Status{Stamp: stampUp, ReadyStamp: stampReady, PID: 11480, Paused: true, WantUp: true}, true, false},
	{"finishing after down", bytesUp + bytesReady + pid11480 + "000f" + "02",
		supervise.Status{Stamp: stampUp, ReadyStamp: stampReady, PID: 11480, WaitStatus: 15, Finishing: true}, false, false},
	{"down", bytesUp + bytesReady + noPID + "000f" + "08",
		supervise.Status{Stamp: stampUp, ReadyStamp: stampReady, WaitStatus: 15, Ready: true}, false, true},
	{"down, not started yet", bytesUp + bytesUp + noPID + "0000" + "09",
		supervise.Status{Stamp: stampUp, ReadyStamp: stampUp, NotStarted: true, Ready: true}, false, true},
	{"crashed, about to restart", bytesUp + bytesReady + noPID + "0100" + "0c",
		supervise.Status{Stamp: stampUp, ReadyStamp: stampReady, WaitStatus: 256, WantUp: true, Ready: true}, false, true},
	{"never ready", bytesUp + "000000000000000000000000" + pid11480 + "0000" + "04",
		supervise.Status{Stamp: stampUp, PID: 11480, WantUp: true}, true, false},
	{"43 bytes, up", bytesUp + bytesReady + pid11480 + pid11480 + "0000" + "0c",
		supervise.Status{Stamp: stampUp, ReadyStamp: stampReady, PID: 11480, PGID: 11480, WantUp: true, Ready: true}, true, false},
	{"43 bytes, down", bytesUp + bytesReady + noPID + noPID + "000f" + "08",
		supervise.Status{Stamp: stampUp, ReadyStamp: stampReady, WaitStatus: 15, Ready: true}, false, true},
}

func TestStatusGolden(t *testing.T) {
	for _, test := range goldenStatus {
		t.Run(test.name, func(t *testing.T) {
			raw := unhex(t, test.bytes)
			got, err := supervise.DecodeStatus(raw)
			require.NoError(t, err)
			assert.Equal(t, test.status, got)
			assert.Equal(t, test.up, got.Up())
			assert.Equal(t, test.done, got.FinishDone())

			again, err := supervise.AppendStatus([]byte("kept"), got, len(raw))
			require.NoError(t, err)
			assert.Equal(t, append([]byte("kept"), raw...), again)
		})
	}
}

func TestDecodeStatusIgnoresUnknownFlags(t *testing.T) {
	got, err := supervise.DecodeStatus(unhex(t, bytesUp+bytesReady+pid11480+"0000"+"f4"))
	require.NoError(t, err)
	assert.Equal(t, goldenStatus[0].status, got)
}

func TestDecodeStatusRefusesOtherSizes(t *testing.T) {
	for size := range 100 {
		if size == supervise.StatusSize || size == supervise.StatusSizeWithPGID {
			continue
		}
		_, err := supervise.DecodeStatus(make([]byte, size))
		var sizeErr *supervise.StatusSizeError
		require.ErrorAs(t, err, &sizeErr)
		assert.Equal(t, size, sizeErr.Size)
	}
	_, err := supervise.DecodeStatus(make([]byte, 34))
	assert.EqualError(t, err, "cannot read status: it has 34 bytes, known are 35 and 43")
}

func TestDecodeStatusRefusesWhatCannotBe(t *testing.T) {
	const overPID = "0000000080000000"
	for name, test := range map[string]struct{ field, bytes string }{
		"seconds":     {"Stamp", "800000000000000000000000" + bytesReady + pid11480 + "0000" + "04"},
		"nanoseconds": {"ReadyStamp", bytesUp + "400000006b03c58c3b9aca00" + pid11480 + "0000" + "04"},
		"pid":         {"PID", bytesUp + bytesReady + overPID + "0000" + "04"},
		"pgid":        {"PGID", bytesUp + bytesReady + pid11480 + overPID + "0000" + "04"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := supervise.DecodeStatus(unhex(t, test.bytes))
			var fieldErr *supervise.StatusFieldError
			require.ErrorAs(t, err, &fieldErr)
			assert.Equal(t, test.field, fieldErr.Field)
			assert.ErrorContains(t, err, "cannot read status: "+test.field)
			assert.Equal(t, strings.HasSuffix(test.field, "Stamp"), errors.As(err, new(*supervise.StampError)))
			assert.Zero(t, got)
		})
	}
}

func TestAppendStatusRefuses(t *testing.T) {
	kept := []byte("kept")
	var sizeErr *supervise.StatusSizeError
	got, err := supervise.AppendStatus(kept, supervise.Status{}, 36)
	require.ErrorAs(t, err, &sizeErr)
	assert.Equal(t, kept, got)
	for _, status := range []supervise.Status{{PID: -1}, {PID: math.MaxInt32 + 1}, {PGID: -1}, {PGID: math.MaxInt32 + 1}} {
		var fieldErr *supervise.StatusFieldError
		got, err := supervise.AppendStatus(kept, status, supervise.StatusSizeWithPGID)
		require.ErrorAs(t, err, &fieldErr)
		assert.Equal(t, kept, got)
	}
}

func TestWaitStatus(t *testing.T) {
	for _, test := range []struct {
		raw    supervise.WaitStatus
		code   int
		signal syscall.Signal
		text   string
	}{
		{0x0000, 0, -1, "exit 0"},
		{0x0100, 1, -1, "exit 1"},
		{0xff00, 255, -1, "exit 255"},
		{0x0009, -1, syscall.SIGKILL, "signal 9 (killed)"},
		{0x000f, -1, syscall.SIGTERM, "signal 15 (terminated)"},
		{0x008b, -1, syscall.SIGSEGV, "signal 11 (segmentation fault)"},
		{0x137f, -1, -1, "wait status 0x137f"},
	} {
		assert.Equal(t, test.code >= 0, test.raw.Exited(), test.text)
		assert.Equal(t, test.code, test.raw.ExitCode(), test.text)
		assert.Equal(t, test.signal > 0, test.raw.Signaled(), test.text)
		assert.Equal(t, test.signal, test.raw.Signal(), test.text)
		assert.Equal(t, test.text, test.raw.String())
	}
}

func TestReadStatus(t *testing.T) {
	fsys := memfs.New()
	require.NoError(t, fsys.MkdirAll("/svc/supervise", 0o755))

	_, err := supervise.ReadStatus(fsys, "/svc")
	require.ErrorIs(t, err, fs.ErrNotExist)

	for _, test := range goldenStatus {
		require.NoError(t, fsys.ReplaceFile("/svc/supervise/status", unhex(t, test.bytes), 0o644))
		got, err := supervise.ReadStatus(fsys, "/svc")
		require.NoError(t, err, test.name)
		assert.Equal(t, test.status, got, test.name)
	}

	for content, seen := range map[int]int{0: 0, 34: 34, 36: 36, 44: 44, 64: 64, 500: 64} {
		require.NoError(t, fsys.ReplaceFile("/svc/supervise/status", make([]byte, content), 0o644))
		_, err := supervise.ReadStatus(fsys, "/svc")
		var sizeErr *supervise.StatusSizeError
		require.ErrorAs(t, err, &sizeErr)
		assert.Equal(t, seen, sizeErr.Size)
		var pathErr *fs.PathError
		require.ErrorAs(t, err, &pathErr)
		assert.Equal(t, "/svc/supervise/status", pathErr.Path)
	}
}

func FuzzDecodeStatus(f *testing.F) {
	for _, test := range goldenStatus {
		f.Add(unhex(f, test.bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		status, err := supervise.DecodeStatus(b)
		if err != nil {
			assert.Zero(t, status)
			return
		}
		raw, err := supervise.AppendStatus(nil, status, len(b))
		require.NoError(t, err)
		again, err := supervise.DecodeStatus(raw)
		require.NoError(t, err)
		assert.Equal(t, status, again)
	})
}
