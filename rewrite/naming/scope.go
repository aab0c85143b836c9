package naming

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// InScopeOf reports whether v is declared in the very block that holds the
// statement at c, so that := there would assign it rather than hide it.
func InScopeOf(p *code.Pass, v *types.Var, c inspector.Cursor, fn *code.Func) bool {
	scope := p.TypesInfo.Scopes[fn.Type]
	if block := c.Parent().Node(); block != ast.Node(fn.Body) {
		scope = p.TypesInfo.Scopes[block]
	}
	return scope != nil && v.Parent() == scope
}

// Visible reports whether the name of v denotes it at pos.
func Visible(p *code.Pass, v types.Object, pos token.Pos) bool {
	scope := p.Pkg.Scope().Innermost(pos)
	if scope == nil {
		return false
	}
	_, o := scope.LookupParent(v.Name(), pos)
	return o == v
}

// Shadowed reports whether a predeclared name means something else at pos.
func Shadowed(p *code.Pass, name string, pos token.Pos) bool {
	_, o := p.TypesInfo.Scopes[p.FileOf(pos)].Innermost(pos).LookupParent(name, pos)
	_, builtin := o.(*types.Builtin)
	return !builtin
}
