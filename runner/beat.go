package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/internal/proc"
)

const (
	// beatEvery is how often a beat is renewed, beatPatience how long it may take
	// on a busy machine.
	beatEvery    = time.Second
	beatPatience = 2 * beatEvery
	// passPatience is for a pass that is due. It is longer than the time-out of
	// a pass, for one that takes that long has not failed yet.
	passPatience = 12 * time.Second
)

// Beat is a file by which others see that a program makes its passes: that it
// runs and has its locks says only that it has not ended. The time of the file is
// that of the last look, its first line the process, and each further line
// something that is wrong. Its place is the scan directory, which is on no disk
// where the program runs in a container.
type Beat struct {
	// Path is the file. A link there is not followed.
	Path string
	// Wrong returns what is wrong at a moment, a line for each: Runner.Late, and
	// what else makes the program unhealthy.
	Wrong func(now time.Time) []string
}

// Keep renews the beat every second until ctx ends, and removes it then. That it
// cannot be written is seen by those who read it.
func (b Beat) Keep(ctx context.Context) {
	defer os.Remove(b.Path)
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		now := time.Now()
		_ = writeBeat(b.Path, now, b.Wrong(now))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// overdue says for each instance whose pass should have come for long since
// when that is so.
func overdue[D, O any](now time.Time, all []*fsm.Snapshot[D, O]) (late []string) {
	for _, s := range all {
		if after := now.Sub(s.NextPass); !s.NextPass.IsZero() && after > passPatience {
			late = append(late, fmt.Sprintf("%s is not looked at: its pass has been due for %v", s.Name, after.Truncate(time.Second)))
		}
	}
	return late
}

func writeBeat(path string, now time.Time, wrong []string) error {
	text := strings.Join(append([]string{strconv.Itoa(os.Getpid())}, wrong...), "\n") + "\n"
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	before, err := io.ReadAll(file)
	if err == nil && string(before) != text {
		if err = file.Truncate(0); err == nil {
			_, err = file.WriteAt([]byte(text), 0)
		}
	}
	at := unix.NsecToTimespec(now.UnixNano())
	return errors.Join(err, unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW))
}

// checkBeat returns an error unless the program whose beat it is makes its passes
// and nothing is wrong. Where the clock does not tell, it waits for the next beat.
func checkBeat(ctx context.Context, path string) error {
	first, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("it has made no pass yet")
	}
	if err != nil {
		return err
	}
	enough := time.After(beatPatience)
	for last := first.ModTime(); time.Since(last).Abs() > beatPatience && last.Equal(first.ModTime()); {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%s makes no pass", beater(path))
		case <-enough:
			return fmt.Errorf("%s makes no pass: the last one was at %s", beater(path), last.Format(time.TimeOnly))
		}
		if now, err := os.Stat(path); err == nil {
			last = now.ModTime()
		}
	}
	_, wrong, err := readBeat(path)
	if err == nil && len(wrong) > 0 {
		err = errors.New(strings.Join(wrong, "; "))
	}
	return err
}

func readBeat(path string) (pid int, wrong []string, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, nil, err
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	pid, _ = strconv.Atoi(lines[0]) // 0 while it is being written
	return pid, lines[1:], nil
}

// beater names the process whose beat it is, and says if it is stopped.
func beater(path string) string {
	pid, _, err := readBeat(path)
	if err != nil || pid == 0 {
		return "it"
	}
	who := fmt.Sprintf("process %d", pid)
	if p, err := proc.System.Read(pid); err == nil && p.State == "T" {
		who += ", which is stopped (SIGSTOP),"
	}
	return who
}
