package repo

import (
	"slices"
	"strconv"
	"strings"
)

// arrow says what a package may import besides the standard library.
type arrow struct {
	inside  []string // packages of this module
	outside []string // modules
	tests   []string // packages of this module, for its tests alone
}

// arrows has a row for each package of the library: benthos → s6 → s6/s6log →
// s6/supervise → filesystem, s6 → fsm, benthos → ports, and nothing the other
// way. What does not lead downwards there does not get in by a new row either.
func arrows() map[string]arrow {
	const (
		testify = "github.com/stretchr/testify"
		unix    = "golang.org/x/sys"
	)
	return map[string]arrow{
		"fsm":                          {[]string{"fsm/internal/clock", "fsm/internal/pace"}, []string{"github.com/looplab/fsm"}, []string{"fsm/fsmtest"}},
		"fsm/order":                    {[]string{"fsm"}, nil, nil},
		"fsm/internal/clock":           {nil, nil, []string{testify}},
		"fsm/internal/pace":            {nil, nil, nil},
		"fsm/fsmtest":                  {[]string{"fsm", "fsm/internal/clock", "fsm/internal/pace"}, []string{testify}, nil},
		"filesystem":                   {[]string{"filesystem/internal/contract"}, []string{unix}, []string{"filesystem/memfs", "filesystem/filesystemtest"}},
		"filesystem/internal/contract": {},
		"filesystem/memfs":             {[]string{"filesystem", "filesystem/internal/contract"}, []string{"github.com/spf13/afero"}, []string{"filesystem/filesystemtest"}},
		"filesystem/filesystemtest":    {[]string{"filesystem"}, []string{testify}, []string{"filesystem/memfs"}},
		"s6":                           {[]string{"s6/supervise", "internal/inotify", "internal/proc", "internal/spell", "s6/s6log", "fsm", "filesystem"}, []string{unix}, []string{"s6/s6test", "fsm/fsmtest", "filesystem/memfs", "filesystem/filesystemtest"}},
		"s6/supervise":                 {[]string{"filesystem"}, []string{unix}, []string{"filesystem/memfs"}},
		"s6/s6log":                     {[]string{"s6/supervise", "filesystem"}, nil, []string{"filesystem/memfs", "filesystem/filesystemtest"}},
		"s6/logs":                      {[]string{"s6/s6log", "filesystem"}, nil, []string{"s6/supervise", "filesystem/memfs", "filesystem/filesystemtest"}},
		"s6/s6test":                    {[]string{"s6", "s6/supervise", "s6/s6log", "fsm", "filesystem", "filesystem/memfs", "filesystem/filesystemtest"}, []string{testify, unix}, []string{"s6/s6test/conform"}},
		"s6/s6test/conform":            {[]string{"s6", "s6/supervise", "s6/s6test"}, []string{testify}, nil},
		"journal": {
			[]string{"fsm", "filesystem"}, nil,
			[]string{"filesystem/memfs", "filesystem/filesystemtest", "s6", "s6/s6test", "benthos", "benthos/benthostest", "internal/simulate"},
		},
		"internal/simulate": {
			[]string{"s6", "s6/supervise", "s6/s6test", "benthos", "ports", "fsm", "fsm/order", "filesystem", "filesystem/filesystemtest"},
			nil, nil,
		},
		"internal/simulate/mutate": {},
		"ports":                    {[]string{"internal/proc"}, nil, nil},
		"internal/proc":            {nil, []string{"github.com/prometheus/procfs", unix}, nil},
		"internal/spell":           {},
		"internal/inotify":         {nil, []string{unix}, nil},
		"internal/nearest":         {},
		"benthos": {
			[]string{"s6", "s6/supervise", "s6/s6log", "fsm", "filesystem", "ports", "internal/proc"},
			[]string{"gopkg.in/yaml.v3", unix},
			[]string{"benthos/benthostest", "s6/s6test", "fsm/fsmtest", "filesystem/memfs", "filesystem/filesystemtest"},
		},
		"config": {
			[]string{"benthos", "s6", "fsm", "fsm/order", "filesystem", "internal/nearest"},
			[]string{"gopkg.in/yaml.v3", "github.com/invopop/jsonschema"},
			[]string{"filesystem/memfs", "filesystem/filesystemtest", "internal/badfiles"},
		},
		"internal/badfiles": {[]string{"config"}, nil, nil},
		"runner": {
			[]string{"config", "benthos", "s6", "s6/supervise", "fsm", "fsm/order", "filesystem", "ports", "internal/proc", "internal/spell"},
			[]string{"github.com/fsnotify/fsnotify", "github.com/rogpeppe/go-internal", unix},
			[]string{"filesystem/memfs", "filesystem/filesystemtest", "s6/s6test", "benthos/benthostest"},
		},
		"api":          {[]string{"fsm", "internal/proc"}, []string{"github.com/danielgtaylor/huma", unix}, nil},
		"internal/cli": {[]string{"internal/top", "internal/serve", "internal/words", "api", "api/page", "journal", "metrics", "runner", "config", "benthos", "s6", "filesystem", "fsm", "s6/logs", "internal/nearest"}, []string{"github.com/spf13/cobra"}, nil},
		"metrics": {
			[]string{"benthos", "s6", "fsm"},
			[]string{"github.com/prometheus", "golang.org/x/sync"},
			[]string{"benthos/benthostest", "s6/s6test", "s6/supervise"},
		},
		"internal/serve":            {[]string{"api", "journal", "runner", "config", "benthos", "s6", "s6/logs", "filesystem", "fsm"}, nil, nil},
		"internal/bench":            {},
		"internal/bench/write":      {[]string{"internal/bench"}, nil, nil},
		"internal/words":            {[]string{"api", "fsm"}, nil, nil},
		"internal/top":              {[]string{"internal/words", "api", "runner", "fsm"}, []string{"charm.land/bubbletea/v2", "github.com/charmbracelet/x/ansi", unix}, []string{"internal/screen"}},
		"internal/screen":           {nil, []string{"github.com/charmbracelet/x", "github.com/charmbracelet/ultraviolet"}, nil},
		"cmd/evenkeel":              {[]string{"internal/cli"}, nil, nil},
		"benthos/benthostest":       {[]string{"benthos", "ports"}, []string{testify}, nil},
		"benthos/engine":            {nil, []string{"github.com/warpstreamlabs/bento"}, nil},
		"benthos/engine/redpanda":   {nil, []string{"github.com/redpanda-data/benthos/v4"}, nil},
		"api/page":                  {tests: []string{"api", "api/page/internal/machine", "fsm", "s6", "benthos"}},
		"api/page/internal/machine": {[]string{"fsm"}, nil, nil},
		"api/page/internal/draw":    {[]string{"api/page/internal/machine", "fsm", "s6", "benthos"}, nil, nil},
		"tools/layout":              {nil, []string{"github.com/goccy/go-graphviz"}, nil},
	}
}

