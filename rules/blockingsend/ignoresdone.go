package blockingsend

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/locks"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// sendIgnoringDone is a send to a goroutine that may have ended: it says so by closing
// another channel, to which this send, unlike others, does not listen.
type sendIgnoringDone struct {
	Send    channel.Use
	Done    string // the channel that it should listen to, as the sender would name it
	Ends    ast.Node
	Listens ast.Node // the select that does listen
}

// sendsIgnoringDone returns the plain sends on a channel in a field, where the only
// receiver is one function that can return, that closes a second channel of the
// same structure when it does, and where another sender to it selects on that.
func sendsIgnoringDone(p *code.Pass, fields []*channel.Field) (out []sendIgnoringDone) {
	for _, f := range fields {
		loop := soleReceiver(p, f)
		if loop == nil || f.Receivable || len(f.Sends) == 0 || !channel.Unbuffered(p, f.Made) || !flow.ReachesReturn(loop.Flow, nil) {
			continue
		}
		for _, done := range fields {
			if done == f || len(done.Closes) == 0 || len(done.Sends) > 0 || done.Sendable {
				continue
			}
			listens := listeningSelect(p, done, fields, loop)
			for _, c := range done.Closes {
				if fn := p.FuncOf(c.GoroutineFunc); fn == nil || fn.Body != loop.Body || servedLate(f, c) {
					listens = nil
				}
			}
			if listens == nil {
				continue
			}
			for _, u := range f.Sends {
				x, ok := u.At.Node().(*ast.SelectorExpr)
				if !ok || !u.Waits() || p.InTest(x.Pos()) || p.FuncOf(u.GoroutineFunc).Body == loop.Body || !sameStruct(p.TypesInfo.TypeOf(x.X), done.Field) || knowsReceiver(p, u, fields, loop) {
					continue
				}
				name := strings.TrimSuffix(types.ExprString(x), x.Sel.Name) + done.Field.Name()
				out = append(out, sendIgnoringDone{Send: u, Done: name, Ends: done.Closes[0].Op.Node(), Listens: listens})
			}
		}
	}
	return out
}

// servedLate reports whether the receiver goes on to receive after the close
// by which it says that it ends.
func servedLate(f *channel.Field, end channel.Use) bool {
	for _, u := range f.Recvs {
		if code.InDefer(u.Op) || !code.InDefer(end.Op) && u.Op.Node().Pos() > end.Op.Node().Pos() {
			return true
		}
	}
	return false
}

// knowsReceiver reports whether the sender may know that the receiver is still there:
// it signals it to end only after the send, or it asks a flag under a mutex.
func knowsReceiver(p *code.Pass, send channel.Use, fields []*channel.Field, loop *code.Func) bool {
	at, fn := send.Op.Node().Pos(), p.FuncOf(send.GoroutineFunc) // a send is a statement, and so in a function
	for _, f := range fields {
		receiver := soleReceiver(p, f)
		if receiver == nil || receiver.Body != loop.Body {
			continue
		}
		for _, u := range append(slices.Clip(f.Closes), f.Sends...) {
			if u.Op.Node() != send.Op.Node() && u.Op.Node().Pos() > at && p.FuncOf(u.GoroutineFunc).Body == fn.Body {
				return true
			}
		}
	}
	locked, asked := false, false
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if n == nil || n.Pos() >= at {
			return false
		}
		switch n := n.(type) {
		case *ast.CallExpr:
			l, ok := locks.LockOp(p, n)
			locked = locked || ok && l.Takes()
		case *ast.IfStmt:
			asked = asked || locked
		}
		return true
	})
	return asked
}

// soleReceiver returns the declared function that alone receives from f; nil if
// several do, or none.
func soleReceiver(p *code.Pass, f *channel.Field) (fn *code.Func) {
	for _, u := range f.Recvs {
		here := p.FuncOf(u.GoroutineFunc)
		if _, isDecl := u.GoroutineFunc.Node().(*ast.FuncDecl); !isDecl || here == nil || fn != nil && fn.Body != here.Body {
			return nil
		}
		fn = here
	}
	return fn
}

// listeningSelect returns a select outside of loop that sends on a channel that loop
// receives from, unless done is closed.
func listeningSelect(p *code.Pass, done *channel.Field, fields []*channel.Field, loop *code.Func) ast.Node {
	for _, u := range done.Recvs {
		sel, hasDefault := channel.InSelect(u.Op)
		if fn := p.FuncOf(u.GoroutineFunc); sel == nil || hasDefault || fn == nil || fn.Body == loop.Body {
			continue
		}
		for _, f := range fields {
			receiver := soleReceiver(p, f)
			if receiver == nil || receiver.Body != loop.Body {
				continue
			}
			for _, s := range f.Sends {
				if other, _ := channel.InSelect(s.Op); other == sel {
					return sel
				}
			}
		}
	}
	return nil
}

// sameStruct reports whether field is one of type t.
func sameStruct(t types.Type, field *types.Var) bool {
	s, ok := typeis.Deref(t).Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range s.Fields() {
		if f.Origin() == field {
			return true
		}
	}
	return false
}

// unread returns the sends that wait on a channel in a field from which nobody
// receives. How many are sent is not known, so with any buffer there are none.
func unread(p *code.Pass, f *channel.Field) (out []channel.Use) {
	if len(f.Recvs) > 0 || f.Receivable || f.Looked || p.InTest(f.Field.Pos()) {
		return nil
	}
	for _, size := range f.Made {
		if size == nil {
			continue
		}
		if n, ok := typeis.SmallInt(p.TypesInfo.Types[size].Value); ok && n > 0 {
			return nil
		}
	}
	for _, u := range f.Sends {
		if u.Waits() && channel.Reached(p, f, u) {
			out = append(out, u)
		}
	}
	return out
}
