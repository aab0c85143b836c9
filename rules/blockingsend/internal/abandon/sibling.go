package abandon

import (
	"go/ast"
	"go/types"
	"maps"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// findSiblings collects the channels that a sender uses instead of this one:
// on each of its paths it sends on one of them at most, so that a receiver
// that receives from one need not wait for the other.
func findSiblings(s *channel.Local) {
	s.Siblings = map[types.Object]bool{}
	if len(s.Senders) != 1 {
		return
	}
	snd := s.Senders[0]
	nodes := map[ast.Node]int{}
	for _, u := range snd.Sends {
		nodes[code.FlowNode(u.Op, snd.Body)] = 1
	}
	for c := range snd.Body.Cursor.Preorder((*ast.SendStmt)(nil), (*ast.CallExpr)(nil)) {
		var e ast.Expr
		switch n := c.Node().(type) {
		case *ast.SendStmt:
			e = n.Chan
		case *ast.CallExpr:
			if s.Pass.IsBuiltin(n, "close") {
				e = n.Args[0]
			}
		}
		if e == nil {
			continue
		}
		v, node := s.Pass.VarOf(e), code.FlowNode(c, snd.Body)
		if v == nil || v == s.Var || node == nil || s.Pass.GoroutineFunc(c) != snd.Body.Cursor {
			continue
		}
		if v = s.Argument(snd, v); v != nil && v != s.Var && insteadOf(s, snd, c, node, nodes) {
			s.Siblings[v] = true
		}
	}
}

// insteadOf reports whether the operation at c, in a node of the sender, comes in place
// of its send, or only when it is done, or so late that who receives it knows
// that no send is left.
func insteadOf(s *channel.Local, snd *channel.Sender, c inspector.Cursor, node ast.Node, nodes map[ast.Node]int) bool {
	_, deferred := node.(*ast.DeferStmt)
	if nodes[node] > 0 {
		// In the same deferred call, which has a flow of its own.
		lit := channel.DeferredLiteral(s.Pass, c, snd.Body)
		if !deferred || lit == nil {
			return deferred
		}
		within := map[ast.Node]int{}
		for _, u := range snd.Sends {
			if n := code.FlowNode(u.Op, lit); n != nil {
				within[n] = 1
			}
		}
		snd, node, nodes = &channel.Sender{Body: lit}, code.FlowNode(c, lit), within
		return exclusive(snd, node, nodes) || comesAfter(snd, node, nodes) || !SendsAfter(snd, node, nodes)
	}
	if !deferred {
		counts, _ := channel.Count(s.Pass, snd.Body, snd.Sends)
		for n := range nodes {
			if _, late := n.(*ast.DeferStmt); late && counts.Least[n] > 0 {
				return exclusive(snd, node, nodes) // the send comes when the rest of the goroutine is done
			}
		}
	}
	return deferred || exclusive(snd, node, nodes) || comesAfter(snd, node, nodes) || !SendsAfter(snd, node, nodes)
}

// exclusive reports whether a run of the sender comes to node or to one of nodes only.
func exclusive(snd *channel.Sender, node ast.Node, nodes map[ast.Node]int) bool {
	with := maps.Clone(nodes)
	with[node] = 1
	both, _ := CountSends(snd, with)
	return both == 1
}

// comesAfter reports whether a sender reaches node only after a send.
func comesAfter(snd *channel.Sender, node ast.Node, sends map[ast.Node]int) bool {
	before := false
	flow.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
		before = before || n == node
		return st, sends[n] == 0
	}}.FromEntry(snd.Body.Flow, struct{}{})
	return !before
}

// sendsElsewhere returns the sends of a sender on channels that it uses in place of this
// one and from which the function receives, too.
func sendsElsewhere(s *channel.Local, snd *channel.Sender) map[ast.Node]bool {
	out := map[ast.Node]bool{}
	if len(s.Siblings) == 0 {
		return out
	}
	for c := range snd.Body.Cursor.Preorder((*ast.SendStmt)(nil)) {
		v := s.Argument(snd, s.Pass.VarOf(c.Node().(*ast.SendStmt).Chan))
		node := code.FlowNode(c, snd.Body)
		if v == nil || !s.Siblings[v] || node != c.Node() || !channel.UseAt(s.Pass, chanOf(c)).Waits() {
			continue
		}
		out[node] = slices.ContainsFunc(channel.Uses(s.Pass, s.Fn.Cursor, v), func(u channel.Use) bool {
			return u.Kind == channel.Recv && u.GoroutineFunc == s.Fn.Cursor
		})
	}
	maps.DeleteFunc(out, func(_ ast.Node, heard bool) bool { return !heard })
	return out
}

// chanOf returns the channel of a send statement.
func chanOf(send inspector.Cursor) inspector.Cursor {
	c, _ := send.FindNode(send.Node().(*ast.SendStmt).Chan)
	return c
}

// together reports whether all receives are cases of one select, or are one.
func together(s *channel.Local, gets map[ast.Node]int8, loops map[ast.Node]ast.Stmt) bool {
	if len(gets) == 1 {
		return true
	}
	for n := range gets {
		if loops[n] == nil || !inSelect(s, n) {
			return false
		}
	}
	sel, _ := channel.InSelect(s.Recvs[0].Op)
	cases := 0
	for _, c := range sel.Body.List {
		if comm := c.(*ast.CommClause).Comm; comm != nil && gets[comm] > 0 {
			cases++
		}
	}
	return cases == len(gets)
}
