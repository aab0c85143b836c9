package rules

import (
	"fmt"
	"go/ast"
	"go/types"

	"github.com/dave/dst"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/match"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Sends that block for ever because the receiver leaves first.
//
// # What it does
//
// It follows a channel that a function makes, that goroutines started by it send
// on and that the function itself receives from. It counts sends, capacity and
// receives on each path, and reports a path on which the function returns with a
// sender left behind: a select that takes the timeout (Timeout), an early return
// (EarlyReturn), the first of many answers (NCast), two sends for one receive
// (DoubleSend), or no receive at all. It also reports the counterpart: a goroutine
// that ranges over such a channel and is never told that no more will come
// (NoCloseRange).
//
// # Why it leaks
//
// A send on a channel without room waits for a receiver. When the function that
// would receive has returned, nobody is left who could, and the goroutine and all
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
// A channel that is returned, stored or passed to a function: somebody else may
// receive. A channel with enough room. Sends in a select with another way out.
// Functions that receive on every path, also by a deferred receive or by waiting
// for the sender. A range whose body can leave the loop. Paths that end in a panic, os.Exit, log.Fatal or t.Fatal, and the
// end of main.main.
//
// # Fix safety
//
// The channel gets room for all sends, one or as many as the loop has rounds
// that starts the senders. The send then returns at once, and the only change is
// that the goroutine ends earlier; so the fix is safe only if nothing that others
// could observe follows the send in the goroutine, deferred calls included, and
// if the value is nothing that must be closed. Otherwise it is unsafe. The work
// itself is not cancelled: it runs to its end as before. No fix is offered if the
// function looks at len or cap or polls the channel, or if how many send is not
// known where the channel is made.
//
// # See also
//
// Saioc et al., "Unveiling and Vanquishing Goroutine Leaks in Enterprise
// Microservices", CGO 2024, for the names of the categories.
var blockingsend = rule.Rule{Name: "blockingsend", Doc: doc("blockingsend"), Find: findBlockingsend}

func findBlockingsend(p *match.Pass) []rule.Match {
	var out []rule.Match
	for c := range p.Inspector.Root().Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if !p.IsBuiltin(call, "make") || len(call.Args) == 0 {
			continue
		}
		if _, ok := p.TypesInfo.TypeOf(call).Underlying().(*types.Chan); !ok {
			continue
		}
		fn := p.EnclosingFunc(c)
		if fn == nil || p.Pkg.Name() == "main" && fn.Name() == "main" {
			continue // when main returns, nothing is left to block
		}
		out = append(out, endlessRanges(p, c, fn)...)
		ch, ok := p.LocalChannel(c, fn)
		if !ok || len(ch.Senders) == 0 {
			continue
		}
		s := sendLeak{p, ch}
		if m, ok := s.match(); ok {
			out = append(out, m)
		}
	}
	return out
}

// endlessRanges finds the receiving counterpart: a goroutine that ranges over
// a channel that nobody closes.
func endlessRanges(p *match.Pass, made inspector.Cursor, fn *match.Func) (out []rule.Match) {
	ch, ranges := p.EndlessRanges(made, fn)
	for _, r := range ranges[:min(1, len(ranges))] { // one close mends them all
		head := r.Range.Node().(*ast.RangeStmt)
		name := types.ExprString(head.X)
		m := rule.Match{
			Pos: head.Pos(), End: head.X.End(), Category: "NoCloseRange",
			Message: "range over " + name + " blocks forever because nobody closes it",
			Related: []rule.Related{
				{Pos: made.Node().Pos(), End: made.Node().End(), Message: "the channel is made here"},
				{Pos: r.Go.Node().Pos(), End: r.Go.Node().Pos() + 2, Message: "the goroutine starts here"},
				{Pos: r.Exit, End: r.Exit, Message: "the function ends here, with the channel open"},
			},
		}
		def := match.Unparen(made).Parent()
		if _, isSpec := def.Node().(*ast.ValueSpec); isSpec {
			def = def.Parent().Parent()
		}
		stmt, _ := def.Node().(ast.Stmt)
		_, _, listed := match.StmtList(def)
		switch {
		case !r.Sole:
			out = append(out, m.None("other goroutines send, and only when the last has sent may it be closed"))
		case fn.Flow.InCycle(match.FlowNode(made, fn)):
			out = append(out, m.None("in a loop a deferred close would wait for the end of the function"))
		case p.WaitsForOthers(fn):
			out = append(out, m.None("the function waits for its goroutines, and a deferred close would come too late"))
		case p.Shadowed("close", made.Node().Pos()):
			out = append(out, m.None("close has another meaning here"))
		case !listed:
			out = append(out, m.None("the channel is not made by a statement of its own"))
		default:
			out = append(out, m.Unsafe("Close "+ch.Name()+" when the function returns; what the goroutine does behind the loop then runs", func(d *dstedit.Decl) error {
				return d.InsertAfter(stmt, dstedit.Defer(dstedit.Call(dstedit.Ident("close"), dstedit.Ident(ch.Name()))))
			}))
		}
	}
	return out
}

// sendLeak decides on one channel.
type sendLeak struct {
	p *match.Pass
	*match.LocalChan
}

