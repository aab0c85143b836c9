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
	return means(p.Pkg.Scope().Innermost(pos), v, pos)
}

// VisibleAfter reports whether the name of v denotes it after s, a statement of the list
// that the node at region holds: what is declared in s and below counts no more.
func VisibleAfter(p *code.Pass, v types.Object, region inspector.Cursor, s ast.Stmt) bool {
	scope := p.TypesInfo.Scopes[region.Node()]
	if scope == nil {
		switch fn := region.Parent().Node().(type) {
		case *ast.FuncDecl:
			scope = p.TypesInfo.Scopes[fn.Type]
		case *ast.FuncLit:
			scope = p.TypesInfo.Scopes[fn.Type]
		}
	}
	return means(scope, v, s.End())
}

// means reports whether the name of v denotes it in scope, which may be nil, at pos.
func means(scope *types.Scope, v types.Object, pos token.Pos) bool {
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
