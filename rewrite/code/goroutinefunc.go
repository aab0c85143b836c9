package code

import (
	"go/ast"

	"golang.org/x/tools/go/ast/inspector"
)

// GoroutineFunc returns the function in whose goroutine c runs: literals that are
// called or deferred where they stand belong to the function around them. What
// initialises a package variable has no function around it: then it is the
// outermost of the literals, or the root of all files if there is none. The result
// is always valid.
func (p *Pass) GoroutineFunc(c inspector.Cursor) inspector.Cursor {
	outer := p.Inspector.Root()
	for f := range c.Enclosing((*ast.FuncLit)(nil), (*ast.FuncDecl)(nil)) {
		outer = f
		lit, ok := f.Node().(*ast.FuncLit)
		if !ok {
			return f
		}
		call := Unparen(f).Parent()
		ce, ok := call.Node().(*ast.CallExpr)
		if !ok || ast.Unparen(ce.Fun) != ast.Expr(lit) {
			return f
		}
		if _, isGo := call.Parent().Node().(*ast.GoStmt); isGo {
			return f
		}
	}
	return outer
}
