package transport

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/memory"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// OwnConnection reports whether the client of call gets its connections from a function
// literal of fn that dials nobody: it hands out something in memory, or a
// connection that others own. Then whether one stays open is not net/http's business.
// So it is with a transport of the package that needs no connections at all.
func OwnConnection(p *code.Pass, call *ast.CallExpr, fn *code.Func) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && fn != nil && dialsNobody(p, sel.X, fn, memory.Depth)
}

// dialsNobody reports whether e, a client or a transport in fn, is made in fn
// with a literal for a dialer that dials nobody, or with a transport that answers by itself.
func dialsNobody(p *code.Pass, e ast.Expr, fn *code.Func, depth int) bool {
	if depth == 0 {
		return false
	}
	found := false
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		return dialsNobody(p, e.X, fn, depth)
	case *ast.CompositeLit:
		for _, elt := range e.Elts {
			kv, ok := elt.(*ast.KeyValueExpr)
			if !ok {
				return false
			}
			key, _ := kv.Key.(*ast.Ident)
			found = found || key != nil && dialerIn(p, key.Name, kv.Value, fn, depth)
		}
		return found
	case *ast.Ident:
		v, outer := p.VarOf(e), fn.Outermost()
		if v == nil || v.IsField() || v.Pos() < outer.Node().Pos() || v.Pos() >= outer.Node().End() {
			return false
		}
		for _, use := range p.Uses(outer, v) {
			value := p.GivenAt(use)
			if value != nil {
				found = found || dialsNobody(p, value, fn, depth-1)
			}
			sel, ok := use.Parent().Node().(*ast.SelectorExpr) // t.Dial = func...
			if !ok {
				continue
			}
			if as, ok := use.Parent().Parent().Node().(*ast.AssignStmt); ok && code.OnLeft(as, use.Parent()) && len(as.Lhs) == len(as.Rhs) {
				found = found || dialerIn(p, sel.Sel.Name, code.AssignedTo(as, sel), fn, depth)
			}
		}
	}
	return found
}

// dialerIn reports whether a field of a client or a transport is a dialer that
// dials nobody, or a transport with such a one.
func dialerIn(p *code.Pass, field string, value ast.Expr, fn *code.Func, depth int) bool {
	switch {
	case field == "Transport":
		return answersItself(p, value) || dialsNobody(p, value, fn, depth-1)
	case !strings.HasPrefix(field, "Dial"):
		return false
	}
	lit, ok := ast.Unparen(value).(*ast.FuncLit)
	if v := p.VarOf(value); v != nil && !ok {
		for _, use := range p.Uses(fn.Outermost(), v) {
			if given := p.GivenAt(use); given != nil {
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
		dials = dials || isCall && makesConn(p, call)
		return !dials
	})
	return !dials
}

// makesConn reports whether a call returns a connection of package net, or
// something that can be used as one.
func makesConn(p *code.Pass, call *ast.CallExpr) bool {
	t := p.TypesInfo.TypeOf(call)
	if t == nil || p.TypesInfo.Types[call.Fun].IsType() {
		return false
	}
	if tuple, ok := t.(*types.Tuple); ok {
		for v := range tuple.Variables() {
			if typeis.Conn(v.Type()) {
				return true
			}
		}
		return false
	}
	return typeis.Conn(t)
}
