// Package abandon finds the paths on which a function leaves a local channel while
// goroutines still send on it: how often they send, how often it receives, and what
// the last value tells it.
package abandon

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
)

// Why is how the receiver gets away.
type Why struct {
	Category string // as in the literature: Timeout, EarlyReturn, NCast, DoubleSend
	Exit     token.Pos
}

// Find decides whether a sender can be left behind: whether there is a path
// from the first go statement to a return of the function that receives less
// often than the goroutines may send, beyond what the buffer takes.
func Find(s *channel.Local) (Why, bool) {
	kept := s.Senders[:0]
	for _, snd := range s.Senders {
		counts, ok := channel.Count(s.Pass, snd.Body, snd.Sends)
		if !ok {
			return Why{}, false
		}
		findOnce(s, snd)
		snd.Most, _ = CountSends(snd, counts.Most)
		_, snd.Least = CountSends(snd, counts.Least)
		snd.Most = max(snd.Most, counts.Instead)
		if snd.Most > 0 {
			kept = append(kept, snd)
		}
	}
	s.Senders = kept
	if len(kept) == 0 {
		return Why{}, false
	}
	findSiblings(s)
	if len(s.Ranges) > 0 && !SendsOne(s) {
		return leakOfRange(s)
	}
	for _, snd := range s.Senders {
		if snd.Loop != nil {
			return leakOfMany(s)
		}
		if snd.Most >= flow.Many {
			return leakOfProducer(s, snd)
		}
	}
	return leakOfFew(s)
}

// CountSends returns how often one run of the sender comes to the nodes, each with
// its weight: at most, and at least if it ends. A node that a flag lets through once
// counts once, see [Local.once].
func CountSends(snd *channel.Sender, weights map[ast.Node]int) (most, least int) {
	type state struct {
		k    int
		once ast.Node
	}
	least = flow.Many
	flow.Paths[state]{
		Node: func(n ast.Node, s state) (state, bool) {
			if w := weights[n]; w > 0 && s.once != n {
				s.k = min(s.k+w, flow.Many)
				if snd.Once[n] {
					s.once = n
				}
			}
			most = max(most, s.k)
			if n == snd.Cut {
				least = min(least, s.k)
			}
			return s, n != snd.Cut
		},
		Exit: func(_ *flow.Block, s state) { least = min(least, s.k) },
	}.FromEntry(snd.Body.Flow, state{})
	return most, least
}

// SendsAfter reports whether a sender reaches one of the nodes after node.
func SendsAfter(snd *channel.Sender, node ast.Node, nodes map[ast.Node]int) (found bool) {
	if node == snd.Cut {
		return false
	}
	flow.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
		found = found || nodes[n] > 0
		return st, !found && n != snd.Cut
	}}.After(snd.Body.Flow, node, struct{}{})
	return found
}

// pathState is what a path of the receiver remembers.
type pathState struct {
	sent, least, got int8 // least is what is sent for certain
	timeout          bool // a select went another way
	narrowed         assume.Narrowed
}

