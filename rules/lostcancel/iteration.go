package lostcancel

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/lifetime"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// iterationExits returns the ways out of the list of statements that holds the call on
// which the cancel function with the given events is not called. It returns
// why instead if the context may be in use beyond the iteration, or where a call before
// each way out would not do.
func iterationExits(c *ctxcancel.Cancel, cancel *types.Var, events []usage.Event) (r mustcall.Iteration, why string) {
	region := c.Def.Parent()
	if _, _, ok := code.StmtList(c.Def); !ok || region.Node() == ast.Node(c.Fn.Body) {
		return r, "in a loop a deferred cancel would wait for the end of the function"
	}
	if c.Ctx == nil {
		return r, "the context is stored, so only its owner knows when to cancel it"
	}
	if cancel != nil && (cancel.Pos() < region.Node().Pos() || cancel.Pos() >= region.Node().End()) {
		return r, cancel.Name() + " lives longer than the iteration of the loop"
	}
	for _, e := range events {
		if e.Kind == usage.Assigns && e.Node != c.Node() {
			return r, cancel.Name() + " is assigned again"
		}
	}
	t := within(c, region)
	if t.Outlives != "" {
		return r, t.Outlives
	}
	o := mustcall.Obligation{Fn: c.Fn, Call: c.Call, Def: c.Def, Var: cancel, Events: events, Over: c.WaitsForDone, Settled: c.Ended}
	return mustcall.IterationExits(c.Pass, o, region, func(s ast.Stmt) string {
		if ret, ok := s.(*ast.ReturnStmt); ok && t.Mentions(ret) {
			return "what is returned is made with the context, so it cannot be cancelled before"
		}
		return ""
	})
}

// within follows the context as far as it must not outlive a run through region.
func within(c *ctxcancel.Cancel, region inspector.Cursor) *lifetime.ContextTracker {
	t := &lifetime.ContextTracker{Pass: c.Pass, Fn: c.Fn, Def: c.Node(), Within: region.Node(), Seen: map[*types.Var]bool{}}
	t.Follow(c.Ctx, "")
	return t
}

// deferredInLoop reports whether the contexts of all iterations stay until the function
// returns because cancel is deferred in a loop, and nothing needs them when
// their iteration is over. Loops that are known to end soon are left alone, those
// of tests, and timed contexts in loops that are known to end.
func deferredInLoop(c *ctxcancel.Cancel, events []usage.Event) (deferred ast.Stmt) {
	for _, e := range events {
		switch e.Kind {
		case usage.DefersClose:
			if deferred != nil || e.Via.Node() != e.Node || !c.Fn.Flow.InCycle(e.Node) || e.Via.Parent() != c.Def.Parent() {
				return nil
			}
			deferred = e.Node.(ast.Stmt)
		case usage.ClosesLate: // by a literal, of which each iteration has its own
			d, ok := e.Node.(*ast.DeferStmt)
			if !ok || deferred != nil && deferred != ast.Stmt(d) || !c.Fn.Flow.InCycle(d) || !ctxcancel.Beside(c.Def, d) {
				return nil
			}
			deferred = d
		case usage.Reads:
		case usage.Assigns:
			if e.Node != c.Node() {
				return nil
			}
		default:
			return nil
		}
	}
	if deferred == nil || c.Ctx == nil || !c.InLoop() || !mustcall.LongLoop(c.Pass, c.Def, c.Timed()) || c.Pass.InTest(c.Call.Pos()) || within(c, c.Def.Parent()).Outlives != "" {
		return nil
	}
	return deferred
}

// outlivesIteration reports whether the call stands in a loop and the variable of
// its cancel function is declared outside: a later iteration may call it, and
// whether it does may depend on more than the paths show.
func outlivesIteration(c *ctxcancel.Cancel, cancel *types.Var) bool {
	for loop := range c.Def.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil)) {
		if c.Fn.Cursor.Contains(loop) && cancel.Pos() < loop.Node().Pos() {
			return true
		}
	}
	return false
}
