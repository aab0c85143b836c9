package channel

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
)

// Reached reports whether an operation on the channel of a field can come at all.
// One on a field that nothing here gives a channel, such as a hook that only tests
// set, does not come after a test for nil.
func Reached(p *code.Pass, f *Field, u Use) bool {
	return len(f.Made) > 0 || !afterNilTest(p, f, u.At, 2)
}

// afterNilTest reports whether control comes to c only if the field is not nil:
// in the function itself, in one around it, or in all that call it.
func afterNilTest(p *code.Pass, f *Field, c inspector.Cursor, depth int) bool {
	for at := range c.Enclosing((*ast.FuncLit)(nil), (*ast.FuncDecl)(nil)) {
		fn := p.FuncOf(at)
		if fn == nil {
			return false
		}
		node, reached := code.FlowNode(c, fn), false
		flow.Paths[struct{}]{
			Node: func(n ast.Node, s struct{}) (struct{}, bool) {
				reached = reached || n == node
				return s, !reached
			},
			Edge: func(cond ast.Expr, taken bool, s struct{}) (struct{}, bool) {
				x, isNil, ok := p.NilTest(cond, taken)
				return s, !ok || isNil || !holdsField(p, x, f)
			},
		}.FromEntry(fn.Flow, struct{}{})
		if !reached && node != nil {
			return true
		}
		if d, isDecl := at.Node().(*ast.FuncDecl); isDecl && depth > 0 {
			obj, isFunc := p.TypesInfo.Defs[d.Name].(*types.Func)
			if !isFunc {
				return false
			}
			calls, ok := callers.CallSites(p, obj)
			for _, call := range calls {
				ok = ok && afterNilTest(p, f, call, depth-1)
			}
			return ok
		}
		c = at
	}
	return false
}

// holdsField reports whether e is the field, or a variable that holds what is in
// it and nothing else.
func holdsField(p *code.Pass, e ast.Expr, f *Field) bool {
	if x, ok := ast.Unparen(e).(*ast.SelectorExpr); ok {
		return p.Selected(x) == f.Field
	}
	v := p.VarOf(e)
	if v == nil || !frozen.Fixed(p, v) {
		return false
	}
	x, ok := ast.Unparen(frozen.Definition(p, v)).(*ast.SelectorExpr)
	return ok && p.Selected(x) == f.Field
}
