// Sends that block for ever because the receiver leaves first.
//
// # What it does
//
// It follows a channel that a function makes, that goroutines started by it send
// on and that the function itself receives from, also through functions of the
// loaded packages that are passed the channel. It counts sends, capacity and
// receives on each path, and reports a path on which the function returns with a
// sender left behind: a select that takes the timeout (Timeout), an early return
// (EarlyReturn), the first of many answers (NCast), two sends for one receive
// (DoubleSend), or no receive at all. A send in a call that the goroutine defers comes at
// each end of it, by a panic, too. A range receives all, once the function comes to
// it, and a close by the function itself counts unless it stands on a branch that
// starts no sender. A loop that counts what it has received, "for got < total", has as many
// receives as that, also from several channels on one of which each sender sends.
//
// It also reports sends on a channel in a field that nothing in the package receives
// from, on a channel that is never made, on one that no other goroutine has, on one whose
// buffer is full before anybody else has it, and on one that has been closed.
//
// Between functions it reports a caller that stops receiving from a channel which
// it was returned, though a loop that nothing can stop sends on it; and a plain send to
// a goroutine that closes a second channel when it ends, to which other senders
// listen.
//
// # Why it leaks
//
// A send on a channel without a free buffer slot waits for a receiver. When the function that
// would receive has returned, nothing is left that could, and the goroutine and all
// it refers to stay until the process ends.
//
// # Example
//
//	-ch := make(chan result)
//	+ch := make(chan result, 1)
//	 go func() { ch <- query() }()
//	 select {
//	 case r := <-ch:
//	 	return r, nil
//	 case <-ctx.Done():
//	 	return result{}, ctx.Err()
//	 }
//
// # What is not reported
//
// A channel that is returned, stored or passed to a function that is not loaded or keeps
// it: other code may receive. A goroutine that sends once or twice, where the receiver
// can tell by the first value whether a second comes, or in a deferred call only if it has
// not sent yet. A channel with enough capacity, also for what a flag lets through once, or
// of 32 and more where a loop starts senders and their number is not known. Sends in a select with another case. A receive
// in a select whose other cases are never chosen: they are on a nil channel, or on the
// Done of a context that nothing ends. A range that is left on what the producer sends
// last, such as an error, a flag, nil or a token, or when as many values have come as
// were started; a range over the result of a function that is left on a condition about
// what that was asked for or on a flag in the value, and a producer there that may end
// directly after a value. A sender that ends the receiver itself, but later, or that asks
// a flag under a mutex first. Functions that receive on every path on which a goroutine
// was started, as far as comparisons with constants and nil tell, also by a deferred
// receive or by waiting for the sender, also through another goroutine that waits for it
// and then says so. Fields that other packages can reach, that are
// made with a buffer, or that a file for another platform mentions, and a field that
// nothing gives a channel, after a test for nil: only tests set it. Paths that end in a
// panic, os.Exit, log.Fatal or t.Fatal, and the end of main.main.
//
// # Fix safety
//
// The channel gets a capacity for all sends, one or as many as the loop has iterations
// that starts the senders. That number must be known where the channel is made: a
// constant, the length of something that nothing changes, or a number that nothing
// changes from there on, for which the capacity is max(n, 0) where it may be negative. It
// is unsafe where the loop may be left early, so that n may be any number. The send then returns at
// once, and the only change is that the goroutine ends earlier; so the fix is safe only
// if nothing that others could observe follows the send in the goroutine, deferred calls
// included, and if the value is nothing that must be closed. A deferred send without a recover
// before it also keeps a panic waiting, which with the buffer ends the program. Otherwise
// it is unsafe. The work itself is not cancelled: it runs to its end as before. After a send in a range
// over a function, that function goes on. No fix is offered if the function looks at len
// or cap or polls the channel, if a goroutine also sends on it in a select with another
// case and so tests whether anything receives, if several goroutines close the channel
// when they have sent, of which the second would panic, or if the goroutine then waits
// for an answer: on a channel or a WaitGroup that it has sent along, or by which the
// function need not answer. Where a goroutine sends an error and goes on to a second
// send, the fix is the return that is missing between them; it is unsafe, because what
// follows in the goroutine is skipped. It is not offered if anybody waits for that, or if
// anything but the function may receive the error.
//
// Where no buffer is large enough, as for a goroutine that sends in a loop, each send
// becomes one of two cases of a select, which is unsafe, too, because values are dropped.
// The other case is a context that has ended by the time the receiver leaves and to which
// the receiver listens, else a new channel that the function closes when it returns. No
// fix is offered if that would leave a mutex locked or another goroutine waiting.
//
// # See also
//
// Saioc et al., "Unveiling and Vanquishing Goroutine Leaks in Enterprise
// Microservices", CGO 2024, for the names of the categories.
package blockingsend

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/dave/dst"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rules/internal/nilchannel"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "blockingsend", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed blockingsend.go
var source string

