// Package outlive answers what of a value may be in use when the function that has it
// has returned: a literal that mentions it, a channel or a function of it.
package outlive

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// LiteralRuns reports whether the literal at c is called while fn runs only, or
// beside it by a goroutine that fn starts.
func LiteralRuns(p *code.Pass, c inspector.Cursor, fn *code.Func) (here, beside bool) {
	at := code.Unparen(c)
	switch n := at.Parent().Node().(type) {
	case *ast.AssignStmt:
		if len(n.Lhs) != 1 {
			return false, false
		}
		v := p.VarOf(n.Lhs[0])
		return p.DeclaredIn(v, fn) && !p.IsResult(v, fn) && onlyCalled(p, v, fn, false), false
	case *ast.CallExpr:
		if n.Fun == at.Node() {
			return true, false
		}
		callee := p.Callee(n)
		if callee == nil || callee.Pkg() == nil {
			return false, false
		}
		name := callee.FullName()
		switch callee.Pkg().Path() {
		case "sort", "slices", "strings", "bytes", "maps":
			return true, false
		case "testing":
			return callee.Name() == "Run" && !runsParallel(c.Node()), false
		}
		if name == "(*sync.WaitGroup).Go" || name == "(*golang.org/x/sync/errgroup.Group).Go" {
			return true, true
		}
		d, i := p.Declaration(callee), slices.IndexFunc(n.Args, func(e ast.Expr) bool { return ast.Unparen(e) == c.Node() })
		calls := d != nil && 0 <= i && i < callee.Signature().Params().Len() && onlyCalled(p, callee.Signature().Params().At(i), d, true)
		return knowledge.CallsBack[name] || calls, false
	}
	return false, false
}

// onlyCalled reports whether fn does no more with the function in v than to
// declare and to call it; itself says that no literal may do so for fn.
func onlyCalled(p *code.Pass, v *types.Var, fn *code.Func, itself bool) bool {
	for _, use := range p.Uses(fn.Cursor, v) {
		switch n := code.Unparen(use).Parent().Node().(type) {
		case *ast.Field:
			continue
		case *ast.AssignStmt:
			if code.OnLeft(n, use) {
				continue
			}
		case *ast.CallExpr:
			_, isGo := code.Unparen(use).Parent().Parent().Node().(*ast.GoStmt)
			if ast.Unparen(n.Fun) == use.Node() && !isGo && (!itself || p.GoroutineFunc(use) == fn.Cursor) && assume.LitUse(p, use, fn) != assume.LitEscapes {
				continue
			}
		}
		return false
	}
	return true
}

// runsParallel reports whether a literal for a subtest calls t.Parallel.
func runsParallel(lit ast.Node) bool {
	found := false
	ast.Inspect(lit, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		found = found || ok && sel.Sel.Name == "Parallel"
		return !found
	})
	return found
}

// PartKept reports whether the use of a value at c gives a part of it, by which
// others work with the goroutine, to anybody but fn: a channel, a function or a
// context, from a field or a method.
func PartKept(p *code.Pass, c inspector.Cursor, fn *code.Func) bool {
	part := code.Unparen(code.Unparen(c).Parent())
	if _, ok := part.Node().(*ast.SelectorExpr); !ok {
		return false
	}
	if call, ok := part.Parent().Node().(*ast.CallExpr); ok && call.Fun == part.Node() {
		part = code.Unparen(part.Parent())
	}
	t := p.TypesInfo.TypeOf(part.Node().(ast.Expr))
	if t == nil || p.TypesInfo.Types[part.Node().(ast.Expr)].IsVoid() {
		return false
	}
	switch t.Underlying().(type) {
	case *types.Chan, *types.Signature:
	default:
		if !typeis.Named(t, "context", "Context") {
			return false
		}
	}
	return kept(p, part, fn, 0)
}

// kept reports whether what stands at c may be there when fn has returned. A
// local variable is followed.
func kept(p *code.Pass, c inspector.Cursor, fn *code.Func, depth int) bool {
	c = code.Unparen(c)
	var v *types.Var
	switch n := c.Parent().Node().(type) {
	case *ast.UnaryExpr:
		return n.Op != token.ARROW
	case *ast.SendStmt:
		return n.Chan != c.Node()
	case *ast.CallExpr:
		return n.Fun != c.Node() && !p.CallsBuiltin(n)
	case *ast.ExprStmt, *ast.RangeStmt, *ast.SelectorExpr, *ast.BinaryExpr:
		return false
	case *ast.AssignStmt:
		if code.OnLeft(n, c) {
			return false
		}
		if len(n.Lhs) == 1 {
			v = p.VarOf(n.Lhs[0])
		}
	case *ast.ValueSpec:
		if n.Names[0] == c.Node() {
			return false
		}
		if len(n.Names) == 1 {
			v = p.VarOf(n.Names[0])
		}
	}
	if v == nil || depth > 2 || !p.DeclaredIn(v, fn) || p.IsResult(v, fn) {
		return true
	}
	for _, use := range p.Uses(fn.Cursor, v) {
		if assume.LitUse(p, use, fn) == assume.LitEscapes || kept(p, use, fn, depth+1) {
			return true
		}
	}
	return false
}
