package lockedwait

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/locks"
)

// needing asks whether an operation is done only by goroutines that have taken a mutex.
type needing struct {
	t    *heldTable
	lock heldLock
	wait inspector.Cursor // who waits under it
	at   token.Pos        // where it is taken
	// The operation itself comes under the mutex: not only may it have been taken before.
	under bool
	once  bool      // the first time that it is done ends the wait
	given constants // of the parameters on the way
}

// before asks for each way in which fn is called with constants: one that leads
// around the mutex is enough.
func (n *needing) before(c inspector.Cursor, fn *code.Func, lock locks.Path, depth int) bool {
	if fn == nil {
		return false
	}
	outer := n.given
	defer func() { n.given = outer }()
	for _, given := range n.ways(fn, outer) {
		if n.given = given; !n.needs(c, fn, lock, depth) {
			return false
		}
	}
	return true
}

// ways lists what the calls of fn pass as constants, as far as its conditions ask
// for it.
func (n *needing) ways(fn *code.Func, outer constants) (out []constants) {
	asked := askedParams(n.t.p, fn)
	if len(asked) == 0 {
		return []constants{outer}
	}
	for _, call := range n.callsOf(fn) {
		given := constantArguments(n.t.p, call, fn, outer)
		if !slices.ContainsFunc(out, func(c constants) bool { return c.sameFor(given, asked) }) {
			out = append(out, given)
		}
	}
	return out
}

// CallsOf lists the calls of fn; a nil one if not all are known.
func (n *needing) callsOf(fn *code.Func) []*ast.CallExpr {
	switch d := fn.Cursor.Node().(type) {
	case *ast.FuncLit:
		if call, ok := code.Unparen(fn.Cursor).Parent().Node().(*ast.CallExpr); ok && ast.Unparen(call.Fun) == ast.Expr(d) {
			return []*ast.CallExpr{call}
		}
	case *ast.FuncDecl:
		obj, ok := n.t.p.TypesInfo.Defs[d.Name].(*types.Func)
		if !ok || d.Type.Params.NumFields() == 0 {
			break
		}
		calls, known := callers.CallSites(n.t.p, obj)
		var out []*ast.CallExpr
		for _, c := range calls {
			out = append(out, c.Node().(*ast.CallExpr))
		}
		if known {
			return out
		}
	}
	return []*ast.CallExpr{nil}
}

// onEdge leaves out the paths that the constants rule out.
func onEdge[S any](n *needing) func(ast.Expr, bool, S) (S, bool) {
	return func(cond ast.Expr, taken bool, s S) (S, bool) {
		return s, comesOut(n.t.p, cond, taken, n.given)
	}
}

// needs reports whether whoever does the operation at c, in fn, may have to
// wait for the mutex first: it is done under the mutex on every path, or by a
// goroutine of its own that takes it on the way.
func (n *needing) needs(c inspector.Cursor, fn *code.Func, lock locks.Path, depth int) bool {
	node := code.FlowNode(c, fn)
	if node == nil {
		return false
	}
	if n.held(fn, node, lock) {
		n.under = true
		return true
	}
	loop, _ := code.Unparen(c).Parent().Node().(*ast.RangeStmt)
	if loop != nil && loop.X != code.Unparen(c).Node() {
		loop = nil
	}
	// The function that makes the one who waits runs but once for each.
	if (n.single(fn) || code.FlowNode(n.wait, fn) != nil && n.t.p.GoroutineFunc(n.wait) != fn.Cursor) && n.onTheWay(fn, node, loop, lock) {
		return true
	}
	d, ok := fn.Cursor.Node().(*ast.FuncDecl)
	if !ok || depth == 0 {
		return false
	}
	obj, ok := n.t.p.TypesInfo.Defs[d.Name].(*types.Func)
	if !ok {
		return false
	}
	calls, ok := callers.CallSites(n.t.p, obj)
	for _, call := range calls {
		caller := n.t.p.FuncOf(n.t.p.GoroutineFunc(call))
		up, known := outOf(n.t.p, lock, call.Node().(*ast.CallExpr), fn)
		if _, isGo := call.Parent().Node().(*ast.GoStmt); isGo || !known || caller == nil {
			return false
		}
		// What the callee takes after the operation counts as well, if the
		// caller comes back to it.
		if !n.once && n.single(caller) && n.cyclic(caller, call, fn, lock) {
			continue
		}
		if !n.before(call, caller, up, depth-1) {
			return false
		}
	}
	return ok
}

