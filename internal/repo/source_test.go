package repo

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// packageComment holds that the package comment stands in the file that is read
// first: doc.go, or the main.go of a program.
func packageComment(t *tree) (found []string) {
	commented := make(map[string]bool)
	for _, f := range t.files {
		if f.test() {
			continue
		}
		name := path.Base(f.path)
		first := name == "doc.go" || f.main() && name == "main.go"
		switch {
		case !first && f.Doc != nil:
			found = append(found, t.at(f.Name, "a second package comment: move it into doc.go"))
		case first && f.Doc == nil, first && !f.main() && !strings.HasPrefix(f.Doc.Text(), "Package "+f.Name.Name+" "):
			found = append(found, t.at(f.Name, "there is no package comment: say here what the package is for"))
		}
		commented[f.dir()] = commented[f.dir()] || first
	}
	for dir, ok := range commented {
		if !ok {
			found = append(found, dir+": there is no "+dir+"/doc.go: add it with the package comment")
		}
	}
	return found
}

// badNames holds that the name of a package or file says what is in it.
func badNames(t *tree) (found []string) {
	empty := []string{"util", "utils", "helper", "helpers", "common", "base", "misc"}
	for _, f := range t.files {
		file, _, _ := strings.Cut(path.Base(f.path), ".")
		for _, name := range []string{f.Name.Name, strings.TrimSuffix(file, "_test")} {
			if slices.Contains(empty, name) {
				found = append(found, t.at(f.Name, "%s says nothing: name it after what is in it", name))
				break
			}
		}
	}
	return found
}

// length holds files under 400 and functions under 60 lines, tests aside.
func length(t *tree) (found []string) {
	for _, f := range t.files {
		if f.test() {
			continue
		}
		if n := lines(t.texts[f.path]); n >= 400 {
			found = append(found, t.at(f.Name, "the file has %d lines, 399 are allowed: split it by subject", n))
		}
		for _, d := range f.Decls {
			function, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := t.fset.Position(d.End()).Line - t.fset.Position(d.Pos()).Line + 1; n >= 60 {
				found = append(found, t.at(d, "%s has %d lines, 59 are allowed: split it", function.Name.Name, n))
			}
		}
	}
	return found
}

// procfs holds that one package reads /proc, so that the meaning of a failed
// read is decided once. Tests may open a file there like any other.
func procfs(t *tree) (found []string) {
	for _, f := range t.files {
		if f.test() || f.within("internal/proc") {
			continue
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			if text, _ := strconv.Unquote(literal.Value); under(text, "/proc") {
				found = append(found, t.at(n, "%s is opened by hand: read it through internal/proc", text))
			}
			return true
		})
	}
	return found
}

// clock holds that drivers take the clock reading of their pass, which fsm.Now
// returns, unless a comment says there why not.
func clock(t *tree) (found []string) {
	for _, f := range t.files {
		driver, _ := path.Match("driver*.go", path.Base(f.path))
		if !driver || f.test() || !slices.Contains([]string{"s6", "benthos"}, f.dir()) {
			continue
		}
		excused := make(map[int]bool) // lines
		text := strings.Split(t.texts[f.path], "\n")
		for _, c := range f.Comments {
			begins, ends := t.fset.Position(c.Pos()).Line, t.fset.Position(c.End()).Line
			if strings.HasPrefix(strings.TrimSpace(text[begins-1]), "//") {
				begins = ends + 1 // it is about what follows
			}
			if strings.Contains(c.Text(), "Not the pass's reading: ") {
				excused[begins] = true
			}
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			reads := slices.ContainsFunc([]string{"Now", "Since", "Until"}, func(function string) bool {
				return isCall(f, n, "time", function)
			})
			if reads && !excused[t.fset.Position(n.Pos()).Line] {
				found = append(found, t.at(n, "a driver reads the clock: take fsm.Now(ctx), or say why not in a comment here, \"Not the pass's reading: …\""))
			}
			return true
		})
	}
	return found
}

// importedAs returns the names a package has in a file.
func importedAs(f *goFile, name string) (names []string) {
	for _, spec := range f.Imports {
		if imported, _ := strconv.Unquote(spec.Path.Value); imported != name {
			continue
		}
		if spec.Name != nil {
			names = append(names, spec.Name.Name)
		} else {
			names = append(names, path.Base(name))
		}
	}
	return names
}

// skips holds that no test is skipped: what a test needs is there or the test
// fails. The one exception needs files that are not everybody's to have.
func skips(t *tree) (found []string) {
	for _, f := range t.files {
		if f.path == "integration/container/overlay_test.go" {
			continue
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			s, ok := call.Fun.(*ast.SelectorExpr)
			if ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name) {
				found = append(found, t.at(n, "a test is skipped: let it fail where what it needs is missing"))
			}
			return true
		})
	}
	return found
}

// unfinished holds that nothing is left for later in the files themselves.
func unfinished(t *tree) (found []string) {
	words := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)
	for _, name := range t.names() {
		for n, line := range strings.Split(t.texts[name], "\n") {
			if word := words.FindString(line); word != "" {
				found = append(found, name+":"+strconv.Itoa(n+1)+": "+word+": do it, or open an issue")
			}
		}
	}
	return found
}