func find(p *code.Pass) []rule.Match {
	var out []rule.Match
	for c := range p.Candidates((*ast.CallExpr)(nil), (*ast.ValueSpec)(nil)) {
		fn := p.EnclosingFunc(c)
		if fn == nil || p.Pkg.Name() == "main" && fn.Name() == "main" {
			continue // when main returns, nothing is left to block
		}
		call, ok := c.Node().(*ast.CallExpr)
		switch {
		case !ok:
			out = append(out, nilchannel.Find(p, c, fn, channel.Send)...)
		case channel.IsMake(p, call):
			out = append(out, localSends(p, c, fn)...)
		default:
			out = append(out, abandonedProducers(p, c, fn)...)
		}
	}
	for c := range p.Candidates((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		if fn := p.FuncOf(c); fn != nil && !p.InTest(c.Node().Pos()) { // a test is run, and so the panic is known
			for _, s := range sendsAfterClose(p, fn) {
				m := rule.Match{Pos: s.Pos(), End: s.End(), Message: "send on " + types.ExprString(s.Chan) + " panics because the channel is closed above"}
				out = append(out, m.None("whether the send or the close is wrong is for the author to say"))
			}
		}
	}
	fields := channel.Fields(p)
	for _, f := range fields {
		out = append(out, unreadField(p, f)...)
	}
	for _, u := range sendsIgnoringDone(p, fields) {
		out = append(out, ignoresDone(p, u))
	}
	// A callee that sends twice has as many callers as it likes.
	return slices.CompactFunc(slices.SortedStableFunc(slices.Values(out), func(a, b rule.Match) int { return int(a.Pos - b.Pos) }), func(a, b rule.Match) bool { return a.Pos == b.Pos })
}

func localSends(p *code.Pass, made inspector.Cursor, fn *code.Func) (out []rule.Match) {
	if v, sends := unsharedSends(p, made, fn); len(sends) > 0 {
		op := sends[0].Op.Node()
		m := rule.Match{Pos: op.Pos(), End: op.End(), Message: "send on " + v.Name() + " blocks forever because no other goroutine has the channel"}
		return append(out, m.None("a buffer or a goroutine of its own: which was intended is for the author to say"))
	}
	if o, ok := findFullBuffer(p, made, fn); ok {
		m := rule.Match{Pos: o.At.Pos(), End: o.At.End(), Message: fmt.Sprintf("send on %s blocks forever because its buffer of %d is full and nobody else has the channel yet", o.Name, o.Cap)}
		if o.Callee != nil {
			m.Message += ": " + o.Callee.Name() + " sends, too"
			m.Related = append(m.Related, rule.Related{Pos: o.Send.Pos(), End: o.Send.End(), Message: "it sends here"})
		}
		return append(out, m.None("a larger buffer or an earlier receiver: which was intended is for the author to say"))
	}
	ch, ok := channel.FollowLocal(p, made, fn)
	if !ok || len(ch.Senders) == 0 {
		return nil
	}
	s := sendLeak{p, ch}
	if m, ok := s.match(); ok {
		out = append(out, m)
	}
	return out
}

// abandonedProducers finds producers of a channel that the caller stops to receive
// from. The finding is at the call: the producer is right if it is read to its
// end, and others may do so.
func abandonedProducers(p *code.Pass, call inspector.Cursor, fn *code.Func) (out []rule.Match) {
	n := call.Node().(*ast.CallExpr)
	callee := p.Callee(n)
	if callee == nil || feedBy(p.Facts, callee) == noFeed || p.InTest(n.Pos()) {
		return nil
	}
	f, ok := findAbandonedProducer(p, call, fn, feedBy(p.Facts, callee))
	if !ok {
		return nil
	}
	m := rule.Match{Pos: n.Pos(), End: n.End(), Category: "EarlyReturn"}
	m.Message = "the goroutine that " + callee.Name() + " starts blocks forever when " + fn.Called() + " stops receiving what it sends"
	m.Related = []rule.Related{
		{Pos: f.Recv.Pos(), End: f.Recv.Pos(), Message: "it receives here"},
		{Pos: f.Exit, End: f.Exit, Message: "and returns here"},
	}
	return append(out, m.None(callee.Name()+" takes no context that could end it"))
}

// ignoresDone reports a send that does not listen to the end of its receiver.
func ignoresDone(p *code.Pass, u sendIgnoringDone) rule.Match {
	send := u.Send.Op.Node().(*ast.SendStmt)
	m := rule.Match{Pos: send.Pos(), End: send.End(), Category: "EarlyReturn"}
	m.Message = "send on " + types.ExprString(send.Chan) + " blocks forever when the receiver has ended, which other senders see by " + u.Done
	m.Related = []rule.Related{
		{Pos: u.Ends.Pos(), End: u.Ends.End(), Message: "the receiver says here that it ends"},
		{Pos: u.Listens.Pos(), End: u.Listens.Pos() + 6, Message: "here a sender listens to that"},
	}
	fn := p.FuncOf(u.Send.GoroutineFunc)
	zeros, ok := naming.ZeroResults(p, fn)
	if _, _, listed := code.StmtList(u.Send.Op); !ok || !listed {
		return m.None("what to return when the receiver has ended is for the author to say")
	}
	another := func(s *ast.SendStmt) bool { return types.ExprString(s.Chan) != types.ExprString(send.Chan) }
	if releasesAfterNode(p, send, fn, another) {
		return m.None("others wait for what the function does after the send")
	}
	return m.Unsafe("Listen to "+u.Done+", too, and return when the receiver has ended; the value is dropped then", func(d *dstedit.Decl) error {
		done := &dst.SelectorExpr{X: d.Expr(send.Chan.(*ast.SelectorExpr).X), Sel: dstedit.Ident(u.Done[strings.LastIndex(u.Done, ".")+1:])}
		return d.WrapSend(send, dstedit.CommCase(dstedit.ExprStmt(dstedit.Recv(done)), dstedit.Return(dstedit.Zeros(zeros)...)))
	})
}

// unreadField finds sends on a channel in a field that nobody receives from.
func unreadField(p *code.Pass, f *channel.Field) (out []rule.Match) {
	for _, u := range unread(p, f) {
		m := rule.Match{Pos: u.Op.Node().Pos(), End: u.Op.Node().End()}
		m.Message = "send on " + types.ExprString(u.At.Node().(ast.Expr)) + " blocks forever because nothing in the package receives from " + f.Field.Name()
		m.Related = []rule.Related{{Pos: f.Field.Pos(), End: f.Field.Pos(), Message: "the field is declared here"}}
		out = append(out, m.None("a buffer would only hide that the value is never used"))
	}
	return out
}
