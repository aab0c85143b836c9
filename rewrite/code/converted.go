package code

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Converted lists the fields of structures that are converted into one another
// in the package: then two fields are the same place.
func (p *Pass) Converted() map[*types.Var]bool {
	out := map[*types.Var]bool{}
	for c := range p.Inspector.Root().Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if len(call.Args) != 1 || !p.TypesInfo.Types[call.Fun].IsType() {
			continue
		}
		from, ok := typeis.Deref(p.TypesInfo.TypeOf(call.Args[0])).Underlying().(*types.Struct)
		to, ok2 := typeis.Deref(p.TypesInfo.TypeOf(call)).Underlying().(*types.Struct)
		if !ok || !ok2 {
			continue
		}
		for i := range from.NumFields() {
			if a, b := from.Field(i).Origin(), to.Field(i).Origin(); a != b {
				out[a], out[b] = true, true
			}
		}
	}
	return out
}
