package buffer

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Observable says what a sender does after its send that others could see
// earlier than before if the send does not wait; "" if nothing.
func Observable(s *channel.Local, snd *channel.Sender) (why string) {
	for c := range snd.Body.Cursor.Preorder((*ast.DeferStmt)(nil)) {
		if s.Pass.GoroutineFunc(c) == snd.Body.Cursor && !Closes(s, c.Node().(*ast.DeferStmt).Call, snd) {
			return "the deferred calls of the goroutine may run"
		}
	}
	for _, u := range snd.Sends {
		if u.Callee.Callee != nil {
			return "what follows the send in " + u.Callee.Callee.Name() + " may run"
		}
		if inIterator(s, u.Op, snd) {
			return "the iterator function that calls the loop around the send may go on"
		}
		flow.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
			if why == "" && !private(s, n, snd) {
				why = "what follows the send may run"
			}
			return st, why == ""
		}, Iteration: func(ast.Stmt, struct{}) bool {
			if why == "" {
				why = "a loop after the send may run"
			}
			return false
		}}.After(snd.Body.Flow, code.FlowNode(u.Op, snd.Body), struct{}{})
	}
	return why
}

// inIterator reports whether op stands in a range over a function: however the
// body is left, that function goes on after it.
func inIterator(s *channel.Local, op inspector.Cursor, snd *channel.Sender) bool {
	return slices.ContainsFunc(channel.Loops(op, snd.Body, token.NoPos), func(l ast.Stmt) bool {
		r, ok := l.(*ast.RangeStmt)
		if !ok {
			return false
		}
		switch s.Pass.TypesInfo.TypeOf(r.X).Underlying().(type) {
		case *types.Signature, *types.Interface: // that of a type parameter, perhaps one of functions
			return true
		}
		return false
	})
}

// Closes reports whether call closes the channel itself, which who receives sees
// after the value, now as before.
func Closes(s *channel.Local, call *ast.CallExpr, snd *channel.Sender) bool {
	return s.Pass.IsBuiltin(call, "close") && s.Argument(snd, s.Pass.VarOf(call.Args[0])) == s.Var
}

// ClosedByMany reports whether several senders close the channel, after what they
// send: as long as nobody receives, they wait, but once they need not each comes to its
// close, and the second panics.
func ClosedByMany(s *channel.Local) bool {
	closers := 0
	for _, snd := range s.Senders {
		for c := range snd.Body.Cursor.Preorder((*ast.CallExpr)(nil)) {
			if Closes(s, c.Node().(*ast.CallExpr), snd) {
				closers++
				if snd.Loop != nil {
					closers++
				}
				break
			}
		}
	}
	return closers > 1
}

// SendsResource reports whether somebody may have to release what is sent.
// For an element of an interface type the values decide, as far as their types
// are known.
func SendsResource(s *channel.Local) bool {
	elem := s.Pass.TypesInfo.TypeOf(s.Make.Node().(ast.Expr)).Underlying().(*types.Chan).Elem()
	if _, isParam := types.Unalias(elem).(*types.TypeParam); isParam || !types.IsInterface(elem) {
		return typeis.OwnsResource(elem)
	}
	for _, snd := range s.Senders {
		for _, u := range snd.Sends {
			send, ok := u.Op.Node().(*ast.SendStmt)
			if !ok {
				return true // by a function that it calls; who knows
			}
			value := ast.Unparen(send.Value)
			for { // any(x): what is in it
				call, ok := value.(*ast.CallExpr)
				if !ok || !s.Pass.TypesInfo.Types[call.Fun].IsType() || len(call.Args) != 1 {
					break
				}
				value = ast.Unparen(call.Args[0])
			}
			if !s.Pass.IsNil(value) && typeis.OwnsResource(s.Pass.TypesInfo.TypeOf(value)) {
				return true
			}
		}
	}
	return false
}

// private reports whether nobody outside of the goroutine can see n happen:
// no call, no channel operation, no store but to its own variables.
func private(s *channel.Local, n ast.Node, snd *channel.Sender) bool {
	own := func(e ast.Expr) bool {
		return code.IsBlank(e) || s.Pass.DeclaredIn(s.Pass.VarOf(e), snd.Body)
	}
	ok := true
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			_, basic := s.Pass.TypesInfo.TypeOf(n).Underlying().(*types.Basic)
			ok = ok && s.Pass.TypesInfo.Types[n.Fun].IsType() && basic
		case *ast.IndexExpr, *ast.SliceExpr, *ast.StarExpr, *ast.TypeAssertExpr:
			ok = false // may panic
		case *ast.BinaryExpr:
			_, basic := s.Pass.TypesInfo.TypeOf(n.X).Underlying().(*types.Basic)
			switch n.Op {
			case token.QUO, token.REM, token.SHL, token.SHR:
				ok = false // may panic
			}
			ok = ok && basic
		case *ast.SelectorExpr:
			sel := s.Pass.TypesInfo.Selections[n]
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
