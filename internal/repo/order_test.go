package repo

import (
	"fmt"
	"go/ast"
	"go/types"
	"path"
	"regexp"
	"slices"
	"strings"
)

// listed is a file in the list of a package's doc.go, with what it is about.
var listed = regexp.MustCompile(`(?m)^\s*- ([a-z0-9_]+\.go)\b`)

// order holds that in a package whose doc.go lists its files from low to high,
// under the heading Files, each file uses only what is declared in itself and
// in those before it. There is no list of exceptions: what two files need of
// each other belongs in one of them, or in a third below both.
func order(t *tree) (found []string) {
	checked := make(map[string]*checkedPackage)
	for _, f := range t.files {
		if path.Base(f.path) != "doc.go" || f.Doc == nil {
			continue
		}
		_, list, ok := strings.Cut(f.Doc.Text(), "# Files\n")
		if !ok {
			continue
		}
		rank := make(map[string]int)
		for n, m := range listed.FindAllStringSubmatch(list, -1) {
			rank[path.Join(f.dir(), m[1])] = n
		}
		found = append(found, unlisted(t, f, rank)...)
		found = append(found, back(t, t.check(f.dir(), checked), rank)...)
	}
	return found
}

// unlisted compares a list with the files of its package.
func unlisted(t *tree, doc *goFile, rank map[string]int) (found []string) {
	there := make(map[string]bool)
	for _, f := range t.files {
		if f.dir() != doc.dir() || f.test() || f == doc {
			continue
		}
		there[f.path] = true
		if _, ok := rank[f.path]; !ok {
			found = append(found, t.at(f.Name, "the list of files in %s has no line for it: add one between what it uses and what uses it", doc.path))
		}
	}
	for name := range rank {
		if !there[name] {
			found = append(found, t.at(doc.Name, "there is no %s: take it off the list", path.Base(name)))
		}
	}
	return found
}

// back returns the uses of what is declared further up the list, one for each
// name in each file.
func back(t *tree, p *checkedPackage, rank map[string]int) (found []string) {
	type use struct {
		file string
		of   types.Object
	}
	seen := make(map[use]bool)
	for _, f := range p.files {
		ast.Inspect(f.File, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			of := p.info.Uses[id]
			if of == nil || of.Pkg() != p.types || seen[use{f.path, of}] {
				return true
			}
			from, known := rank[f.path]
			to, listed := rank[t.fset.Position(of.Pos()).Filename]
			if known && listed && from < to {
				seen[use{f.path, of}] = true
				found = append(found, t.at(id, "%s is declared in %s, which comes later in the list of %s/doc.go: move one of the two",
					of.Name(), path.Base(t.fset.Position(of.Pos()).Filename), f.dir()))
			}
			return true
		})
	}
	return found
}

// checkedPackage is a package with the objects that its names stand for, as far
// as they are this module's.
type checkedPackage struct {
	files []*goFile
	types *types.Package
	info  types.Info
}

// check resolves the names of a package, tests aside. Other modules and the
// standard library are unknown to it: errors about them mean nothing.
func (t *tree) check(dir string, checked map[string]*checkedPackage) *checkedPackage {
	if p, ok := checked[dir]; ok {
		return p
	}
	p := &checkedPackage{info: types.Info{Uses: make(map[*ast.Ident]types.Object)}}
	checked[dir] = p
	var files []*ast.File
	for _, f := range t.files {
		if f.dir() == dir && !f.test() {
			p.files = append(p.files, f)
			files = append(files, f.File)
		}
	}
	config := types.Config{
		Importer: importerFunc(func(name string) (*types.Package, error) {
			inside, own := strings.CutPrefix(name, module+"/")
			if !own || !slices.ContainsFunc(t.files, func(f *goFile) bool { return f.dir() == inside }) {
				return nil, fmt.Errorf("package %s is not looked at", name)
			}
			return t.check(inside, checked).types, nil
		}),
		Error: func(error) {},
	}
	p.types, _ = config.Check(path.Join(module, dir), t.fset, files, &p.info) // see above
	return p
}

type importerFunc func(string) (*types.Package, error)

// Import implements types.Importer.
func (f importerFunc) Import(name string) (*types.Package, error) { return f(name) }
