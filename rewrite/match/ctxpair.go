package match

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// A cancel function and the Done of its context are a word between goroutines, as
// a close of a channel and a receive from it are.

// cancels returns the function that a call ends a context by: what it calls is
// a context.CancelFunc or a context.CancelCauseFunc.
func (p *Pass) cancels(call *ast.CallExpr) (cancel ast.Expr, ok bool) {
	t := p.TypesInfo.TypeOf(call.Fun)
	if t == nil || !IsNamed(t, "context", "CancelFunc") && !IsNamed(t, "context", "CancelCauseFunc") || p.TypesInfo.Types[call.Fun].IsType() {
		return nil, false
	}
	return ast.Unparen(call.Fun), true
}

// doneCall returns the context whose Done is what e denotes.
func (p *Pass) doneCall(e ast.Expr) (ctx ast.Expr, ok bool) {
	call, isCall := ast.Unparen(e).(*ast.CallExpr)
	if !isCall {
		return nil, false
	}
	sel, isSel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !isSel || sel.Sel.Name != "Done" || !IsNamed(p.TypesInfo.TypeOf(sel.X), "context", "Context") {
		return nil, false
	}
	return sel.X, true
}

// endsBy reports whether cancel, a variable or a field, ends the context ctx, or
// one that it is derived from.
func (p *Pass) endsBy(ctx ast.Expr, cancel *types.Var) bool { return p.derived(ctx, cancel, 4) }

func (p *Pass) derived(ctx ast.Expr, cancel *types.Var, depth int) bool {
	v := p.lastVar(ctx)
	if v == nil || cancel == nil || depth == 0 {
		return false
	}
	for _, as := range p.gets(v) {
		call, ok := ast.Unparen(as.Rhs[0]).(*ast.CallExpr)
		if !ok || len(as.Rhs) != 1 || p.lastVar(as.Lhs[0]) != v {
			continue
		}
		name := p.FullName(call)
		if cancellable[name] && len(as.Lhs) == 2 && p.lastVar(as.Lhs[1]) == cancel {
			return true
		}
		if (cancellable[name] || name == "context.WithValue") && len(call.Args) > 0 && p.derived(call.Args[0], cancel, depth-1) {
			return true
		}
	}
	return false
}

// gets lists the assignments that give a variable or a field a value.
func (p *Pass) gets(v *types.Var) (out []*ast.AssignStmt) {
	var uses []inspector.Cursor
	if v.IsField() {
		uses = p.index().fields[v]
	} else {
		uses = p.varUses(v)
	}
	for _, use := range uses {
		if sel, ok := use.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel == use.Node() {
			use = use.Parent()
		}
		if as, ok := use.Parent().Node().(*ast.AssignStmt); ok && onLeft(as, use) {
			out = append(out, as)
		}
	}
	return out
}
