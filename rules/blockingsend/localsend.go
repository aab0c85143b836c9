package blockingsend

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"github.com/dave/dst"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/intent"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rules/blockingsend/internal/abandon"
	"github.com/goroutinefix/goroutinefix/rules/blockingsend/internal/buffer"
)

// sendLeak decides on one channel.
type sendLeak struct {
	p *code.Pass
	*channel.Local
}

func (s *sendLeak) match() (m rule.Match, ok bool) {
	for _, snd := range s.Senders {
		if len(snd.Sends) == 0 {
			return m, false // it sends in selects with another case
		}
	}
	if len(s.Recvs)+len(s.Ranges) == 0 {
		if s.Cap > 0 || s.Looked || s.Closed && abandon.Recovers(s.Local) {
			return m, false
		}
		m = s.at(s.Senders[0], s.Senders[0].Sends[0])
		m.Message = "nobody receives from " + s.sentName(s.Senders[0].Sends[0]) + ", so the send blocks forever"
		return m.None("a buffer would only hide that the value is never used"), true
	}
	if s.Closed && len(s.Ranges) == 0 && (!s.ClosedAtReturn() || abandon.Recovers(s.Local)) || len(s.Ranges) > 0 && len(s.Recvs) > 0 {
		return m, false // a protocol that is not understood
	}
	why, leaks := abandon.Find(s.Local)
	if !leaks {
		return m, false
	}
	related := rule.Related{Pos: why.Exit, End: why.Exit, Message: "the receiver returns here"}
	if s.Closed && len(s.Ranges) == 0 {
		m = s.at(s.Senders[0], s.Senders[0].Sends[0])
		m.Message = fmt.Sprintf("send on %s panics when %s returns without receiving, because it closes the channel", s.sentName(s.Senders[0].Sends[0]), s.owner())
		m.Related = append(m.Related, related)
		return m.None("only the sender may close the channel"), true
	}
	blocks := "send on %s blocks forever when %s returns without receiving"
	if d, ok := doubled(s.Local); ok {
		m = s.at(s.Senders[0], d.Second)
		if d.Callee { // the return is missing there
			m.Pos, m.End = d.Second.Op.Node().Pos(), d.Second.Op.Node().End()
		}
		m.Category, m.Message = "DoubleSend", fmt.Sprintf(blocks, s.sentName(d.Second), s.owner())+" a second time"
		m.Related = append(m.Related, rule.Related{Pos: d.First.Pos(), End: d.First.End(), Message: "the first send, without a return after it"}, related)
		return m.Unsafe("Return after the first send; what follows it in the goroutine is skipped then", func(decl *dstedit.Decl) error {
			return decl.InsertAfter(d.First, dstedit.Return())
		}), true
	}
	snd := s.Senders[0]
	if why.Category == "DoubleSend" {
		for _, other := range s.Senders {
			if other.Most > 1 {
				snd = other // the last of them is the one that waits
			}
		}
	}
	m = s.at(snd, snd.Sends[0])
	m.Category, m.Message = why.Category, fmt.Sprintf(blocks, s.sentName(snd.Sends[0]), s.owner())
	m.Related = append(m.Related, related)
	return s.fix(m), true
}

// at places a match at a send, or at the go statement if the send stands in
// another declaration, which the fix could not reach.
func (s *sendLeak) at(snd *channel.Sender, send channel.Use) rule.Match {
	started := rule.Related{Pos: snd.Stmt.Node().Pos(), End: snd.Stmt.Node().Pos() + 2, Message: "the goroutine starts here"}
	m := rule.Match{Pos: send.Op.Node().Pos(), End: send.Op.Node().End()}
	if snd.Named {
		started = rule.Related{Pos: m.Pos, End: m.End, Message: "the goroutine sends here"}
		m.Pos, m.End = snd.Stmt.Node().Pos(), snd.Stmt.Node().End()
	}
	m.Related = []rule.Related{{Pos: s.Make.Node().Pos(), End: s.Make.Node().End(), Message: "the channel is made here"}, started}
	return m
}

func (s *sendLeak) sentName(u channel.Use) string {
	if s.Senders[0].Named {
		return s.Var.Name() // there it has another name
	}
	return types.ExprString(u.At.Node().(ast.Expr))
}

func (s *sendLeak) owner() string { return s.Fn.Called() }

