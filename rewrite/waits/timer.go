package waits

import (
	"go/ast"
	"go/token"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Ticks reports whether e is the channel of a timer or a ticker.
func Ticks(p *code.Pass, e ast.Expr) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		name := p.FullName(x)
		return name == "time.After" || name == "time.Tick"
	case *ast.SelectorExpr:
		t := p.TypesInfo.TypeOf(x.X)
		return x.Sel.Name == "C" && (typeis.Named(t, "time", "Timer") || typeis.Named(t, "time", "Ticker"))
	}
	return false
}

// ReleasesAfter reports whether something is given back, or taken again, between stmt, a
// node of fn's flow, and the next iteration of loop or the end of fn: a lock, a place in a
// semaphore, a context.
func ReleasesAfter(p *code.Pass, fn *code.Func, loop ast.Node, stmt ast.Stmt) bool {
	releases := false
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			releases = releases || givesBack(p, n)
			return s, !releases
		},
		Iteration: func(l ast.Stmt, _ struct{}) bool { return l != loop },
	}.After(fn.Flow, stmt, struct{}{})
	return releases
}

// givesBack reports whether n, a node of a flow, may give something back.
func givesBack(p *code.Pass, n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.CallExpr:
			found = found || knowledge.GivesBack[strings.ToLower(code.CalledAs(n))] || typeis.Callback(p.TypesInfo.TypeOf(n.Fun))
		}
		return !found
	})
	return found
}
