package match

import (
	"go/token"
	"go/types"
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
