package match

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// Visible reports whether the name of v denotes it at pos.
func (p *Pass) Visible(v types.Object, pos token.Pos) bool {
	scope := p.Pkg.Scope().Innermost(pos)
	if scope == nil {
		return false
	}
	_, o := scope.LookupParent(v.Name(), pos)
	return o == v
}

// Shadowed reports whether a predeclared name means something else at pos.
func (p *Pass) Shadowed(name string, pos token.Pos) bool {
	_, o := p.TypesInfo.Scopes[p.FileOf(pos)].Innermost(pos).LookupParent(name, pos)
	_, builtin := o.(*types.Builtin)
	return !builtin
}

// Conditional reports whether a receive within node is evaluated only if the left
// side of && or || says so.
func Conditional(op inspector.Cursor, node ast.Node) bool {
	for c := op; c.Valid() && c.Node() != node; c = c.Parent() {
		be, ok := c.Parent().Node().(*ast.BinaryExpr)
		if ok && (be.Op == token.LAND || be.Op == token.LOR) && be.Y == c.Node() {
			return true
		}
	}
	return false
}
