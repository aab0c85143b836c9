package frozen

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// ReadFrom adds the variables that below n are read from the given ones, and from
// nothing else.
func ReadFrom(p *code.Pass, n ast.Node, vars map[*types.Var]bool) map[*types.Var]bool {
	for range 3 { // one may be read from another that is read further down
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for i, l := range n.Lhs {
					r := n.Rhs[min(i, len(n.Rhs)-1)]
					if v := p.VarOf(l); v != nil && (n.Tok == token.ASSIGN || n.Tok == token.DEFINE) && MentionsAny(p, r, vars) && !p.Mentions(r, v) && LooksOnly(p, r, vars) {
						vars[v] = true
					}
				}
			case *ast.TypeSwitchStmt:
				if MentionsAny(p, n.Assign, vars) {
					for _, c := range n.Body.List {
						if v, ok := p.TypesInfo.Implicits[c].(*types.Var); ok {
							vars[v] = true
						}
					}
				}
			}
			return true
		})
	}
	return vars
}

// LooksOnly reports whether e calls nothing but conversions, builtins, functions
// that compare, and methods of the variables themselves.
func LooksOnly(p *code.Pass, e ast.Expr, vars map[*types.Var]bool) bool {
	ok := true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			ok = false
		case *ast.CallExpr:
			if p.TypesInfo.Types[n.Fun].IsType() || p.CallsBuiltin(n) {
				return ok
			}
			if sel, isSel := ast.Unparen(n.Fun).(*ast.SelectorExpr); isSel && len(n.Args) == 0 && p.VarOf(code.RootExpr(sel.X)) != nil && vars[p.VarOf(code.RootExpr(sel.X))] {
				return ok
			}
			fn := p.Callee(n)
			ok = ok && fn != nil && fn.Pkg() != nil && (fn.Pkg().Path() == "errors" || fn.Pkg().Path() == "strings" || fn.Pkg().Path() == "bytes" || fn.Pkg() == p.Pkg && len(n.Args) == 1)
		}
		return ok
	})
	return ok
}

// MentionsAny reports whether n mentions one of vars.
func MentionsAny(p *code.Pass, n ast.Node, vars map[*types.Var]bool) (found bool) {
	if len(vars) == 0 {
		return false
	}
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && !found {
			v, isVar := p.TypesInfo.ObjectOf(id).(*types.Var)
			found = isVar && vars[v]
		}
		return !found
	})
	return found
}

// varsOf returns the variables in e that are no fields.
func varsOf(p *code.Pass, e ast.Expr) map[*types.Var]bool {
	out := map[*types.Var]bool{}
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if v := p.VarOf(id); v != nil && !v.IsField() {
				out[v] = true
			}
		}
		return true
	})
	return out
}

// VarsIn returns the variables in e, those that fn sets together with them, and
// what is read from them.
func VarsIn(p *code.Pass, e ast.Expr, fn *code.Func) map[*types.Var]bool {
	vars := varsOf(p, e)
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if as, ok := n.(*ast.AssignStmt); ok && len(as.Lhs) > 1 && len(as.Rhs) == 1 {
			for _, l := range as.Lhs {
				if v := p.VarOf(l); v != nil && vars[v] {
					for _, other := range as.Lhs {
						if o := p.VarOf(other); o != nil {
							vars[o] = true
						}
					}
				}
			}
		}
		return true
	})
	return ReadFrom(p, fn.Body, vars)
}
