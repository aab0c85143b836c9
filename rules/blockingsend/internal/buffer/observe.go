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
	"github.com/goroutinefix/goroutinefix/rewrite/panics"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rules/blockingsend/internal/abandon"
)

// Observable says what a sender does after its send that others could see
// earlier than before if the send does not wait; "" if nothing.
func Observable(s *channel.Local, snd *channel.Sender) (why string) {
	for _, u := range snd.Sends {
		if d, ok := code.FlowNode(u.Op, snd.Body).(*ast.DeferStmt); ok {
			why = afterDeferred(s, snd, d, u)
		} else {
			why = afterSend(s, snd, u)
		}
		if why != "" {
			return why
		}
	}
	return ""
}

const deferredRun = "the deferred calls of the goroutine may run"

// afterSend is Observable for a send of the goroutine itself.
func afterSend(s *channel.Local, snd *channel.Sender, u channel.Use) string {
	for c := range snd.Body.Cursor.Preorder((*ast.DeferStmt)(nil)) {
		if s.Pass.GoroutineFunc(c) == snd.Body.Cursor && !Closes(s, c.Node().(*ast.DeferStmt).Call, snd) {
			return deferredRun
		}
	}
	return following(s, snd, snd.Body, u)
}

// afterDeferred is Observable for a send in a deferred call. What was deferred before it
// comes after it, and so does the end of the program by a panic that is on its way.
func afterDeferred(s *channel.Local, snd *channel.Sender, d *ast.DeferStmt, u channel.Use) string {
	for c := range snd.Body.Cursor.Preorder((*ast.DeferStmt)(nil)) {
		other, ok := code.FlowNode(c, snd.Body).(*ast.DeferStmt)
		if !ok || c.Node() == ast.Node(d) || s.Pass.GoroutineFunc(c) != snd.Body.Cursor || Closes(s, c.Node().(*ast.DeferStmt).Call, snd) {
			continue
		}
		if other == d || abandon.SendsAfter(snd, other, map[ast.Node]int{d: 1}) {
			return deferredRun
		}
	}
	lit := channel.DeferredLiteral(s.Pass, u.Op, snd.Body)
	if lit == nil {
		return following(s, snd, snd.Body, u)
	}
	if why := following(s, snd, lit, u); why != "" || recoversBefore(s.Pass, u.Op, lit) {
		return why
	}
	panicking := false
	flow.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
		panicking = panicking || panics.MayPanic(s.Pass, n)
		return st, !panicking
	}}.After(snd.Body.Flow, d, struct{}{})
	if panicking {
		return "a panic of the goroutine may end the program"
	}
	return ""
}

// recoversBefore reports whether lit, which is deferred, calls recover whenever it comes to
// the statement at c.
func recoversBefore(p *code.Pass, c inspector.Cursor, lit *code.Func) bool {
	recovers := map[ast.Node]bool{}
	for call := range lit.Cursor.Preorder((*ast.CallExpr)(nil)) {
		node := code.FlowNode(call, lit)
		if p.IsBuiltin(call.Node().(*ast.CallExpr), "recover") && p.EnclosingFunc(call).Cursor == lit.Cursor && !code.Conditional(call, node) {
			if _, deferred := node.(*ast.DeferStmt); !deferred {
				recovers[node] = true
			}
		}
	}
	missed := false
	flow.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
		missed = missed || !recovers[n] && n == code.FlowNode(c, lit)
		return st, !recovers[n]
	}}.FromEntry(lit.Flow, struct{}{})
	return !missed
}

// following is Observable for what fn, the sender or what it defers, does after the send.
func following(s *channel.Local, snd *channel.Sender, fn *code.Func, u channel.Use) (why string) {
	if u.Callee.Callee != nil {
		return "what follows the send in " + u.Callee.Callee.Name() + " may run"
	}
	if inIterator(s, u.Op, fn) {
		return "the iterator function that calls the loop around the send may go on"
	}
	flow.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
		es, isExpr := n.(*ast.ExprStmt)
		call, isCall := (*ast.CallExpr)(nil), false
		if isExpr {
			call, isCall = ast.Unparen(es.X).(*ast.CallExpr)
		}
		if why == "" && !(isCall && Closes(s, call, snd)) && !private(s, n, snd) {
			why = "what follows the send may run"
		}
		return st, why == ""
	}, Iteration: func(ast.Stmt, struct{}) bool {
		if why == "" {
			why = "a loop after the send may run"
		}
		return false
	}}.After(fn.Flow, code.FlowNode(u.Op, fn), struct{}{})
	return why
}

// inIterator reports whether op stands in a range over a function: however the
// body is left, that function goes on after it.
func inIterator(s *channel.Local, op inspector.Cursor, fn *code.Func) bool {
	return slices.ContainsFunc(channel.Loops(op, fn, token.NoPos), func(l ast.Stmt) bool {
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
			if ownsResource(s.Pass, send.Value, 3) {
				return true
			}
		}
	}
	return false
}

// ownsResource reports whether somebody may have to release the value of e: by its type,
// or if that is an interface, by what is put in it, as far as that is known.
func ownsResource(p *code.Pass, e ast.Expr, depth int) bool {
	e = ast.Unparen(e)
	call, isCall := e.(*ast.CallExpr)
	switch {
	case p.IsNil(e):
		return false
	case isCall && p.TypesInfo.Types[call.Fun].IsType() && len(call.Args) == 1: // any(x): what is in it
		return ownsResource(p, call.Args[0], depth)
	case isCall && p.IsBuiltin(call, "recover"):
		return false // who panics gives up what it panics with
	}
	if v := p.VarOf(e); v != nil && types.IsInterface(v.Type()) && depth > 0 {
		if values, param, ok := p.ValuesOf(v); ok && !param && len(values) > 0 {
			return slices.ContainsFunc(values, func(e ast.Expr) bool { return ownsResource(p, e, depth-1) })
		}
	}
	return typeis.OwnsResource(p.TypesInfo.TypeOf(e))
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
