package match

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// waits lists functions that block for long, or until the process ends.
var waits = set(
	"time.Sleep", "(*sync.WaitGroup).Wait", "(*sync.Cond).Wait", "(*os/exec.Cmd).Wait", "(*os/exec.Cmd).Run", "(*os/exec.Cmd).Output", "(*os/exec.Cmd).CombinedOutput", "(*golang.org/x/sync/errgroup.Group).Wait",
	"net/http.ListenAndServe", "net/http.ListenAndServeTLS", "net/http.Serve", "net/http.ServeTLS",
	"(*net/http.Server).ListenAndServe", "(*net/http.Server).ListenAndServeTLS", "(*net/http.Server).Serve", "(*net/http.Server).ServeTLS",
	"(net.Listener).Accept", "(*google.golang.org/grpc.Server).Serve",
)

// WaitsAfter reports whether fn, on a path behind node, comes to something
// that stands behind pos in the source and may take long: a channel
// operation, a select, an endless loop, a call that waits.
func (p *Pass) WaitsAfter(fn *Func, node ast.Node, pos token.Pos) bool {
	found := false
	inSelect := map[ast.Node]bool{} // a communication blocks only as its select does
	for c := range fn.Cursor.Preorder((*ast.CommClause)(nil)) {
		if comm := c.Node().(*ast.CommClause).Comm; comm != nil {
			inSelect[comm] = true
		}
	}
	Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			found = found || n.Pos() >= pos && !inSelect[n] && p.waits(n)
			return s, !found
		},
		Round: func(l ast.Stmt, _ struct{}) bool {
			loop, isFor := l.(*ast.ForStmt)
			found = found || isFor && loop.Cond == nil && loop.Pos() >= pos
			if r, isRange := l.(*ast.RangeStmt); isRange && r.Pos() >= pos {
				_, isChan := p.TypesInfo.TypeOf(r.X).Underlying().(*types.Chan)
				found = found || isChan
			}
			return !found
		},
		Select: func(sel *ast.SelectStmt, _ struct{}) {
			blocks := !slices.ContainsFunc(sel.Body.List, func(c ast.Stmt) bool { return c.(*ast.CommClause).Comm == nil })
			found = found || blocks && sel.Pos() >= pos
		},
	}.After(fn.Flow, node, struct{}{})
	return found
}

func (p *Pass) waits(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.DeferStmt, *ast.GoStmt:
			return false
		case *ast.SendStmt:
			found = true
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.CallExpr:
			found = found || waits[p.FullName(n)]
		}
		return !found
	})
	return found
}

// Waits reports whether call is of a function that is known to block for long.
func (p *Pass) Waits(call *ast.CallExpr) bool { return waits[p.FullName(call)] }

// Quick reports whether call certainly returns at once and starts nothing:
// builtins, conversions, and functions that print or format.
func (p *Pass) Quick(call *ast.CallExpr) bool {
	if p.TypesInfo.Types[call.Fun].IsType() || p.isBuiltin(call) && !p.IsBuiltin(call, "panic") && !p.IsBuiltin(call, "close") {
		return true
	}
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() == nil || p.NeverReturns(call) {
		return false
	}
	switch fn.Pkg().Path() {
	case "fmt", "log", "log/slog", "strings", "strconv", "errors", "math", "sort", "unicode", "bytes", "path":
		return true
	case "time":
		return fn.Name() == "Now" || fn.Name() == "Since"
	}
	return false
}
