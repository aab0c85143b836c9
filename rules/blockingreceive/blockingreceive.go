// Receives that block for ever because nobody sends, closes or signals.
//
// # What it does
//
// It follows channels that only one function and the goroutines it starts can reach, and
// channels in fields that only one package can reach. It reports a goroutine that ranges
// over such a channel and is never signalled that no more will come (NoCloseRange), a
// goroutine that waits for a send or close of its parent when the parent can return
// without one (EarlyReturn), a function that waits for a goroutine that can return
// without sending or closing, a channel that nobody sends on or closes at all, and a
// sync.Cond that nobody signals, or in a loop whose condition nothing changes. It reports
// the receive in "if !t.Stop() { <-t.C }" if the value of the timer may have been
// received before: since Go 1.23 nothing is left to receive after a Stop, unless the
// package or its module sets asynctimerchan. And it reports a WaitGroup in a field that
// is counted up and waited for, and that nothing counts down.
//
// # Why it leaks
//
// A receive waits until another goroutine sends or closes. When all that could have
// returned, the goroutine and all it refers to stay until the process ends.
//
// # Example
//
//	 jobs := make(chan job)
//	+defer close(jobs)
//	 go func() {
//	 	for j := range jobs {
//	 		run(j)
//	 	}
//	 }()
//	 for _, j := range list {
//	 	jobs <- j
//	 }
//
// # What is not reported
//
// A channel that is returned, stored, or passed to a function that is not
// loaded: other code may send. A receive that is one of several cases of a
// select. A range whose body can leave the loop. A function that makes a channel,
// or declares a nil one, only to wait on it itself, for no value: it parks on
// purpose. A field that nothing gives a channel, after a test for nil. A timer that another function
// starts again. Fields that a file for another platform mentions, or of a structure
// that is converted into another one. Paths that end in a panic, os.Exit, log.Fatal or t.Fatal, and
// the end of main.main.
//
// # Fix safety
//
// The receive from a stopped timer becomes one that does not wait. That is safe:
// it can only ever wait in vain. All other fixes are unsafe: they close the channel when the function returns, or
// where it returns early, or when the goroutine that should have sent ends. Then
// whoever waited goes on, and runs code that did not run before. No fix is
// offered if the waiting goroutine uses the value, which would be zero; if
// several goroutines send, of which only the last may close; and if the function
// waits for its goroutines itself, so that a deferred close would come too late.
//
// # See also
//
// Saioc et al., "Unveiling and Vanquishing Goroutine Leaks in Enterprise
// Microservices", CGO 2024, for the names of the categories.
package blockingreceive

import (
	_ "embed"
	"go/ast"
	"go/types"

	"github.com/dave/dst"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rules/internal/nilchannel"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "blockingreceive", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed blockingreceive.go
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
			out = append(out, nilchannel.Find(p, c, fn, channel.Recv)...)
		case channel.IsMake(p, call):
			out = append(out, endlessRanges(p, c, fn)...)
			for _, w := range unservedRecvs(p, c, fn) {
				out = append(out, waiter{p, fn, c, w}.match())
			}
		}
	}
	for _, f := range channel.Fields(p) {
		if len(f.Sends)+len(f.Closes) > 0 || f.Sendable || p.InTest(f.Field.Pos()) {
			continue
		}
		for _, u := range f.Recvs {
			if u.Waits() && channel.Reached(p, f, u) {
				m := rule.Match{Pos: u.Op.Node().Pos(), End: u.Op.Node().End()}
				if r, ok := u.Op.Node().(*ast.RangeStmt); ok {
					m.End = r.X.End()
				}
				m.Message = "receive from " + types.ExprString(u.At.Node().(ast.Expr)) + " blocks forever because nothing in the package sends on " + f.Field.Name() + " or closes it"
				m.Related = []rule.Related{{Pos: f.Field.Pos(), End: f.Field.Pos(), Message: "the field is declared here"}}
				out = append(out, m.None("who should end the wait, and when, is for the author to say"))
			}
		}
	}
	return append(out, deafWaits(p)...)
}

