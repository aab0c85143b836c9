package abandon

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rules/blockingsend/internal/complete"
)

// leakOfProducer is for one goroutine that sends in a loop of its own: it is
// left behind if the function receives fewer times than the loop has iterations.
func leakOfProducer(s *channel.Local, snd *channel.Sender) (why Why, leaks bool) {
	gets, loops := receiveNodes(s)
	if len(s.Senders) != 1 || len(snd.Sends) != 1 {
		return why, false
	}
	if len(loops) > 0 {
		return leakOfImpatient(s, snd, gets, loops)
	}
	inner := channel.Loops(snd.Sends[0].Op, snd.Body, snd.Body.Body.Pos())
	if len(inner) != 1 {
		return why, false
	}
	bound, ok := frozen.LoopBound(s.Pass, inner[0])
	most := int64(s.Fn.Flow.Most(widen(gets)))
	if !ok || bound.Of != nil || most >= flow.Many || bound.Const <= most+s.Cap {
		return why, false
	}
	exit := s.AnyExit(code.FlowNode(snd.Stmt, s.Fn))
	return Why{"NCast", exit}, exit.IsValid()
}

// leakOfImpatient is for a receiver that listens in a loop and leaves when a
// context or a timer says so, be the producer done or not.
func leakOfImpatient(s *channel.Local, snd *channel.Sender, gets map[ast.Node]int8, loops map[ast.Node]ast.Stmt) (why Why, leaks bool) {
	if s.Cap > 0 && !outgrows(s, snd) || len(channel.Loops(snd.Sends[0].Op, snd.Body, snd.Body.Body.Pos())) == 0 {
		return why, false
	}
	for _, u := range s.Recvs {
		sel, _ := channel.InSelect(u.Op)
		if sel == nil || collects(s, code.FlowNode(u.Op, s.Fn)) {
			return why, false
		}
		if node := code.FlowNode(u.Op, s.Fn); s.Ends != nil { // asked what else makes it leave
			flow.Paths[struct{}]{
				Node:      func(n ast.Node, st struct{}) (struct{}, bool) { return st, !stops(s, n) },
				Iteration: func(l ast.Stmt, _ struct{}) bool { return l != loops[node] },
				Exit:      func(b *flow.Block, _ struct{}) { why, leaks = Why{"EarlyReturn", b.End}, true },
			}.After(s.Fn.Flow, node, struct{}{})
		}
		for _, c := range sel.Body.List {
			comm := c.(*ast.CommClause).Comm
			if comm == nil || stops(s, comm) || ctxcancel.DoneOf(s.Pass, comm) == nil && !elapses(s.Pass, comm) {
				continue
			}
			flow.Paths[struct{}]{
				Node: func(n ast.Node, st struct{}) (struct{}, bool) { return st, gets[n] == 0 && !stops(s, n) },
				Exit: func(b *flow.Block, _ struct{}) { why, leaks = Why{"Timeout", b.End}, true },
			}.After(s.Fn.Flow, comm, struct{}{})
		}
	}
	return why, leaks
}

// elapses reports whether stmt receives from time.After or from a timer.
func elapses(p *code.Pass, stmt ast.Stmt) (found bool) {
	ast.Inspect(stmt, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			found = found || p.FullName(n) == "time.After"
		case *ast.SelectorExpr:
			found = found || n.Sel.Name == "C" && typeis.Named(p.TypesInfo.TypeOf(n.X), "time", "Timer")
		}
		return !found
	})
	return found
}

// leakOfRange is for a receiver that ranges over the channel and can leave
// the loop while senders are left.
func leakOfRange(s *channel.Local) (why Why, leaks bool) {
	if len(s.Ranges) != 1 || s.Senders[0].Loop != nil && s.Senders[0].Most < 2 && s.Senders[0].Bound.Const == 1 {
		return why, false
	}
	if s.Cap > 0 && !outgrows(s, s.Senders[0]) && !outnumbers(s, s.Senders[0]) {
		return why, false
	}
	loop, ok := s.Ranges[0].Op.Node().(*ast.RangeStmt)
	if !ok {
		return why, false
	}
	last, all := complete.NewLastValues(s, loop), complete.NewTotal(s, loop)
	flow.Paths[bool]{
		Node: func(n ast.Node, isLast bool) (bool, bool) { return last.InCase(n, isLast), !stops(s, n) },
		Edge: func(cond ast.Expr, taken bool, isLast bool) (bool, bool) {
			return isLast, !((last.Tells(cond) || all.Reached(cond)) && leaves(s, cond, taken, loop))
		},
		Iteration: func(l ast.Stmt, _ bool) bool { return l != ast.Stmt(loop) },
		Exit: func(b *flow.Block, isLast bool) {
			if !leaks && !isLast {
				why, leaks = Why{"EarlyReturn", b.End}, true
			}
		},
	}.FromBody(s.Fn.Flow, loop, false)
	if exit, ok := leavesBefore(s); !leaks && ok {
		return Why{"EarlyReturn", exit}, true
	}
	return why, leaks
}

