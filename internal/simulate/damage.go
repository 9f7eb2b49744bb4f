package simulate

import (
	"fmt"
	"path"

	"github.com/evenkeel/evenkeel/s6/s6test"
)

// damaged are the files of a service directory that somebody damages.
func damaged() []string {
	return []string{
		"run", "log/run", "finish", "timeout-kill", "down-signal", "notification-fd",
		"data/manifest.json", "data/hash", "data/started", "data/lock", "config/benthos.yaml",
		"supervise/status", "supervise/death_tally", "log/supervise/status",
	}
}

// damage does to a service directory what is done to files, n says what, and
// returns it in words.
func damage(tree *s6test.Tree, name string, n int) string {
	fs, dir := tree.FS(), tree.Layout().Service(name)
	file := damaged()[n%len(damaged())]
	full := path.Join(dir, file)
	n /= len(damaged())
	done := func(what string, err error) string { return fmt.Sprintf("%s of %s: %v", what, name, err) }
	switch n % 8 {
	case 0:
		return done("rm -rf log", fs.RemoveAll(path.Join(dir, "log")))
	case 1:
		return done("rm -rf the directory", fs.RemoveAll(dir))
	case 2, 3, 4:
		return done("rm "+file, fs.Remove(full))
	}
	data, err := fs.ReadFile(full)
	if err != nil {
		return done("nothing is done to "+file, err)
	}
	if n%8 == 5 {
		return done("truncate "+file, fs.WriteFile(full, nil, 0o644))
	}
	return done("half of "+file+" is lost", fs.WriteFile(full, data[:len(data)/2], 0o644))
}
