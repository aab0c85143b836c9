package assume

import (
	"go/ast"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// LiteralUse tells how a function literal is used.
type LiteralUse uint8

const (
	LitNone     LiteralUse = iota
	litCalled              // func() { ... }()
	LitDeferred            // defer func() { ... }()
	LitEscapes             // go func() { ... }(), passed, stored
)

// LitUse tells how the literals between c and fn are used, the strongest of
// them: a use within an escaping literal may happen at any time.
func LitUse(p *code.Pass, c inspector.Cursor, fn *code.Func) LiteralUse {
	use := LitNone
	for ; c.Valid() && c != fn.Cursor; c = c.Parent() {
		if _, isGo := c.Node().(*ast.GoStmt); isGo {
			return LitEscapes
		}
		lit, ok := c.Node().(*ast.FuncLit)
		if !ok {
			continue
		}
		call := code.Unparen(c).Parent()
		ce, ok := call.Node().(*ast.CallExpr)
		if !ok || ast.Unparen(ce.Fun) != ast.Expr(lit) {
			return LitEscapes
		}
		switch call.Parent().Node().(type) {
		case *ast.GoStmt:
			return LitEscapes
		case *ast.DeferStmt:
			use = max(use, LitDeferred)
		default:
			use = max(use, litCalled)
		}
	}
	return use
}
