package waits

import (
	"go/ast"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// waiters is where a function may wait, worked out once for all that is asked about it:
// in a long function without any, a walk for each candidate finds nothing each time.
type waiters struct {
	inSelect map[ast.Node]bool // a communication blocks only as its select does
	ahead    []bool            // by Block.index: the block or one that it leads to may wait
}

// waitersOf returns where fn may wait.
func waitersOf(p *code.Pass, fn *code.Func) *waiters {
	m := code.State[waiting](p)
	if w := m.bodies[fn.Body]; w != nil {
		return w
	}
	w := &waiters{inSelect: map[ast.Node]bool{}}
	for c := range fn.Cursor.Preorder((*ast.CommClause)(nil)) {
		if comm := c.Node().(*ast.CommClause).Comm; comm != nil {
			w.inSelect[comm] = true
		}
	}
	var waiting []*flow.Block
	for _, b := range fn.Flow.Blocks() {
		if couldWait(p, b) {
			waiting = append(waiting, b)
		}
	}
	w.ahead = fn.Flow.LeadTo(waiting)
	if m.bodies == nil {
		m.bodies = map[*ast.BlockStmt]*waiters{}
	}
	m.bodies[fn.Body] = w
	return w
}

// after reports whether anything that node comes to may wait.
func (w *waiters) after(f *flow.Graph, node ast.Node) bool {
	b := f.BlockOf(node)
	return b != nil && w.ahead[b.Index()]
}

// couldWait reports whether something in b may be what [WaitsAfter] looks for. It may
// say yes too often: a function of the package may go on for long.
func couldWait(p *code.Pass, b *flow.Block) bool {
	if b.Select != nil || b.Loop != nil {
		return true
	}
	for _, n := range b.Nodes {
		if MayWait(p, n) || callsOwn(p, n) {
			return true
		}
	}
	return false
}

// callsOwn reports whether n calls a function of the package.
func callsOwn(p *code.Pass, n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && !found {
			fn := p.Callee(call)
			found = fn != nil && fn.Pkg() == p.Pkg
		}
		return !found
	})
	return found
}
