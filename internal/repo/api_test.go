package repo

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// apiDir has a file for each package that others can import, with a line for
// each exported identifier.
const apiDir = "testdata/api"

// api returns what each package exports, by the name of its file in apiDir.
func api(t *tree) map[string]string {
	found := make(map[string][]string)
	for _, f := range t.files {
		if f.test() || f.main() || !f.public() {
			continue
		}
		file := strings.ReplaceAll(f.dir(), "/", ".") + ".txt"
		for _, d := range f.Decls {
			for _, line := range exported(d) {
				found[file] = append(found[file], "pkg "+f.dir()+", "+line)
			}
		}
	}
	texts := make(map[string]string, len(found))
	for file, lines := range found {
		slices.Sort(lines)
		texts[file] = strings.Join(slices.Compact(lines), "\n") + "\n"
	}
	return texts
}

// public tells whether programs of others can import a file's package.
func (f *goFile) public() bool {
	return !slices.Contains(strings.Split(f.dir(), "/"), "internal") && !f.within("integration")
}

// exported returns a line for each identifier that a declaration exports.
func exported(d ast.Decl) (lines []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		_, seen := receiverOf(d)
		switch signature := strings.TrimPrefix(types.ExprString(d.Type), "func"); {
		case !seen || !d.Name.IsExported():
		case d.Recv != nil:
			lines = []string{"method (" + types.ExprString(d.Recv.List[0].Type) + ") " + d.Name.Name + signature}
		default:
			lines = []string{"func " + d.Name.Name + parameters(d.Type.TypeParams) + signature}
		}
	case *ast.GenDecl:
		var kept ast.Expr // the type of constants that repeat what is above them
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				lines = append(lines, exportedType(s)...)
			case *ast.ValueSpec:
				if s.Type != nil || len(s.Values) > 0 {
					kept = s.Type
				}
				lines = append(lines, exportedValues(d.Tok, s, kept)...)
			}
		}
	}
	return lines
}

func exportedValues(tok token.Token, s *ast.ValueSpec, typ ast.Expr) (lines []string) {
	for n, name := range s.Names {
		if !name.IsExported() {
			continue
		}
		line := tok.String() + " " + name.Name
		if typ != nil {
			line += " " + types.ExprString(typ)
		}
		if n < len(s.Values) {
			line += " = " + types.ExprString(s.Values[n])
		}
		lines = append(lines, line)
	}
	return lines
}

func exportedType(s *ast.TypeSpec) []string {
	if !s.Name.IsExported() {
		return nil
	}
	head := "type " + s.Name.Name + parameters(s.TypeParams)
	switch x := s.Type.(type) {
	case *ast.StructType:
		return append([]string{head + " struct"}, members(head+" struct, ", x.Fields)...)
	case *ast.InterfaceType:
		return append([]string{head + " interface"}, members(head+" interface, ", x.Methods)...)
	}
	if s.Assign != token.NoPos {
		head += " ="
	}
	return []string{head + " " + types.ExprString(s.Type)}
}

// members returns the exported fields of a struct, or methods of an interface.
func members(head string, list *ast.FieldList) (lines []string) {
	for _, member := range list.List {
		what := types.ExprString(member.Type)
		if len(member.Names) == 0 {
			lines = append(lines, head+"embeds "+what)
		}
		if _, method := member.Type.(*ast.FuncType); method && strings.HasSuffix(head, " interface, ") {
			what = strings.TrimPrefix(what, "func")
		} else {
			what = " " + what
		}
		if member.Tag != nil {
			what += " " + member.Tag.Value
		}
		for _, name := range member.Names {
			if name.IsExported() {
				lines = append(lines, head+name.Name+what)
			}
		}
	}
	return lines
}

// parameters renders type parameters.
func parameters(list *ast.FieldList) string {
	if list == nil {
		return ""
	}
	signature := types.ExprString(&ast.FuncType{Params: list})
	return "[" + strings.TrimSuffix(strings.TrimPrefix(signature, "func("), ")") + "]"
}

