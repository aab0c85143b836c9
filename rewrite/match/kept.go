package match

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// KeptIn returns the field of a struct that holds the cancel function and that
// nothing in the package ever reads, so that nobody can call it: lhs is what
// it is assigned to, events are those of lhs if that is a variable.
//
// Precision: an unexported field, in a package all of whose files are seen, and
// not in a test; and a parent that comes from outside or never ends, because a
// sibling may well be what the owner cancels.
func (c *Cancel) KeptIn(lhs ast.Expr, events []Event) *types.Var {
	if len(c.p.IgnoredFiles) > 0 || len(c.p.OtherFiles) > 0 || c.p.InTest(c.Call.Pos()) || c.Wrapper != nil || !c.foreignParent() {
		return nil
	}
	var field *types.Var
	if sel, ok := ast.Unparen(lhs).(*ast.SelectorExpr); ok {
		field = c.p.fieldOf(sel.Sel)
	}
	for _, e := range events {
		switch e.Kind {
		case Reads:
		case Assigns:
			if e.Node != c.Node() {
				return nil
			}
		case Escapes:
			if field != nil {
				return nil
			}
			if field = c.p.StoredIn(e.At); field == nil {
				return nil
			}
		default:
			return nil
		}
	}
	if field == nil || field.Exported() || field.Pkg() != c.p.Pkg || c.p.isRead(field) {
		return nil
	}
	return field
}

// foreignParent reports whether the parent is a parameter that is never
// assigned but by the call itself, or a root context.
func (c *Cancel) foreignParent() bool {
	parent := c.parent()
	if c.p.RootContext(parent) {
		return true
	}
	v := c.p.VarOf(parent)
	if v == nil || !c.p.IsParam(v, c.Fn) {
		return false
	}
	for _, use := range c.p.Uses(c.Fn.Cursor, v) {
		if as, ok := use.Parent().Node().(*ast.AssignStmt); ok && OnLeft(as, use) && ast.Node(as) != c.Def.Node() {
			return false
		}
	}
	return true
}

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

func (p *Pass) fieldOf(id *ast.Ident) *types.Var {
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
			return p.fieldOf(key)
		}
	case *ast.AssignStmt:
		for i, r := range n.Rhs {
			if r == c.Node() && len(n.Lhs) == len(n.Rhs) {
				if sel, ok := n.Lhs[i].(*ast.SelectorExpr); ok {
					return p.fieldOf(sel.Sel)
				}
			}
		}
	}
	return nil
}

// isRead reports whether anything in the package does more with field than to
// give it a value. A read of a like field of another struct counts, too: that
// may be a conversion away.
func (p *Pass) isRead(field *types.Var) bool {
	for _, c := range p.Index().named[field.Name()] {
		id := c.Node().(*ast.Ident)
		v := p.fieldOf(id)
		if v == nil || v != field && !p.sameStruct(v, field) {
			continue
		}
		switch n := c.Parent().Node().(type) {
		case *ast.KeyValueExpr:
			if n.Key == ast.Expr(id) {
				continue
			}
		case *ast.SelectorExpr:
			sel := Unparen(c.Parent())
			if as, ok := sel.Parent().Node().(*ast.AssignStmt); ok && OnLeft(as, sel) && n.Sel == id {
				continue
			}
		}
		return true
	}
	return false
}

// sameStruct reports whether the structs of two fields could be converted into
// each other, as far as the fields tell.
func (p *Pass) sameStruct(a, b *types.Var) bool {
	if !types.Identical(a.Type(), b.Type()) {
		return false
	}
	for _, name := range p.Pkg.Scope().Names() {
		t, ok := p.Pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok || p.FileOf(t.Pos()) == nil {
			continue
		}
		s, ok := t.Type().Underlying().(*types.Struct)
		if !ok || !typeis.HasField(s, a) {
			continue
		}
		for _, other := range p.Pkg.Scope().Names() {
			if t, ok := p.Pkg.Scope().Lookup(other).(*types.TypeName); ok && p.FileOf(t.Pos()) != nil {
				if o, ok := t.Type().Underlying().(*types.Struct); ok && typeis.HasField(o, b) && types.IdenticalIgnoreTags(s, o) {
					return true
				}
			}
		}
	}
	return false
}
