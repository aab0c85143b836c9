package waitgroup

import (
	"go/ast"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// Counted reports whether an Add for the goroutine stands before it
// unconditionally: in a list of statements that also holds, at some depth,
// the go statement.
func (g *Goroutine) Counted(key code.Path) bool {
	for c := g.Stmt; c.Valid() && c != g.Parent.Cursor; c = c.Parent() {
		list, i, ok := code.StmtList(c)
		if !ok {
			continue
		}
		for _, s := range list[:i] {
			if op, ok := g.OpOf(s); ok && op.Name == "Add" && op.Key == key && g.known(op.Call.Args[0]) {
				return true
			}
		}
	}
	return false
}

// known reports whether a number of goroutines is a constant or a length, and
// not counted up somewhere.
func (g *Goroutine) known(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	return g.Pass.TypesInfo.Types[e].Value != nil || ok && g.Pass.IsBuiltin(call, "len")
}
