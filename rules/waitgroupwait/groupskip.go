package waitgroupwait

import (
	"go/ast"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
)

// skipped is a loop of which not every iteration starts a goroutine, although all
// have been counted before it.
type skipped struct {
	Add   waitgroup.Op
	Of    ast.Expr // what has the length that is added
	Loop  *ast.RangeStmt
	Start groupStart
	Early bool // a goroutine may wait before the loop has started the first one
}

// SkippedIterations looks for wg.Add(len(xs)) before a loop over xs that can
// go on without starting the one goroutine that it is there for.
func (g *localGroup) SkippedIterations() (out skipped, ok bool) {
	if len(g.Adds) != 1 || len(g.Starts) != 1 || g.jumps() || g.Starts[0].Most > 1 {
		return out, false
	}
	add, start := g.Adds[0], g.Starts[0]
	length, isCall := ast.Unparen(add.Call.Args[0]).(*ast.CallExpr)
	list, i, inList := code.StmtList(add.At.Parent())
	if !isCall || !g.p.IsBuiltin(length, "len") || !inList || !frozen.FrozenLen(g.p, length.Args[0]) {
		return out, false
	}
	var loop *ast.RangeStmt
	for _, s := range list[i+1:] {
		if l, labelled := s.(*ast.LabeledStmt); labelled {
			s = l.Stmt
		}
		if r, isRange := s.(*ast.RangeStmt); isRange && r.Pos() <= start.Stmt.Node().Pos() && start.Stmt.Node().End() <= r.End() {
			loop = r
		}
	}
	if loop == nil || len(channel.Loops(start.Stmt, g.Fn, add.Call.Pos())) != 1 {
		return out, false
	}
	over := ast.Unparen(loop.X)
	if call, isLen := over.(*ast.CallExpr); isLen && g.p.IsBuiltin(call, "len") {
		over = call.Args[0]
	}
	if v := g.p.VarOf(over); v == nil || v != g.p.VarOf(length.Args[0]) {
		return out, false
	}
	pays := map[ast.Node]bool{start.Stmt.Node(): true}
	for _, d := range g.Dones {
		if d.Call.Pos() < loop.Pos() || d.Call.End() > loop.End() {
			return out, false // it may make up for what was left out
		}
		pays[code.FlowNode(d.At, g.Fn)] = true
	}
	waits, always, early := map[ast.Node]bool{}, false, false
	for _, o := range g.Waits {
		own := o.GoroutineFunc == g.Fn.Cursor
		if own && !code.InDefer(o.At) && !g.surely(o, loop) {
			return out, false
		}
		waits[code.FlowNode(o.At, g.Fn)] = true
		always = always || !own || code.InDefer(o.At)
		early = early || !own && o.Call.Pos() < loop.End()
	}
	skips := false
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			if n.Pos() < loop.Pos() || n.Pos() >= loop.End() {
				skips = skips || always || waits[n] // left by a break
				return s, !skips
			}
			return s, !pays[n] && !assume.FailsTest(g.p, n)
		},
		Iteration: func(l ast.Stmt, _ struct{}) bool {
			skips = skips || l == ast.Stmt(loop)
			return l != ast.Stmt(loop)
		},
	}.FromBody(g.Fn.Flow, loop, struct{}{})
	return skipped{add, length.Args[0], loop, start, early}, skips
}

// surely reports whether nothing is decided between the loop and a Wait after
// it: a function that knows of an iteration that was skipped may do without the Wait.
func (g *localGroup) surely(wait waitgroup.Op, loop *ast.RangeStmt) bool {
	list, i, ok := code.StmtList(wait.At.Parent())
	if !ok || list[0].Pos() > loop.Pos() && list[i].Pos() > loop.End() {
		return false
	}
	for c := range g.Fn.Cursor.Preorder((*ast.IfStmt)(nil), (*ast.SwitchStmt)(nil), (*ast.TypeSwitchStmt)(nil), (*ast.SelectStmt)(nil)) {
		if n := c.Node(); n.Pos() >= loop.End() && n.Pos() < wait.Call.Pos() {
			return false
		}
	}
	return true
}