// cyclic reports whether a goroutine calls callee in a loop, which takes the mutex.
func (n *needing) cyclic(caller *code.Func, call inspector.Cursor, callee *code.Func, lock locks.Path) bool {
	node := code.FlowNode(call, caller)
	return node != nil && caller.Flow.InCycle(node) && n.takesIn(callee, lock)
}

// takesIn reports whether fn takes the mutex on some path.
func (n *needing) takesIn(fn *code.Func, lock locks.Path) (found bool) {
	flow.Paths[struct{}]{Edge: onEdge[struct{}](n), Node: func(node ast.Node, s struct{}) (struct{}, bool) {
		found = found || n.takes(node, lock, 2)
		return s, !found
	}}.FromEntry(fn.Flow, struct{}{})
	return found
}

// single reports whether fn is run by one goroutine each: a literal or function
// that a go statement starts, or the function that makes the channel itself.
func (n *needing) single(fn *code.Func) bool {
	p := n.t.p
	if _, ok := fn.Cursor.Node().(*ast.FuncLit); ok {
		return launch.Started(fn.Cursor)
	}
	d, ok := fn.Cursor.Node().(*ast.FuncDecl)
	if !ok {
		return false
	}
	obj, ok := p.TypesInfo.Defs[d.Name].(*types.Func)
	if !ok {
		return false
	}
	calls, known := callers.CallSites(p, obj)
	for _, c := range calls {
		if _, isGo := c.Parent().Node().(*ast.GoStmt); !isGo {
			return false
		}
	}
	return known
}

// held reports whether the mutex is held at node on all paths of fn.
func (n *needing) held(fn *code.Func, node ast.Node, lock locks.Path) bool {
	if _, deferred := node.(*ast.DeferStmt); deferred {
		return false
	}
	free, reached := false, false
	flow.Paths[bool]{Edge: onEdge[bool](n), Node: func(at ast.Node, has bool) (bool, bool) {
		if at == node {
			free, reached = free || !has, true
			return has, !free
		}
		switch {
		case n.takes(at, lock, 0):
			has = true
		case n.t.releases(at, lock):
			has = false
		}
		return has, true
	}}.FromEntry(fn.Flow, false)
	return reached && !free
}

// onTheWay reports whether fn takes the mutex at a place from which it comes
// to node, to the next iteration of loop if node is what that ranges over, or to its
// end if node is deferred.
func (n *needing) onTheWay(fn *code.Func, node ast.Node, loop *ast.RangeStmt, lock locks.Path) bool {
	_, deferred := node.(*ast.DeferStmt)
	found, signals := false, n.signals(fn)
	paths := flow.Paths[bool]{
		Edge: onEdge[bool](n),
		Node: func(at ast.Node, has bool) (bool, bool) {
			if at == node && !deferred {
				found = found || has
				if n.once {
					return has, false
				}
			}
			takes := n.takes(at, lock, 2)
			if !has && !takes && n.t.releases(at, lock) {
				return has, false // it unlocks for the one who waits
			}
			return (has || takes) && !signals[at], !found
		},
		Exit: func(_ *flow.Block, has bool) { found = found || has && deferred },
	}
	if loop != nil && !n.once { // it receives again in each iteration
		body := paths
		body.Iteration = func(l ast.Stmt, has bool) bool {
			found = found || has && l == ast.Stmt(loop)
			return !found
		}
		if body.FromBody(fn.Flow, loop, false); found {
			return true
		}
	}
	if start := code.FlowNode(n.wait, fn); start != nil {
		paths.After(fn.Flow, start, false) // nobody waits before the one who does is made
	} else {
		paths.FromEntry(fn.Flow, false)
	}
	return found
}

// takes reports whether evaluating node takes the mutex, itself or in a
// function that it calls.
func (n *needing) takes(node ast.Node, lock locks.Path, depth int) (found bool) {
	p := n.t.p
	code.EachCall(node, func(call *ast.CallExpr) {
		if found {
			return
		}
		if l, ok := locks.LockOp(p, call); ok && l.Takes() && l.At == lock && (l.Name == "Lock" || n.lock.Name == "Lock") {
			found, n.at = true, call.Pos()
			return
		}
		if callee := n.t.funcs(p.Callee(call)); callee != nil && depth > 0 {
			in, outer := locks.Into(p, lock, call, callee), n.given
			n.given = constantArguments(p, call, callee, outer)
			flow.Paths[struct{}]{Edge: onEdge[struct{}](n), Node: func(at ast.Node, s struct{}) (struct{}, bool) {
				found = found || n.takes(at, in, depth-1)
				return s, !found
			}}.FromEntry(callee.Flow, struct{}{})
			n.given = outer
		}
	})
	return found
}
