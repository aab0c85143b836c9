package ctxcancel

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// A cancel function and the Done of its context are a signal between goroutines, as
// a close of a channel and a receive from it are.

// Cancels returns the function that a call ends a context by: what it calls is
// a context.CancelFunc or a context.CancelCauseFunc.
func Cancels(p *code.Pass, call *ast.CallExpr) (cancel ast.Expr, ok bool) {
	t := p.TypesInfo.TypeOf(call.Fun)
	if t == nil || !typeis.Named(t, "context", "CancelFunc") && !typeis.Named(t, "context", "CancelCauseFunc") || p.TypesInfo.Types[call.Fun].IsType() {
		return nil, false
	}
	return ast.Unparen(call.Fun), true
}

// DoneCall returns the context whose Done is what e denotes.
func DoneCall(p *code.Pass, e ast.Expr) (ctx ast.Expr, ok bool) {
	call, isCall := ast.Unparen(e).(*ast.CallExpr)
	if !isCall {
		return nil, false
	}
	sel, isSel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !isSel || sel.Sel.Name != "Done" || !typeis.Named(p.TypesInfo.TypeOf(sel.X), "context", "Context") {
		return nil, false
	}
	return sel.X, true
}

// EndsBy reports whether cancel, a variable or a field, ends the context ctx, or
// one that it is derived from.
func EndsBy(p *code.Pass, ctx ast.Expr, cancel *types.Var) bool { return derived(p, ctx, cancel, 4) }

func derived(p *code.Pass, ctx ast.Expr, cancel *types.Var, depth int) bool {
	v := p.LastVar(ctx)
	if v == nil || cancel == nil || depth == 0 {
		return false
	}
	for _, as := range gets(p, v) {
		call, ok := ast.Unparen(as.Rhs[0]).(*ast.CallExpr)
		if !ok || len(as.Rhs) != 1 || p.LastVar(as.Lhs[0]) != v {
			continue
		}
		name := p.FullName(call)
		if knowledge.Cancellable[name] && len(as.Lhs) == 2 && p.LastVar(as.Lhs[1]) == cancel {
			return true
		}
		if (knowledge.Cancellable[name] || name == "context.WithValue") && len(call.Args) > 0 && derived(p, call.Args[0], cancel, depth-1) {
			return true
		}
	}
	return false
}

// gets lists the assignments that give a variable or a field a value.
func gets(p *code.Pass, v *types.Var) (out []*ast.AssignStmt) {
	var uses []inspector.Cursor
	if v.IsField() {
		uses = p.Index().Fields[v]
	} else {
		uses = p.VarUses(v)
	}
	for _, use := range uses {
		if sel, ok := use.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel == use.Node() {
			use = use.Parent()
		}
		if as, ok := use.Parent().Node().(*ast.AssignStmt); ok && code.OnLeft(as, use) {
			out = append(out, as)
		}
	}
	return out
}
