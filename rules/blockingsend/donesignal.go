package blockingsend

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
	"github.com/goroutinefix/goroutinefix/rules/blockingsend/internal/abandon"
	"github.com/goroutinefix/goroutinefix/rules/blockingsend/internal/buffer"
)

// doneSignal is how the senders of a channel can learn that nobody receives any
// more: each send becomes one of two cases of a select.
type doneSignal struct {
	Sends []*ast.SendStmt
	// Ctx is a context that has ended whenever the receiver has left; nil if
	// there is none, and a channel must be made that the function closes.
	Ctx *types.Var
}

// doneSignalFor returns how to signal the senders; why says what is in the way.
func doneSignalFor(s *channel.Local) (t doneSignal, why string) {
	for _, snd := range s.Senders {
		if snd.Named || snd.Body.Type.Results.NumFields() > 0 {
			return t, "the goroutine runs a function of its own, which other callers may need as it is"
		}
		for _, u := range snd.Sends {
			send, ok := u.Op.Node().(*ast.SendStmt)
			if _, _, listed := code.StmtList(u.Op); !ok || !listed || code.FlowNode(u.Op, snd.Body) != u.Op.Node() {
				return t, "the goroutine does not send by a statement of its own"
			}
			t.Sends = append(t.Sends, send)
		}
		if releasesAfter(s, snd) {
			return t, "others wait for what the goroutine does after the send"
		}
	}
	for c := range s.Fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		if s.Pass.GoroutineFunc(c) == s.Fn.Cursor && waits.Waits(s.Pass, c.Node().(*ast.CallExpr)) && s.Pass.FullName(c.Node().(*ast.CallExpr)) != "time.Sleep" {
			return t, "the function waits for its goroutines before it returns, so a signal on return would come too late"
		}
	}
	t.Ctx = endingContext(s)
	return t, ""
}

// releasesAfter reports whether the sender, without a defer, does anything that others
// may wait for: a return before that would leave them waiting.
func releasesAfter(s *channel.Local, snd *channel.Sender) bool {
	for c := range snd.Body.Cursor.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if code.InDefer(c) && s.Pass.GoroutineFunc(c) != s.Fn.Cursor && deferredBy(c, snd.Body) {
			continue
		}
		if s.Pass.IsBuiltin(call, "close") && !buffer.Closes(s, call, snd) {
			return true
		}
		switch code.CalledAs(call) {
		case "Done":
			if s.Pass.FullName(call) != "(*sync.WaitGroup).Done" {
				continue // of a context
			}
			return true
		case "Unlock", "RUnlock", "Signal", "Broadcast", "Release":
			return true
		}
	}
	for c := range snd.Body.Cursor.Preorder((*ast.SendStmt)(nil)) {
		if s.Argument(snd, s.Pass.VarOf(c.Node().(*ast.SendStmt).Chan)) != s.Var && skipped(snd, c) {
			return true
		}
	}
	return false
}

// skipped reports whether a return in place of a send of the sender may leave out the
// statement at c: one that stands on another path comes as before.
func skipped(snd *channel.Sender, c inspector.Cursor) bool {
	node := code.FlowNode(c, snd.Body)
	return node != c.Node() || slices.ContainsFunc(snd.Sends, func(u channel.Use) bool {
		return abandon.SendsAfter(snd, code.FlowNode(u.Op, snd.Body), map[ast.Node]int{node: 1})
	})
}

// deferredBy reports whether c stands in a defer statement of fn itself.
func deferredBy(c inspector.Cursor, fn *code.Func) bool {
	for d := range c.Enclosing((*ast.DeferStmt)(nil)) {
		return fn.Cursor.Contains(d)
	}
	return false
}

// endingContext returns a context that the senders may listen to instead of a
// channel of their own. It must end whenever the receiver leaves: because the
// function cancels it when it returns, or because it leaves only when that has
// ended. And the receiver must listen to it, too, wherever it receives: else it
// would wait for a sender that has been signalled to end.
func endingContext(s *channel.Local) *types.Var {
	if len(s.Ranges) > 0 || len(s.Recvs) == 0 {
		return nil
	}
	var ctx *types.Var
	ends := map[ast.Node]bool{}
	for i, u := range s.Recvs {
		sel, _ := channel.InSelect(u.Op)
		if sel == nil {
			return nil
		}
		var here *types.Var
		for _, c := range sel.Body.List {
			comm := c.(*ast.CommClause).Comm
			if v := ctxcancel.DoneOf(s.Pass, comm); v != nil {
				here, ends[comm] = v, true
			}
		}
		if here == nil || i > 0 && here != ctx {
			return nil
		}
		ctx = here
	}
	for _, snd := range s.Senders {
		for _, u := range snd.Sends {
			if !naming.Visible(s.Pass, ctx, u.Op.Node().Pos()) {
				return nil
			}
		}
		if ctx.Pos() > snd.Stmt.Node().Pos() || ctx.IsField() || ctx.Parent() == s.Pass.Pkg.Scope() {
			return nil
		}
	}
	if set := assignments(s.Pass, ctx, s.Fn); len(set) > 1 || len(set) == 1 && set[0].Node().Pos() > s.Senders[0].Stmt.Node().Pos() {
		return nil // which of them the sender would listen to is not known
	}
	if cancelledAtReturn(s, ctx) {
		return ctx
	}
	s.Ends = ends
	_, leaks := abandon.Find(s)
	s.Ends = nil
	abandon.Find(s) // count again as it is
	if leaks {
		return nil
	}
	return ctx
}

// assignments lists the statements of the declaration around fn that assign v.
func assignments(p *code.Pass, v *types.Var, fn *code.Func) (out []inspector.Cursor) {
	for _, use := range p.Uses(fn.Outermost(), v) {
		if code.IsAssigned(use) {
			out = append(out, use)
		}
	}
	return out
}

// cancelledAtReturn reports whether the function makes ctx and has deferred
// its cancel before it starts the first sender.
func cancelledAtReturn(s *channel.Local, ctx *types.Var) bool {
	var cancel *types.Var
	start := s.Senders[0].Stmt.Node().Pos()
	for _, stmt := range s.Fn.Body.List {
		if stmt.Pos() > start {
			break
		}
		switch n := stmt.(type) {
		case *ast.AssignStmt:
			if len(n.Lhs) == 2 && len(n.Rhs) == 1 && s.Pass.VarOf(n.Lhs[0]) == ctx {
				if call, ok := n.Rhs[0].(*ast.CallExpr); ok && strings.HasPrefix(s.Pass.FullName(call), "context.With") {
					cancel = s.Pass.VarOf(n.Lhs[1])
				}
			}
		case *ast.DeferStmt:
			if cancel != nil && s.Pass.VarOf(n.Call.Fun) == cancel {
				return true
			}
		}
	}
	return false
}