// TestAPI holds that what packages export is what was written down, so that each
// change of it shows in review.
func TestAPI(t *testing.T) {
	repository, err := load(os.DirFS(root))
	require.NoError(t, err)
	want := api(repository)
	if *update {
		require.NoError(t, os.RemoveAll(apiDir))
		require.NoError(t, os.MkdirAll(apiDir, 0o755))
		for file, text := range want {
			require.NoError(t, os.WriteFile(filepath.Join(apiDir, file), []byte(text), 0o644))
		}
	}
	entries, err := os.ReadDir(apiDir)
	require.NoError(t, err)
	got := make(map[string]string, len(entries))
	for _, e := range entries {
		text, err := os.ReadFile(path.Join(apiDir, e.Name()))
		require.NoError(t, err)
		got[e.Name()] = string(text)
	}
	changed := slices.Concat(difference("+ ", want, got), difference("- ", got, want))
	assert.Empty(t, changed, "the exported API is not the one in internal/repo/%s: undo the change, or write it down with go test ./internal/repo -update\n%s",
		apiDir, strings.Join(changed, "\n"))
}

// difference returns the lines of some texts that others lack.
func difference(mark string, texts, others map[string]string) (found []string) {
	for _, file := range slices.Sorted(maps.Keys(texts)) {
		there := strings.Split(others[file], "\n")
		for _, line := range strings.Split(texts[file], "\n") {
			if !slices.Contains(there, line) {
				found = append(found, mark+line)
			}
		}
	}
	return found
}

func TestAPIOf(t *testing.T) {
	const source = "package a\n\n" + `
import "context"

const (
	A Phase = iota
	B
	c
	D, E = 1, "x" + y
	F
)

var G, h = errors.New("g"), 1
var I map[string][]int

func J[T any, U ~int | ~string](ctx context.Context, a, b T) (n int, err error) { return }
func k() {}

type L[D, O any] struct {
	M, n int
	O    func(D) ` + "`json:\"o\"`" + `
	P    struct{ Q int }
	*R
	s.S
}

func (l *L[D, O]) T(more ...string) {}
func (l L[D, O]) u()                {}
func (v) V()                        {}

type W interface {
	X(int) error
	y()
	error
}
type Y = b.Y
type Z[T any] []T
type a struct{ B int }
`
	files := fstest.MapFS{
		"a/b/a.go":           {Data: []byte(source)},
		"a/b/a_linux.go":     {Data: []byte("package a\n\nvar I map[string][]int")},
		"a/b/a_test.go":      {Data: []byte("package a\n\nfunc No() {}")},
		"a/internal/a.go":    {Data: []byte("package a\n\nfunc No() {}")},
		"examples/x/main.go": {Data: []byte("package main\n\nfunc No() {}")},
		"integration/a.go":   {Data: []byte("package a\n\nfunc No() {}")},
	}
	planted, err := load(files)
	require.NoError(t, err)
	got := api(planted)
	assert.Equal(t, []string{"a.b.txt"}, slices.Collect(maps.Keys(got)))
	assert.Equal(t, []string{
		"const A Phase = iota",
		"const B Phase",
		"const D = 1",
		`const E = "x" + y`,
		"const F",
		"func J[T any, U ~int | ~string](ctx context.Context, a, b T) (n int, err error)",
		"method (*L[D, O]) T(more ...string)",
		"type L[D, O any] struct",
		"type L[D, O any] struct, M int",
		"type L[D, O any] struct, O func(D) `json:\"o\"`",
		"type L[D, O any] struct, P struct{Q int}",
		"type L[D, O any] struct, embeds *R",
		"type L[D, O any] struct, embeds s.S",
		"type W interface",
		"type W interface, X(int) error",
		"type W interface, embeds error",
		"type Y = b.Y",
		"type Z[T any] []T",
		`var G = errors.New("g")`,
		"var I map[string][]int",
	}, strings.Split(strings.TrimSuffix(strings.ReplaceAll(got["a.b.txt"], "pkg a/b, ", ""), "\n"), "\n"))
}
