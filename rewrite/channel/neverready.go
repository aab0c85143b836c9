package channel

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
)

// NeverReady reports whether n sends or receives on a channel that is nil for
// certain: no select takes such a case, and outside of one nothing comes after
// it.
func NeverReady(p *code.Pass, n ast.Node) bool {
	if send, ok := n.(*ast.SendStmt); ok {
		return nilChannel(p, send.Chan, 3)
	}
	ch := Received(n)
	return ch != nil && nilChannel(p, ch, 3)
}

// Received returns the channel that n, a statement or the communication of a
// case, receives from; nil if it does anything else.
func Received(n ast.Node) ast.Expr {
	var e ast.Expr
	switch s := n.(type) {
	case *ast.ExprStmt:
		e = s.X
	case *ast.AssignStmt:
		if len(s.Rhs) == 1 {
			e = s.Rhs[0]
		}
	}
	if recv, ok := ast.Unparen(e).(*ast.UnaryExpr); ok && recv.Op == token.ARROW {
		return recv.X
	}
	return nil
}

// nilChannel reports whether e is a nil channel whenever it is evaluated: a
// local variable that gets no value, or the Done of a context that nothing ends.
func nilChannel(p *code.Pass, e ast.Expr, depth int) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		if p.IsNil(x) {
			return true
		}
		v := p.VarOf(x)
		if depth == 0 || v == nil || !frozen.Fixed(p, v) {
			return false
		}
		if def := frozen.Definition(p, v); def != nil {
			return nilChannel(p, def, depth-1)
		}
		return declaredEmpty(p, v)
	case *ast.CallExpr:
		if p.TypesInfo.Types[x.Fun].IsType() && len(x.Args) == 1 {
			return nilChannel(p, x.Args[0], depth)
		}
		ctx, ok := ctxcancel.DoneCall(p, x)
		return ok && endlessContext(p, ctx, depth)
	}
	return false
}

// declaredEmpty reports whether v is declared by var, without a value.
func declaredEmpty(p *code.Pass, v *types.Var) bool {
	c, ok := p.CursorAt(v.Pos())
	if !ok {
		return false
	}
	spec, ok := c.Parent().Node().(*ast.ValueSpec)
	return ok && len(spec.Values) == 0
}

// endlessContext reports whether e is a context whose Done is nil.
func endlessContext(p *code.Pass, e ast.Expr, depth int) bool {
	if call, ok := ast.Unparen(e).(*ast.CallExpr); ok {
		return ctxcancel.RootContext(p, e) || p.FullName(call) == "context.WithValue" && len(call.Args) > 0 && endlessContext(p, call.Args[0], depth)
	}
	v := p.VarOf(e)
	if depth == 0 || v == nil || !frozen.Fixed(p, v) {
		return false
	}
	def := frozen.Definition(p, v)
	return def != nil && endlessContext(p, def, depth-1)
}
