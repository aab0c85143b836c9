// Package launch answers by whom a function is started, and how often: by a go
// statement, once per process, by a program's main function.
package launch

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// WaitsForOthers reports whether fn itself receives from a channel or calls
// something that waits.
func WaitsForOthers(p *code.Pass, fn *code.Func) bool {
	for c := range fn.Cursor.Preorder((*ast.UnaryExpr)(nil), (*ast.CallExpr)(nil), (*ast.RangeStmt)(nil)) {
		if p.GoroutineFunc(c) != fn.Cursor {
			continue
		}
		switch n := c.Node().(type) {
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				return true
			}
		case *ast.CallExpr:
			if waits.Waits(p, n) {
				return true
			}
		case *ast.RangeStmt:
			if _, ok := p.TypesInfo.TypeOf(n.X).Underlying().(*types.Chan); ok {
				return true
			}
		}
	}
	return false
}

// StartedBy returns the go statement of fn that starts the literal at runner;
// invalid if there is none.
func StartedBy(p *code.Pass, runner inspector.Cursor, fn *code.Func) inspector.Cursor {
	lit, ok := runner.Node().(*ast.FuncLit)
	if !ok {
		return inspector.Cursor{}
	}
	call := code.Unparen(runner).Parent()
	ce, ok := call.Node().(*ast.CallExpr)
	if !ok || ast.Unparen(ce.Fun) != ast.Expr(lit) {
		return inspector.Cursor{}
	}
	if _, isGo := call.Parent().Node().(*ast.GoStmt); !isGo || p.GoroutineFunc(call.Parent()) != fn.Cursor {
		return inspector.Cursor{}
	}
	return call.Parent()
}

// Started reports whether a function is a literal that a go statement starts.
func Started(fn inspector.Cursor) bool {
	if _, ok := fn.Node().(*ast.FuncLit); !ok {
		return false
	}
	called := code.Unparen(fn)
	start, ok := called.Parent().Parent().Node().(*ast.GoStmt)
	return ok && ast.Node(start.Call.Fun) == called.Node() // and no argument of another function
}

// HasGo reports whether there is a go statement.
func HasGo(in *inspector.Inspector) bool {
	for range in.Root().Preorder((*ast.GoStmt)(nil)) {
		return true
	}
	return false
}
