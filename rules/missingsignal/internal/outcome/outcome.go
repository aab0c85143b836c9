// Package outcome answers what a caller learns of the outcome of a call: of its error,
// and where the function goes from there.
package outcome

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Call is a call, and where its results go.
type Call struct {
	Expr    *ast.CallExpr
	Err     *types.Var   // the variable that gets the error; nil if nothing does
	Results []*types.Var // those that get the other results
}

// Of finds what fn does with the results of the call at c. It reports false for
// what is not understood: then the caller may know in any way.
func Of(p *code.Pass, fn *code.Func, c inspector.Cursor) (out Call, ok bool) {
	out.Expr = c.Node().(*ast.CallExpr)
	sig, ok := p.TypesInfo.TypeOf(out.Expr.Fun).Underlying().(*types.Signature)
	if !ok {
		return out, false
	}
	c = code.Unparen(c)
	switch n := c.Parent().Node().(type) {
	case *ast.ExprStmt, *ast.ReturnStmt:
		return out, true
	case *ast.AssignStmt:
		if len(n.Rhs) != 1 || code.OnLeft(n, c) {
			return out, false
		}
		for i, l := range n.Lhs {
			if code.IsBlank(l) {
				continue
			}
			v := p.VarOf(l)
			if v == nil || !p.DeclaredIn(v, fn) {
				return out, false
			}
			if i == sig.Results().Len()-1 && typeis.Error(v.Type()) {
				out.Err = v
			} else {
				out.Results = append(out.Results, v)
			}
		}
		return out, true
	case *ast.BinaryExpr:
		x, _, ok := p.NilTest(n, true)
		return out, ok && ast.Unparen(x) == ast.Expr(out.Expr)
	}
	return out, false
}

// Failed reports whether cond, in fn, may come out as taken after the call has returned an error.
// What asks for its results in another way than a comparison of the error with nil is
// taken to know that it did. Over says that the variable holds another error by now.
func (c Call) Failed(p *code.Pass, fn *code.Func, cond ast.Expr, taken, over bool) bool {
	if x, isNil, ok := p.NilTest(cond, taken); ok {
		if ast.Unparen(x) == ast.Expr(c.Expr) || c.Err != nil && !over && p.VarOf(x) == c.Err {
			return !isNil
		}
	}
	told := map[*types.Var]bool{}
	for _, v := range c.Results {
		told[v] = true
	}
	if c.Err != nil {
		if !over {
			told[c.Err] = true
		}
		for v := range assume.ErrUsesOf(p, fn, c.Err).Derived {
			told[v] = true
		}
	}
	return !frozen.MentionsAny(p, cond, told)
}

// Returned returns the return statement that leaves the function at b; nil at its end.
func Returned(b *flow.Block) *ast.ReturnStmt {
	if len(b.Nodes) == 0 {
		return nil
	}
	ret, _ := b.Nodes[len(b.Nodes)-1].(*ast.ReturnStmt)
	return ret
}

// LeadsTo reports whether a path of fn leads from one node to another.
func LeadsTo(fn *code.Func, from, to ast.Node) (leads bool) {
	flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
		leads = leads || n == to
		return s, !leads
	}}.After(fn.Flow, from, struct{}{})
	return leads
}