// leakOfFew counts sends and receives along each path of the function.
func leakOfFew(s *channel.Local) (why Why, leaks bool) {
	certain := false
	starts, least := map[ast.Node]int8{}, map[ast.Node]int8{}
	var assumed []assume.Assumptions
	for _, snd := range s.Senders {
		if len(s.Senders) > 1 && maySkip(s, snd) {
			return why, false // perhaps only one of them sends
		}
		starts[code.FlowNode(snd.Stmt, s.Fn)] += int8(snd.Most)
		least[code.FlowNode(snd.Stmt, s.Fn)] += int8(snd.Least)
		assumed = append(assumed, assume.FlagsAt(s.Pass, snd.Stmt))
		assumed = append(assumed, assume.Assumed(s.Pass, snd.Stmt, s.Fn))
		if len(snd.Sends) == 1 && !snd.Named {
			assumed = append(assumed, assume.AssumedIn(s.Pass, snd.Sends[0].Op, snd.Body, s.Fn))
		}
	}
	gets, loops := receiveNodes(s)
	for node, l := range loops {
		// A loop that collects from several channels counts over all of them.
		if collects(s, node) {
			return why, false
		}
		// A loop with an end of its own that receives each time: how often
		// is not known. A select in it may as well end it.
		if f, ok := l.(*ast.ForStmt); ok && f.Cond == nil {
			continue
		}
		if len(s.Senders) > 1 || !inSelect(s, node) && everyIteration(l, node) {
			return why, false
		}
	}
	first, started := code.FlowNode(s.Senders[0].Stmt, s.Fn), assume.Assumed(s.Pass, s.Senders[0].Stmt, s.Fn)
	start := pathState{sent: starts[first], least: least[first], got: deferredBefore(gets, first)}
	// How often a sender sends may depend on what the receiver has signalled by the
	// first value. Then a path that receives less often is no proof, as long as
	// another path receives all.
	varies := slices.ContainsFunc(s.Senders, func(snd *channel.Sender) bool { return snd.Most > 1 && snd.Least < snd.Most })
	most := int8(0)
	left := func(pos token.Pos, st pathState) {
		if int64(st.got)+s.Cap < int64(st.sent) && (!leaks || int64(st.got)+s.Cap < int64(st.least) && !certain) {
			leaks, certain = true, int64(st.got)+s.Cap < int64(st.least)
			why = Why{"EarlyReturn", pos}
			if st.timeout {
				why.Category = "Timeout"
			}
		}
	}
	again := code.FlowNode(s.Make, s.Fn)
	flow.Paths[pathState]{
		Node: func(n ast.Node, st pathState) (pathState, bool) {
			if n == again { // the next iteration of a loop makes another channel
				left(n.Pos(), st)
				return st, false
			}
			st.sent, st.least = min(st.sent+starts[n], 100), min(st.least+least[n], 100)
			if gets[n] > 0 {
				st.got = min(st.got+gets[n], 100)
			} else if inSelect(s, n) {
				st.timeout = true
			}
			most = max(most, st.got)
			return st, !stops(s, n) && (int64(st.got) < int64(st.sent)-s.Cap || int64(st.sent) < TotalSends(s))
		},
		Edge: func(cond ast.Expr, taken bool, st pathState) (pathState, bool) {
			if x, isNil, ok := s.Pass.NilTest(cond, taken); ok && s.Pass.VarOf(x) == s.Var {
				return st, !isNil
			}
			if st.got == 0 && unsetFlag(s, cond, taken, gets) {
				return st, false
			}
			for _, a := range assumed {
				if !a.Possible(cond, taken) || a.WrapsNil(cond, taken) {
					return st, false
				}
			}
			var ok bool
			st.narrowed, ok = started.Narrow(st.narrowed, cond, taken, s.Fn)
			return st, ok
		},
		Exit: func(b *flow.Block, st pathState) { left(b.End, st) },
	}.After(s.Fn.Flow, first, start)
	if leaks && varies && !certain && int64(most)+s.Cap >= TotalSends(s) {
		return why, false
	}
	if leaks && slices.ContainsFunc(s.Senders, func(snd *channel.Sender) bool { return snd.Most > 1 }) {
		why.Category = "DoubleSend"
	}
	return why, leaks
}

// collects reports whether the select of a receive also receives from other
// channels that are kept in variables and are no siblings: the loop around it
// may count what comes from all of them.
func collects(s *channel.Local, node ast.Node) bool {
	for _, u := range s.Recvs {
		sel, _ := channel.InSelect(u.Op)
		if sel == nil || code.FlowNode(u.Op, s.Fn) != node {
			continue
		}
		for _, c := range sel.Body.List {
			comm := c.(*ast.CommClause).Comm
			if comm == nil {
				continue
			}
			other := false
			ast.Inspect(comm, func(n ast.Node) bool {
				if un, ok := n.(*ast.UnaryExpr); ok && un.Op == token.ARROW {
					v := s.Pass.VarOf(un.X)
					other = other || v != nil && v != s.Var && !s.Siblings[v] && sentOn(s, v)
				}
				return true
			})
			if other {
				return true
			}
		}
	}
	return false
}

// sentOn reports whether a goroutine of the function sends on v.
func sentOn(s *channel.Local, v *types.Var) bool {
	return slices.ContainsFunc(channel.Uses(s.Pass, s.Fn.Cursor, v), func(u channel.Use) bool { return u.Kind == channel.Send })
}

// TotalSends is the number of sends of all senders, each once.
func TotalSends(s *channel.Local) (n int64) {
	for _, snd := range s.Senders {
		n += int64(snd.Most)
	}
	return n
}

// inSelect reports whether a node of the flow is the communication of a case
// of a select that also receives from the channel.
func inSelect(s *channel.Local, n ast.Node) bool {
	for _, u := range s.Recvs {
		sel, _ := channel.InSelect(u.Op)
		if sel == nil {
			continue
		}
		for _, c := range sel.Body.List {
			if comm := c.(*ast.CommClause).Comm; comm != nil && ast.Node(comm) == n {
				return true
			}
		}
	}
	return false
}

