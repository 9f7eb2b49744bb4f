package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// column is a figure of the peers.
type column struct {
	unit, head string
	missing    string // what it means that a peer has none
	kept       bool   // less is not better
}

// columns are the figures of the peers, in the order of their tables.
func columns() []column {
	return []column{
		{unit: "up-ms", head: "all ready"},
		{unit: "back-ms", head: "killed, ready again", missing: "stays down"},
		{unit: "known-ms", head: "killed, told", missing: "does not say"},
		{unit: "change-ms", head: "one changed"},
		{unit: "lost", head: "others restarted by that"},
		{unit: "stop-ms", head: "all stopped"},
		{unit: "idle-%core", head: "idle, of a core"},
		{unit: "MB", head: "memory"},
		{unit: "processes", head: "processes", kept: true},
	}
}

// Job is a job under all peers.
type Job struct {
	// Name is that of its benchmark, without the peer.
	Name  string
	Peers []*Result
}

// peer returns the name of a peer.
func peer(r *Result) string { return r.Name[strings.LastIndex(r.Name, "/")+1:] }

// Jobs returns the jobs of a run.
func (r *Run) Jobs() (all []*Job) {
	for _, one := range r.Results {
		name, _, found := cutLast(one.Name)
		if !found {
			continue
		}
		n := slices.IndexFunc(all, func(j *Job) bool { return j.Name == name })
		if n < 0 {
			n, all = len(all), append(all, &Job{Name: name})
		}
		all[n].Peers = append(all[n].Peers, one)
	}
	return all
}

func cutLast(name string) (before, after string, found bool) {
	at := strings.LastIndex(name, "/")
	if at < 0 {
		return name, "", false
	}
	return name[:at], name[at+1:], true
}

// Title says what a job is, by the name of its benchmark.
func (j *Job) Title() string {
	what, number, _ := strings.Cut(j.Name, "/")
	_, number, _ = strings.Cut(number, "=")
	what = map[string]string{"Sleepers": "services that sleep", "Streams": "Benthos"}[what]
	return number + " " + what
}

// Table returns the figures of a job, the least of each column in bold where they
// differ.
func (j *Job) Table() string {
	t := table{head: []string{"peer"}}
	for _, c := range columns() {
		t.head = append(t.head, c.head)
	}
	for _, one := range j.Peers {
		row := []string{peer(one)}
		for _, c := range columns() {
			row = append(row, j.cell(one, c))
		}
		t.rows = append(t.rows, row)
	}
	return t.String()
}

func (j *Job) cell(of *Result, c column) string {
	value, ok := of.Value(c.unit)
	if !ok {
		return c.missing
	}
	text := figure(value, c.unit)
	least, differ := true, false
	for _, other := range j.Peers {
		if v, ok := other.Value(c.unit); ok {
			least, differ = least && v >= value, differ || v != value
		}
	}
	if least && differ && !c.kept {
		return "**" + text + "**"
	}
	return text
}

// PeersTables returns the tables of all jobs, with what was measured and what was not.
// pictures are the paths of the pictures of the jobs.
func PeersTables(r *Run, pictures map[string]string) string {
	var b strings.Builder
	for _, j := range r.Jobs() {
		fmt.Fprintf(&b, "### %s\n\n%s\n![%s](%s)\n\n", j.Title(), j.Table(), j.Title(), pictures[j.Name])
	}
	t := table{head: []string{"peer", "version"}}
	versions, missing := r.With("version-"), r.With("unmeasured-")
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		t.rows = append(t.rows, []string{name, versions[name]})
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		t.rows = append(t.rows, []string{name, "not measured: " + missing[name]})
	}
	b.WriteString(t.String())
	return b.String()
}