// deafWaits finds waits that no event can end any more: on a timer that is
// stopped, for a condition that never comes true, for a WaitGroup that nobody
// counts down.
func deafWaits(p *code.Pass) (out []rule.Match) {
	for _, e := range emptyTimers(p) {
		timer := types.ExprString(e.Timer)
		m := rule.Match{Pos: e.Recv.Pos(), End: e.Recv.End(), Message: "receive from " + timer + ".C blocks forever because Stop leaves nothing to receive, and what " + timer + " sent may have been received"}
		m.Related = []rule.Related{
			{Pos: e.Stop.Pos(), End: e.Stop.End(), Message: "the timer is stopped here"},
			{Pos: e.Got.Pos(), End: e.Got.End(), Message: "its value is received here"},
		}
		out = append(out, m.Safe("Receive only if there is something; since Go 1.23 there is not", func(d *dstedit.Decl) error {
			return d.WrapRecv(e.Recv, dstedit.CommCase(nil))
		}))
	}
	for _, w := range unsignalledConds(p) {
		m := rule.Match{Pos: w.Pos(), End: w.End()}
		m.Message = types.ExprString(w.Fun) + " never returns because nothing in the package signals the condition"
		out = append(out, m.None("who should signal, and when, is for the author to say"))
	}
	for _, w := range frozenConds(p) {
		m := rule.Match{Pos: w.Wait.Pos(), End: w.Wait.End()}
		m.Message = types.ExprString(w.Wait.Fun) + " is called again and again, because nothing changes " + w.Var.Name() + ", which the loop tests"
		out = append(out, m.None("what should end the loop is for the author to say"))
	}
	for _, w := range waitsWithoutDone(p) {
		m := rule.Match{Pos: w.Pos(), End: w.End()}
		m.Message = types.ExprString(w.Fun) + " never returns once something was added, because nothing in the package calls Done"
		out = append(out, m.None("what should be counted down, and when, is for the author to say"))
	}
	return out
}

// waiter decides on one receive from a local channel.
type waiter struct {
	p    *code.Pass
	fn   *code.Func
	made inspector.Cursor
	unservedRecv
}

func (w waiter) match() rule.Match {
	op := w.Recv.Op.Node()
	name := types.ExprString(w.Recv.At.Node().(ast.Expr))
	m := rule.Match{Pos: op.Pos(), End: op.End(), Message: "receive from " + name + " blocks forever"}
	if r, ok := op.(*ast.RangeStmt); ok {
		m.Message, m.End, m.Category = "range over "+name+" blocks forever", r.X.End(), "NoCloseRange"
	}
	m.Related = append(m.Related, rule.Related{Pos: w.made.Node().Pos(), End: w.made.Node().End(), Message: "the channel is made here"})
	if w.Go.Valid() {
		m.Related = append(m.Related, rule.Related{Pos: w.Go.Node().Pos(), End: w.Go.Node().Pos() + 2, Message: "the goroutine starts here"})
	}
	owner := w.fn.Called()
	switch {
	case len(w.Skips) > 0:
		m.Category = "EarlyReturn"
		m.Message += " when the goroutine that should send returns early"
		m.Related = append(m.Related, rule.Related{Pos: w.Skips[0].Pos(), End: w.Skips[0].End(), Message: "the goroutine returns here"})
		return w.closeBySender(m)
	case len(w.Exits) > 0 || w.End:
		if m.Category == "" {
			m.Category = "EarlyReturn"
		}
		m.Message += " when " + owner + " returns without sending or closing"
		if len(w.Exits) > 0 {
			m.Related = append(m.Related, rule.Related{Pos: w.Exits[0].Pos(), End: w.Exits[0].End(), Message: "the function returns here"})
		}
		return w.closeAtExit(m)
	}
	m.Message += " because nobody sends on it or closes it"
	return m.None("who should end the wait, and when, is for the author to say")
}

// closeBySender lets the goroutine close the channel when it ends.
func (w waiter) closeBySender(m rule.Match) rule.Match {
	if naming.Shadowed(w.p, "close", w.Sole.Body.Pos()) {
		return m.None("close is shadowed here")
	}
	if !naming.Visible(w.p, w.Var, w.Sole.Body.Lbrace) {
		return m.None("the goroutine knows the channel by another name")
	}
	if w.Closed {
		if w.End {
			return m.None("the goroutine closes it on other paths, and no close can be inserted where it ends without a return")
		}
		return m.Unsafe("Close "+w.Var.Name()+" where the goroutine returns early, too; whoever waits then goes on", func(d *dstedit.Decl) error {
			return closeBefore(d, w.Var, w.Skips)
		})
	}
	return m.Unsafe("Close "+w.Var.Name()+" when the goroutine ends; whoever waits then gets the zero value", func(d *dstedit.Decl) error {
		return d.InsertFirst(w.Sole.Body, closing(w.Var, true))
	})
}

