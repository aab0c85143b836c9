package deafwait

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/intent"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// deafReceives reports receives from the channel that a method of a parameter returns,
// "<-stream.Channel()", in functions that listen to the context of the same parameter
// where they wait for the same channel, or send on another one.
func deafReceives(p *code.Pass) (out []rule.Match) {
	for c := range p.Candidates((*ast.UnaryExpr)(nil)) {
		x, ok := plainReceive(p, c)
		if !ok || p.InTest(c.Node().Pos()) {
			continue
		}
		fn := p.EnclosingFunc(c)
		if fn == nil || !p.IsParam(x, fn) || intent.Intentional(p, c.Node()) {
			continue
		}
		at := listens(p, fn, x)
		if at == nil {
			continue
		}
		recv := c.Node().(*ast.UnaryExpr)
		m := rule.Match{Pos: recv.Pos(), End: recv.End(), Related: []rule.Related{{Pos: at.Pos(), End: at.End(), Message: "the function listens to it here"}}}
		m.Message = "the receive from " + types.ExprString(recv.X) + " does not listen to " + x.Name() + ".Context(), and blocks forever when nobody sends any more"
		out = append(out, m.None("what is to be done when "+x.Name()+".Context() is done is for the author to say"))
	}
	return out
}

// plainReceive returns the variable x if c is a receive from x.M() that stands in no
// select, and x has a method Context.
func plainReceive(p *code.Pass, c inspector.Cursor) (x *types.Var, ok bool) {
	recv := c.Node().(*ast.UnaryExpr)
	call, isCall := ast.Unparen(recv.X).(*ast.CallExpr)
	if !isCall || len(call.Args) > 0 {
		return nil, false
	}
	if sel, _ := channel.InSelect(c); sel != nil || waits.Ticks(p, recv.X) {
		return nil, false
	}
	if _, isDone := ctxcancel.DoneCall(p, recv.X); isDone {
		return nil, false
	}
	sel, isSel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !isSel || !typeis.Chan(p.TypesInfo.TypeOf(recv.X)) {
		return nil, false
	}
	x = p.VarOf(sel.X)
	return x, x != nil && hasContext(x.Type())
}

// hasContext reports whether t has a method Context that returns one.
func hasContext(t types.Type) bool {
	obj, _, _ := types.LookupFieldOrMethod(t, true, nil, "Context")
	m, ok := obj.(*types.Func)
	return ok && m.Signature().Params().Len() == 0 && m.Signature().Results().Len() == 1 &&
		typeis.Named(m.Signature().Results().At(0).Type(), "context", "Context")
}

// listens returns the case of a select in fn, its literals included, that waits for
// x.Context() and returns.
func listens(p *code.Pass, fn *code.Func, x *types.Var) ast.Node {
	for c := range fn.Cursor.Preorder((*ast.CommClause)(nil)) {
		clause := c.Node().(*ast.CommClause)
		ch := channel.Received(clause.Comm)
		if ch == nil || !leaves(clause.Body, c) {
			continue
		}
		ctx, ok := ctxcancel.DoneCall(p, ch)
		if !ok {
			continue
		}
		call, ok := ast.Unparen(ctx).(*ast.CallExpr)
		if !ok || code.CalledAs(call) != "Context" {
			continue
		}
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && p.VarOf(sel.X) == x {
			return clause.Comm
		}
	}
	return nil
}
