package simulate

import (
	"fmt"
	"path"
	"strings"

	"github.com/evenkeel/evenkeel/s6/s6test"
)

// whole has what there was of services before the adversary damaged them, by name.
type whole map[string]made

// made are the files of a service directory that its process has no part in.
type made struct {
	hash  string // of the spec that they were made from
	files []string
}

// own are the names of such files. Without data/hash nothing is known of the others.
func own() []string {
	return []string{
		"run", "log/run", finishFile, "timeout-kill", "down-signal", "notification-fd",
		"data/manifest.json", "data/hash",
	}
}

// keep notes what there is of a service that is about to be damaged, unless it has
// been damaged before.
func (w whole) keep(tree *s6test.Tree, name string) {
	text, err := tree.FS().ReadFile(path.Join(tree.Layout().Service(name), "data/hash"))
	hash := strings.TrimSpace(string(text))
	if err != nil || hash == "" || w[name].hash == hash {
		return
	}
	all := made{hash: hash}
	for _, file := range own() {
		if has(tree, name, file) {
			all.files = append(all.files, file)
		}
	}
	w[name] = all
}

// has reports whether there is something in a file of a service.
func has(tree *s6test.Tree, name, file string) bool {
	info, err := tree.FS().Stat(path.Join(tree.Layout().Service(name), file))
	return err == nil && info.Size() > 0
}

// lacks says what of a service made from the same spec has not been put back.
func (w whole) lacks(tree *s6test.Tree, name, hash string) error {
	if w[name].hash != hash {
		return nil
	}
	for _, file := range w[name].files {
		if !has(tree, name, file) {
			return fmt.Errorf("%s has not been put back", file)
		}
	}
	return nil
}
