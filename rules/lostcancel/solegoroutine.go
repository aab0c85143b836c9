package lostcancel

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/lifetime"
)

// soleGoroutine returns the function literal that a go statement after the
// call starts, if it alone uses the context and is done with it at its end,
// comes to its end although the context has not ended, and nothing in between
// leaves the function; else nil.
func soleGoroutine(c *ctxcancel.Cancel) *ast.FuncLit {
	list, at, ok := code.StmtList(c.Def)
	if !ok || c.Ctx == nil || c.InLoop() || !c.Pass.DeclaredIn(c.Ctx, c.Fn) || c.Pass.IsResult(c.Ctx, c.Fn) {
		return nil
	}
	var stmt *ast.GoStmt
	for _, s := range list[at+1:] {
		if g, ok := s.(*ast.GoStmt); ok && c.Pass.Mentions(g, c.Ctx) {
			stmt = g
			break
		}
		if !assume.IsPlain(s) {
			return nil
		}
	}
	if stmt == nil {
		return nil
	}
	lit, ok := ast.Unparen(stmt.Call.Fun).(*ast.FuncLit)
	if !ok {
		return nil
	}
	cursor, ok := c.Fn.Cursor.FindNode(lit)
	if !ok {
		return nil
	}
	body := c.Pass.FuncOf(cursor)
	its := *c // the context as the goroutine knows it
	t := &lifetime.ContextTracker{Pass: c.Pass, Fn: body, Def: lit.Type, Seen: map[*types.Var]bool{}}
	for _, use := range c.Pass.Uses(c.Fn.Cursor, c.Ctx) {
		n := use.Node()
		switch {
		case code.IsAssigned(use):
			if n.Pos() < c.Def.Node().Pos() || n.End() > c.Def.Node().End() {
				return nil
			}
		case n.Pos() >= c.Def.Node().Pos() && n.End() <= c.Def.Node().End():
		case cursor.Contains(use):
			t.Use(use, c.Ctx.Name())
		default:
			param := ctxcancel.ArgumentOf(lit, stmt.Call, n, c.Pass)
			if param == nil {
				return nil
			}
			its.Ctx = param
			t.Follow(param, "")
		}
	}
	if t.Outlives != "" {
		return nil
	}
	for recv := range cursor.Preorder((*ast.ExprStmt)(nil)) {
		if _, inSelect := recv.Parent().Node().(*ast.CommClause); !inSelect && its.WaitsForDone(recv.Node()) {
			return nil // it would wait for what it is to do afterwards
		}
	}
	if !endsBefore(&its, body) {
		return nil
	}
	return lit
}

// endsBefore reports whether a path leads to the end of a function on which the
// context has not ended: else what the function does at its end does not end it.
func endsBefore(c *ctxcancel.Cancel, fn *code.Func) (ends bool) {
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) { return s, !c.WaitsForDone(n) },
		Exit: func(b *flow.Block, _ struct{}) { ends = ends || b.Exit == flow.Returns },
	}.FromEntry(fn.Flow, struct{}{})
	return ends
}
