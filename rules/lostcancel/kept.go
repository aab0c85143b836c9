package lostcancel

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// keptIn returns the field of a struct that holds the cancel function and that
// nothing in the package ever reads, so that nobody can call it: lhs is what
// it is assigned to, events are those of lhs if that is a variable.
//
// Precision: an unexported field, in a package all of whose files are seen, and
// not in a test; and a parent that comes from outside or never ends, because a
// sibling may well be what the owner cancels.
func keptIn(c *ctxcancel.Cancel, lhs ast.Expr, events []usage.Event) *types.Var {
	if len(c.Pass.IgnoredFiles) > 0 || len(c.Pass.OtherFiles) > 0 || c.Pass.InTest(c.Call.Pos()) || c.Wrapper != nil || !foreignParent(c) {
		return nil
	}
	var field *types.Var
	if sel, ok := ast.Unparen(lhs).(*ast.SelectorExpr); ok {
		field = c.Pass.FieldNamed(sel.Sel)
	}
	cancel := c.Pass.VarOf(lhs)
	for _, e := range events {
		if c.Pass.VarOf(e.At.Node().(*ast.Ident)) != cancel {
			continue // of what holds it: that the field is not read says it all
		}
		switch e.Kind {
		case usage.Reads:
		case usage.Assigns:
			if e.Node != c.Node() {
				return nil
			}
		case usage.Escapes, usage.Stores:
			if field != nil {
				return nil
			}
			if field = c.Pass.StoredIn(e.At); field == nil {
				return nil
			}
		default:
			return nil
		}
	}
	if field == nil || field.Exported() || field.Pkg() != c.Pass.Pkg || isRead(c.Pass, field) {
		return nil
	}
	return field
}

// foreignParent reports whether the parent is a parameter that is never
// assigned but by the call itself, or a root context.
func foreignParent(c *ctxcancel.Cancel) bool {
	parent := c.Parent()
	if ctxcancel.RootContext(c.Pass, parent) {
		return true
	}
	v := c.Pass.VarOf(parent)
	if v == nil || !c.Pass.IsParam(v, c.Fn) {
		return false
	}
	for _, use := range c.Pass.Uses(c.Fn.Cursor, v) {
		if as, ok := use.Parent().Node().(*ast.AssignStmt); ok && code.OnLeft(as, use) && ast.Node(as) != c.Def.Node() {
			return false
		}
	}
	return true
}

// isRead reports whether anything in the package does more with field than to
// give it a value. A read of a like field of another struct counts, too: that
// may be a conversion away.
func isRead(p *code.Pass, field *types.Var) bool {
	for _, c := range p.Index().Named[field.Name()] {
		id := c.Node().(*ast.Ident)
		v := p.FieldNamed(id)
		if v == nil || v != field && !sameStruct(p, v, field) {
			continue
		}
		switch n := c.Parent().Node().(type) {
		case *ast.KeyValueExpr:
			if n.Key == ast.Expr(id) {
				continue
			}
		case *ast.SelectorExpr:
			sel := code.Unparen(c.Parent())
			if as, ok := sel.Parent().Node().(*ast.AssignStmt); ok && code.OnLeft(as, sel) && n.Sel == id {
				continue
			}
		}
		return true
	}
	return false
}

// sameStruct reports whether the structs of two fields could be converted into
// each other, as far as the fields tell.
func sameStruct(p *code.Pass, a, b *types.Var) bool {
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
