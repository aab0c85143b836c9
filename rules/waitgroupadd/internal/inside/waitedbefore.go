package inside

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
)

// waitedBefore reports whether each Wait for the group of key certainly comes
// before the go statement: nobody waits for what the goroutine counts, so that
// no Wait can return too early. The group is a variable of the declaration that
// only calls of its methods use.
func waitedBefore(g *waitgroup.Goroutine, key code.Path) bool {
	v, isVar := key.Root.(*types.Var)
	if !isVar || !g.Local(key) {
		return false
	}
	known := map[ast.Node]bool{}
	var waits []waitgroup.Op
	for _, o := range g.Ops() {
		if o.Key == key {
			known[ast.Unparen(o.Recv)] = true
			if o.Name == "Wait" {
				waits = append(waits, o)
			}
		}
	}
	for _, use := range g.Pass.Uses(g.Decl, v) {
		if use.Node().Pos() != v.Pos() && !known[use.Node()] {
			return false
		}
	}
	for _, w := range waits {
		if !precedes(g, w.At) {
			return false
		}
	}
	return len(waits) > 0
}

// precedes reports whether a call at c, wherever a path leads, runs before the
// go statement, in the same goroutine: no path leads from the go statement to it,
// or the statement is in a deferred literal that runs later.
func precedes(g *waitgroup.Goroutine, c inspector.Cursor) bool {
	start, ok := startedIn(g, g.Pass.GoroutineFunc(c))
	if !ok {
		return false
	}
	late, fn := deferredIn(g, start)
	early, around := deferredIn(g, c)
	switch {
	case fn == nil || around == nil || fn.Cursor != around.Cursor || late == early:
		return fn != nil && around != nil && fn.Cursor == around.Cursor && late == nil && early == nil && !leadsTo(start, c, fn)
	case late == nil:
		return false
	case early == nil:
		return true // the function has come to its end by then
	}
	// What is deferred last runs first.
	return late.Pos() < early.Pos() && !fn.Flow.InCycle(late)
}

// deferredIn returns the outermost defer statement around c within the function
// whose goroutine runs it, nil if there is none, and the function that defers it.
// A literal that is called where it stands is not looked into: then the function
// is nil.
func deferredIn(g *waitgroup.Goroutine, c inspector.Cursor) (deferred ast.Stmt, fn *code.Func) {
	fn = g.Pass.EnclosingFunc(c)
	for d := range c.Enclosing((*ast.DeferStmt)(nil)) {
		if g.Pass.GoroutineFunc(d) != g.Pass.GoroutineFunc(c) {
			break
		}
		deferred, fn = d.Node().(ast.Stmt), g.Pass.EnclosingFunc(d)
	}
	if fn == nil || fn.Cursor != g.Pass.GoroutineFunc(c) {
		return nil, nil
	}
	return deferred, fn
}

// startedIn returns what the goroutine of runner does before that of g can start: the go
// statement itself, or what holds the outermost literal around it, which nobody can run before it is made.
func startedIn(g *waitgroup.Goroutine, runner inspector.Cursor) (start inspector.Cursor, ok bool) {
	start = g.Stmt
	for g.Pass.GoroutineFunc(start) != runner {
		lit := g.Pass.GoroutineFunc(start)
		if _, isLit := lit.Node().(*ast.FuncLit); !isLit {
			return start, false
		}
		start = lit.Parent() // the literal itself would be its own runner
	}
	return start, true
}

// leadsTo reports whether a path leads from what is at start to the call at c.
func leadsTo(start, c inspector.Cursor, fn *code.Func) bool {
	from, to, found := code.FlowNode(start, fn), code.FlowNode(c, fn), false
	flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
		found = found || n == to
		return s, !found
	}}.After(fn.Flow, from, struct{}{})
	return found
}
