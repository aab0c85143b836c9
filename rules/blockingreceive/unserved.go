package blockingreceive

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// toldAtReturn reports whether n receives from a channel that the function
// closes when it returns, and that nobody sends on: by then nobody waits.
func (l *localUses) toldAtReturn(n ast.Node) bool {
	es, ok := n.(*ast.ExprStmt)
	if !ok {
		return false
	}
	recv, ok := ast.Unparen(es.X).(*ast.UnaryExpr)
	if !ok || recv.Op != token.ARROW {
		return false
	}
	v := l.p.VarOf(recv.X)
	if !l.p.DeclaredIn(v, l.fn) {
		return false
	}
	for _, u := range channel.Uses(l.p, l.fn.Cursor, v) {
		if u.Kind == channel.Send || u.Kind == channel.Other {
			return false
		}
	}
	return (&channel.Local{Pass: l.p, Fn: l.fn, Var: v}).ClosedAtReturn()
}

// unservedRecv is a receive that may wait for ever on a local channel.
type unservedRecv struct {
	Var  *types.Var
	Recv channel.Use
	Go   inspector.Cursor // the go statement of the goroutine that waits; invalid if it is the function itself
	// Exits are the returns of the function that pass by all that could end the wait.
	Exits  []*ast.ReturnStmt
	End    bool // the end of the function, or of that goroutine, does, too
	Closed bool // it closes the channel on other paths
	// Twice reports that one of Exits may come after a close, or that a deferred
	// call closes under a condition: one more close may be the second.
	Twice bool
	// Skips are the returns of the only goroutine that could send, before it does.
	Skips []*ast.ReturnStmt
	Sole  *code.Func // that goroutine
}

// localUses are the operations on a local channel that only the function, the
// literals that it starts as goroutines, and functions of a known effect see.
type localUses struct {
	p     *code.Pass
	fn    *code.Func
	ch    *channel.Local
	uses  []channel.Use
	given bool // to a function that does nothing with it
}

// unservedRecvs returns the receives from the channel of a call of make in fn that
// nobody ends: because nobody sends on it or closes it, because the function
// can return without doing so, or because the only sender can.
func unservedRecvs(p *code.Pass, makeCall inspector.Cursor, fn *code.Func) []unservedRecv {
	l := &localUses{p: p, fn: fn, ch: &channel.Local{Pass: p, Fn: fn, Make: makeCall}}
	if !l.ch.Variable() || l.ch.Later || !l.collect() {
		return nil
	}
	var waits, own, others []channel.Use // what ends a wait, by the function and by its goroutines
	for _, u := range l.uses {
		switch {
		case u.Kind == channel.Recv || u.Kind == channel.Range:
			waits = append(waits, u)
		case u.Kind != channel.Send && u.Kind != channel.Close:
		case u.GoroutineFunc == fn.Cursor:
			own = append(own, u)
		default:
			others = append(others, u)
		}
	}
	switch {
	case len(own)+len(others) == 0:
		return l.nobody(waits)
	case len(others) == 0:
		return l.bypassed(waits, own)
	case len(own) == 0:
		return l.skipped(waits, others)
	}
	return nil
}

// collect sorts the uses of the channel; false if code that is not known has it.
func (l *localUses) collect() bool {
	made := 0
	var add func(u channel.Use) bool
	add = func(u channel.Use) bool {
		if u.GoroutineFunc != l.fn.Cursor && u.Kind != channel.Nil && u.Kind != channel.Make && !launch.StartedBy(l.p, u.GoroutineFunc, l.fn).Valid() {
			return false
		}
		switch u.Kind {
		case channel.Make:
			if _, isParam := u.At.Parent().Node().(*ast.Field); !isParam {
				made++
			}
			return made <= 1
		case channel.Other:
			if a, ok := channel.ArgumentOf(l.p, u); ok && !a.Go && u.GoroutineFunc == l.fn.Cursor || ok && a.Effect.Idle() {
				switch e := a.Effect; {
				case e.Idle():
					l.given = true
					return true
				case e.Closes || e.SureSends > 0:
					u.Kind, u.Op, u.Callee = channel.Close, a.Call, a
					l.uses = append(l.uses, u)
					return true
				}
				return false
			}
			params := literalParam(l.p, u, l.fn)
			for _, pu := range params {
				if !add(pu) {
					return false
				}
			}
			return params != nil
		}
		l.uses = append(l.uses, u)
		return true
	}
	for _, u := range channel.Uses(l.p, l.fn.Cursor, l.ch.Var) {
		if !add(u) {
			return false
		}
	}
	return true
}

