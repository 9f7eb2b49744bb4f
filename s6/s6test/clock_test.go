package s6test_test

import (
	"bytes"
	"path"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/s6/s6log"
	"github.com/evenkeel/evenkeel/s6/s6test"
	"github.com/evenkeel/evenkeel/s6/supervise"
)

func TestSetClockMakesWhatIsWrittenDownOlder(t *testing.T) {
	for _, d := range []time.Duration{time.Hour, -24 * time.Hour} {
		t.Run(d.String(), func(t *testing.T) {
			inWorld(t, s6test.Config{}, func(w *world) {
				dir := w.serve("a", map[string]string{"log/run": "#!/bin/sh\nexec 2>&1\nexec s6-log t n5 s4096 " + w.Layout().Log("a") + "\n"})
				require.NoError(t, w.Kill("a", syscall.SIGKILL))
				pass(2 * time.Second)
				for range 100 { // some of it is archived
					require.NoError(t, w.Print("a", "a line of some length, so that there is soon an archive"))
				}
				pass(time.Second)
				all := func() (stamps []time.Time) {
					deaths, err := supervise.ReadTally(w.FS(), dir)
					require.NoError(t, err)
					require.Len(t, deaths, 1)
					entries, err := w.FS().ReadDir(w.Layout().Log("a"))
					require.NoError(t, err)
					archived, err := supervise.ParseTAI64N(strings.TrimSuffix(entries[0].Name(), ".s"))
					require.NoError(t, err)
					data, err := w.FS().ReadFile(path.Join(w.Layout().Log("a"), entries[0].Name()))
					require.NoError(t, err)
					line, _, _ := bytes.Cut(data, []byte("\n"))
					logger, err := w.Status(path.Join(dir, "log"))
					require.NoError(t, err)
					return []time.Time{w.status(dir).Stamp, w.status(dir).ReadyStamp, logger.Stamp, deaths[0].Time, archived, s6log.ParseLine(line).Time}
				}
				before, running := all(), w.Processes()
				w.SetClock(d)
				after := all()
				for n := range before {
					assert.Equal(t, d, before[n].Sub(after[n]), "%d", n)
				}
				assert.Equal(t, running, w.Processes())
				require.NoError(t, w.Kill("a", syscall.SIGKILL))
				pass(2 * time.Second)
				assert.WithinDuration(t, time.Now(), w.status(dir).Stamp, 2*time.Second, "what is written later has its own time")
			})
		})
	}
}