// receiveNodes returns how often each node of the function's flow receives
// from the channel or a sibling, and the loops around these nodes.
func receiveNodes(s *channel.Local) (gets map[ast.Node]int8, loops map[ast.Node]ast.Stmt) {
	gets, loops = map[ast.Node]int8{}, map[ast.Node]ast.Stmt{}
	add := func(u channel.Use) {
		if n := code.FlowNode(u.Op, s.Fn); n != nil && !code.Conditional(u.Op, n) {
			gets[n] += int8(u.Weight())
			if l := channel.Loops(u.At, s.Fn, s.Senders[0].Stmt.Node().Pos()); len(l) > 0 {
				loops[n] = l[0]
			}
		}
	}
	for _, u := range s.Recvs {
		add(u)
	}
	for _, u := range s.Ranges { // as often as there are values, once the function comes to it
		if n := code.FlowNode(u.At, s.Fn); n != nil {
			gets[n] += int8(max(flow.Many, min(TotalSends(s), 100)))
			if l := channel.Loops(u.Op.Parent(), s.Fn, s.Senders[0].Stmt.Node().Pos()); len(l) > 0 {
				loops[n] = l[0]
			}
		}
	}
	for v := range s.Siblings {
		for _, u := range channel.Uses(s.Pass, s.Fn.Cursor, v) {
			if (u.Kind == channel.Recv || u.Kind == channel.Range) && u.GoroutineFunc == s.Fn.Cursor {
				add(u)
			}
		}
	}
	// Waiting until the senders are done is as good: they are when it returns.
	for _, w := range waitgroup.Ops(s.Pass, s.Fn.Cursor) {
		if w.Name != "Wait" || w.GoroutineFunc != s.Fn.Cursor {
			continue
		}
		for _, d := range waitgroup.Ops(s.Pass, s.Senders[0].Body.Cursor) {
			// In a function of its own the group has another name.
			if n := code.FlowNode(w.At, s.Fn); n != nil && d.Name == "Done" && (d.Key == w.Key || s.Senders[0].Named) {
				gets[n] += int8(s.Senders[0].Most)
			}
		}
	}
	for _, u := range toldByWaiters(s) {
		if n := code.FlowNode(u.Op, s.Fn); n != nil && !code.Conditional(u.Op, n) {
			gets[n] += int8(max(flow.Many, min(TotalSends(s), 100)))
		}
	}
	return gets, loops
}

// deferredBefore counts the receives that were deferred before node runs:
// they come on every way out.
func deferredBefore(gets map[ast.Node]int8, node ast.Node) (n int8) {
	for at, k := range gets {
		if _, ok := at.(*ast.DeferStmt); ok && at.Pos() < node.Pos() {
			n += k
		}
	}
	return n
}

// everyIteration reports whether a statement stands in the body of a loop itself,
// so that each iteration comes to it.
func everyIteration(loop ast.Stmt, node ast.Node) bool {
	var body *ast.BlockStmt
	switch l := loop.(type) {
	case *ast.ForStmt:
		body = l.Body
	case *ast.RangeStmt:
		body = l.Body
	}
	return slices.ContainsFunc(body.List, func(s ast.Stmt) bool { return ast.Node(s) == node })
}

// EndsAfterSend reports whether each sender comes to its end once it has sent,
// or, if it may be signalled at the next send, to that.
func EndsAfterSend(s *channel.Local, signalled bool) bool {
	for _, snd := range s.Senders {
		sends := map[ast.Node]bool{}
		for _, u := range snd.Sends {
			sends[code.FlowNode(u.Op, snd.Body)] = signalled
		}
		for n := range sends {
			_, ends := n.(*ast.DeferStmt) // comes when the rest has ended
			if ends {
				continue
			}
			flow.Paths[struct{}]{
				Node: func(n ast.Node, st struct{}) (struct{}, bool) {
					ends = ends || sends[n]
					return st, true
				},
				Exit: func(*flow.Block, struct{}) { ends = true },
			}.After(snd.Body.Flow, n, struct{}{})
			if !ends {
				return false
			}
		}
	}
	return true
}

// stops reports whether a path need not be followed after n: the test has
// failed, the context that the senders listen to has ended, or n is a case that
// no select ever takes.
func stops(s *channel.Local, n ast.Node) bool {
	return assume.FailsTest(s.Pass, n) || s.Ends[n] || channel.NeverReady(s.Pass, n)
}
