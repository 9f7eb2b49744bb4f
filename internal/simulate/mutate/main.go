// Command mutate shows that the simulation can fail: it makes faults that were
// really made, here or elsewhere, in copies of the library's files, one at a
// time, and runs seeds until one finds it.
//
// The files themselves are not touched: go build takes the copies in their place
// (-overlay). A fault whose text is no longer in the file that it changes is an
// error, so that the list stays true.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

func main() {
	root := flag.String("root", ".", "the repository")
	tries := flag.Int("seeds", 200, "how many seeds, or lives, may be needed to find a fault")
	only := regexp.MustCompile("")
	flag.TextVar(only, "only", only, "only the faults whose names match this")
	flag.Parse()
	missed, err := run(*root, *tries, only)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	case len(missed) > 0:
		fmt.Fprintf(os.Stderr, "mutate: not found within %d seeds: %s\n", *tries, strings.Join(missed, ", "))
		os.Exit(1)
	}
}

// run makes one fault after the other, and returns those that no seed found.
func run(root string, tries int, only *regexp.Regexp) (missed []string, err error) {
	dir, err := os.MkdirTemp("", "evenkeel-mutate-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if only.String() == "" { // what is found is the fault's
		for _, by := range []campaign{seeds(), lives()} {
			if found, err := none(by).try(root, dir, tries); err != nil || found != "" {
				return nil, fmt.Errorf("without a fault: %s %v", found, err)
			}
		}
	}
	all := slices.DeleteFunc(mutations(), func(m mutation) bool { return !only.MatchString(m.name) })
	if len(all) == 0 {
		return nil, fmt.Errorf("no fault has a name that matches %q", only)
	}
	for _, m := range all {
		begin := time.Now()
		found, err := m.try(root, dir, tries)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		if found == "" {
			missed = append(missed, m.name)
			found = "NOT FOUND"
		}
		fmt.Printf("%-34s %s, after %v\n", m.name, found, time.Since(begin).Round(time.Second))
	}
	return missed, nil
}

// try makes a fault and returns the first seed that finds it, and how; "" for
// none.
func (m mutation) try(root, dir string, tries int) (found string, err error) {
	overlay, err := m.overlay(root, dir)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "simulate.test")
	build := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", binary, m.by.pkg)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build with this fault: %w\n%s", err, out)
	}
	test := exec.Command(binary, append(m.by.flags, "-test.run", m.by.test, "-test.timeout", "1h", m.by.tries+"="+fmt.Sprint(tries))...)
	out, err := test.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "", nil
	case !errors.As(err, &exit):
		return "", err
	}
	if found = string(m.by.found.Find(out)); found == "" {
		return "", fmt.Errorf("the test fails without a violation:\n%s", out)
	}
	return found, nil
}

// overlay writes the changed copies, and the file that names them to go build.
func (m mutation) overlay(root, dir string) (string, error) {
	replace := make(map[string]string)
	for n, file := range m.files() {
		text, err := m.apply(root, file)
		if err != nil {
			return "", err
		}
		from, err := filepath.Abs(filepath.Join(root, file))
		if err != nil {
			return "", err
		}
		to := filepath.Join(dir, fmt.Sprintf("%d-%s", n, filepath.Base(file)))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[from] = to
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, data, 0o600)
}

// apply returns a file with the edits of this fault.
func (m mutation) apply(root, file string) (string, error) {
	data, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return "", err
	}
	text := string(data)
	for _, e := range m.edits {
		if e.file != file {
			continue
		}
		if n := strings.Count(text, e.find); n != 1 {
			return "", fmt.Errorf("%q is %d times in %s, and has to be once", e.find, n, file)
		}
		text = strings.Replace(text, e.find, e.replace, 1)
	}
	return text, nil
}

// files returns the files that this fault changes.
func (m mutation) files() (all []string) {
	seen := make(map[string]bool)
	for _, e := range m.edits {
		if !seen[e.file] {
			seen[e.file] = true
			all = append(all, e.file)
		}
	}
	return all
}
