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