// fix offers a buffer that takes all sends.
func (s *sendLeak) fix(m rule.Match) rule.Match {
	call := s.Make.Node().(*ast.CallExpr)
	switch {
	case s.Later:
		return m.None("the channel is not made where it is declared")
	case intent.Intentional(s.p, code.Unparen(s.Make).Parent().Node()):
		return m.None("a comment beside the channel says that it is intentional")
	case buffer.ClosedByMany(s.Local):
		return m.None("several goroutines close the channel when they have sent, and the second of them would panic")
	case !abandon.EndsAfterSend(s.Local, true):
		return m.None("the goroutine does not end after the send either")
	case buffer.AwaitsAnswer(s.Local):
		return m.None("the goroutine then waits for an answer, which does not come either")
	case !abandon.EndsAfterSend(s.Local, false), len(s.Ranges) > 0 && !abandon.SendsOne(s.Local), s.Senders[0].Most >= flow.Many:
		return s.signalDone(m, "no buffer can hold all that the goroutine sends")
	}
	if s.Looked {
		return m.None("the function looks at the state of the channel, which a buffer would change")
	}
	if s.Offered {
		return m.None("a goroutine asks by a select whether somebody receives, which a buffer would always answer with yes")
	}
	if _, ok := ast.Unparen(call.Args[0]).(*ast.ChanType); !ok {
		return m.None("the channel has a named type, which may stand for more than this one")
	}
	if m.Category == "DoubleSend" {
		return m.None("the goroutine can send twice; probably a return is missing after the first send")
	}
	what, size, risk, ok := s.capacity()
	if !ok {
		return s.signalDone(m, "how many goroutines send is not known where the channel is made")
	}
	fix := func(d *dstedit.Decl) error {
		if len(call.Args) == 2 {
			return d.Replace(call.Args[1], size(d))
		}
		return d.AppendArg(call, size(d))
	}
	message := "Buffer " + s.Var.Name() + " with capacity " + what + " so the sender cannot block; the work itself is not cancelled"
	switch {
	case naming.Shadowed(s.p, "len", call.Pos()) && s.Senders[0].Bound.Of != nil:
		return m.None("len is shadowed here")
	case buffer.SendsResource(s.Local):
		return m.Unsafe(message+", and a value that nobody receives is not closed", fix)
	case risk != "":
		return m.Unsafe(message+", and "+risk, fix)
	}
	for _, snd := range s.Senders {
		if why := buffer.Observable(s.Local, snd); why != "" {
			return m.Unsafe(message+", and "+why+" before the value is received", fix)
		}
	}
	return m.Safe(message, fix)
}

// capacity returns which capacity the channel needs for all sends, in words and as
// an expression. risk says what is wrong with that on some inputs.
func (s *sendLeak) capacity() (what string, size func(*dstedit.Decl) dst.Expr, risk string, ok bool) {
	r, ok := buffer.CapacityFor(s.Local)
	switch pos := s.Make.Node().Pos(); {
	case !ok:
		return "", nil, "", false
	case r.Len != nil:
		return "len(" + types.ExprString(r.Len) + ")", func(d *dstedit.Decl) dst.Expr {
			return dstedit.Call(dstedit.Ident("len"), d.Expr(r.Len))
		}, "", true
	case r.Num != nil:
		what = types.ExprString(r.Num)
		size = func(d *dstedit.Decl) dst.Expr { return d.Expr(r.Num) }
		switch {
		case r.Nominal:
			risk = "the loop may be left before it has started as many goroutines, so that " + what + " may be too large"
		case r.Negative && (naming.Shadowed(s.p, "max", pos) || !s.p.Since(pos, "go1.21")):
			risk = "a negative " + what + " panics"
		case r.Negative:
			return "max(" + what + ", 0)", func(d *dstedit.Decl) dst.Expr {
				return dstedit.Call(dstedit.Ident("max"), d.Expr(r.Num), dstedit.Int("0"))
			}, "", true
		}
		return what, size, risk, true
	}
	what = fmt.Sprint(r.Const)
	return what, func(*dstedit.Decl) dst.Expr { return dstedit.Int(what) }, "", true
}

// signalDone offers to signal the senders that nobody receives any more; why says what
// else would be in the way of a fix.
func (s *sendLeak) signalDone(m rule.Match, why string) rule.Match {
	t, other := doneSignalFor(s.Local)
	if other != "" {
		return m.None(why + ", and " + other)
	}
	note := "a value that nobody receives is dropped"
	if buffer.SendsResource(s.Local) {
		note += " and not closed"
	}
	wrap := func(d *dstedit.Decl, done dst.Expr) error {
		for _, send := range t.Sends {
			if err := d.WrapSend(send, dstedit.CommCase(dstedit.ExprStmt(dstedit.Recv(done)), dstedit.Return())); err != nil {
				return err
			}
		}
		return nil
	}
	if t.Ctx != nil {
		return m.Unsafe("Let the goroutine end with "+t.Ctx.Name()+"; "+note, func(d *dstedit.Decl) error {
			return wrap(d, dstedit.Call(dstedit.Sel(t.Ctx.Name(), "Done")))
		})
	}
	def := code.Unparen(s.Make).Parent()
	if _, isSpec := def.Node().(*ast.ValueSpec); isSpec {
		def = def.Parent().Parent()
	}
	stmt, isStmt := def.Node().(ast.Stmt)
	_, _, listed := code.StmtList(def)
	switch {
	case !isStmt || !listed:
		return m.None(why + ", and the channel is not made by a statement of its own")
	case s.Fn.Flow.InCycle(code.FlowNode(s.Make, s.Fn)):
		return m.None(why + ", and in a loop a deferred close would wait for the end of the function")
	case naming.Shadowed(s.p, "close", s.Make.Node().Pos()) || naming.Shadowed(s.p, "make", s.Make.Node().Pos()):
		return m.None(why + ", and close or make is shadowed here")
	}
	stop := naming.FreshName(s.p, def, "stop", "done", "quit")
	if stop == "" {
		return m.None(why + ", and no name is free for a channel that says so")
	}
	return m.Unsafe("Signal the goroutine through a channel that is closed when "+s.owner()+" returns; "+note, func(d *dstedit.Decl) error {
		made := dstedit.Call(dstedit.Ident("make"), dstedit.ChanOfSignals())
		err := d.InsertAfter(stmt, dstedit.Assign(dstedit.Ident(stop), token.DEFINE, made), dstedit.Defer(dstedit.Call(dstedit.Ident("close"), dstedit.Ident(stop))))
		if err != nil {
			return err
		}
		return wrap(d, dstedit.Ident(stop))
	})
}
