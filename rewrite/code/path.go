package code

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Path is an access path: a variable and the fields on the way from it, such as those to a
// sync.WaitGroup.
type Path struct {
	Root   types.Object
	Fields string // ".state.wg"
}

// PathOf returns the access path of e: an identifier or a chain of fields, possibly after & or *, or
// a call, of which the same text is taken for the same value.
func (p *Pass) PathOf(e ast.Expr) (Path, bool) {
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		if v, ok := p.TypesInfo.ObjectOf(x).(*types.Var); ok {
			return Path{Root: v}, true
		}
	case *ast.SelectorExpr:
		sel := p.TypesInfo.Selections[x]
		if sel == nil { // pkg.Var
			if v, ok := p.TypesInfo.Uses[x.Sel].(*types.Var); ok {
				return Path{Root: v}, true
			}
			return Path{}, false
		}
		if sel.Kind() != types.FieldVal {
			return Path{}, false
		}
		key, ok := p.PathOf(x.X)
		name := x.Sel.Name
		if v := sel.Obj().(*types.Var); v.Embedded() && typeis.Named(v.Type(), "sync", "WaitGroup") {
			name = "~"
		}
		key.Fields += "." + name
		return key, ok
	case *ast.StarExpr:
		return p.PathOf(x.X)
	case *ast.UnaryExpr:
		if x.Op == token.AND {
			return p.PathOf(x.X)
		}
	case *ast.CallExpr: // s.group(): the same text is taken for the same group
		if fn := p.Callee(x); fn != nil {
			return Path{Root: fn, Fields: "." + types.ExprString(x)}, true
		}
	}
	return Path{}, false
}

// FieldOf returns the last field on the way to a WaitGroup, or nil if it is
// reached without one.
func (p *Pass) FieldOf(recv ast.Expr) *types.Var {
	x, ok := ast.Unparen(recv).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	if sel := p.TypesInfo.Selections[x]; sel != nil {
		v, _ := sel.Obj().(*types.Var)
		return v
	}
	return nil
}

// RootExpr returns what the fields, elements and results of assertions in e start from.
func RootExpr(e ast.Expr) ast.Expr {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.TypeAssertExpr:
			e = x.X
		default:
			return x
		}
	}
}