func (s *sendLeak) match() (m rule.Match, ok bool) {
	for _, snd := range s.Senders {
		if len(snd.Sends) == 0 {
			return m, false // it sends in selects with another way out
		}
	}
	first := s.Senders[0].Sends[0]
	m = rule.Match{
		Pos: first.Op.Node().Pos(), End: first.Op.Node().End(),
		Related: []rule.Related{
			{Pos: s.Make.Node().Pos(), End: s.Make.Node().End(), Message: "the channel is made here"},
			{Pos: s.Senders[0].Stmt.Node().Pos(), End: s.Senders[0].Stmt.Node().Pos() + 2, Message: "the goroutine starts here"},
		},
	}
	name := s.sentName(first)
	if len(s.Recvs)+len(s.Ranges) == 0 {
		if s.Cap > 0 || s.Looked {
			return m, false
		}
		m.Message = "nobody receives from " + name + ", so the send blocks forever"
		return m.None("a buffer would only hide that the value is never used"), true
	}
	if s.Closed && len(s.Ranges) == 0 || len(s.Ranges) > 0 && len(s.Recvs) > 0 {
		return m, false // closed under the senders: another fault, or a protocol that is not understood
	}
	why, leaks := s.Abandoned()
	if !leaks {
		return m, false
	}
	m.Category = why.Category
	m.Message = fmt.Sprintf("send on %s blocks forever when %s returns without receiving", name, s.owner())
	m.Related = append(m.Related, rule.Related{Pos: why.Exit, End: why.Exit, Message: "the receiver returns here"})
	return s.fix(m), true
}

func (s *sendLeak) sentName(u match.ChannelUse) string {
	return types.ExprString(u.Op.Node().(*ast.SendStmt).Chan)
}

func (s *sendLeak) owner() string {
	if n := s.Fn.Name(); n != "" {
		return n
	}
	return "the function"
}

// fix offers a buffer that takes all sends.
func (s *sendLeak) fix(m rule.Match) rule.Match {
	call := s.Make.Node().(*ast.CallExpr)
	switch {
	case s.Later:
		return m.None("the channel is not made where it is declared")
	case !s.EndsAfterSend():
		return m.None("the goroutine does not end behind the send either")
	case len(s.Ranges) > 0:
		return m.None("the receiver ranges over the channel, and when it ends depends on who closes it")
	case s.Senders[0].Most >= match.Many:
		return m.None("the goroutine sends in a loop; it needs to be told when nobody listens any more")
	case s.p.Meant(match.Unparen(s.Make).Parent().Node()):
		return m.None("a comment beside the channel says that it is meant")
	}
	if s.Looked {
		return m.None("the function looks at the state of the channel, which a buffer would change")
	}
	if _, ok := ast.Unparen(call.Args[0]).(*ast.ChanType); !ok {
		return m.None("the channel has a named type, which may stand for more than this one")
	}
	if m.Category == "DoubleSend" {
		return m.None("the goroutine can send twice; probably a return is missing behind the first send")
	}
	var size func(*dstedit.Decl) dst.Expr
	what := ""
	if snd := s.Senders[0]; snd.Loop != nil {
		switch {
		case snd.Bound.Of != nil:
			if !s.p.FrozenLen(snd.Bound.Of, s.Fn) || !s.visible(snd.Bound.Of) {
				return m.None("how many goroutines send is not known where the channel is made")
			}
			what = "len(" + types.ExprString(snd.Bound.Of) + ")"
			size = func(d *dstedit.Decl) dst.Expr {
				return dstedit.Call(dstedit.Ident("len"), d.Expr(snd.Bound.Of))
			}
		case snd.Bound.Const > 0 && snd.Bound.Const <= 1024:
			what = fmt.Sprint(snd.Bound.Const)
		default:
			return m.None("how many goroutines send is not known where the channel is made")
		}
	} else {
		what = fmt.Sprint(s.Total())
	}
	if size == nil {
		size = func(*dstedit.Decl) dst.Expr { return dstedit.Int(what) }
	}
	fix := func(d *dstedit.Decl) error {
		if len(call.Args) == 2 {
			return d.Replace(call.Args[1], size(d))
		}
		return d.AppendArg(call, size(d))
	}
	name := s.Var.Name()
	message := "Buffer " + name + " with room for " + what + " so the sender cannot block; the work itself is not cancelled"
	switch {
	case s.SendsResource():
		return m.Unsafe(message+", and a value that nobody receives is not closed", fix)
	case s.p.Shadowed("len", call.Pos()) && size != nil && s.Senders[0].Bound.Of != nil:
		return m.None("len has another meaning here")
	}
	for _, snd := range s.Senders {
		if why := s.Observable(snd); why != "" {
			return m.Unsafe(message+", and "+why+" before the value is received", fix)
		}
	}
	return m.Safe(message, fix)
}

// visible reports whether the variables of e are declared before the channel is made.
func (s *sendLeak) visible(e ast.Expr) bool {
	ok := true
	ast.Inspect(e, func(n ast.Node) bool {
		if id, isIdent := n.(*ast.Ident); isIdent {
			if v := s.p.VarOf(id); v != nil && !v.IsField() && v.Pos() > s.Make.Node().Pos() {
				ok = false
			}
		}
		return ok
	})
	return ok
}
