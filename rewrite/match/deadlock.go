package match

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// MayNotEnd reports whether the goroutine goes on until somebody stops it: an
// endless loop, a wait for a context, a condition, another group or a server.
func (g *Goroutine) MayNotEnd() bool {
	for c := range g.Lit.Preorder((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.SelectStmt)(nil), (*ast.UnaryExpr)(nil), (*ast.CallExpr)(nil), (*ast.Ident)(nil)) {
		switch n := c.Node().(type) {
		case *ast.ForStmt:
			if n.Cond == nil {
				return true
			}
		case *ast.RangeStmt:
			_, isChan := g.Pass.TypesInfo.TypeOf(n.X).Underlying().(*types.Chan)
			if _, isVar := ast.Unparen(n.X).(*ast.Ident); isChan && !isVar {
				return true
			}
		case *ast.Ident: // the other end of a pipe
			t := g.Pass.TypesInfo.TypeOf(n)
			if typeis.Named(t, "io", "PipeWriter") || typeis.Named(t, "io", "PipeReader") || typeis.Named(t, "net", "Conn") {
				return true
			}
		case *ast.SelectStmt:
			if len(n.Body.List) == 0 {
				return true
			}
		case *ast.UnaryExpr:
			// <-ctx.Done(), <-ticker.C, <-c.ready: who serves it is not known.
			if _, isVar := ast.Unparen(n.X).(*ast.Ident); n.Op == token.ARROW && !isVar {
				return true
			}
		case *ast.CallExpr:
			name := g.Pass.FullName(n)
			if g.Pass.Waits(n) && name != "time.Sleep" || name == "(*sync.Once).Do" || g.Pass.NeverReturns(n) {
				return true // a Once waits for whoever is in it
			}
		}
	}
	return false
}
