package repo

import (
	"go/ast"
	"go/token"
	"regexp"
)

// documented holds that everything exported has a comment: declarations and the
// methods of interfaces. Constants and variables of a group may share one, and
// the comment of a type or another method may speak of a method by name.
// Whether a field needs a comment is for people to judge.
func documented(t *tree) (found []string) {
	for _, f := range t.files {
		if f.test() || f.main() {
			continue
		}
		for _, d := range f.Decls {
			for _, node := range undocumented(d) {
				found = append(found, t.at(node.node, "%s has no doc comment: write what its user may rely on", node.name))
			}
		}
	}
	return found
}

// named is a node with the name it is known by.
type named struct {
	node ast.Node
	name string
}

func undocumented(d ast.Decl) []named {
	switch d := d.(type) {
	case *ast.FuncDecl:
		receiver, exported := receiverOf(d)
		if d.Doc == nil && exported && d.Name.IsExported() {
			return []named{{d, receiver + d.Name.Name}}
		}
	case *ast.GenDecl:
		var found []named
		for _, spec := range d.Specs {
			found = append(found, undocumentedSpec(d, spec)...)
		}
		return found
	}
	return nil
}

// receiverOf returns the receiver's type, with a point, and whether a method of
// it can be seen from outside. A function has none and can.
func receiverOf(d *ast.FuncDecl) (name string, exported bool) {
	if d.Recv == nil {
		return "", true
	}
	receiver := d.Recv.List[0].Type
	for {
		switch x := receiver.(type) {
		case *ast.StarExpr:
			receiver = x.X
		case *ast.IndexExpr:
			receiver = x.X
		case *ast.IndexListExpr:
			receiver = x.X
		case *ast.Ident:
			return x.Name + ".", x.IsExported()
		default:
			return "", false
		}
	}
}

func undocumentedSpec(d *ast.GenDecl, spec ast.Spec) (found []named) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if !s.Name.IsExported() {
			return nil
		}
		if s.Doc == nil && (d.Doc == nil || d.Lparen != token.NoPos) {
			found = append(found, named{s, s.Name.Name})
		}
		if x, ok := s.Type.(*ast.InterfaceType); ok {
			found = append(found, undocumentedMethods(d, s, x)...)
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
				found = append(found, named{name, name.Name})
			}
		}
	}
	return found
}

func undocumentedMethods(d *ast.GenDecl, s *ast.TypeSpec, x *ast.InterfaceType) (found []named) {
	told := d.Doc.Text() + s.Doc.Text()
	for _, m := range x.Methods.List {
		told += m.Doc.Text() + m.Comment.Text()
	}
	for _, m := range x.Methods.List {
		for _, name := range m.Names {
			byName := regexp.MustCompile(`\b` + name.Name + `\b`)
			if name.IsExported() && m.Doc == nil && m.Comment == nil && !byName.MatchString(told) {
				found = append(found, named{name, s.Name.Name + "." + name.Name})
			}
		}
	}
	return found
}
