package inside

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
)

// countedBefore reports whether the statement before the go is already an Add
// for it, or the goroutine starts others and any Add stands before it: then
// it runs under a count of its own and may add to it.
func countedBefore(g *waitgroup.Goroutine, key code.Path) bool {
	starts := false
	for c := range g.Lit.Preorder((*ast.GoStmt)(nil)) {
		starts = starts || c.Node() != nil
	}
	list, i, ok := code.StmtList(g.Stmt)
	for _, o := range g.Ops() {
		if o.Name != "Add" || o.Key != key || g.Lit.Contains(o.At) || o.At.Node().Pos() > g.Stmt.Node().Pos() {
			continue
		}
		if starts {
			return true
		}
		if ok && i > 0 {
			if es, isExpr := list[i-1].(*ast.ExprStmt); isExpr && ast.Unparen(es.X) == ast.Expr(o.Call) {
				return true
			}
		}
	}
	return false
}

// handshake reports whether the parent hears from the goroutine before it
// waits: then the Add has happened by the time of the Wait.
func handshake(g *waitgroup.Goroutine, key code.Path) bool {
	wait := g.Decl.Node().End()
	for _, o := range g.Ops() {
		if o.Name == "Wait" && o.Key == key && o.At.Node().Pos() > g.Stmt.Node().End() && !code.InDefer(o.At) {
			wait = min(wait, o.At.Node().Pos())
		}
	}
	between := func(c inspector.Cursor) bool {
		return c.Node().Pos() > g.Stmt.Node().End() && c.Node().Pos() < wait && !g.Lit.Contains(c)
	}
	for _, o := range g.Ops() {
		if o.Name == "Wait" && o.Key != key && between(o.At) {
			for _, d := range g.Ops() {
				if d.Name == "Done" && d.Key == o.Key && g.Lit.Contains(d.At) {
					return true
				}
			}
		}
	}
	for ch := range channels(g) {
		for _, u := range channel.Uses(g.Pass, g.Decl, ch) {
			heard := u.Kind == channel.Recv || u.Kind == channel.Range || u.Kind == channel.Send && unbuffered(g, ch)
			if heard && between(u.At) {
				return true
			}
		}
	}
	// The end of a context that the goroutine ends.
	for cancel := range cancels(g) {
		for c := range g.Decl.Preorder((*ast.CallExpr)(nil)) {
			ctx, ok := ctxcancel.DoneCall(g.Pass, c.Node().(*ast.CallExpr))
			if ok && between(c) && ctxcancel.EndsBy(g.Pass, ctx, cancel) {
				return true
			}
		}
	}
	// A flag that is polled, a condition that is waited for.
	for c := range g.Decl.Preorder((*ast.SelectorExpr)(nil)) {
		switch c.Node().(*ast.SelectorExpr).Sel.Name {
		case "Load", "Gosched", "LoadInt32", "LoadInt64", "LoadUint32":
			if between(c) {
				return true
			}
		case "Wait":
			call, ok := c.Parent().Node().(*ast.CallExpr)
			if ok && between(c) && g.Pass.FullName(call) == "(*sync.Cond).Wait" {
				return true
			}
		}
	}
	return false
}

// cancels lists the cancel functions from outside that the goroutine calls.
func cancels(g *waitgroup.Goroutine) map[*types.Var]bool {
	out := map[*types.Var]bool{}
	for c := range g.Lit.Preorder((*ast.CallExpr)(nil)) {
		cancel, ok := ctxcancel.Cancels(g.Pass, c.Node().(*ast.CallExpr))
		if !ok {
			continue
		}
		v := g.Pass.LastVar(cancel)
		if v != nil && !v.IsField() && g.Within(v) {
			if arg := g.Pass.LitArgument(g.Lit, v); arg != nil {
				v = g.Pass.LastVar(arg)
			}
		}
		if v != nil {
			out[v] = true
		}
	}
	return out
}

// unbuffered reports whether the channel in v is made without a buffer, as far
// as the declaration shows.
func unbuffered(g *waitgroup.Goroutine, v types.Object) bool {
	for c := range g.Decl.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if g.Pass.IsBuiltin(call, "make") && len(call.Args) > 1 && g.Pass.Mentions(c.Parent().Node(), v) {
			return false
		}
	}
	return true
}

// channels lists the channel variables from outside that the goroutine uses.
func channels(g *waitgroup.Goroutine) map[types.Object]bool {
	out := map[types.Object]bool{}
	for c := range g.Lit.Preorder((*ast.Ident)(nil)) {
		v := g.Pass.VarOf(c.Node().(*ast.Ident))
		if v == nil || v.IsField() {
			continue
		}
		if _, ok := v.Type().Underlying().(*types.Chan); !ok {
			continue
		}
		if !g.Within(v) {
			out[v] = true
		} else if arg := g.Pass.LitArgument(g.Lit, v); arg != nil {
			if a := g.Pass.VarOf(arg); a != nil {
				out[a] = true
			}
		}
	}
	return out
}
