package match

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"
)

// ownConnection reports whether the client of call gets its connections from a function
// literal of fn that dials nobody: it hands out something in memory, or a
// connection that others own. Then whether one stays open is not net/http's business.
// So it is with a transport of the package that needs no connections at all.
func (p *Pass) ownConnection(call *ast.CallExpr, fn *Func) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && fn != nil && p.dialsNobody(sel.X, fn, memoryDepth)
}

// dialsNobody reports whether e, a client or a transport in fn, is made in fn
// with a literal for a dialer that dials nobody, or with a transport that answers by itself.
func (p *Pass) dialsNobody(e ast.Expr, fn *Func, depth int) bool {
	if depth == 0 {
		return false
	}
	found := false
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		return p.dialsNobody(e.X, fn, depth)
	case *ast.CompositeLit:
		for _, elt := range e.Elts {
			kv, ok := elt.(*ast.KeyValueExpr)
			if !ok {
				return false
			}
			key, _ := kv.Key.(*ast.Ident)
			found = found || key != nil && p.dialerIn(key.Name, kv.Value, fn, depth)
		}
		return found
	case *ast.Ident:
		v, outer := p.VarOf(e), fn.Outermost()
		if v == nil || v.IsField() || v.Pos() < outer.Node().Pos() || v.Pos() >= outer.Node().End() {
			return false
		}
		for _, use := range p.Uses(outer, v) {
			value := p.givenAt(use)
			if value != nil {
				found = found || p.dialsNobody(value, fn, depth-1)
			}
			sel, ok := use.Parent().Node().(*ast.SelectorExpr) // t.Dial = func...
			if !ok {
				continue
			}
			if as, ok := use.Parent().Parent().Node().(*ast.AssignStmt); ok && onLeft(as, use.Parent()) && len(as.Lhs) == len(as.Rhs) {
				found = found || p.dialerIn(sel.Sel.Name, rhsOf(as, sel), fn, depth)
			}
		}
	}
	return found
}

// givenAt returns the one value that the variable at c is given there, or nil.
func (p *Pass) givenAt(c inspector.Cursor) ast.Expr {
	switch n := c.Parent().Node().(type) {
	case *ast.AssignStmt:
		if onLeft(n, c) && len(n.Lhs) == len(n.Rhs) {
			return rhsOf(n, c.Node())
		}
	case *ast.ValueSpec:
		for i, name := range n.Names {
			if name == c.Node() && i < len(n.Values) && len(n.Names) == len(n.Values) {
				return n.Values[i]
			}
		}
	}
	return nil
}

// dialerIn reports whether a field of a client or a transport is a dialer that
// dials nobody, or a transport with such a one.
func (p *Pass) dialerIn(field string, value ast.Expr, fn *Func, depth int) bool {
	switch {
	case field == "Transport":
		return p.answersItself(value) || p.dialsNobody(value, fn, depth-1)
	case !strings.HasPrefix(field, "Dial"):
		return false
	}
	lit, ok := ast.Unparen(value).(*ast.FuncLit)
	if v := p.VarOf(value); v != nil && !ok {
		for _, use := range p.Uses(fn.Outermost(), v) {
			if given := p.givenAt(use); given != nil {
				lit, ok = ast.Unparen(given).(*ast.FuncLit)
			}
		}
	}
	if !ok {
		return false
	}
	dials := false
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		call, isCall := n.(*ast.CallExpr)
		dials = dials || isCall && p.makesConn(call)
		return !dials
	})
	return !dials
}

// makesConn reports whether a call returns a connection of package net, or
// something that can be used as one.
func (p *Pass) makesConn(call *ast.CallExpr) bool {
	t := p.TypesInfo.TypeOf(call)
	if t == nil || p.TypesInfo.Types[call.Fun].IsType() {
		return false
	}
	if tuple, ok := t.(*types.Tuple); ok {
		for v := range tuple.Variables() {
			if isConn(v.Type()) {
				return true
			}
		}
		return false
	}
	return isConn(t)
}

// isConn reports whether t has the methods by which a connection is told from
// other streams.
func isConn(t types.Type) bool {
	m, _, _ := types.LookupFieldOrMethod(t, true, nil, "RemoteAddr")
	_, isMethod := m.(*types.Func)
	return isMethod
}
