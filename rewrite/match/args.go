package match

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// ArgumentFor replaces a parameter of an enclosing literal that is called or
// started in place by what is passed for it.
func (p *Pass) ArgumentFor(key WGKey, c inspector.Cursor) WGKey {
	for lit := range c.Enclosing((*ast.FuncLit)(nil)) {
		if arg := p.LitArgument(lit, key.Root); arg != nil {
			if outer, ok := p.Path(arg); ok {
				key = WGKey{outer.Root, outer.Path + key.Path}
			}
		}
	}
	return key
}

// LitArgument returns the argument for parameter v of a literal that is
// called where it stands, or nil.
func (p *Pass) LitArgument(lit inspector.Cursor, v types.Object) ast.Expr {
	call, ok := Unparen(lit).Parent().Node().(*ast.CallExpr)
	if !ok || ast.Unparen(call.Fun) != ast.Expr(lit.Node().(*ast.FuncLit)) {
		return nil
	}
	i := 0
	for _, field := range lit.Node().(*ast.FuncLit).Type.Params.List {
		for _, name := range field.Names {
			if p.TypesInfo.Defs[name] == v && i < len(call.Args) {
				return call.Args[i]
			}
			i++
		}
		if len(field.Names) == 0 {
			i++
		}
	}
	return nil
}