// closeAtExit lets the function close the channel, on each way out or on those
// that have been forgotten.
func (w waiter) closeAtExit(m rule.Match) rule.Match {
	_, ignored := w.Recv.Op.Parent().Node().(*ast.ExprStmt)
	if r, ok := w.Recv.Op.Node().(*ast.RangeStmt); ok {
		ignored = r != nil
	}
	switch {
	case !ignored:
		return m.None("the goroutine uses the value that it waits for")
	case naming.Shadowed(w.p, "close", w.made.Node().Pos()):
		return m.None("close is shadowed here")
	case w.Twice:
		return m.None("the function may have closed it by then, and to close it twice panics")
	case w.Closed && w.End:
		return m.None("the function closes it on other paths, and no close can be inserted where it ends without a return")
	case w.Closed:
		return m.Unsafe("Close "+w.Var.Name()+" where the function returns early, too; what the goroutine does after the wait then runs", func(d *dstedit.Decl) error {
			return closeBefore(d, w.Var, w.Exits)
		})
	case w.fn.Flow.InCycle(code.FlowNode(w.made, w.fn)):
		return m.None("in a loop a deferred close would wait for the end of the function")
	case launch.WaitsForOthers(w.p, w.fn):
		return m.None("the function waits for its goroutines, and a deferred close would come too late")
	}
	stmt, ok := madeBy(w.made)
	if !ok {
		return m.None("the channel is not made by a statement of its own")
	}
	return m.Unsafe("Close "+w.Var.Name()+" when the function returns; what the goroutine does after the wait then runs", func(d *dstedit.Decl) error {
		return d.InsertAfter(stmt, closing(w.Var, true))
	})
}

// endlessRanges finds goroutines that range over a channel that nobody closes.
func endlessRanges(p *code.Pass, made inspector.Cursor, fn *code.Func) (out []rule.Match) {
	ch, ranges := rangesWithoutClose(p, made, fn)
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
		stmt, listed := madeBy(made)
		switch {
		case !r.Sole:
			out = append(out, m.None("other goroutines send, and only when the last has sent may it be closed"))
		case fn.Flow.InCycle(code.FlowNode(made, fn)):
			out = append(out, m.None("in a loop a deferred close would wait for the end of the function"))
		case launch.WaitsForOthers(p, fn):
			out = append(out, m.None("the function waits for its goroutines, and a deferred close would come too late"))
		case naming.Shadowed(p, "close", made.Node().Pos()):
			out = append(out, m.None("close is shadowed here"))
		case !listed:
			out = append(out, m.None("the channel is not made by a statement of its own"))
		default:
			out = append(out, m.Unsafe("Close "+ch.Name()+" when the function returns; what the goroutine does after the loop then runs", func(d *dstedit.Decl) error {
				return d.InsertAfter(stmt, closing(ch, true))
			}))
		}
	}
	return out
}

// madeBy returns the statement that the channel of a call of make is made by;
// ok is false if it stands in no list of statements.
func madeBy(made inspector.Cursor) (stmt ast.Stmt, ok bool) {
	def := code.Unparen(made).Parent()
	if _, isSpec := def.Node().(*ast.ValueSpec); isSpec {
		def = def.Parent().Parent()
	}
	stmt, _ = def.Node().(ast.Stmt)
	_, _, ok = code.StmtList(def)
	return stmt, ok
}

// closing returns the statement "close(v)", deferred or not.
func closing(v *types.Var, deferred bool) dst.Stmt {
	call := dstedit.Call(dstedit.Ident("close"), dstedit.Ident(v.Name()))
	if deferred {
		return dstedit.Defer(call)
	}
	return dstedit.ExprStmt(call)
}

func closeBefore(d *dstedit.Decl, v *types.Var, returns []*ast.ReturnStmt) error {
	for _, ret := range returns {
		if err := d.InsertBefore(ret, closing(v, false)); err != nil {
			return err
		}
	}
	return nil
}
