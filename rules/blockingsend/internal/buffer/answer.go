package buffer

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
)

// AwaitsAnswer reports whether a sender waits, after its send, for whoever has
// Received the value: on a channel or a WaitGroup that it has sent along, or on one
// of the function, which returns without an answer on some path. If nobody receives
// the value, then nobody answers, however large the buffer of the channel is.
func AwaitsAnswer(s *channel.Local) bool {
	for _, snd := range s.Senders {
		waits := waitsOf(s, snd)
		if len(waits) == 0 {
			continue
		}
		for _, u := range snd.Sends {
			send, ok := u.Op.Node().(*ast.SendStmt)
			if !ok {
				continue
			}
			sent := map[*types.Var]bool{}
			carried(s.Pass, send.Value, sent, 3)
			awaits := false
			answer := func(n ast.Node) {
				for _, w := range waits[n] {
					awaits = awaits || sent[w.on] || w.signal && unanswered(s, s.Argument(snd, w.on), snd)
				}
			}
			for n := range waits {
				if _, deferred := n.(*ast.DeferStmt); deferred {
					answer(n)
				}
			}
			flow.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
				answer(n)
				return st, !awaits
			}}.After(snd.Body.Flow, code.FlowNode(u.Op, snd.Body), struct{}{})
			if awaits {
				return true
			}
		}
	}
	return false
}

// unanswered reports whether the function may return without a send, a close or a Done on v, a
// channel or a WaitGroup of its own that the sender waits on, and nobody else
// gives one.
func unanswered(s *channel.Local, v *types.Var, snd *channel.Sender) bool {
	if !s.Pass.DeclaredIn(v, s.Fn) {
		return false
	}
	answers, uses := map[ast.Node]bool{}, 0
	answer := func(c inspector.Cursor, runner inspector.Cursor) bool {
		node := code.FlowNode(c, s.Fn)
		answers[node] = true
		_, deferred := node.(*ast.DeferStmt)
		return runner == s.Fn.Cursor && !(deferred && node.Pos() < snd.Stmt.Node().Pos())
	}
	if typeis.Chan(v.Type()) {
		for _, u := range channel.Uses(s.Pass, s.Fn.Cursor, v) {
			gives := u.Kind == channel.Send || u.Kind == channel.Close
			if u.Kind == channel.Other || gives && u.GoroutineFunc != snd.Body.Cursor && !answer(u.Op, u.GoroutineFunc) {
				return false
			}
		}
	} else {
		for _, o := range waitgroup.Ops(s.Pass, s.Fn.Cursor) {
			if o.Key.Root != types.Object(v) {
				continue
			}
			uses++
			if o.Name == "Go" {
				return false
			}
			if o.Name == "Done" && o.GoroutineFunc != snd.Body.Cursor && !answer(o.At, o.GoroutineFunc) {
				return false
			}
		}
		if uses+1 < len(s.Pass.Uses(s.Fn.Cursor, v)) {
			return false // somebody else has it, too
		}
	}
	missed := false
	flow.Paths[struct{}]{
		Node: func(n ast.Node, st struct{}) (struct{}, bool) { return st, !answers[n] },
		Exit: func(*flow.Block, struct{}) { missed = true },
	}.After(s.Fn.Flow, code.FlowNode(snd.Stmt, s.Fn), struct{}{})
	return missed
}

// senderWait is a wait of a sender.
type senderWait struct {
	on     *types.Var // the variable by which it reaches what it waits on
	signal bool       // it receives a signal, on that itself, or waits for a group
}

