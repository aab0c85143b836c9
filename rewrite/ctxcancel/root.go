package ctxcancel

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// ParamIndex returns the index of the parameter v of fn, or -1.
func ParamIndex(fn *types.Func, v *types.Var) int {
	for i := range fn.Signature().Params().Len() {
		if fn.Signature().Params().At(i) == v {
			return i
		}
	}
	return -1
}

// RootContext reports whether e is a call that returns a context that never ends.
func RootContext(p *code.Pass, e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	switch p.FullName(call) {
	case "context.Background", "context.TODO", "context.WithoutCancel":
		return true
	}
	return false
}

// NeverCancelled reports whether e is a context that never ends: a root context, or
// a variable that holds one.
func NeverCancelled(p *code.Pass, e ast.Expr, at inspector.Cursor) bool {
	if RootContext(p, e) {
		return true
	}
	v, fn := p.VarOf(e), p.EnclosingFunc(at)
	if v == nil || fn == nil || v.Kind() != types.LocalVar || v.Parent() == p.Pkg.Scope() {
		return false
	}
	c, ok := p.FindAnywhere(fn.Outermost().Node())
	if !ok {
		return false
	}
	root := false
	for _, use := range p.Uses(c, v) {
		if code.Addressed(use) {
			return false
		}
		if !code.IsAssigned(use) {
			continue
		}
		value := ast.Expr(nil)
		switch n := use.Parent().Node().(type) {
		case *ast.AssignStmt:
			if len(n.Lhs) == 1 && len(n.Rhs) == 1 {
				value = n.Rhs[0]
			}
		case *ast.ValueSpec:
			if len(n.Names) == 1 && len(n.Values) == 1 {
				value = n.Values[0]
			}
		}
		if value == nil || !RootContext(p, value) {
			return false
		}
		root = true
	}
	return root
}

// DoneOf returns the variable ctx if stmt is "<-ctx.Done()", the communication
// of a case; else nil.
func DoneOf(p *code.Pass, stmt ast.Stmt) *types.Var {
	es, ok := stmt.(*ast.ExprStmt)
	if !ok {
		return nil
	}
	recv, ok := ast.Unparen(es.X).(*ast.UnaryExpr)
	if !ok || recv.Op != token.ARROW {
		return nil
	}
	ctx, ok := DoneCall(p, recv.X)
	if !ok {
		return nil
	}
	return p.VarOf(ctx)
}
