package code

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// WGKey identifies a sync.WaitGroup by the variable it is reached from and
// the fields on the way.
type WGKey struct {
	Root types.Object
	Path string
}

// Path returns the key of e: an identifier or a chain of fields, possibly after & or *, or
// a call, of which the same text is taken for the same value.
func (p *Pass) Path(e ast.Expr) (WGKey, bool) {
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		if v, ok := p.TypesInfo.ObjectOf(x).(*types.Var); ok {
			return WGKey{Root: v}, true
		}
	case *ast.SelectorExpr:
		sel := p.TypesInfo.Selections[x]
		if sel == nil { // pkg.Var
			if v, ok := p.TypesInfo.Uses[x.Sel].(*types.Var); ok {
				return WGKey{Root: v}, true
			}
			return WGKey{}, false
		}
		if sel.Kind() != types.FieldVal {
			return WGKey{}, false
		}
		key, ok := p.Path(x.X)
		name := x.Sel.Name
		if v := sel.Obj().(*types.Var); v.Embedded() && typeis.Named(v.Type(), "sync", "WaitGroup") {
			name = "~"
		}
		key.Path += "." + name
		return key, ok
	case *ast.StarExpr:
		return p.Path(x.X)
	case *ast.UnaryExpr:
		if x.Op == token.AND {
			return p.Path(x.X)
		}
	case *ast.CallExpr: // s.group(): the same text is taken for the same group
		if fn := p.Callee(x); fn != nil {
			return WGKey{Root: fn, Path: "." + types.ExprString(x)}, true
		}
	}
	return WGKey{}, false
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
