package repo

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// harness is where tests on real processes wait.
const harness = "integration/harness"

// sleeps holds that unit tests do not wait for time to pass, except in a bubble
// of testing/synctest, where that takes no time. A bubble is what a test hands
// to synctest.Test or to a function that calls it; in a package with bubbles,
// functions that are no tests count as called in one. Packages that are there
// for tests count as tests. Tests on real processes wait in the harness alone.
func sleeps(t *tree) (found []string) {
	makers := bubbleMakers(t)
	for _, f := range t.files {
		if !f.test() && !strings.HasSuffix(f.Name.Name, "test") && !f.within("integration") || f.within(harness) {
			continue
		}
		remedy := "use testing/synctest"
		if f.within("integration") {
			remedy = "let it pass with harness.Pause"
		}
		for _, d := range f.Decls {
			if function, ok := d.(*ast.FuncDecl); ok && f.test() && makers[f.dir()] != nil && !runByGo(function) {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				maker, ok := call.Fun.(*ast.Ident)
				if ok && slices.Contains(makers[f.dir()], maker.Name) || isCall(f, n, "testing/synctest", "Test") {
					return false
				}
				if isCall(f, n, "time", "Sleep") {
					found = append(found, t.at(n, "a test sleeps: wait for what is to happen, or %s", remedy))
				}
				return true
			})
		}
	}
	return found
}

// bubbleMakers returns the functions of each directory that call synctest.Test.
func bubbleMakers(t *tree) map[string][]string {
	makers := make(map[string][]string)
	for _, f := range t.files {
		for _, d := range f.Decls {
			ast.Inspect(d, func(n ast.Node) bool {
				function, ok := d.(*ast.FuncDecl)
				if ok && f.test() && isCall(f, n, "testing/synctest", "Test") {
					makers[f.dir()] = append(makers[f.dir()], function.Name.Name)
				}
				return true
			})
		}
	}
	return makers
}

// runByGo reports whether go test itself calls a function.
func runByGo(d *ast.FuncDecl) bool {
	return d.Recv == nil && slices.ContainsFunc([]string{"Test", "Benchmark", "Fuzz", "Example"}, func(prefix string) bool {
		return strings.HasPrefix(d.Name.Name, prefix)
	})
}

// isCall reports whether a node calls a package's function.
func isCall(f *goFile, n ast.Node, name, function string) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != function {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && slices.Contains(importedAs(f, name), x.Name)
}

// stopwatches holds that no test on real processes passes or fails by how long
// something took: it would fail on a busy machine. Benchmarks measure.
func stopwatches(t *tree) (found []string) {
	for _, f := range t.files {
		if !f.within("integration") || f.within(harness) || strings.HasSuffix(f.path, "bench_test.go") {
			continue
		}
		ast.Inspect(f.File, func(n ast.Node) bool {
			for _, operand := range compared(n) {
				if isCall(f, operand, "time", "Since") {
					found = append(found, t.at(n, "a test compares how long something took: make it a benchmark, or wait with harness.Eventually, Lasts or Holds"))
				}
			}
			return true
		})
	}
	return found
}

// compared returns what a node compares: by an operator, or as an assertion.
func compared(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if slices.Contains([]token.Token{token.LSS, token.LEQ, token.GTR, token.GEQ}, n.Op) {
			return []ast.Node{n.X, n.Y}
		}
	case *ast.CallExpr:
		s, ok := n.Fun.(*ast.SelectorExpr)
		if !ok || !slices.Contains([]string{"Less", "LessOrEqual", "Greater", "GreaterOrEqual", "InDelta"}, strings.TrimSuffix(s.Sel.Name, "f")) {
			return nil
		}
		var operands []ast.Node
		for _, arg := range n.Args {
			operands = append(operands, arg)
		}
		return operands
	}
	return nil
}
