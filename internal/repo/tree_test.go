package repo

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// module is the library's import path.
const module = "github.com/evenkeel/evenkeel"

// tree is what the rules look at.
type tree struct {
	fset  *token.FileSet
	files []*goFile
	texts map[string]string // every file that people write, Go included, by path
	paths map[string]bool   // every file and directory that is not passed over
}

// goFile is a parsed file.
type goFile struct {
	*ast.File
	path string
}

func (f *goFile) dir() string { return path.Dir(f.path) }
func (f *goFile) test() bool  { return strings.HasSuffix(f.path, "_test.go") }
func (f *goFile) main() bool  { return f.Name.Name == "main" }
func (f *goFile) within(dir string) bool {
	return f.dir() == dir || strings.HasPrefix(f.path, dir+"/")
}

// load reads a repository. It skips directories that hold what runs leave
// behind, test data, and hidden directories.
func load(fsys fs.FS) (*tree, error) {
	t := &tree{fset: token.NewFileSet(), texts: make(map[string]string), paths: make(map[string]bool)}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			hidden := strings.HasPrefix(d.Name(), ".") && name != "." && name != ".ci"
			left := slices.Contains([]string{"bin", "services", "scan", "logs", "minimal"}, name)
			if hidden || left || d.Name() == "testdata" {
				return fs.SkipDir
			}
			t.paths[name] = true
			return nil
		}
		t.paths[name] = true
		if d.Type().IsRegular() && written(name) {
			return t.read(fsys, name)
		}
		return nil
	})
	return t, err
}

// written tells whether people write a file.
func written(name string) bool {
	return slices.Contains([]string{".go", ".md", ".sh", ".mod", ".yml", ".yaml"}, path.Ext(name)) ||
		slices.Contains([]string{"Makefile", "Dockerfile", ".ci/run"}, name)
}

func (t *tree) read(fsys fs.FS, name string) error {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	t.texts[name] = string(text)
	if path.Ext(name) != ".go" {
		return nil
	}
	file, err := parser.ParseFile(t.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("cannot check the rules: %w", err)
	}
	t.files = append(t.files, &goFile{file, name})
	return nil
}

// at renders a finding with its place.
func (t *tree) at(node ast.Node, format string, args ...any) string {
	p := t.fset.Position(node.Pos())
	return fmt.Sprintf("%s:%d: %s", p.Filename, p.Line, fmt.Sprintf(format, args...))
}

// names returns the paths of all texts, sorted.
func (t *tree) names() []string {
	var names []string
	for name := range t.texts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// lines counts the lines of a text.
func lines(text string) int { return strings.Count(strings.TrimSuffix(text, "\n"), "\n") + 1 }
