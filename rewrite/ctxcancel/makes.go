package ctxcancel

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// made is the full name of a function of the standard library.
type made string

var makesOf = code.Register[made]("makes")

func init() {
	makesOf.Compute(func(sig *types.Signature, _ *ast.FuncDecl) bool { return returnsCancel(sig) },
		func(s *code.Subject) made {
			if !returnsCancel(s.Sig) {
				return ""
			}
			return made(makesCancel(s.Pass, s.Fn))
		})
}

// makes returns the function of the standard library whose context and fresh
// cancel function fn, a loaded function, returns as its two results; "" for
// other functions. On every way out it is a fresh one that nobody else has.
func makes(f *code.Facts, fn *types.Func) string { return string(makesOf.Of(f.Facts, fn)) }

// returnsCancel reports whether the results of a function are a context and
// what cancels it.
func returnsCancel(sig *types.Signature) bool {
	r := sig.Results()
	return r.Len() == 2 && typeis.Named(r.At(0).Type(), "context", "Context") && typeis.CancelFunc(r.At(1).Type())
}

// makesCancel returns the maker of what fn returns: see Makes.
func makesCancel(p *code.Pass, fn *code.Func) string {
	made := ""
	for c := range fn.Cursor.Preorder((*ast.ReturnStmt)(nil)) {
		if inner := p.EnclosingFunc(c); inner == nil || inner.Cursor != fn.Cursor {
			continue
		}
		ret := c.Node().(*ast.ReturnStmt)
		name := ""
		switch len(ret.Results) {
		case 1:
			if call, ok := ast.Unparen(ret.Results[0]).(*ast.CallExpr); ok {
				name = maker(p, call)
			}
		case 2:
			name = freshCancel(p, ret.Results[1], fn)
		}
		if name == "" {
			return ""
		}
		made = name
	}
	return made
}

// maker returns the function of the standard library that call ends in
// and makes a cancel function; "" if none does.
func maker(p *code.Pass, call *ast.CallExpr) string {
	fn := p.Callee(call)
	if fn == nil {
		return ""
	}
	if name := fn.FullName(); knowledge.CancelMakers[name] != "" {
		return name
	}
	return makes(p.Facts, fn)
}

// freshCancel returns the function that makes the cancel function in e, a
// local variable of which nothing else is done but to return it.
func freshCancel(p *code.Pass, e ast.Expr, fn *code.Func) string {
	v := p.VarOf(e)
	if v == nil || !p.DeclaredIn(v, fn) || p.IsResult(v, fn) {
		return ""
	}
	made := ""
	for _, use := range p.Uses(fn.Cursor, v) {
		use = code.Unparen(use)
		switch n := use.Parent().Node().(type) {
		case *ast.ReturnStmt:
		case *ast.AssignStmt:
			if len(n.Lhs) != 2 || n.Lhs[1] != use.Node() || len(n.Rhs) != 1 {
				return ""
			}
			call, ok := ast.Unparen(n.Rhs[0]).(*ast.CallExpr)
			if !ok {
				return ""
			}
			if made = maker(p, call); made == "" {
				return ""
			}
		default:
			return ""
		}
		if assume.LitUse(p, use, fn) != assume.LitNone {
			return ""
		}
	}
	return made
}
