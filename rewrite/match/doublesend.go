package match

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// DoubleSend is a goroutine that sends on an error and goes on to send again,
// though its receiver listens once.
type DoubleSend struct {
	First  *ast.SendStmt // the last statement of an if without a jump
	Second ChannelUse    // the send that nobody is left to receive
	Callee bool          // they stand in a function that the goroutine calls
}

// Doubled looks for the send behind which a return is missing: one that ends
// the body of an if, from which the sender comes to a send on this channel. It
// returns one only if with that return no sender were left behind, nobody waited for
// a value that does not come any more, and nothing were skipped that others wait for.
func (s *LocalChan) Doubled() (d DoubleSend, ok bool) {
	for _, snd := range s.Senders {
		if snd.Named || snd.Body.Type.Results != nil {
			continue
		}
		for c := range snd.Body.Cursor.Preorder((*ast.SendStmt)(nil)) {
			send := c.Node().(*ast.SendStmt)
			// From a send in a literal, no path of the sender leads on.
			if !endsIf(c) || !s.made(s.argument(snd, s.Pass.VarOf(send.Chan))) {
				continue
			}
			var second ChannelUse
			for _, u := range snd.Sends {
				if u.Callee.Callee == nil && u.Op.Node() != ast.Node(send) && snd.after(send, map[ast.Node]int{FlowNode(u.Op, snd.Body): 1}) {
					second, ok = u, true
				}
			}
			if !ok {
				continue
			}
			snd.cut = send
			_, leaks := s.Abandoned()
			leaks = leaks || s.starves() || s.skips(send, snd.Body)
			snd.cut = nil
			s.Abandoned() // count again as it is
			if !leaks {
				return DoubleSend{First: send, Second: second}, true
			}
			ok = false
		}
		for _, u := range snd.Sends {
			if d, ok := s.doubledIn(u.Callee); ok {
				return d, true
			}
		}
	}
	return d, false
}

// doubledIn looks for such a send in the function that a sender calls. With the
// return, every call must send once, whatever happens: then whoever calls it
// elsewhere expects no more.
func (s *LocalChan) doubledIn(a ChanArgument) (d DoubleSend, ok bool) {
	body := s.Pass.Declaration(a.Callee)
	if body == nil || a.Callee.Exported() || body.Type.Results.NumFields() > 0 || a.Effect.Selects {
		return d, false
	}
	sends := map[ast.Node]int{}
	uses := s.Pass.ChannelUses(body.Cursor, a.Callee.Signature().Params().At(a.Index))
	for _, in := range uses {
		if in.Kind == ChanSend {
			sends[FlowNode(in.Op, body)] = 1
		}
	}
	for _, in := range uses {
		first, isSend := in.Op.Node().(*ast.SendStmt)
		if in.Kind != ChanSend || !isSend || !endsIf(in.Op) {
			continue
		}
		run := &Sender{Body: body, cut: first}
		if most, least := run.count(sends); most != 1 || least != 1 {
			continue
		}
		effect := a.Effect
		effect.Sends, effect.SureSends = 1, 1
		s.setEffect(a.Callee, effect)
		_, leaks := s.Abandoned()
		leaks = leaks || s.starves() || s.skips(first, body)
		s.setEffect(a.Callee, a.Effect)
		s.Abandoned() // count again as it is
		run.cut = nil
		for _, other := range uses {
			if !leaks && other.Kind == ChanSend && other.Op != in.Op && run.after(first, map[ast.Node]int{FlowNode(other.Op, body): 1}) {
				d, ok = DoubleSend{first, other, true}, true
			}
		}
		if ok {
			return d, true
		}
	}
	return d, false
}

// setEffect changes what the calls of fn by the senders are taken to do.
func (s *LocalChan) setEffect(fn *types.Func, e ChanEffect) {
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
	list, i, ok := StmtList(c)
	if !ok || i != len(list)-1 {
		return false
	}
	ifs, isIf := c.Parent().Parent().Node().(*ast.IfStmt)
	return isIf && ast.Node(ifs.Body) == c.Parent().Node()
}

// made reports whether v is a channel that the function makes, and that nobody but
// the function receives from: what is sent on it, the function has heard.
func (s *LocalChan) made(v *types.Var) bool {
	if !s.Pass.DeclaredIn(v, s.Fn) || !s.Pass.Fixed(v) {
		return false
	}
	call, ok := ast.Unparen(s.Pass.Definition(v)).(*ast.CallExpr)
	return ok && s.Pass.IsMakeChan(call) && !slices.ContainsFunc(s.Pass.ChannelUses(s.Fn.Cursor, v), func(u ChannelUse) bool {
		switch u.Kind {
		case ChanRecv, ChanRange:
			return u.Runner != s.Fn.Cursor
		case ChanOther: // but for the argument of a sender, under its own name
			return !slices.ContainsFunc(s.Senders, func(snd *Sender) bool { return snd.Stmt.Contains(u.At) })
		}
		return false
	})
}

// starves reports whether the receiver waits for more values than come once the
// senders end earlier: it ranges over the channel, and they do not close it then.
func (s *LocalChan) starves() bool {
	return len(s.Ranges) > 0 && !slices.ContainsFunc(s.Senders, s.closesAtEnd)
}

// closesAtEnd reports whether a sender closes the channel whenever it ends.
func (s *LocalChan) closesAtEnd(snd *Sender) bool {
	for c := range snd.Body.Cursor.Preorder((*ast.DeferStmt)(nil)) {
		if list, _, ok := StmtList(c); ok && list[0] == snd.Body.Body.List[0] && s.closes(c.Node().(*ast.DeferStmt).Call, snd) {
			return true
		}
	}
	return false
}

// skips reports whether a return behind node, in fn, would leave out something
// that others wait for, a send on another channel included.
func (s *LocalChan) skips(node ast.Node, fn *Func) bool {
	return s.Pass.OwesBehind(node, fn, func(send *ast.SendStmt) bool {
		v := s.Pass.VarOf(send.Chan)
		return v == nil || v.Kind() != types.ParamVar && v != s.Var && !s.siblings[v]
	})
}

// OwesBehind reports whether fn, behind node, comes to something that others wait
// for, which a return there would leave out: a close, an unlock, a Done, or a send
// of which other says that somebody else receives it.
func (p *Pass) OwesBehind(node ast.Node, fn *Func, other func(*ast.SendStmt) bool) (found bool) {
	flow.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
		if send, ok := n.(*ast.SendStmt); ok {
			found = found || other(send)
		}
		EachCall(n, func(call *ast.CallExpr) {
			switch CalledAs(call) {
			case "Done", "Unlock", "RUnlock", "Signal", "Broadcast", "Release":
				found = true
			}
			found = found || p.IsBuiltin(call, "close")
		})
		return st, !found
	}}.After(fn.Flow, node, struct{}{})
	return found
}
