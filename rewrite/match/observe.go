package match

import (
	"go/ast"
	"go/token"
	"go/types"
)

// observable says what a sender does behind its send that others could see
// earlier than before if the send does not wait; "" if nothing.
func (s *LocalChan) Observable(snd *Sender) (why string) {
	for c := range snd.Body.Cursor.Preorder((*ast.DeferStmt)(nil)) {
		if s.p.Runner(c) == snd.Body.Cursor {
			return "the deferred calls of the goroutine may run"
		}
	}
	for _, u := range snd.Sends {
		Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
			if why == "" && !s.private(n, snd) {
				why = "what follows the send may run"
			}
			return st, why == ""
		}, Round: func(ast.Stmt, struct{}) bool {
			if why == "" {
				why = "a loop behind the send may run"
			}
			return false
		}}.After(snd.Body.Flow, FlowNode(u.Op, snd.Body), struct{}{})
	}
	return why
}

// private reports whether nobody outside of the goroutine can see n happen:
// no call, no channel operation, no store but to its own variables.
func (s *LocalChan) private(n ast.Node, snd *Sender) bool {
	own := func(e ast.Expr) bool {
		return IsBlank(e) || s.p.DeclaredIn(s.p.VarOf(e), snd.Body)
	}
	ok := true
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			_, basic := s.p.TypesInfo.TypeOf(n).Underlying().(*types.Basic)
			ok = ok && s.p.TypesInfo.Types[n.Fun].IsType() && basic
		case *ast.IndexExpr, *ast.SliceExpr, *ast.StarExpr, *ast.TypeAssertExpr:
			ok = false // may panic
		case *ast.BinaryExpr:
			_, basic := s.p.TypesInfo.TypeOf(n.X).Underlying().(*types.Basic)
			switch n.Op {
			case token.QUO, token.REM, token.SHL, token.SHR:
				ok = false // may panic
			}
			ok = ok && basic
		case *ast.SelectorExpr:
			sel := s.p.TypesInfo.Selections[n]
			ok = ok && (sel == nil || !sel.Indirect())
		case *ast.SendStmt, *ast.GoStmt, *ast.DeferStmt:
			ok = false
		case *ast.UnaryExpr:
			ok = ok && n.Op != token.ARROW
		case *ast.IncDecStmt:
			ok = ok && own(n.X)
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				ok = ok && own(l)
			}
		}
		return ok
	})
	return ok
}
