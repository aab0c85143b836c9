package ctxcancel

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Ended reports whether a condition that came out as taken says that the
// context or its parent has ended: ctx.Err() != nil, or a comparison of that, or of
// context.Cause(ctx), with the errors of package context.
func (c *Cancel) Ended(cond ast.Expr, taken bool) bool {
	if x, isNil, ok := c.Pass.NilTest(cond, taken); ok {
		return !isNil && c.asksEnd(x)
	}
	switch n := ast.Unparen(cond).(type) {
	case *ast.BinaryExpr:
		if n.Op == token.EQL && taken || n.Op == token.NEQ && !taken {
			return c.asksEnd(n.X) && endError(c.Pass, n.Y) || c.asksEnd(n.Y) && endError(c.Pass, n.X)
		}
	case *ast.CallExpr:
		return taken && c.Pass.FullName(n) == "errors.Is" && len(n.Args) == 2 && c.asksEnd(n.Args[0]) && endError(c.Pass, n.Args[1])
	}
	return false
}

// asksEnd reports whether e is the error of the context or its parent, or a
// variable that holds nothing else.
func (c *Cancel) asksEnd(e ast.Expr) bool {
	e = ast.Unparen(e)
	if v := c.Pass.VarOf(e); v != nil && c.Pass.DeclaredIn(v, c.Fn) && frozen.Fixed(c.Pass, v) && v.Pos() > c.Call.End() {
		at, ok := c.Fn.Cursor.FindByPos(v.Pos(), v.Pos())
		if !ok {
			return false
		}
		if e = c.Pass.GivenAt(at); e == nil {
			return false
		}
		e = ast.Unparen(e)
	}
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	if c.Pass.FullName(call) == "context.Cause" {
		return c.its(call.Args[0])
	}
	recv, isErr := c.Pass.Method(call, "context", "Context", "Err")
	return isErr && c.its(recv)
}

// endError reports whether e is one of the errors of package context.
func endError(p *code.Pass, e ast.Expr) bool {
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	v, ok := p.TypesInfo.Uses[sel.Sel].(*types.Var)
	return ok && v.Pkg() != nil && v.Pkg().Path() == "context" && (v.Name() == "Canceled" || v.Name() == "DeadlineExceeded")
}

// endedAtOnce reports whether the time of the context is up when it is made: it has
// ended then, and its parent does not know it.
func (c *Cancel) endedAtOnce() bool {
	if !c.Timed() || c.Wrapper != nil || len(c.Call.Args) < 2 {
		return false
	}
	when := ast.Unparen(c.Call.Args[1])
	switch c.Name {
	case "context.WithTimeout", "context.WithTimeoutCause":
		return notPositive(c.Pass, when)
	}
	return passed(c.Pass, when) || zeroTime(c.Pass, c.Pass.VarOf(when), c.Fn)
}

// notPositive reports whether e is a constant of at most zero.
func notPositive(p *code.Pass, e ast.Expr) bool {
	v := p.TypesInfo.Types[e].Value
	return v != nil && (v.Kind() == constant.Int || v.Kind() == constant.Float) && constant.Sign(v) <= 0
}

// passed reports whether e is a time that has come: time.Time{}, time.Now(), or that
// and a constant of at most zero.
func passed(p *code.Pass, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		return typeis.Named(p.TypesInfo.TypeOf(e), "time", "Time")
	case *ast.CallExpr:
		if p.FullName(e) == "time.Now" {
			return true
		}
		recv, isAdd := p.Method(e, "time", "Time", "Add")
		return isAdd && len(e.Args) == 1 && notPositive(p, e.Args[0]) && passed(p, recv)
	}
	return false
}

// zeroTime reports whether v is declared without a value and never gets one.
func zeroTime(p *code.Pass, v *types.Var, fn *code.Func) bool {
	return v != nil && p.DeclaredIn(v, fn) && typeis.Named(v.Type(), "time", "Time") && frozen.Fixed(p, v) && p.DeclaredNil(v, fn)
}

// endsWithTest reports whether call is the context of a test that fn gets: package
// testing cancels it when the test is over.
func endsWithTest(p *code.Pass, call *ast.CallExpr, fn *code.Func) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Context" {
		return false
	}
	m, ok := p.TypesInfo.Uses[sel.Sel].(*types.Func)
	v := p.VarOf(sel.X)
	return ok && m.Pkg() != nil && m.Pkg().Path() == "testing" && v != nil && p.IsParam(v, fn)
}
