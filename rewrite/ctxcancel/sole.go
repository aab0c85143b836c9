package ctxcancel

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// ArgumentOf returns the parameter of the literal that gets the argument arg.
func ArgumentOf(lit *ast.FuncLit, call *ast.CallExpr, arg ast.Node, p *code.Pass) *types.Var {
	i := 0
	for _, field := range lit.Type.Params.List {
		for _, name := range field.Names {
			if i < len(call.Args) && ast.Node(call.Args[i]) == arg && !call.Ellipsis.IsValid() {
				v, _ := p.TypesInfo.Defs[name].(*types.Var)
				return v
			}
			i++
		}
	}
	return nil
}
