package response

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// leavesBody reports whether a use of a request that does not assign it gives it
// no body and lets nobody else do so.
func leavesBody(p *code.Pass, use inspector.Cursor) bool {
	c := code.Unparen(use)
	switch n := c.Parent().Node().(type) {
	case *ast.SelectorExpr:
		if n.X != c.Node() || !bodyField(n.Sel.Name) {
			return n.X == c.Node()
		}
		switch up := code.Unparen(c.Parent()).Parent().Node().(type) {
		case *ast.AssignStmt:
			if !code.OnLeft(up, code.Unparen(c.Parent())) {
				return true
			}
			rhs := code.AssignedTo(up, code.Unparen(c.Parent()).Node())
			return rhs != nil && len(up.Lhs) == len(up.Rhs) && NoBody(p, rhs)
		case *ast.UnaryExpr:
			return false
		}
		return true
	case *ast.BinaryExpr:
		return true
	case *ast.StarExpr: // f(*req): a copy, whose body is its own
		_, isArg := code.Unparen(c.Parent()).Parent().Node().(*ast.CallExpr)
		return isArg
	case *ast.ReturnStmt: // whoever gets it from the function itself gets it later
		return p.DeclaredIn(p.VarOf(use.Node().(*ast.Ident)), p.EnclosingFunc(c))
	case *ast.CallExpr:
		callee := p.Callee(n)
		if callee == nil {
			return false
		}
		if knowledge.ClientCalls[callee.FullName()] || knowledge.LooksOnly(callee) || CreatesResponse(p, n) {
			return true
		}
		fresh := FreshOf(p.Facts, callee)
		for i, arg := range n.Args {
			if arg == c.Node() {
				return fresh != nil && fresh.Sent == Sent{Kind: SentParam, Param: i} || len(n.Args) == callee.Signature().Params().Len() && slices.Contains(leavesBodyOf.Of(p.Facts.Facts, callee), i)
			}
		}
	}
	return false
}

// bodiless lists the parameters of a function that are requests and that it
// gives no body, by itself or by what it calls.
type bodiless []int

var leavesBodyOf = code.Register[bodiless]("leavesbody")

func init() {
	leavesBodyOf.Compute(takesRequest, func(s *code.Subject) bodiless { return leavesBodies(s.Pass, s.Fn, s.Sig) })
}

func takesRequest(sig *types.Signature, _ *ast.FuncDecl) bool {
	for v := range sig.Params().Variables() {
		if typeis.Request(v.Type()) {
			return true
		}
	}
	return false
}

// leavesBodies computes leavesBodyOf.
func leavesBodies(p *code.Pass, fn *code.Func, sig *types.Signature) bodiless {
	var out bodiless
params:
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		if !typeis.Request(v.Type()) {
			continue
		}
		for _, use := range p.Uses(fn.Cursor, v) {
			if _, isField := use.Parent().Node().(*ast.Field); !isField && (code.IsAssigned(use) || !leavesBody(p, use)) {
				continue params
			}
		}
		out = append(out, i)
	}
	return out
}

// DeclOf returns the declaration of fn, with its body, in the files of the pass.
func DeclOf(p *code.Pass, fn *types.Func) (inspector.Cursor, bool) {
	id, ok := p.Inspector.Root().FindByPos(fn.Pos(), fn.Pos())
	if !ok {
		return inspector.Cursor{}, false
	}
	d, ok := id.Parent().Node().(*ast.FuncDecl)
	return id.Parent(), ok && d.Body != nil && p.TypesInfo.Defs[d.Name] == fn
}
