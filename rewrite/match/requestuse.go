package match

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
)

// leavesBody reports whether a use of a request that does not assign it gives it
// no body and lets nobody else do so; depth bounds the functions that are
// followed.
func (p *Pass) leavesBody(use inspector.Cursor, depth int) bool {
	c := Unparen(use)
	switch n := c.Parent().Node().(type) {
	case *ast.SelectorExpr:
		if n.X != c.Node() || !bodyField(n.Sel.Name) {
			return n.X == c.Node()
		}
		switch up := Unparen(c.Parent()).Parent().Node().(type) {
		case *ast.AssignStmt:
			if !OnLeft(up, Unparen(c.Parent())) {
				return true
			}
			rhs := rhsOf(up, Unparen(c.Parent()).Node())
			return rhs != nil && len(up.Lhs) == len(up.Rhs) && p.noBody(rhs)
		case *ast.UnaryExpr:
			return false
		}
		return true
	case *ast.BinaryExpr:
		return true
	case *ast.StarExpr: // f(*req): a copy, whose body is its own
		_, isArg := Unparen(c.Parent()).Parent().Node().(*ast.CallExpr)
		return isArg
	case *ast.ReturnStmt: // whoever gets it from the function itself gets it later
		return p.DeclaredIn(p.VarOf(use.Node().(*ast.Ident)), p.EnclosingFunc(c))
	case *ast.CallExpr:
		callee := p.Callee(n)
		if callee == nil {
			return false
		}
		if knowledge.ClientCalls[callee.FullName()] || knowledge.LooksOnly(callee) || p.CreatesResponse(n) {
			return true
		}
		fresh := p.Facts.FreshResponse(callee)
		for i, arg := range n.Args {
			if arg == c.Node() {
				return fresh != nil && fresh.Sent == Sent{Kind: SentParam, Param: i} || p.calleeLeavesBody(callee, i, depth)
			}
		}
	}
	return false
}

// calleeLeavesBody is leavesBody for all that fn, a function of the package,
// does with its parameter i.
func (p *Pass) calleeLeavesBody(fn *types.Func, i, depth int) bool {
	sig := fn.Signature()
	if depth == 0 || fn.Pkg() != p.Pkg || i >= sig.Params().Len() || sig.Variadic() && i == sig.Params().Len()-1 {
		return false
	}
	c, ok := p.declOf(fn)
	if !ok {
		return false
	}
	for _, use := range p.Uses(c, sig.Params().At(i)) {
		if _, isField := use.Parent().Node().(*ast.Field); !isField && (IsAssigned(use) || !p.leavesBody(use, depth-1)) {
			return false
		}
	}
	return true
}

// declOf returns the declaration of fn, with its body, in the files of the pass.
func (p *Pass) declOf(fn *types.Func) (inspector.Cursor, bool) {
	id, ok := p.Inspector.Root().FindByPos(fn.Pos(), fn.Pos())
	if !ok {
		return inspector.Cursor{}, false
	}
	d, ok := id.Parent().Node().(*ast.FuncDecl)
	return id.Parent(), ok && d.Body != nil && p.TypesInfo.Defs[d.Name] == fn
}
