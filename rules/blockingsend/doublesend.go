package blockingsend

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rules/blockingsend/internal/abandon"
	"github.com/goroutinefix/goroutinefix/rules/blockingsend/internal/buffer"
)

// doubleSend is a goroutine that sends on an error and goes on to send again,
// though its receiver listens once.
type doubleSend struct {
	First  *ast.SendStmt // the last statement of an if without a jump
	Second channel.Use   // the send that nobody is left to receive
	Callee bool          // they stand in a function that the goroutine calls
}

// doubled looks for the send after which a return is missing: one that ends
// the body of an if, from which the sender comes to a send on this channel. It
// returns one only if with that return no sender were left behind, nobody waited for
// a value that does not come any more, and nothing were skipped that others wait for.
func doubled(s *channel.Local) (d doubleSend, ok bool) {
	for _, snd := range s.Senders {
		if snd.Named || snd.Body.Type.Results != nil {
			continue
		}
		for c := range snd.Body.Cursor.Preorder((*ast.SendStmt)(nil)) {
			send := c.Node().(*ast.SendStmt)
			// From a send in a literal, no path of the sender leads on.
			if !endsIf(c) || !made(s, s.Argument(snd, s.Pass.VarOf(send.Chan))) {
				continue
			}
			var second channel.Use
			for _, u := range snd.Sends {
				if u.Callee.Callee == nil && u.Op.Node() != ast.Node(send) && abandon.SendsAfter(snd, send, map[ast.Node]int{code.FlowNode(u.Op, snd.Body): 1}) {
					second, ok = u, true
				}
			}
			if !ok {
				continue
			}
			snd.Cut = send
			_, leaks := abandon.Find(s)
			leaks = leaks || starves(s) || skips(s, send, snd.Body)
			snd.Cut = nil
			abandon.Find(s) // count again as it is
			if !leaks {
				return doubleSend{First: send, Second: second}, true
			}
			ok = false
		}
		for _, u := range snd.Sends {
			if d, ok := doubledIn(s, u.Callee); ok {
				return d, true
			}
		}
	}
	return d, false
}

// doubledIn looks for such a send in the function that a sender calls. With the
// return, every call must send once, whatever happens: then whoever calls it
// elsewhere expects no more.
func doubledIn(s *channel.Local, a channel.Argument) (d doubleSend, ok bool) {
	body := s.Pass.Declaration(a.Callee)
	if body == nil || a.Callee.Exported() || body.Type.Results.NumFields() > 0 || a.Effect.Selects {
		return d, false
	}
	sends := map[ast.Node]int{}
	uses := channel.Uses(s.Pass, body.Cursor, a.Callee.Signature().Params().At(a.Index))
	for _, in := range uses {
		if in.Kind == channel.Send {
			sends[code.FlowNode(in.Op, body)] = 1
		}
	}
	for _, in := range uses {
		first, isSend := in.Op.Node().(*ast.SendStmt)
		if in.Kind != channel.Send || !isSend || !endsIf(in.Op) {
			continue
		}
		run := &channel.Sender{Body: body, Cut: first}
		if most, least := abandon.CountSends(run, sends); most != 1 || least != 1 {
			continue
		}
		effect := a.Effect
		effect.Sends, effect.SureSends = 1, 1
		setEffect(s, a.Callee, effect)
		_, leaks := abandon.Find(s)
		leaks = leaks || starves(s) || skips(s, first, body)
		setEffect(s, a.Callee, a.Effect)
		abandon.Find(s) // count again as it is
		run.Cut = nil
		for _, other := range uses {
			if !leaks && other.Kind == channel.Send && other.Op != in.Op && abandon.SendsAfter(run, first, map[ast.Node]int{code.FlowNode(other.Op, body): 1}) {
				d, ok = doubleSend{first, other, true}, true
			}
		}
		if ok {
			return d, true
		}
	}
	return d, false
}

// setEffect changes what the calls of fn by the senders are taken to do.
func setEffect(s *channel.Local, fn *types.Func, e channel.Effect) {
	for _, snd := range s.Senders {
		for i := range snd.Sends {
			if snd.Sends[i].Callee.Callee == fn {
				snd.Sends[i].Callee.Effect = e
			}
		}
	}
}

// endsIf reports whether the statement at c is the last of the body of an if.
func endsIf(c inspector.Cursor) bool {
	list, i, ok := code.StmtList(c)
	if !ok || i != len(list)-1 {
		return false
	}
	ifs, isIf := c.Parent().Parent().Node().(*ast.IfStmt)
	return isIf && ast.Node(ifs.Body) == c.Parent().Node()
}

// made reports whether v is a channel that the function makes, and that nobody but
// the function receives from: what is sent on it, the function has heard.
func made(s *channel.Local, v *types.Var) bool {
	if !s.Pass.DeclaredIn(v, s.Fn) || !frozen.Fixed(s.Pass, v) {
		return false
	}
	call, ok := ast.Unparen(frozen.Definition(s.Pass, v)).(*ast.CallExpr)
	return ok && channel.IsMake(s.Pass, call) && !slices.ContainsFunc(channel.Uses(s.Pass, s.Fn.Cursor, v), func(u channel.Use) bool {
		switch u.Kind {
		case channel.Recv, channel.Range:
			return u.GoroutineFunc != s.Fn.Cursor
		case channel.Other: // but for the argument of a sender, under its own name
			return !slices.ContainsFunc(s.Senders, func(snd *channel.Sender) bool { return snd.Stmt.Contains(u.At) })
		}
		return false
	})
}

// starves reports whether the receiver waits for more values than come once the
// senders end earlier: it ranges over the channel, and they do not close it then.
func starves(s *channel.Local) bool {
	return len(s.Ranges) > 0 && !slices.ContainsFunc(s.Senders, func(snd *channel.Sender) bool { return closesAtEnd(s, snd) })
}

// closesAtEnd reports whether a sender closes the channel whenever it ends.
func closesAtEnd(s *channel.Local, snd *channel.Sender) bool {
	for c := range snd.Body.Cursor.Preorder((*ast.DeferStmt)(nil)) {
		if list, _, ok := code.StmtList(c); ok && list[0] == snd.Body.Body.List[0] && buffer.Closes(s, c.Node().(*ast.DeferStmt).Call, snd) {
			return true
		}
	}
	return false
}

// skips reports whether a return after node, in fn, would leave out something
// that others wait for, a send on another channel included.
func skips(s *channel.Local, node ast.Node, fn *code.Func) bool {
	return releasesAfterNode(s.Pass, node, fn, func(send *ast.SendStmt) bool {
		v := s.Pass.VarOf(send.Chan)
		return v == nil || v.Kind() != types.ParamVar && v != s.Var && !s.Siblings[v]
	})
}

// releasesAfterNode reports whether fn, after node, comes to something that others wait
// for, which a return there would leave out: a close, an unlock, a Done, or a send
// of which other says that somebody else receives it.
func releasesAfterNode(p *code.Pass, node ast.Node, fn *code.Func, other func(*ast.SendStmt) bool) (found bool) {
	flow.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
		if send, ok := n.(*ast.SendStmt); ok {
			found = found || other(send)
		}
		code.EachCall(n, func(call *ast.CallExpr) {
			switch code.CalledAs(call) {
			case "Done", "Unlock", "RUnlock", "Signal", "Broadcast", "Release":
				found = true
			}
			found = found || p.IsBuiltin(call, "close")
		})
		return st, !found
	}}.After(fn.Flow, node, struct{}{})
	return found
}
