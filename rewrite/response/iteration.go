package response

import (
	"go/ast"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// onlyReturned reports whether nobody gets the response but the caller, by a
// return: on the other paths, only this function can close it. What is stored on
// one path may have been stored on another that comes to the same return.
func (b *Response) onlyReturned() bool {
	for _, e := range b.Events {
		if _, isReturn := e.Node.(*ast.ReturnStmt); e.Kind == usage.Escapes && (!isReturn || e.Node == b.Node()) {
			return false
		}
	}
	return true
}

// settled reports whether n returns a named response without mentioning it, or
// calls a cancel function, which ends the request and its connection.
func (b *Response) settled(n ast.Node) bool {
	if ret, ok := n.(*ast.ReturnStmt); ok && len(ret.Results) == 0 && b.Pass.IsResult(b.Var, b.Fn) {
		return true
	}
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			found = found || typeis.CancelFunc(b.Pass.TypesInfo.TypeOf(n.Fun))
		}
		return !found
	})
	return found
}
