package match

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// DoubleSend is a goroutine that sends on an error and goes on to send again,
// though its receiver listens once.
type DoubleSend struct {
	First  *ast.SendStmt // the last statement of an if without a jump
	Second ChannelUse    // the send that nobody is left to receive
}

// Doubled looks for the send behind which a return is missing: one that ends
// the body of an if, from which the sender comes to a send on this channel. It
// returns one only if no sender were left behind with that return.
func (s *LocalChan) Doubled() (d DoubleSend, ok bool) {
	for _, snd := range s.Senders {
		if snd.Named || snd.Body.Type.Results != nil {
			continue
		}
		for c := range snd.Body.Cursor.Preorder((*ast.SendStmt)(nil)) {
			send := c.Node().(*ast.SendStmt)
			if s.p.Runner(c) != snd.Body.Cursor || !endsIf(c) || !s.made(s.argument(snd, s.p.VarOf(send.Chan))) {
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
			snd.cut = nil
			s.Abandoned() // count again as it is
			if !leaks {
				return DoubleSend{send, second}, true
			}
			ok = false
		}
	}
	return d, false
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

// made reports whether v is a channel that the function makes.
func (s *LocalChan) made(v *types.Var) bool { return s.p.DeclaredIn(v, s.Fn) && isChan(v.Type()) }
