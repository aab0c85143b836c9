package abandon

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
)

// toldByWaiters lists the receives of the function by which it learns that its senders
// are done: from a channel on which another goroutine sends, or which it closes,
// only after it has waited for a group that all senders count down.
func toldByWaiters(s *channel.Local) (told []channel.Use) {
	asked := map[*types.Var]bool{}
	for c := range s.Fn.Cursor.Preorder((*ast.SendStmt)(nil), (*ast.CallExpr)(nil)) {
		var e ast.Expr
		switch n := c.Node().(type) {
		case *ast.SendStmt:
			e = n.Chan
		case *ast.CallExpr:
			if s.Pass.IsBuiltin(n, "close") {
				e = n.Args[0]
			}
		}
		v := s.Pass.VarOf(e)
		if v == nil || v == s.Var || asked[v] || !waitsFirst(s, c) {
			continue
		}
		asked[v] = true
		for _, u := range channel.Uses(s.Pass, s.Fn.Cursor, v) {
			if (u.Kind == channel.Recv || u.Kind == channel.Range) && u.GoroutineFunc == s.Fn.Cursor {
				told = append(told, u)
			}
		}
	}
	return told
}

// waitsFirst reports whether c stands in a goroutine of the function that comes there only
// after it has waited for all senders.
func waitsFirst(s *channel.Local, c inspector.Cursor) bool {
	body := s.Pass.GoroutineFunc(c)
	if body == s.Fn.Cursor || !launch.StartedBy(s.Pass, body, s.Fn).Valid() {
		return false
	}
	fn := s.Pass.FuncOf(body)
	waits := map[ast.Node]int{}
	for _, w := range waitgroup.Ops(s.Pass, body) {
		if w.Name == "Wait" && w.GoroutineFunc == body && !code.InDefer(w.At) && countDown(s, w.Key) {
			waits[code.FlowNode(w.At, fn)] = 1
		}
	}
	if node := code.FlowNode(c, fn); len(waits) > 0 {
		if _, deferred := node.(*ast.DeferStmt); deferred {
			return true // it has waited by the time it ends, but for a panic
		}
		return comesAfter(&channel.Sender{Body: fn}, node, waits)
	}
	return false
}

// countDown reports whether every sender counts the group down.
func countDown(s *channel.Local, group code.Path) bool {
	return !slices.ContainsFunc(s.Senders, func(snd *channel.Sender) bool {
		return !slices.ContainsFunc(waitgroup.Ops(s.Pass, snd.Body.Cursor), func(o waitgroup.Op) bool {
			return o.Name == "Done" && (o.Key == group || snd.Named)
		})
	})
}
