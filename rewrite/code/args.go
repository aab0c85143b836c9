package code

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// ArgumentFor replaces a parameter of an enclosing literal that is called or
// started in place by what is passed for it.
func (p *Pass) ArgumentFor(key Path, c inspector.Cursor) Path {
	for lit := range c.Enclosing((*ast.FuncLit)(nil)) {
		if arg := p.LitArgument(lit, key.Root); arg != nil {
			if outer, ok := p.PathOf(arg); ok {
				key = Path{outer.Root, outer.Fields + key.Fields}
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

// Params lists the names of the receiver, nil if there is none, and the parameters.
func Params(fn *Func) []*ast.Ident {
	out := []*ast.Ident{nil}
	if d, ok := fn.Cursor.Node().(*ast.FuncDecl); ok && d.Recv != nil && len(d.Recv.List[0].Names) == 1 {
		out[0] = d.Recv.List[0].Names[0]
	}
	for _, field := range fn.Type.Params.List {
		out = append(out, field.Names...)
		if len(field.Names) == 0 {
			out = append(out, nil)
		}
	}
	return out
}

// Argument returns what call passes for parameter i of Params; nil if that is
// not to be seen.
func Argument(call *ast.CallExpr, fn *Func, i int) ast.Expr {
	if i > 0 {
		if i-1 < len(call.Args) && !call.Ellipsis.IsValid() {
			return call.Args[i-1]
		}
		return nil
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if _, isDecl := fn.Cursor.Node().(*ast.FuncDecl); !ok || !isDecl {
		return nil
	}
	return sel.X
}
