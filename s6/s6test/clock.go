package s6test

import (
	"bytes"
	"path"
	"time"

	"github.com/evenkeel/evenkeel/s6/supervise"
)

// SetClock has all that was written down so far be d older, as it is to who
// reads it once the machine's clock was set forward by d, or back where d is
// negative: the stamps of statuses, tallies and log lines, and the names of
// archived logs. The clock itself goes on as before. A program that has read
// stamps remembers them as they were, so that none should run meanwhile.
func (t *Tree) SetClock(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.live {
		s.status.Stamp, s.status.ReadyStamp = older(s.status.Stamp, d), older(s.status.ReadyStamp, d)
	}
	for _, name := range t.names(t.config.Layout.ServicesDir) {
		for _, dir := range []string{t.config.Layout.Service(name), path.Join(t.config.Layout.Service(name), "log")} {
			t.rewrite(path.Join(dir, "supervise/status"), d, olderStatus)
			t.rewrite(path.Join(dir, "supervise/death_tally"), d, olderTally)
		}
	}
	for _, name := range t.names(t.config.Layout.LogsDir) {
		dir := t.config.Layout.Log(name)
		for _, file := range t.names(dir) {
			t.rewrite(path.Join(dir, file), d, olderLines)
			if to := olderLabel(file, d); to != file {
				t.note(t.mem.Rename(path.Join(dir, file), path.Join(dir, to)))
			}
		}
	}
}

// names returns what is in a directory.
func (t *Tree) names(dir string) (all []string) {
	entries, err := t.mem.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// rewrite writes a file anew, if it is one that can be read.
func (t *Tree) rewrite(file string, d time.Duration, with func(data []byte, d time.Duration) ([]byte, error)) {
	data, err := t.mem.ReadFile(file)
	if err != nil {
		return
	}
	if data, err = with(data, d); err == nil {
		t.note(t.mem.WriteFile(file, data, 0o644))
	}
}

// older returns a stamp that much older; no stamp stays none.
func older(stamp time.Time, d time.Duration) time.Time {
	if stamp.IsZero() {
		return stamp
	}
	return stamp.Add(-d)
}

func olderStatus(data []byte, d time.Duration) ([]byte, error) {
	s, err := supervise.DecodeStatus(data)
	if err != nil {
		return nil, err
	}
	s.Stamp, s.ReadyStamp = older(s.Stamp, d), older(s.ReadyStamp, d)
	return supervise.AppendStatus(nil, s, len(data))
}

func olderTally(data []byte, d time.Duration) ([]byte, error) {
	deaths, err := supervise.DecodeTally(data)
	if err != nil {
		return nil, err
	}
	data = nil
	for _, death := range deaths {
		death.Time = older(death.Time, d)
		data = supervise.AppendDeath(data, death)
	}
	return data, nil
}

func olderLines(data []byte, d time.Duration) ([]byte, error) {
	var all bytes.Buffer
	for line := range bytes.Lines(data) {
		all.WriteString(olderLabel(string(line), d))
	}
	return all.Bytes(), nil
}

// olderLabel makes the label at the beginning of a text older, if it has one.
func olderLabel(text string, d time.Duration) string {
	label, rest := text[:min(len(text), supervise.TAI64NTextSize)], text[min(len(text), supervise.TAI64NTextSize):]
	at, err := supervise.ParseTAI64N(label)
	if err != nil {
		return text
	}
	return supervise.FormatTAI64N(older(at, d)) + rest
}

// Uptime implements s6.Tree: the machine started with the tree.
func (t *Tree) Uptime() (time.Duration, error) { return t.uptime(), nil }

func (t *Tree) uptime() time.Duration { return time.Since(t.born) }
