// Package waits answers whether a statement may take long, and whether a function comes
// to such a statement.
package waits

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// waiting is what is worked out about waits once for a rule.
type waiting struct {
	nodes   map[ast.Node]bool           // by MayWait
	serving map[ast.Node]bool           // by serves
	servers map[*types.Func]bool        // by server
	bodies  map[*ast.BlockStmt]*waiters // by waitersOf
}

// WaitsAfter reports whether fn, on a path after node, comes to something
// that stands after pos in the source and may take long: a channel
// operation, a select, an endless loop, a call that waits.
func WaitsAfter(p *code.Pass, fn *code.Func, node ast.Node, pos token.Pos) bool {
	w, found := waitersOf(p, fn), false
	if !w.after(fn.Flow, node) {
		return false
	}
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			found = found || n.Pos() >= pos && !w.inSelect[n] && (MayWait(p, n) || serves(p, n))
			return s, !found
		},
		Iteration: func(l ast.Stmt, _ struct{}) bool {
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

// DoneAt returns where the use at c of what is made at def is over: where it
// stands, or at the end of the loops around it.
func DoneAt(p *code.Pass, c, def inspector.Cursor, fn *code.Func) token.Pos {
	end := c.Node().End()
	for loop := range c.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil)) {
		if !fn.Cursor.Contains(loop) || loop.Contains(def) {
			break
		}
		end = loop.Node().End()
	}
	return end
}

// serves reports whether n calls a function of the package that goes on for
// long: it loops over a channel, or waits in a loop that has no condition.
func serves(p *code.Pass, n ast.Node) bool {
	m := code.State[waiting](p)
	found, known := m.serving[n]
	if known {
		return found
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.DeferStmt, *ast.GoStmt:
			return false
		case *ast.CallExpr:
			found = found || server(p, p.Callee(n))
		}
		return !found
	})
	if m.serving == nil {
		m.serving = map[ast.Node]bool{}
	}
	m.serving[n] = found
	return found
}

// server is serves for a function that is called.
func server(p *code.Pass, fn *types.Func) bool {
	if fn == nil || fn.Pkg() != p.Pkg {
		return false
	}
	m := code.State[waiting](p)
	if serves, known := m.servers[fn]; known {
		return serves
	}
	if m.servers == nil {
		m.servers = map[*types.Func]bool{}
	}
	m.servers[fn] = false // while it is looked into
	body := p.Declaration(fn)
	if body == nil {
		return false
	}
	found := false
	ast.Inspect(body.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.DeferStmt, *ast.GoStmt:
			return false
		case *ast.RangeStmt:
			found = found || typeis.Chan(p.TypesInfo.TypeOf(n.X))
		case *ast.ForStmt:
			found = found || n.Cond == nil && blocks(p, n.Body)
		case *ast.CallExpr:
			found = found || knowledge.Servers[p.FullName(n)] || server(p, p.Callee(n))
		}
		return !found
	})
	m.servers[fn] = found
	return found
}

// blocks reports whether n holds a select that waits, or something else that does.
func blocks(p *code.Pass, n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.DeferStmt, *ast.GoStmt:
			return false
		case *ast.SelectStmt:
			found = true
		case ast.Stmt:
			found = found || MayWait(p, n)
		}
		return !found
	})
	return found
}

// MayWait reports whether n itself may take long: a channel operation, or a call that waits.
// It is asked about the nodes of a function once for each path that comes by.
func MayWait(p *code.Pass, n ast.Node) bool {
	m := code.State[waiting](p)
	found, known := m.nodes[n]
	if known {
		return found
	}
	found = rangedOver(p, n)
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.DeferStmt, *ast.GoStmt:
			return false
		case *ast.SendStmt:
			found = true
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.CallExpr:
			found = found || knowledge.Waits[p.FullName(n)]
		}
		return !found
	})
	if m.nodes == nil {
		m.nodes = map[ast.Node]bool{}
	}
	m.nodes[n] = found
	return found
}

// rangedOver reports whether n is the channel that a loop ranges over.
func rangedOver(p *code.Pass, n ast.Node) bool {
	e, ok := n.(ast.Expr)
	if !ok {
		return false
	}
	if t := p.TypesInfo.TypeOf(e); t == nil || !typeis.Chan(t) {
		return false
	}
	c, ok := p.FindAnywhere(n)
	if !ok {
		return false
	}
	loop, ok := c.Parent().Node().(*ast.RangeStmt)
	return ok && loop.X == e
}

// Waits reports whether call is of a function that is known to block for long.
func Waits(p *code.Pass, call *ast.CallExpr) bool { return knowledge.Waits[p.FullName(call)] }

// Quick reports whether call certainly returns at once and starts nothing:
// builtins, conversions, and functions that print or format.
func Quick(p *code.Pass, call *ast.CallExpr) bool {
	if p.TypesInfo.Types[call.Fun].IsType() || p.CallsBuiltin(call) && !p.IsBuiltin(call, "panic") && !p.IsBuiltin(call, "close") {
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
