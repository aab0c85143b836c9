package code

import (
	"go/ast"
	"go/token"
)

// NilTest reports what a condition that came out as taken says about x:
// whether x is nil then. ok is false if cond is no comparison with nil.
func (p *Pass) NilTest(cond ast.Expr, taken bool) (x ast.Expr, isNil, ok bool) {
	if call, isCall := ast.Unparen(cond).(*ast.CallExpr); isCall {
		return p.nilTestOf(call, taken)
	}
	be, isBinary := ast.Unparen(cond).(*ast.BinaryExpr)
	if !isBinary || be.Op != token.EQL && be.Op != token.NEQ {
		return nil, false, false
	}
	switch {
	case p.IsNil(be.Y):
		x = be.X
	case p.IsNil(be.X):
		x = be.Y
	default:
		return nil, false, false
	}
	return x, (be.Op == token.EQL) == taken, true
}

// nilTestOf is NilTest for the call of a function of the package that does
// nothing but to compare one of its parameters with nil: failed(t, err).
func (p *Pass) nilTestOf(call *ast.CallExpr, taken bool) (x ast.Expr, isNil, ok bool) {
	fn := p.Declaration(p.Callee(call))
	if fn == nil || len(fn.Body.List) != 1 || call.Ellipsis.IsValid() {
		return nil, false, false
	}
	ret, isReturn := fn.Body.List[0].(*ast.ReturnStmt)
	if !isReturn || len(ret.Results) != 1 {
		return nil, false, false
	}
	be, isBinary := ast.Unparen(ret.Results[0]).(*ast.BinaryExpr)
	if !isBinary {
		return nil, false, false
	}
	own, isNil, ok := p.NilTest(be, taken)
	if !ok {
		return nil, false, false
	}
	sig := p.Callee(call).Signature()
	for i := range sig.Params().Len() {
		if v := p.VarOf(own); v != nil && v == sig.Params().At(i) && i < len(call.Args) && !(sig.Variadic() && i == sig.Params().Len()-1) {
			return call.Args[i], isNil, true
		}
	}
	return nil, false, false
}
