package match

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// IsParam reports whether v is a parameter of fn.
func (p *Pass) IsParam(v *types.Var, fn *Func) bool {
	for _, field := range fn.Type.Params.List {
		for _, name := range field.Names {
			if p.TypesInfo.Defs[name] == v {
				return true
			}
		}
	}
	return false
}

// FieldNamed returns the field that id denotes, or nil.
func (p *Pass) FieldNamed(id *ast.Ident) *types.Var {
	v, ok := p.TypesInfo.ObjectOf(id).(*types.Var)
	if !ok || !v.IsField() {
		return nil
	}
	return v.Origin()
}

// StoredIn returns the field that the value at c is stored in, if that is all
// that its place does with it.
func (p *Pass) StoredIn(c inspector.Cursor) *types.Var {
	c = Unparen(c)
	switch n := c.Parent().Node().(type) {
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && n.Value == c.Node() {
			return p.FieldNamed(key)
		}
	case *ast.AssignStmt:
		for i, r := range n.Rhs {
			if r == c.Node() && len(n.Lhs) == len(n.Rhs) {
				if sel, ok := n.Lhs[i].(*ast.SelectorExpr); ok {
					return p.FieldNamed(sel.Sel)
				}
			}
		}
	}
	return nil
}
