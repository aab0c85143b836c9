package match

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// made is the full name of a function of the standard library.
type made string

var makesOf = Register[made]("makes")

func init() {
	makesOf.Compute(func(sig *types.Signature, _ *ast.FuncDecl) bool { return returnsCancel(sig) },
		func(s *Subject) made {
			if !returnsCancel(s.Sig) {
				return ""
			}
			return made(s.makesCancel(s.Fn))
		})
}

// Makes returns the function of the standard library whose context and fresh
// cancel function fn, a loaded function, returns as its two results; "" for
// other functions. On every way out it is a fresh one that nobody else has.
func (f *Facts) Makes(fn *types.Func) string { return string(makesOf.Of(f.Facts, fn)) }

// returnsCancel reports whether the results of a function are a context and
// what cancels it.
func returnsCancel(sig *types.Signature) bool {
	r := sig.Results()
	return r.Len() == 2 && typeis.Named(r.At(0).Type(), "context", "Context") && typeis.CancelFunc(r.At(1).Type())
}

// makesCancel returns the maker of what fn returns: see Facts.Makes.
func (p *Pass) makesCancel(fn *Func) string {
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
				name = p.maker(call)
			}
		case 2:
			name = p.freshCancel(ret.Results[1], fn)
		}
		if name == "" {
			return ""
		}
		made = name
	}
	return made
}

// maker returns the function of the standard library that stands behind call
// and makes a cancel function; "" if none does.
func (p *Pass) maker(call *ast.CallExpr) string {
	fn := p.Callee(call)
	if fn == nil {
		return ""
	}
	if name := fn.FullName(); knowledge.CancelMakers[name] != "" {
		return name
	}
	return p.Facts.Makes(fn)
}

// freshCancel returns the function that makes the cancel function in e, a
// local variable of which nothing else is done but to return it.
func (p *Pass) freshCancel(e ast.Expr, fn *Func) string {
	v := p.VarOf(e)
	if v == nil || !p.DeclaredIn(v, fn) || p.IsResult(v, fn) {
		return ""
	}
	made := ""
	for _, use := range p.Uses(fn.Cursor, v) {
		use = Unparen(use)
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
			if made = p.maker(call); made == "" {
				return ""
			}
		default:
			return ""
		}
		if p.LitUse(use, fn) != LitNone {
			return ""
		}
	}
	return made
}

// inDeadLiteral reports whether the identifier at c stands in a function
// literal that nothing ever calls: its variable is only assigned to _.
func (p *Pass) inDeadLiteral(c inspector.Cursor, fn *Func) bool {
	for ; c.Valid() && c != fn.Cursor; c = c.Parent() {
		if _, ok := c.Node().(*ast.FuncLit); !ok {
			continue
		}
		as, ok := c.Parent().Node().(*ast.AssignStmt)
		if !ok || len(as.Lhs) != 1 {
			continue
		}
		v := p.VarOf(as.Lhs[0])
		if v == nil || !p.DeclaredIn(v, fn) || p.IsResult(v, fn) {
			continue
		}
		dead := true
		for _, use := range p.Uses(fn.Cursor, v) {
			if spec, ok := use.Parent().Node().(*ast.ValueSpec); ok && len(spec.Values) == 0 {
				continue
			}
			as, ok := use.Parent().Node().(*ast.AssignStmt)
			dead = dead && ok && len(as.Lhs) == 1 && (OnLeft(as, use) || IsBlank(as.Lhs[0]))
		}
		if dead {
			return true
		}
	}
	return false
}
