package lostcancel

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/dave/dst"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// besideError returns a return statement that hands the cancel function to the caller, as it
// is or in a new struct, together with an error of which it is not known whether it is set:
// who gets an error drops what comes with it. It returns nil if there is none.
//
// Precision: each caller in the package checks the error before all else and leaves; a
// function that is not exported must have one.
func (l *cancelLeak) besideError() (ret *ast.ReturnStmt, err *types.Var) {
	decl, ok := l.Fn.Cursor.Node().(*ast.FuncDecl)
	if !ok {
		return nil, nil
	}
	for _, e := range l.events {
		r, isReturn := e.Node.(*ast.ReturnStmt)
		if e.Kind != usage.Escapes || !isReturn || len(r.Results) < 2 || !givesItself(e.At) {
			continue
		}
		v := l.p.VarOf(r.Results[len(r.Results)-1])
		if v == nil || !typeis.Error(v.Type()) || !l.p.DeclaredIn(v, l.Fn) || !l.undecided(v, r) {
			continue
		}
		if fn, _ := l.p.TypesInfo.Defs[decl.Name].(*types.Func); fn == nil || !l.dropped(fn) {
			return nil, nil
		}
		return r, v
	}
	return nil, nil
}

// givesItself reports whether the return statement around c gives what stands there to the
// caller as a result, or in a literal.
func givesItself(c inspector.Cursor) bool {
	for up := c.Parent(); up.Valid(); up = up.Parent() {
		switch n := up.Node().(type) {
		case *ast.ReturnStmt:
			return true
		case *ast.ParenExpr, *ast.KeyValueExpr, *ast.CompositeLit:
		case *ast.UnaryExpr:
			if n.Op != token.AND {
				return false
			}
		default:
			return false
		}
	}
	return false
}

// undecided reports whether err comes to ret with the error of a call that nothing has
// looked at.
func (l *cancelLeak) undecided(err *types.Var, ret *ast.ReturnStmt) bool {
	sets := map[ast.Node]bool{}
	for _, use := range l.p.Uses(l.Fn.Cursor, err) {
		node := code.FlowNode(use, l.Fn)
		_, isResult := use.Parent().Node().(*ast.Field)
		switch {
		case isResult:
		case code.IsAssigned(use):
			sets[node] = true
		case node != ast.Node(ret) || l.p.GoroutineFunc(use) != l.Fn.Cursor:
			// Asked for, or given to somebody: whoever looks at it may have done something about it.
			return false
		}
	}
	found := false
	for set := range sets {
		as, ok := set.(*ast.AssignStmt)
		if !ok || len(as.Rhs) != 1 {
			continue
		}
		if _, isCall := ast.Unparen(as.Rhs[0]).(*ast.CallExpr); !isCall {
			continue
		}
		flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			found = found || n == ast.Node(ret)
			return s, !found && !sets[n]
		}}.After(l.Fn.Flow, set, struct{}{})
	}
	return found
}

// dropped reports whether the callers of fn in the package drop its results when it returns
// an error.
func (l *cancelLeak) dropped(fn *types.Func) bool {
	p := l.p
	calls := p.Index().Funcs[fn]
	for _, use := range calls {
		at := use
		if sel, ok := at.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel == use.Node() {
			at = at.Parent()
		}
		c := code.Unparen(at).Parent()
		call, ok := c.Node().(*ast.CallExpr)
		if !ok || ast.Unparen(call.Fun) != code.Unparen(at).Node() {
			return false
		}
		def, lhs := mustcall.Targets(code.Unparen(c).Parent())
		if len(lhs) == 0 {
			return false
		}
		err := p.VarOf(lhs[len(lhs)-1])
		in := p.EnclosingFunc(c)
		if err == nil || in == nil {
			return false
		}
		var values []*types.Var
		for _, x := range lhs[:len(lhs)-1] {
			v := p.VarOf(x)
			if v == nil || !p.DeclaredIn(v, in) || p.IsResult(v, in) {
				return false
			}
			values = append(values, v)
		}
		uses := func(n ast.Node) bool {
			return slices.ContainsFunc(values, func(v *types.Var) bool { return p.Mentions(n, v) })
		}
		g, _, ok := mustcall.FindGuard(p, def, err, func(s ast.Stmt) bool { return !uses(s) })
		if !ok {
			return false
		}
		if ifs, isIf := g.After.(*ast.IfStmt); isIf && uses(ifs.Body) {
			return false
		}
		if g.First != nil && !l.onlyIn(values, g.First, def, in) {
			return false
		}
	}
	return len(calls) > 0 || fn.Exported()
}

// onlyIn reports whether nothing but the statement at def and block mentions values.
func (l *cancelLeak) onlyIn(values []*types.Var, block *ast.BlockStmt, def inspector.Cursor, fn *code.Func) bool {
	for _, v := range values {
		for _, use := range l.p.Uses(fn.Cursor, v) {
			if !code.Within(use.Node(), block) && !code.Within(use.Node(), def.Node()) {
				return false
			}
		}
	}
	return true
}

// beside reports the cancel function that is returned together with an error.
func (l *cancelLeak) beside(m rule.Match, cancel *types.Var, ret *ast.ReturnStmt, err *types.Var) rule.Match {
	m.Message = cancel.Name() + " is returned together with an error, with which the caller drops it, so " + l.harm(l.ctxName())
	m.Related = []rule.Related{{Pos: ret.Pos(), End: ret.End(), Message: "returned here, whether " + err.Name() + " is set or not"}}
	if at, ok := l.Fn.Cursor.FindNode(ret); !ok || naming.Redeclared(l.p, "nil", at) || !naming.Visible(l.p, cancel, ret.Pos()) {
		return m.None(cancel.Name() + " cannot be called where the function returns")
	}
	return m.Unsafe("Cancel before the return if "+err.Name()+" is set: a caller that uses the value all the same finds it over", func(d *dstedit.Decl) error {
		return d.InsertBefore(ret, &dst.IfStmt{
			Cond: &dst.BinaryExpr{X: dstedit.Ident(err.Name()), Op: token.NEQ, Y: dstedit.Ident("nil")},
			Body: &dst.BlockStmt{List: []dst.Stmt{dstedit.ExprStmt(l.cancelCall(cancel.Name()))}},
		})
	})
}
