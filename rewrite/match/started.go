package match

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// WaitsForOthers reports whether fn itself receives from a channel or calls
// something that waits.
func (p *Pass) WaitsForOthers(fn *Func) bool {
	for c := range fn.Cursor.Preorder((*ast.UnaryExpr)(nil), (*ast.CallExpr)(nil), (*ast.RangeStmt)(nil)) {
		if p.Runner(c) != fn.Cursor {
			continue
		}
		switch n := c.Node().(type) {
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				return true
			}
		case *ast.CallExpr:
			if p.Waits(n) {
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
func (p *Pass) StartedBy(runner inspector.Cursor, fn *Func) inspector.Cursor {
	lit, ok := runner.Node().(*ast.FuncLit)
	if !ok {
		return inspector.Cursor{}
	}
	call := Unparen(runner).Parent()
	ce, ok := call.Node().(*ast.CallExpr)
	if !ok || ast.Unparen(ce.Fun) != ast.Expr(lit) {
		return inspector.Cursor{}
	}
	if _, isGo := call.Parent().Node().(*ast.GoStmt); !isGo || p.Runner(call.Parent()) != fn.Cursor {
		return inspector.Cursor{}
	}
	return call.Parent()
}

// Started reports whether a function is a literal that a go statement starts.
func Started(fn inspector.Cursor) bool {
	if _, ok := fn.Node().(*ast.FuncLit); !ok {
		return false
	}
	called := Unparen(fn)
	start, ok := called.Parent().Parent().Node().(*ast.GoStmt)
	return ok && ast.Node(start.Call.Fun) == called.Node() // and no argument of another function
}
