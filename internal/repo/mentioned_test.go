package repo

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"strings"
)

var (
	// linked is a link of Markdown, without its anchor.
	linked = regexp.MustCompile(`\]\(([^)#\s]*)(?:#[^)\s]*)?\)`)
	// mentionedFile is a file, and mentionedTest a test with its package, in a
	// code span. An ellipsis ends the beginning of the names of several tests.
	mentionedFile = regexp.MustCompile("`([\\w.-]+/[\\w./-]+\\.(?:go|sh|md|yml))`")
	mentionedTest = regexp.MustCompile("`(?:([\\w/]+): )?(Test\\w+)(…)?`")
)

// mentioned holds that what documents name is there: what they link to, and the
// files and tests in their code spans. The changelog may name what is gone.
func mentioned(t *tree) (found []string) {
	tests := t.tests()
	for _, name := range t.names() {
		if path.Ext(name) != ".md" {
			continue
		}
		text := t.texts[name]
		for _, m := range linked.FindAllStringSubmatch(text, -1) {
			if m[1] == "" || strings.Contains(m[1], ":") {
				continue // a place in the document itself, or another site
			}
			if !t.paths[path.Join(path.Dir(name), m[1])] {
				found = append(found, fmt.Sprintf("%s: the link to %s leads nowhere", name, m[1]))
			}
		}
		if name == "CHANGELOG.md" {
			continue
		}
		for _, m := range mentionedFile.FindAllStringSubmatch(text, -1) {
			if !t.paths[m[1]] {
				found = append(found, fmt.Sprintf("%s: there is no file %s: name it from the top of the repository", name, m[1]))
			}
		}
		for _, m := range mentionedTest.FindAllStringSubmatch(text, -1) {
			if !tests.has(m[1], m[2], m[3] != "") {
				found = append(found, fmt.Sprintf("%s: there is no test %s in package %q: name it as in `s6: TestX`", name, m[2], m[1]))
			}
		}
	}
	return found
}

// testNames are the names of the tests of each package, by its directory.
type testNames map[string][]string

func (t *tree) tests() testNames {
	all := make(testNames)
	for _, f := range t.files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.test() && fn.Recv == nil {
				all[f.dir()] = append(all[f.dir()], fn.Name.Name)
			}
		}
	}
	return all
}

func (n testNames) has(dir, test string, beginning bool) bool {
	for _, name := range n[dir] {
		if name == test || beginning && strings.HasPrefix(name, test) {
			return true
		}
	}
	return false
}