// nobody is for a channel that nothing sends on and nothing closes. A function
// that makes one only to wait on it itself parks on purpose.
func (l *localUses) nobody(waits []channel.Use) (out []unservedRecv) {
	for _, u := range waits {
		if g := launch.StartedBy(l.p, u.GoroutineFunc, l.fn); u.Kind == channel.Recv && u.Waits() && (g.Valid() || l.given) {
			out = append(out, unservedRecv{Var: l.ch.Var, Recv: u, Go: g})
		}
	}
	return out
}

// bypassed is for a goroutine that waits for the function, which can return
// without sending or closing.
func (l *localUses) bypassed(waits, own []channel.Use) (out []unservedRecv) {
	if l.ch.Cap > 0 {
		return nil
	}
	for _, u := range waits {
		g := launch.StartedBy(l.p, u.GoroutineFunc, l.fn)
		if !g.Valid() {
			continue
		}
		start := code.FlowNode(g, l.fn)
		if !u.Waits() || start == nil || len(channel.Loops(g, l.fn, l.ch.Var.Pos())) > 0 {
			continue
		}
		body := l.p.FuncOf(u.GoroutineFunc)
		if u.Kind == channel.Range && leavesLoop(l.p, u.Op.Node().(*ast.RangeStmt), body) {
			continue
		}
		ends, ok := l.endsOf(u, own, start)
		if !ok {
			continue
		}
		w := unservedRecv{Var: l.ch.Var, Recv: u, Go: g, Closed: slices.ContainsFunc(own, func(u channel.Use) bool { return u.Kind == channel.Close })}
		flags, assumed, inner := assume.FlagsAt(l.p, g), assume.Assumed(l.p, g, l.fn), assume.AssumedIn(l.p, u.Op, body, l.fn)
		flow.Paths[struct{}]{
			Node: func(n ast.Node, s struct{}) (struct{}, bool) { return s, !ends[n] && !assume.FailsTest(l.p, n) },
			Edge: func(cond ast.Expr, taken bool, s struct{}) (struct{}, bool) {
				if x, isNil, ok := l.p.NilTest(cond, taken); ok && l.p.VarOf(x) == l.ch.Var {
					return s, !isNil
				}
				return s, flags.Possible(cond, taken) && assumed.Possible(cond, taken) && inner.Possible(cond, taken)
			},
			Exit: func(b *flow.Block, _ struct{}) {
				var ret *ast.ReturnStmt
				if len(b.Nodes) > 0 {
					ret, _ = b.Nodes[len(b.Nodes)-1].(*ast.ReturnStmt)
				}
				if ret == nil {
					w.End = true
				} else {
					w.Exits = append(w.Exits, ret)
				}
			},
		}.After(l.fn.Flow, start, struct{}{})
		if len(w.Exits) > 0 || w.End {
			w.Twice = l.closedBefore(own, w.Exits)
			out = append(out, w)
		}
	}
	return out
}

// closedBefore reports whether the channel may have been closed, or may be by a
// deferred call, when the function returns at one of exits.
func (l *localUses) closedBefore(own []channel.Use, exits []*ast.ReturnStmt) (closed bool) {
	for _, o := range own {
		if o.Kind != channel.Close {
			continue
		}
		if lit, ok := l.p.EnclosingFunc(o.Op).Cursor.Node().(*ast.FuncLit); ok && code.InDefer(o.Op) && l.fn.Cursor.Node() != lit {
			closed = closed || !slices.Contains(lit.Body.List, ctxcancel.EnclosingStmt(o.Op))
		}
		flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			ret, ok := n.(*ast.ReturnStmt)
			closed = closed || ok && slices.Contains(exits, ret)
			return s, !closed
		}}.After(l.fn.Flow, code.FlowNode(o.Op, l.fn), struct{}{})
	}
	return closed
}

