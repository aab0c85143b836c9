package assume

import (
	"go/ast"
	"go/token"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// WrapsNil reports whether cond finds something not to be nil that can only be
// nil: an error that a function of the package makes of another one, which is
// known to be nil, and the function then returns nil.
func (a Assumptions) WrapsNil(cond ast.Expr, taken bool) bool {
	x, isNil, ok := a.P.NilTest(cond, taken)
	if !ok || isNil || !typeis.Error(a.P.TypesInfo.TypeOf(x)) {
		return false
	}
	v := a.P.VarOf(x)
	if v == nil {
		return false
	}
	call, isCall := ast.Unparen(a.P.OnlyValue(v)).(*ast.CallExpr)
	if !isCall {
		return false
	}
	fn := a.P.Declaration(a.P.Callee(call))
	if fn == nil || fn.Type.Results.NumFields() != 1 {
		return false
	}
	for i := range code.Params(fn) {
		if arg := code.Argument(call, fn, i); i > 0 && arg != nil && a.isNil(arg) && nilOfNil(a.P, fn, i) {
			return true
		}
	}
	return false
}

// isNil reports whether e is known to be nil.
func (a Assumptions) isNil(e ast.Expr) bool {
	if a.P.VarOf(e) == nil {
		return false
	}
	return a.Known[newCondition(a.P, &ast.BinaryExpr{X: ast.Unparen(e), Op: token.EQL, Y: ast.NewIdent("nil")})]
}

// nilOfNil reports whether fn returns nil whenever its parameter i is nil.
func nilOfNil(p *code.Pass, fn *code.Func, i int) bool {
	param := code.Params(fn)[i]
	if param == nil {
		return false
	}
	v := p.VarOf(param)
	if !frozen.Fixed(p, v) {
		return false
	}
	always := true
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			if ret, ok := n.(*ast.ReturnStmt); ok {
				always = always && len(ret.Results) == 1 && (p.IsNil(ret.Results[0]) || p.VarOf(ret.Results[0]) == v)
			}
			return s, always
		},
		Edge: func(cond ast.Expr, taken bool, s struct{}) (struct{}, bool) {
			x, isNil, ok := p.NilTest(cond, taken)
			return s, !ok || isNil || p.VarOf(x) != v
		},
	}.FromEntry(fn.Flow, struct{}{})
	return always
}
