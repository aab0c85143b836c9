package match

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// SoleGoroutine returns the function literal that a go statement after the
// call starts, if it alone uses the context and is done with it at its end,
// comes to its end although the context has not ended, and nothing in between
// leaves the function; else nil.
func (c *Cancel) SoleGoroutine() *ast.FuncLit {
	list, at, ok := StmtList(c.Def)
	if !ok || c.Ctx == nil || c.InLoop() || !c.p.DeclaredIn(c.Ctx, c.Fn) || c.p.IsResult(c.Ctx, c.Fn) {
		return nil
	}
	var stmt *ast.GoStmt
	for _, s := range list[at+1:] {
		if g, ok := s.(*ast.GoStmt); ok && c.p.Mentions(g, c.Ctx) {
			stmt = g
			break
		}
		if !plain(s) {
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
	body := c.p.FuncOf(cursor)
	its := *c // the context as the goroutine knows it
	t := &ctxTracker{p: c.p, fn: body, def: lit.Type, seen: map[*types.Var]bool{}}
	for _, use := range c.p.Uses(c.Fn.Cursor, c.Ctx) {
		n := use.Node()
		switch {
		case IsAssigned(use):
			if n.Pos() < c.Def.Node().Pos() || n.End() > c.Def.Node().End() {
				return nil
			}
		case n.Pos() >= c.Def.Node().Pos() && n.End() <= c.Def.Node().End():
		case cursor.Contains(use):
			t.use(use, c.Ctx.Name())
		default:
			param := ArgumentOf(lit, stmt.Call, n, c.p)
			if param == nil {
				return nil
			}
			its.Ctx = param
			t.variable(param, "")
		}
	}
	if t.outlives != "" {
		return nil
	}
	for recv := range cursor.Preorder((*ast.ExprStmt)(nil)) {
		if _, inSelect := recv.Parent().Node().(*ast.CommClause); !inSelect && its.WaitsForDone(recv.Node()) {
			return nil // it would wait for what it is to do afterwards
		}
	}
	if !its.endsBefore(body) {
		return nil
	}
	return lit
}

// endsBefore reports whether a path leads to the end of a function on which the
// context has not ended: else what the function does at its end does not end it.
func (c *Cancel) endsBefore(fn *Func) (ends bool) {
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) { return s, !c.WaitsForDone(n) },
		Exit: func(b *flow.Block, _ struct{}) { ends = ends || b.Exit == flow.Returns },
	}.FromEntry(fn.Flow, struct{}{})
	return ends
}

// ArgumentOf returns the parameter of the literal that gets the argument arg.
func ArgumentOf(lit *ast.FuncLit, call *ast.CallExpr, arg ast.Node, p *Pass) *types.Var {
	i := 0
	for _, field := range lit.Type.Params.List {
		for _, name := range field.Names {
			if i < len(call.Args) && ast.Node(call.Args[i]) == arg && !call.Ellipsis.IsValid() {
				v, _ := p.TypesInfo.Defs[name].(*types.Var)
				return v
			}
			i++
		}
	}
	return nil
}
