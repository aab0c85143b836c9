package blockingsend

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// unsharedSends returns the sends of a function on an unbuffered channel that
// nobody else has: the receive that should follow never comes.
func unsharedSends(p *code.Pass, makeCall inspector.Cursor, fn *code.Func) (v *types.Var, sends []channel.Use) {
	s := &channel.Local{Pass: p, Fn: fn, Make: makeCall}
	if !s.Variable() || s.Later || s.Cap > 0 {
		return nil, nil
	}
	for _, u := range channel.Uses(p, fn.Cursor, s.Var) {
		switch {
		case u.Kind == channel.Other || u.Kind == channel.Nil || u.Kind == channel.Close:
			return nil, nil
		case u.Kind == channel.Make:
			if u.At.Node().Pos() != s.Var.Pos() {
				return nil, nil
			}
		case u.GoroutineFunc != fn.Cursor:
			return nil, nil
		case u.Kind == channel.Send && u.Waits():
			sends = append(sends, u)
		}
	}
	return s.Var, sends
}

// sendsAfterClose returns the sends that certainly follow a close of the same
// channel: both are statements of one list, and nothing between them leaves it
// or makes the channel anew.
func sendsAfterClose(p *code.Pass, fn *code.Func) (out []*ast.SendStmt) {
	for c := range fn.Cursor.Preorder((*ast.ExprStmt)(nil)) {
		call, ok := ast.Unparen(c.Node().(*ast.ExprStmt).X).(*ast.CallExpr)
		if !ok || !p.IsBuiltin(call, "close") {
			continue
		}
		v := p.VarOf(call.Args[0])
		list, i, ok := code.StmtList(c)
		if v == nil || !ok {
			continue
		}
	scan:
		for _, s := range list[i+1:] {
			switch s := s.(type) {
			case *ast.SendStmt:
				if p.VarOf(s.Chan) == v {
					out = append(out, s)
					break scan
				}
			case *ast.ExprStmt, *ast.DeclStmt, *ast.IncDecStmt, *ast.GoStmt, *ast.DeferStmt:
			case *ast.AssignStmt:
				for _, l := range s.Lhs {
					if p.VarOf(l) == v {
						break scan
					}
				}
			default:
				break scan
			}
			if es, ok := s.(*ast.ExprStmt); ok {
				if call, ok := es.X.(*ast.CallExpr); ok && p.NeverReturns(call) {
					break scan
				}
			}
		}
	}
	return out
}