// forTests are what tests of every package may use.
func forTests() []string {
	return []string{
		"github.com/stretchr/testify", "go.uber.org/goleak", "gopkg.in/yaml.v3", "golang.org/x/sys",
		"github.com/rogpeppe/go-internal", "github.com/santhosh-tekuri/jsonschema", "pgregory.net/rapid",
		"github.com/prometheus",
	}
}

// imports holds the arrows between packages.
func imports(t *tree) (found []string) {
	missing := make(map[string]bool)
	for _, f := range t.files {
		row, known := arrows()[f.dir()]
		free := f.within("examples") || f.within("integration") || f.within("internal/repo")
		if !known && !free && !missing[f.dir()] {
			missing[f.dir()] = true
			found = append(found, t.at(f.Name, "package %s has no row that says what it may import: add one in internal/repo/imports_test.go", f.dir()))
		}
		if !known && !free {
			continue
		}
		for _, spec := range f.Imports {
			name, _ := strconv.Unquote(spec.Path.Value) // it has been parsed
			if !mayImport(f, row, free, name) {
				found = append(found, t.at(spec, "%s must not import %s: move what it needs to where the arrows of internal/repo/imports_test.go lead", f.dir(), strings.TrimPrefix(name, module+"/")))
			}
		}
	}
	return found
}

func mayImport(f *goFile, row arrow, free bool, name string) bool {
	if first, _, _ := strings.Cut(name, "/"); !strings.Contains(first, ".") {
		return true // the standard library
	}
	inside, own := strings.CutPrefix(name, module+"/")
	switch {
	case own && inside == f.dir():
		return f.test()
	case own && (under(inside, "examples") || under(inside, "benthos/engine")):
		return false
	case own && under(inside, "integration"):
		return f.within("integration")
	case free:
		return true
	case own:
		return slices.Contains(row.inside, inside) || f.test() && slices.Contains(row.tests, inside)
	}
	allowed := row.outside
	if f.test() {
		allowed = slices.Concat(allowed, forTests())
	}
	return slices.ContainsFunc(allowed, func(other string) bool { return under(name, other) })
}

// under tells whether a path is a directory or lies below it.
func under(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
