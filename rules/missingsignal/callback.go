package missingsignal

import (
	"go/ast"
	"go/types"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// abandoned reports a wait for a literal that is called no more.
func (m miss) abandoned() rule.Match {
	op, s, keeper := m.wait.op.Op.Node(), m.via.lit, m.via.keeper
	match := rule.Match{Pos: op.Pos(), End: op.End(), Message: "receive from " + m.s.v.Name() + " blocks forever when " + keeper.Name() + " does not call the function that " + m.s.verb() + " again after an error"}
	if r, ok := op.(*ast.RangeStmt); ok {
		match.End = r.X.End()
	}
	for _, x := range s.skips() {
		if x.ret != nil {
			match.Related = append(match.Related, rule.Related{Pos: x.ret.Pos(), End: x.ret.End(), Message: "the function returns an error here, and has not given the signal"})
		}
	}
	root, path := m.context()
	stmt, alone := m.wait.op.Op.Parent().Node().(*ast.ExprStmt)
	lit, isLit := m.wait.op.GoroutineFunc.Node().(*ast.FuncLit)
	switch {
	case root == nil:
		return match.None("what should end the wait then is for the author to say")
	case !m.wait.start.Valid() || m.wait.deferred || !alone || !isLit || lit.Type.Results.NumFields() > 0 || m.s.p.EnclosingFunc(m.wait.op.Op).Cursor != m.wait.op.GoroutineFunc:
		return match.None("the wait is no statement of a goroutine")
	case !naming.Visible(m.s.p, root, op.Pos()):
		return match.None("the context has another name where the wait is")
	}
	return match.Unsafe("Wait for the end of "+strings.Join(append([]string{root.Name()}, path...), ".")+", too, which "+keeper.Name()+" gets; the goroutine then returns", func(d *dstedit.Decl) error {
		done := dstedit.Recv(dstedit.Call(dstedit.SelectorPath(dstedit.Ident(root.Name()), append(path, "Done")...)))
		return d.WrapRecv(stmt, dstedit.CommCase(dstedit.ExprStmt(done), dstedit.Return()))
	})
}

// context returns the context that the keeper gets with the literal, if it is a variable
// that stays what it is, or a field of one.
func (m miss) context() (root *types.Var, path []string) {
	var values []ast.Expr
	for _, arg := range m.via.call.Expr.Args {
		values = append(values, arg)
		if amp, ok := ast.Unparen(arg).(*ast.UnaryExpr); ok {
			arg = amp.X
		}
		if lit, ok := ast.Unparen(arg).(*ast.CompositeLit); ok {
			for _, e := range lit.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					values = append(values, kv.Value)
				}
			}
		}
	}
	for _, e := range values {
		if !typeis.Named(m.s.p.TypesInfo.TypeOf(e), "context", "Context") {
			continue
		}
		path = nil
		for x, ok := ast.Unparen(e).(*ast.SelectorExpr); ok; x, ok = e.(*ast.SelectorExpr) {
			path, e = append([]string{x.Sel.Name}, path...), ast.Unparen(x.X)
		}
		if v := m.s.p.VarOf(e); v != nil && frozen.Fixed(m.s.p, v) {
			return v, path
		}
	}
	return nil, nil
}