// leavesBefore returns where the function returns before it comes to the range that
// receives, once it has started the first sender.
func leavesBefore(s *channel.Local) (exit token.Pos, ok bool) {
	gets, _ := receiveNodes(s)
	snd := s.Senders[0]
	start := code.FlowNode(snd.Stmt, s.Fn)
	if deferredBefore(gets, start) > 0 || len(s.Senders) > 1 || snd.Loop != nil && (snd.Nested || conditional(s, snd)) {
		return exit, false
	}
	assumed, flags := assume.Assumed(s.Pass, snd.Stmt, s.Fn), assume.FlagsAt(s.Pass, snd.Stmt)
	again := code.FlowNode(s.Make, s.Fn)
	flow.Paths[struct{}]{
		Node: func(n ast.Node, st struct{}) (struct{}, bool) {
			return st, !ok && gets[n] == 0 && n != again && !stops(s, n)
		},
		Edge: func(cond ast.Expr, taken bool, st struct{}) (struct{}, bool) {
			return st, assumed.Possible(cond, taken) && flags.Possible(cond, taken) && !startsNone(s, snd, cond, taken)
		},
		Exit: func(b *flow.Block, _ struct{}) { exit, ok = b.End, true },
	}.After(s.Fn.Flow, start, struct{}{})
	return exit, ok
}

// SendsOne reports whether there is one sender, and one value is all that it sends.
func SendsOne(s *channel.Local) bool {
	return len(s.Senders) == 1 && s.Senders[0].Most < 2 && s.Senders[0].Loop == nil
}

// leaves reports whether the way that a condition decides for leads out of the
// loop: it does not come to another iteration, or the condition is one that an
// ordinary value does not fulfil.
func leaves(s *channel.Local, cond ast.Expr, taken bool, loop ast.Stmt) bool {
	if x, isNil, ok := s.Pass.NilTest(cond, taken); ok && !isNil && typeis.Error(s.Pass.TypesInfo.TypeOf(x)) {
		return true
	}
	if be, ok := ast.Unparen(cond).(*ast.BinaryExpr); ok && be.Op == token.EQL && taken {
		return true
	}
	return !s.Fn.Flow.ComesBack(cond, taken, loop)
}

// leakOfMany is for senders that a loop starts: either the function receives
// outside of loops, then less often than they send, or in a loop of its own
// that it can leave early.
func leakOfMany(s *channel.Local) (why Why, leaks bool) {
	if len(s.Senders) != 1 || s.Senders[0].Most != 1 || maySkip(s, s.Senders[0]) || conditional(s, s.Senders[0]) {
		return why, false
	}
	snd := s.Senders[0]
	gets, loops := receiveNodes(s)
	start := code.FlowNode(snd.Stmt, s.Fn)
	if deferredBefore(gets, start) > 0 {
		return why, false
	}
	if roomForAll(s, snd, gets) {
		return why, false
	}
	if len(loops) == 0 {
		if most := int64(s.Fn.Flow.Most(widen(gets))); most >= flow.Many {
			return why, false
		}
		exit := s.AnyExit(start)
		return Why{"NCast", exit}, exit.IsValid()
	}
	if len(loops) == 0 || len(loops) != len(gets) || !together(s, gets, loops) {
		return why, false
	}
	for _, loop := range loops {
		if snd.Loop == loop || !sameNumber(s, snd, loop) {
			return why, false // in the loop that starts them, each is heard before the next
		}
		assumed := assume.Assumed(s.Pass, snd.Stmt, s.Fn) // no other path has a sender
		away := flow.Paths[bool]{
			Edge: func(cond ast.Expr, taken bool, timeout bool) (bool, bool) {
				possible := assumed.Possible(cond, taken) && !startsNone(s, snd, cond, taken)
				return timeout, possible && !(counts(s, loop, cond) && leaves(s, cond, taken, loop))
			},
			Node: func(n ast.Node, timeout bool) (bool, bool) {
				return timeout || gets[n] == 0 && inSelect(s, n), !stops(s, n)
			},
			Iteration: func(l ast.Stmt, _ bool) bool { return l != loop },
			Exit: func(b *flow.Block, timeout bool) {
				if leaks {
					return
				}
				why, leaks = Why{"EarlyReturn", b.End}, true
				if timeout {
					why.Category = "Timeout"
				}
			},
		}
		away.After(s.Fn.Flow, start, false) // past the loop
		away.FromBody(s.Fn.Flow, loop, false)
	}
	return why, leaks
}

