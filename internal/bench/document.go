package bench

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// Where what runs have printed is, and what is made of it.
const (
	// DocumentName is the document, RunsDir what it is made from, and PicturesDir where
	// its pictures are, all from the top of the repository.
	DocumentName = "BENCHMARKS.md"
	RunsDir      = "docs/benchmarks"
	PicturesDir  = "docs/pictures"
)

// marked is a part of the document with figures.
var marked = regexp.MustCompile(`(?ms)^<!-- figures: (\w+) -->\n(.*?)^<!-- /figures -->$`)

// Document returns the document with all its figures as in the runs that there are,
// and its pictures by their paths. A part whose run is not there stays as it is.
func Document(repository fs.FS) (text string, pictures map[string]string, err error) {
	document, err := fs.ReadFile(repository, DocumentName)
	if err != nil {
		return "", nil, err
	}
	pictures = make(map[string]string)
	text = marked.ReplaceAllStringFunc(string(document), func(whole string) string {
		m := marked.FindStringSubmatch(whole)
		part, failed := part(repository, m[1], pictures)
		if errors.Is(failed, fs.ErrNotExist) {
			return whole
		}
		err = errors.Join(err, failed)
		return fmt.Sprintf("<!-- figures: %s -->\n%s<!-- /figures -->", m[1], part)
	})
	return text, pictures, err
}

// part returns a part of the document, and adds its pictures. The error satisfies
// fs.ErrNotExist where there was no run of it.
func part(repository fs.FS, name string, pictures map[string]string) (string, error) {
	file := path.Join(RunsDir, name+".txt")
	printed, err := fs.ReadFile(repository, file)
	if err != nil {
		return "", err
	}
	run, err := Parse(string(printed))
	if err != nil {
		return "", fmt.Errorf("cannot use %s: %w", file, err)
	}
	var body string
	switch name {
	case "own":
		body, err = OwnTable(run)
	case "peers":
		links := make(map[string]string)
		for _, j := range run.Jobs() {
			links[j.Name] = path.Join(PicturesDir, "peers-"+strings.NewReplacer("/", "-", "=", "-").Replace(strings.ToLower(j.Name))+".svg")
			pictures[links[j.Name]] = Chart(j)
		}
		body = PeersTables(run, links)
	case "steady":
		body, err = steady(repository, run)
	default:
		err = fmt.Errorf("%s has figures of %q, and there are only own, peers and steady", DocumentName, name)
	}
	return run.Where() + "\n\n" + body, err
}

// steady returns what a program takes that keeps many services which do nothing, and
// where that goes.
func steady(repository fs.FS, run *Run) (string, error) {
	if len(run.Results) == 0 {
		return "", errors.New("cannot tell where a steady second goes: no benchmark has told of one")
	}
	t := table{head: []string{"", ""}}
	for _, c := range columns() {
		if value, ok := run.Results[0].Value(c.unit); ok {
			t.rows = append(t.rows, []string{c.head, figure(value, c.unit)})
		}
	}
	body := t.String()
	for _, of := range []struct{ name, head string }{{"cpu", "The processor time of the program"}, {"allocs", "What the program allocates"}} {
		top, err := fs.ReadFile(repository, path.Join(RunsDir, "steady-"+of.name+".txt"))
		if err != nil {
			return "", err
		}
		body += fmt.Sprintf("\n%s:\n\n```\n%s```\n", of.head, top)
	}
	return body, nil
}
