package simulate

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/s6/s6test"
)

// recordFile is where a process writes down what it was started from.
const recordFile = "data/started"

// finishFile is the script that ends what a process has left running.
const finishFile = "finish"

// damaged are the files of a service directory that somebody damages one by one.
// The instance lock is none of them: without it, nothing keeps a process from
// beginning beside one whose supervisor is killed in the same second.
func damaged() []string {
	return []string{
		"run", "log/run", finishFile, "timeout-kill", "down-signal", "notification-fd",
		"data/manifest.json", "data/hash", recordFile, "config/benthos.yaml",
		"supervise/status", "supervise/death_tally", "log/supervise/status",
	}
}

// jumps are how far a clock is set forward, or back.
func jumps() []time.Duration {
	const year = 365 * 24 * time.Hour
	return []time.Duration{-time.Second, time.Second, -time.Minute, time.Minute, time.Hour, -time.Hour, 20 * year, -20 * year}
}

// setClock sets the clock forward by d, for who reads what was written down: the
// tree's part of that, and what programs have written down of it.
func setClock(tree *s6test.Tree, d time.Duration) error {
	var errs []error
	before := make(map[string]time.Time)
	for _, name := range names() {
		if status, err := tree.Status(tree.Layout().Service(name)); err == nil {
			before[name] = status.Stamp
		}
	}
	tree.SetClock(d)
	for _, name := range names() {
		stamp := before[name]
		file := path.Join(tree.Layout().Service(name), "data/marked")
		data, err := tree.FS().ReadFile(file)
		if err != nil {
			continue
		}
		is := func(stamp time.Time) []byte { return strconv.AppendInt(nil, stamp.UnixNano(), 10) }
		data = bytes.ReplaceAll(data, is(stamp), is(stamp.Add(-d)))
		errs = append(errs, tree.FS().WriteFile(file, data, 0o644))
	}
	return errors.Join(errs...)
}

// loss is what was lost of a service that cannot be made good.
type loss struct {
	dir    bool // its directory, under its processes
	log    bool // that of its logger, under that
	record bool // what its process was started from
	finish bool // its finish script, until a program has seen that
	owner  bool // its manifest, which names that: what nobody asks for may be anybody's
}

// damage does to a service directory what is done to files. n says what, and it
// is returned in words.
func damage(tree *s6test.Tree, name string, n int) (says string, lost loss) {
	fs, dir := tree.FS(), tree.Layout().Service(name)
	file := damaged()[n%len(damaged())]
	full := path.Join(dir, file)
	n /= len(damaged())
	done := func(what string, err error) string { return fmt.Sprintf("%s of %s: %v", what, name, err) }
	lost.record, lost.finish, lost.owner = file == recordFile, file == finishFile, file == "data/manifest.json"
	switch n % 8 {
	case 0:
		lost = loss{log: there(fs, path.Join(dir, "log"))}
		return done("rm -rf log", fs.RemoveAll(path.Join(dir, "log"))), lost
	case 1:
		lost = loss{dir: there(fs, dir), log: there(fs, path.Join(dir, "log")), record: true}
		return done("rm -rf the directory", fs.RemoveAll(dir)), lost
	case 2, 3, 4:
		return done("rm "+file, fs.Remove(full)), lost
	}
	if strings.HasPrefix(file, "config/") {
		return done("nothing is done to "+file, nil), loss{} // its content is the process's, too
	}
	data, err := fs.ReadFile(full)
	if err != nil {
		return done("nothing is done to "+file, err), loss{}
	}
	if n%8 == 5 {
		return done("truncate "+file, fs.WriteFile(full, nil, 0o644)), lost
	}
	return done("half of "+file+" is lost", fs.WriteFile(full, data[:len(data)/2], 0o644)), lost
}

func there(fs filesystem.FS, name string) bool {
	_, err := fs.Lstat(name)
	return err == nil
}
