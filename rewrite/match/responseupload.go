package match

import (
	"go/ast"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"golang.org/x/tools/go/ast/inspector"
)

// ClosesAnyway reports whether the function closes the body on some path
// without having waited for anything: what that cuts off, if the request is
// still being sent, is cut off by the author, too. If the request is seen to send
// what takes its time, to read what the server says is to wait, and a close where
// an answer is rejected says nothing of one that is not.
func (b *Response) ClosesAnyway() bool {
	streams := b.streams()
	closes, defers, others, reads := map[ast.Node]bool{}, map[ast.Node]bool{}, map[ast.Node]bool{}, map[ast.Node]bool{}
	for _, e := range b.Events {
		switch e.Kind {
		case Closes:
			closes[e.Node] = !streams || !b.rejects(e.At)
		case DefersClose, ClosesLate:
			defers[e.Node] = true
		case Assigns:
			others[e.Node] = true
		default:
			reads[e.Node] = reads[e.Node] || b.touches(e)
		}
	}
	found, here := false, b.node()
	w := newUnmetWalk(b.p, b.Obligation())
	flow.Paths[metState]{
		Node: func(n ast.Node, s metState) (metState, bool) {
			if n == here || others[n] || b.p.waits(n) || streams && reads[n] {
				return s, false
			}
			found = found || closes[n]
			s.late = s.late || defers[n]
			s.errLive = s.errLive && !w.errSet[n]
			return s, !found
		},
		Edge: w.edge,
		Exit: func(_ *flow.Block, s metState) { found = found || s.late },
	}.After(b.Fn.Flow, here, metState{errLive: b.Err != nil})
	return found
}

// rejects reports whether c stands in a branch that is taken because of the
// response, and that ends by returning an error.
func (b *Response) rejects(c inspector.Cursor) bool {
	for c := range c.Enclosing((*ast.IfStmt)(nil), (*ast.CaseClause)(nil)) {
		if !b.Fn.Cursor.Contains(c) {
			break
		}
		var cond ast.Node
		var list []ast.Stmt
		switch n := c.Node().(type) {
		case *ast.IfStmt:
			cond, list = n.Cond, n.Body.List
		case *ast.CaseClause:
			cond, list = c.Parent().Parent().Node(), n.Body
		}
		if len(list) == 0 || b.Var == nil || !b.p.Mentions(cond, b.Var) {
			continue
		}
		ret, ok := list[len(list)-1].(*ast.ReturnStmt)
		if !ok || len(ret.Results) == 0 {
			continue
		}
		last := ret.Results[len(ret.Results)-1]
		if typeis.Error(b.p.TypesInfo.TypeOf(last)) && !b.p.IsNil(last) {
			return true
		}
	}
	return false
}

// streams reports whether the function itself gives the request a body that is
// not all in memory, such as a reader of the caller.
func (b *Response) streams() bool {
	body := b.bodyOf(b.Call)
	if body == nil && len(b.Call.Args) == 1 {
		if v := b.p.VarOf(b.Call.Args[0]); v != nil && !v.IsField() {
			for _, use := range b.p.Uses(b.Fn.Cursor, v) {
				as, ok := use.Parent().Node().(*ast.AssignStmt)
				if !ok || !OnLeft(as, use) {
					continue
				}
				if call, ok := rhsOf(as, use.Node()).(*ast.CallExpr); ok {
					body = b.bodyOf(call)
				}
			}
		}
	}
	if body == nil || b.p.noBody(body) {
		return false
	}
	t := b.p.TypesInfo.TypeOf(body)
	return !typeis.Named(t, "bytes", "Buffer") && !typeis.Named(t, "bytes", "Reader") && !typeis.Named(t, "strings", "Reader")
}

// bodyOf returns the body that call gives a request; nil if it makes none.
func (b *Response) bodyOf(call *ast.CallExpr) ast.Expr {
	switch b.p.FullName(call) {
	case "net/http.NewRequest", "net/http.NewRequestWithContext", "net/http.Post", "(*net/http.Client).Post":
		return call.Args[len(call.Args)-1]
	}
	return nil
}

// CutsOff reports whether a close that the author did not write may cut off a
// request that is still being sent.
func (b *Response) CutsOff() bool { return !b.SendsNothing() && !b.ClosesAnyway() }
