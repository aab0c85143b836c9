package match

import (
	"go/ast"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// ClosesAnyway reports whether the function closes the body on some path
// without having waited for anything: what that cuts off, if the request is
// still being sent, is cut off by the author, too.
func (b *Response) ClosesAnyway() bool {
	closes, defers, others := map[ast.Node]bool{}, map[ast.Node]bool{}, map[ast.Node]bool{}
	for _, e := range b.Events {
		switch e.Kind {
		case Closes:
			closes[e.Node] = true
		case DefersClose, ClosesLate:
			defers[e.Node] = true
		case Assigns:
			others[e.Node] = true
		}
	}
	found, here := false, b.node()
	w := newUnmetWalk(b.p, b.Obligation())
	flow.Paths[metState]{
		Node: func(n ast.Node, s metState) (metState, bool) {
			if n == here || others[n] || b.p.waits(n) {
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

// CutsOff reports whether a close that the author did not write may cut off a
// request that is still being sent.
func (b *Response) CutsOff() bool { return !b.SendsNothing() && !b.ClosesAnyway() }