// startedOften reports whether a go statement may run more than once for the
// channel: in a loop, or by a goto.
func (l *localUses) startedOften(g inspector.Cursor) (often bool) {
	start, made := code.FlowNode(g, l.fn), code.FlowNode(l.ch.Make, l.fn)
	flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
		often = often || n == start
		return s, n != made && !often
	}}.After(l.fn.Flow, start, struct{}{})
	return often
}

// endsOf returns the nodes of the function that end the wait u, which starts at
// the node start. ok is false if they are not understood: before the wait, in
// loops, where their number counts.
func (l *localUses) endsOf(u channel.Use, own []channel.Use, start ast.Node) (ends map[ast.Node]bool, ok bool) {
	ends = map[ast.Node]bool{}
	if u.Kind == channel.Recv && len(channel.Loops(u.At, l.p.FuncOf(u.GoroutineFunc), l.ch.Var.Pos())) > 0 {
		return nil, false
	}
	for _, o := range own {
		if o.Kind != channel.Close && u.Kind == channel.Range {
			continue
		}
		node := code.FlowNode(o.Op, l.fn)
		if node == nil || node.Pos() < start.Pos() || l.mustHappen(o) || len(channel.Loops(o.At, l.fn, l.ch.Var.Pos())) > 0 {
			return nil, false
		}
		ends[node] = true
	}
	return ends, len(ends) > 0
}

// mustHappen reports whether an operation is a case of a select whose other
// cases wait on channels of the function, too: perhaps nobody serves those.
func (l *localUses) mustHappen(o channel.Use) bool {
	sel, _ := channel.InSelect(o.Op)
	if sel == nil {
		return false
	}
	found := false
	for _, c := range sel.Body.List {
		comm := c.(*ast.CommClause).Comm
		if comm == nil || comm.Pos() <= o.Op.Node().Pos() && o.Op.Node().End() <= comm.End() {
			continue
		}
		ast.Inspect(comm, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if ok {
				v := l.p.VarOf(id)
				found = found || v != nil && typeis.Chan(v.Type())
			}
			return true
		})
	}
	return found
}

// skipped is for a function that waits for its only goroutine, which can
// return early.
func (l *localUses) skipped(waits, others []channel.Use) (out []unservedRecv) {
	body := l.p.FuncOf(others[0].GoroutineFunc)
	start := launch.StartedBy(l.p, others[0].GoroutineFunc, l.fn)
	ends := map[ast.Node]bool{}
	for _, u := range others {
		node := code.FlowNode(u.Op, body)
		if u.GoroutineFunc != others[0].GoroutineFunc || node == nil || u.Callee.Callee != nil {
			return nil // several goroutines
		}
		ends[node] = true
	}
	list, at, ok := code.StmtList(start)
	if !ok || l.startedOften(start) || l.p.Recovers(body) {
		return nil
	}
	var skips []*ast.ReturnStmt
	end := false
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			return s, !ends[n] && !assume.FailsTest(l.p, n) && !l.toldAtReturn(n)
		},
		Exit: func(b *flow.Block, _ struct{}) {
			var ret *ast.ReturnStmt
			if len(b.Nodes) > 0 {
				ret, _ = b.Nodes[len(b.Nodes)-1].(*ast.ReturnStmt)
			}
			if end = end || ret == nil; ret != nil {
				skips = append(skips, ret)
			}
		},
	}.FromEntry(body.Flow, struct{}{})
	if len(skips) == 0 || l.p.InTest(skips[0].Pos()) {
		return nil // what ends a goroutine of a test early is mostly a failure
	}
	closed := slices.ContainsFunc(others, func(u channel.Use) bool { return u.Kind == channel.Close })
	for _, u := range waits {
		if u.GoroutineFunc != l.fn.Cursor || !u.Waits() {
			continue
		}
		// Only a receive that comes for certain once the goroutine runs: a
		// condition could be the same that makes the goroutine return.
		for _, s := range list[at+1:] {
			if node := code.FlowNode(u.Op, l.fn); node == ast.Node(s) && !code.Conditional(u.Op, node) {
				out = append(out, unservedRecv{Var: l.ch.Var, Recv: u, Skips: skips, Sole: body, Closed: closed, End: end})
			}
		}
	}
	return out
}
