package repo

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite what is generated: in the documents and in testdata/api")

// root is the repository, seen from this package.
const root = "../.."

// rules returns all rules. Each returns its findings, which say where, what
// and what to do.
func rules() map[string]func(*tree) []string {
	return map[string]func(*tree) []string{
		"imports":            imports,
		"package comment":    packageComment,
		"package and file":   badNames,
		"length":             length,
		"documented":         documented,
		"no sleep in tests":  sleeps,
		"no stopwatch":       stopwatches,
		"no skipped tests":   skips,
		"proc in one place":  procfs,
		"nothing unfinished": unfinished,
		"make targets":       makeTargets,
		"minimal is minimal": minimal,
		"mentioned is there": mentioned,
		"order of files":     order,
		"one clock reading":  clock,
	}
}

func TestRules(t *testing.T) {
	repository, err := load(os.DirFS(root))
	require.NoError(t, err)
	for name, rule := range rules() {
		t.Run(name, func(t *testing.T) {
			for _, finding := range rule(repository) {
				t.Error(finding)
			}
		})
	}
}

// planting is a repository for one rule, with what breaks it beside what does
// not.
type planting struct {
	files map[string]string
	want  []string // the beginning of each finding, in order
}

func plantings() map[string]planting {
	long := "package s6\n\nfunc f() {\n" + strings.Repeat("\tg()\n", 58) + "}\n"
	return map[string]planting{
		"imports": {
			map[string]string{
				"fsm/a.go":                "package fsm\n\nimport (\n\t\"net/http\"\n\t\"github.com/looplab/fsm\"\n\t\"golang.org/x/sys/unix\"\n)",
				"fsm/a_test.go":           "package fsm\n\nimport \"" + module + "/fsm/fsmtest\"",
				"fsm/b.go":                "package fsm\n\nimport \"" + module + "/fsm/fsmtest\"",
				"s6/a.go":                 "package s6\n\nimport (\n\t\"" + module + "/fsm\"\n\t\"" + module + "/benthos\"\n)",
				"benthos/a.go":            "package benthos\n\nimport \"" + module + "/integration\"",
				"examples/x/main.go":      "package main\n\nimport \"" + module + "/s6\"",
				"integration/x/a_test.go": "package x\n\nimport (\n\t\"" + module + "/integration\"\n\t\"" + module + "/examples/x\"\n)",
				"fresh/a.go":              "package fresh",
			},
			[]string{
				"benthos/a.go:3: benthos must not import integration",
				"fresh/a.go:1: package fresh has no row",
				`fsm/a.go:6: fsm must not import golang.org/x/sys/unix`,
				"fsm/b.go:3: fsm must not import fsm/fsmtest",
				"integration/x/a_test.go:5: integration/x must not import examples/x",
				"s6/a.go:5: s6 must not import benthos",
			},
		},
		"package comment": {
			map[string]string{
				"a/a.go":      "// Package a is here.\npackage a",
				"b/doc.go":    "// A package.\npackage b",
				"c/doc.go":    "// Package c is.\npackage c",
				"c/c.go":      "// Package c is, too.\npackage c",
				"d/d_test.go": "package d",
				"e/main.go":   "package main",
				"f/main.go":   "// F does.\npackage main",
			},
			[]string{"a/a.go:2: a second package comment", "a: there is no a/doc.go", "b/doc.go:2: ", "c/c.go:2: a second", "e/main.go:1: "},
		},
		"package and file": {
			map[string]string{"a/utils/doc.go": "package utils", "a/helpers_test.go": "package a", "a/database.go": "package a"},
			[]string{"a/helpers_test.go:1: ", "a/utils/doc.go:1: "},
		},
		"length": {
			map[string]string{
				"s6/a.go":      long,
				"s6/b.go":      strings.Replace(long, "\tg()\n", "", 1),
				"s6/c.go":      "package s6\n" + strings.Repeat("// c\n", 399),
				"s6/d.go":      "package s6\n" + strings.Repeat("// d\n", 398),
				"s6/a_test.go": long + strings.Repeat("// a\n", 399),
			},
			[]string{"s6/a.go:3: f has 60 lines", "s6/c.go:1: the file has 400 lines"},
		},
		"documented": {
			map[string]string{
				"a/a.go": "package a\n\ntype T struct{ F int }\nfunc (*T[X]) M() {}\nfunc (t) N() {}\ntype t struct{}\nfunc F() {}\nconst C = 1\n" +
					"// These are.\nconst (\n\tD = 1\n\tE = 2\n)\n",
				"a/b.go":        "package a\n\ntype I interface{ M() }\n// J is; M does.\ntype J interface {\n\tM()\n\t// N does; O, too.\n\tN()\n\tO()\n\tP()\n}\n",
				"a/a_test.go":   "package a\n\nfunc TestX() {}",
				"cmd/x/main.go": "package main\n\nfunc F() {}",
			},
			[]string{"a/a.go:3: T ", "a/a.go:4: T.M ", "a/a.go:7: F ", "a/a.go:8: C ", "a/b.go:10: J.P ", "a/b.go:3: I ", "a/b.go:3: I.M "},
		},
		"no sleep in tests": {
			map[string]string{
				"a/a_test.go":              "package a\n\nimport (\n\t\"time\"\n\tclock \"time\"\n)\n\nfunc f() {\n\ttime.Sleep(1)\n\tclock.Sleep(1)\n\ttime.After(1)\n}",
				"a/atest/a.go":             "package atest\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }",
				"a/a.go":                   "package a\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }",
				"b/a_test.go":              "package b\n\nimport (\n\t\"testing/synctest\"\n\t\"time\"\n)\n\nfunc TestX() {\n\tsynctest.Test(func() {\n\t\ttime.Sleep(1)\n\t})\n\ttime.Sleep(1)\n}",
				"b/b_test.go":              "package b\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n\nfunc TestY() { TestX(func() { time.Sleep(1) }) }",
				"integration/a_test.go":    "package integration\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }",
				"integration/harness/a.go": "package harness\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }",
			},
			[]string{"a/a_test.go:10: ", "a/a_test.go:9: ", "a/atest/a.go:5: ", "b/a_test.go:12: ", "integration/a_test.go:5: "},
		},
		"no stopwatch": {
			map[string]string{
				"integration/a_test.go":       "package a\n\nimport \"time\"\n\nfunc f() {\n\tassert.Less(t, time.Since(x), 1)\n\tok := 1 < time.Since(x)\n\tassert.Equal(t, 1, 1)\n\tt.Log(time.Since(x))\n}",
				"integration/x/bench_test.go": "package x\n\nimport \"time\"\n\nvar ok = time.Since(x) < 1",
				"integration/harness/a.go":    "package harness\n\nimport \"time\"\n\nvar ok = time.Since(x) < 1",
				"fsm/a_test.go":               "package fsm\n\nimport \"time\"\n\nvar ok = time.Since(x) < 1",
			},
			[]string{"integration/a_test.go:6: ", "integration/a_test.go:7: "},
		},
		"no skipped tests": {
			map[string]string{"integration/a_test.go": "package a\n\nfunc f() {\n\tt.Skip()\n\tb.Skipf(\"\")\n\tx.SkipNow()\n\tfs.SkipDir()\n}"},
			[]string{"integration/a_test.go:4: ", "integration/a_test.go:5: ", "integration/a_test.go:6: "},
		},
		"proc in one place": {
			map[string]string{
				"a/a.go":             "package a\n\nconst c = \"/proc\"\nconst d = `/proc/self/stat`\nconst e = \"/procs\"\nconst f = \"cannot read /proc/1\"",
				"a/a_test.go":        "package a\n\nconst g = \"/proc\"",
				"internal/proc/a.go": "package proc\n\nconst c = \"/proc\"",
			},
			[]string{"a/a.go:3: /proc is", "a/a.go:4: /proc/self/stat is"},
		},
		"nothing unfinished": {
			map[string]string{"README.md": "one\nTO" + "DO: two\nmktemp XX" + "XXXX\n", "Makefile": "# FIX" + "ME\n"},
			[]string{"Makefile:1: ", "README.md:2: "},
		},
		"make targets": {
			map[string]string{
				"Makefile":  "run: a\ntest-unit:\n",
				"README.md": "make nothing, `make run`, `make walk`\n\n```sh\nmake run ARGS=x # make it\n  $ make test-unit fly\n```\n",
				"a/a.go":    "package a\n\nconst c = `run \"make swim\" or make sure`",
			},
			[]string{"README.md: make fly", "README.md: make walk", "a/a.go: make swim"},
		},
		"minimal is minimal": {
			map[string]string{"examples/minimal/main.go": "package main\n" + strings.Repeat("// a\n", 59)},
			[]string{"examples/minimal/main.go: 60 lines"},
		},
		"mentioned is there": {
			map[string]string{
				"a/a.go":       "package a",
				"a/a_test.go":  "package a\n\nfunc TestHere(t *testing.T) {}\n\nfunc TestBegins(t *testing.T) {}",
				"README.md":    "[a](a) [b](docs/b.md#part) [c](https://c.example) [d](#d) [e](docs/gone.md) `a/a.go` `a/gone.go` `gone.go`\n",
				"docs/b.md":    "[a](../a/a.go) [b](a/a.go) `a: TestHere` `a: TestBeg…` `a: TestBeg` `TestHere`\n",
				"CHANGELOG.md": "`a/gone.go` `a: TestGone` [a](gone)\n",
			},
			[]string{
				"CHANGELOG.md: the link to gone", "README.md: the link to docs/gone.md", "README.md: there is no file a/gone.go",
				"docs/b.md: the link to a/a.go", "docs/b.md: there is no test TestBeg", "docs/b.md: there is no test TestHere",
			},
		},
		"one clock reading": {
			map[string]string{
				"s6/driver.go":        "package s6\n\nimport \"time\"\n\n// Not the pass's reading: it is not for this.\nvar a = 1\n\nvar b = time.Now()",
				"s6/driver_a.go":      "package s6\n\nimport clock \"time\"\n\nvar c, d = clock.Since(clock.Now()), clock.Second",
				"s6/driver_b.go":      "package s6\n\nimport \"time\"\n\n// It is read.\n// Not the pass's reading: it is for this,\n// and says why.\nvar e = time.Now()\nvar f = time.Now() // Not the pass's reading: why.\nvar g = time.Now() // why",
				"s6/driver_a_test.go": "package s6\n\nimport \"time\"\n\nvar h = time.Now()",
				"s6/tree.go":          "package s6\n\nimport \"time\"\n\nvar i = time.Now()",
				"benthos/driver_a.go": "package benthos\n\nimport \"time\"\n\nvar k = time.Until(k)",
				"a/driver.go":         "package a\n\nimport \"time\"\n\nvar j = time.Now()",
			},
			[]string{"benthos/driver_a.go:5: ", "s6/driver.go:8: ", "s6/driver_a.go:5: ", "s6/driver_a.go:5: ", "s6/driver_b.go:10: "},
		},
		"order of files": {
			map[string]string{
				"s6/doc.go":  "// Package s6 is.\n//\n// # Files\n//\n//   - a.go: low\n//   - b.go: high\n//   - gone.go\npackage s6",
				"s6/a.go":    "package s6\n\nimport \"" + module + "/fsm\"\n\ntype T struct{ f fsm.F }\n\nfunc a(t T) {\n\tb()\n\tb()\n\tt.m()\n\tt.f.F.M()\n}",
				"s6/b.go":    "package s6\n\nimport \"os\"\n\nfunc b() { _ = os.Args }\nfunc (t T) m() { a(t) }",
				"s6/c.go":    "package s6",
				"fsm/doc.go": "// Package fsm has no list.\npackage fsm",
				"fsm/a.go":   "package fsm\n\ntype F struct{ *F }\n\nfunc (F) M() { b() }",
				"fsm/b.go":   "package fsm\n\nfunc b() {}",
			},
			[]string{"s6/a.go:10: m is declared in b.go", "s6/a.go:8: b is declared in b.go", "s6/c.go:1: the list", "s6/doc.go:8: there is no gone.go"},
		},
	}
}

func TestRulesFindWhatBreaksThem(t *testing.T) {
	assert.ElementsMatch(t, slices.Collect(maps.Keys(rules())), slices.Collect(maps.Keys(plantings())), "every rule has a planting")
	for name, p := range plantings() {
		t.Run(name, func(t *testing.T) {
			files := make(fstest.MapFS)
			for path, text := range p.files {
				files[path] = &fstest.MapFile{Data: []byte(text)}
			}
			planted, err := load(files)
			require.NoError(t, err)
			found := rules()[name](planted)
			slices.Sort(found)
			require.Len(t, found, len(p.want), strings.Join(found, "\n"))
			for n, want := range p.want {
				assert.True(t, strings.HasPrefix(found[n], want), "%q does not begin with %q", found[n], want)
			}
		})
	}
}
