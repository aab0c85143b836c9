package waitgroup

import (
	"go/ast"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/locks"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// CountsItself reports whether op, an Add(1) that every run of f comes to, is
// paid back by f itself: then it counts f.
func (w *Groups) CountsItself(f *callers.NamedFunc, op Op, ops []Op) (ast.Stmt, bool) {
	own := f.IsParam(op.Key.Root)
	if !own && f.Cursor.Node().Pos() <= op.Key.Root.Pos() && op.Key.Root.Pos() < f.Cursor.Node().End() || !IsOne(w.Pass, op) {
		return nil, false
	}
	var stmt ast.Stmt
	for _, s := range f.Body.List {
		if es, ok := s.(*ast.ExprStmt); ok && ast.Unparen(es.X) == ast.Expr(op.Call) {
			stmt = s
		}
	}
	dones := 0
	for _, o := range ops {
		switch {
		case o.Key != op.Key || o.Call == op.Call:
		case o.Name != "Done" || o.GoroutineFunc != f.Cursor:
			return nil, false // it counts or waits for others
		default:
			dones++
		}
	}
	if stmt == nil || dones == 0 || w.HandsOn(f, op.Key) || locks.GuardedByLock(w.Pass, f.Func, op.Call) {
		return nil, false
	}
	return stmt, true
}

// IsOne reports whether op, an Add, adds one.
func IsOne(p *code.Pass, op Op) bool {
	n, ok := typeis.SmallInt(p.TypesInfo.Types[op.Call.Args[0]].Value)
	return ok && n == 1
}

// HandsOn reports whether f gives the group to somebody else who may count it
// up or down.
func (w *Groups) HandsOn(f *callers.NamedFunc, key code.Path) bool {
	g := &Goroutine{Pass: w.Pass, Groups: w, Lit: f.Cursor, Decl: f.Cursor, Body: f.Func}
	if g.PassedOn(key) {
		return true
	}
	for c := range f.Cursor.Preorder((*ast.CallExpr)(nil)) {
		for _, e := range Effects(w.Pass, c.Node().(*ast.CallExpr)) {
			if e.Key == key {
				return true
			}
		}
	}
	return false
}