// waitsOf returns the waits of a sender by the nodes of its flow.
func waitsOf(s *channel.Local, snd *channel.Sender) map[ast.Node][]senderWait {
	out := map[ast.Node][]senderWait{}
	add := func(c inspector.Cursor, on ast.Expr) {
		node := code.FlowNode(c, snd.Body)
		if on == nil || node == nil || s.Pass.GoroutineFunc(c) != snd.Body.Cursor {
			return
		}
		vars := map[*types.Var]bool{}
		carried(s.Pass, on, vars, 2)
		_, sends := c.Node().(*ast.SendStmt) // a send of its own has a finding of its own
		for v := range vars {
			out[node] = append(out[node], senderWait{v, !sends && s.Pass.VarOf(on) == v})
		}
	}
	for c := range snd.Body.Cursor.Preorder((*ast.SendStmt)(nil), (*ast.UnaryExpr)(nil), (*ast.RangeStmt)(nil), (*ast.CallExpr)(nil)) {
		switch n := c.Node().(type) {
		case *ast.CallExpr:
			if recv, ok := s.Pass.Method(n, "sync", "WaitGroup", "Wait"); ok {
				add(c, recv)
				continue
			}
			for _, arg := range n.Args {
				at, found := c.FindNode(arg)
				if !found || !typeis.Chan(s.Pass.TypesInfo.TypeOf(arg)) {
					continue
				}
				a, known := channel.ArgumentOf(s.Pass, channel.UseAt(s.Pass, at))
				if known && (a.Effect.Ranges || a.Effect.Receives > 0 || a.Effect.Sends > 0 && !hasCapacity(s.Pass, arg)) {
					add(c, arg)
				}
			}
		case *ast.SendStmt:
			if at, ok := c.FindNode(n.Chan); ok && channel.UseAt(s.Pass, at).Waits() && !hasCapacity(s.Pass, n.Chan) {
				add(c, n.Chan)
			}
		case *ast.UnaryExpr:
			if n.Op != token.ARROW {
				continue
			}
			if at, ok := c.FindNode(n.X); ok && channel.UseAt(s.Pass, at).Waits() {
				add(c, n.X)
			}
		case *ast.RangeStmt:
			if typeis.Chan(s.Pass.TypesInfo.TypeOf(n.X)) {
				at, _ := c.FindNode(n.X)
				add(at, n.X)
			}
		}
	}
	return out
}

// hasCapacity reports whether the channel in e, a local variable, is made with a buffer.
func hasCapacity(p *code.Pass, e ast.Expr) bool {
	v := p.VarOf(e)
	if v == nil || !frozen.Fixed(p, v) {
		return false
	}
	call, ok := ast.Unparen(frozen.Definition(p, v)).(*ast.CallExpr)
	if !ok || !channel.IsMake(p, call) || len(call.Args) < 2 {
		return false
	}
	size := p.TypesInfo.Types[call.Args[1]].Value
	return size == nil || constant.Sign(size) > 0
}

// carried collects the local variables that a value hands on with it: what it
// is, what it refers to and what it was built from. What a call has worked out of its
// arguments is something else, their channels and groups aside.
func carried(p *code.Pass, e ast.Expr, vars map[*types.Var]bool, depth int) {
	if t := p.TypesInfo.TypeOf(e); t != nil {
		if _, basic := t.Underlying().(*types.Basic); basic {
			return // nobody answers by that
		}
	}
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		v := p.VarOf(x)
		if v == nil || vars[v] || v.Parent() == p.Pkg.Scope() {
			return
		}
		vars[v] = true
		if def := frozen.Definition(p, v); def != nil && depth > 0 {
			carried(p, def, vars, depth-1)
		}
	case *ast.SelectorExpr:
		carried(p, x.X, vars, depth)
	case *ast.StarExpr:
		carried(p, x.X, vars, depth)
	case *ast.IndexExpr:
		carried(p, x.X, vars, depth)
	case *ast.UnaryExpr:
		if x.Op == token.AND {
			carried(p, x.X, vars, depth)
		}
	case *ast.CompositeLit:
		for _, elt := range x.Elts {
			if kv, ok := elt.(*ast.KeyValueExpr); ok {
				elt = kv.Value
			}
			carried(p, elt, vars, depth)
		}
	case *ast.CallExpr:
		for _, arg := range x.Args {
			t := p.TypesInfo.TypeOf(arg)
			if typeis.Chan(t) || typeis.Named(t, "sync", "WaitGroup") || p.TypesInfo.Types[x.Fun].IsType() {
				carried(p, arg, vars, depth)
			}
		}
	case *ast.FuncLit: // it answers by what it captures
		ast.Inspect(x.Body, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if v := p.VarOf(id); v != nil && !v.IsField() && v.Pos() < x.Pos() {
					carried(p, id, vars, 0)
				}
			}
			return true
		})
	}
}