// maySkip reports whether a sender may end without a send although nothing
// goes wrong in it: perhaps because another one has sent.
func maySkip(s *channel.Local, snd *channel.Sender) bool {
	skips := false
	counts, _ := channel.Count(s.Pass, snd.Body, snd.Sends)
	for n := range sendsElsewhere(s, snd) { // in place of it
		counts.Most[n] = 1
	}
	flow.Paths[struct{}]{
		Node: func(n ast.Node, st struct{}) (struct{}, bool) { return st, counts.Most[n] == 0 },
		Edge: func(cond ast.Expr, taken bool, st struct{}) (struct{}, bool) {
			// An error of its own does not depend on the others.
			x, isNil, ok := s.Pass.NilTest(cond, taken)
			own := ok && typeis.Error(s.Pass.TypesInfo.TypeOf(x)) && s.Pass.DeclaredIn(s.Pass.VarOf(x), snd.Body)
			return st, !own || isNil
		},
		Exit: func(*flow.Block, struct{}) { skips = true },
	}.FromEntry(snd.Body.Flow, struct{}{})
	return skips
}

// conditional reports whether a sender is started only in some iterations of its loop.
func conditional(s *channel.Local, snd *channel.Sender) bool {
	start, skips := code.FlowNode(snd.Stmt, s.Fn), false
	flow.Paths[struct{}]{
		Node:      func(n ast.Node, st struct{}) (struct{}, bool) { return st, n != start },
		Iteration: func(l ast.Stmt, _ struct{}) bool { skips = skips || l == snd.Loop; return l != snd.Loop },
	}.FromBody(s.Fn.Flow, snd.Loop, struct{}{})
	return skips
}

func widen(m map[ast.Node]int8) map[ast.Node]int {
	out := map[ast.Node]int{}
	for n, k := range m {
		out[n] = int(k)
	}
	return out
}

// enough is a buffer that is meant to take the sends of however many goroutines.
const enough = 32

// roomForAll reports whether the buffer takes all that a loop of senders sends, beyond what
// the function receives on every path on which it has started them.
func roomForAll(s *channel.Local, snd *channel.Sender, gets map[ast.Node]int8) bool {
	n := snd.Bound.Const
	if n == 0 { // not known: any number
		return s.Cap >= enough
	}
	missing, short := n-s.Cap, false
	flow.Paths[int64]{
		Node: func(at ast.Node, got int64) (int64, bool) {
			got += int64(gets[at])
			return got, got < missing && !stops(s, at)
		},
		Exit: func(_ *flow.Block, _ int64) { short = true },
	}.After(s.Fn.Flow, code.FlowNode(snd.Stmt, s.Fn), 0)
	return !short
}

func sameBound(a, b frozen.Bound) bool {
	if a.Of == nil || b.Of == nil {
		return a.Of == nil && b.Of == nil && a.Const == b.Const && a.Const > 0
	}
	return types.ExprString(a.Of) == types.ExprString(b.Of)
}

// outgrows reports whether one sender alone sends more than the buffer takes:
// in a loop that has more iterations than that, or whose iterations are not counted.
func outgrows(s *channel.Local, snd *channel.Sender) bool {
	if len(s.Senders) != 1 || snd.Loop != nil || snd.Most < flow.Many || len(snd.Sends) != 1 {
		return false
	}
	inner := channel.Loops(snd.Sends[0].Op, snd.Body, snd.Body.Body.Pos())
	if len(inner) == 0 {
		return true // in the loop of a function that it calls
	}
	b, ok := frozen.LoopBound(s.Pass, inner[0])
	return !ok || len(inner) > 1 || b.Of != nil || b.Const > s.Cap
}

// outnumbers reports whether a loop starts more senders than the buffer takes, beyond the one
// that a range has received from when it is left.
func outnumbers(s *channel.Local, snd *channel.Sender) bool {
	if len(s.Senders) != 1 || snd.Loop == nil || snd.Most != 1 || maySkip(s, snd) || conditional(s, snd) {
		return false
	}
	return snd.Bound.Const > s.Cap+1 || snd.Bound.Const == 0 && s.Cap < enough
}

// Recovers reports whether a sender survives the panic of a send on a closed
// channel: it defers a function that recovers, or one that is not known.
func Recovers(s *channel.Local) bool {
	for _, snd := range s.Senders {
		for c := range snd.Body.Cursor.Preorder((*ast.CallExpr)(nil)) {
			call := c.Node().(*ast.CallExpr)
			if _, ok := c.Parent().Node().(*ast.DeferStmt); !ok || s.Pass.CallsBuiltin(call) {
				continue
			}
			deferred := s.Pass.Declaration(s.Pass.Callee(call))
			if lit, ok := c.FindNode(ast.Unparen(call.Fun)); ok && deferred == nil {
				deferred = s.Pass.FuncOf(lit)
			}
			if callee := s.Pass.Callee(call); deferred != nil && s.Pass.Recovers(deferred) || deferred == nil && (callee == nil || callee.Pkg() == nil || !knowledge.Std(callee.Pkg().Path())) {
				return true
			}
		}
	}
	return false
}
