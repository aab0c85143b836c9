package match

import (
	"go/ast"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// ClosesAnyway reports whether the function closes the body on some path
// without having waited for anything: what that cuts off, if the request is
// still being sent, is cut off by the author, too. To read what the server says is
// to wait, if the request is seen to send what takes its time.
func (b *Response) ClosesAnyway() bool {
	closes, defers, others, reads := map[ast.Node]bool{}, map[ast.Node]bool{}, map[ast.Node]bool{}, map[ast.Node]bool{}
	for _, e := range b.Events {
		switch e.Kind {
		case Closes:
			closes[e.Node] = true
		case DefersClose, ClosesLate:
			defers[e.Node] = true
		case Assigns:
			others[e.Node] = true
		default:
			reads[e.Node] = reads[e.Node] || b.touches(e)
		}
	}
	found, here, streams := false, b.node(), b.streams()
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
