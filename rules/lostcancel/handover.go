package lostcancel

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/dave/dst"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/lifetime"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// beforeExits offers to cancel before each way out on which nobody has got the cancel
// function of o: a deferred call would end what is handed on as well.
func (l *cancelLeak) beforeExits(m rule.Match, o mustcall.Obligation) rule.Match {
	blank := code.IsBlank(l.lhs[0])
	if l.Ctx == nil && !blank {
		return m.None("the context is stored, so only its owner knows when to cancel it")
	}
	all := &lifetime.ContextTracker{Pass: l.p, Fn: l.Fn, Def: l.Node(), Seen: map[*types.Var]bool{}}
	if !blank {
		all.Follow(l.Ctx, "")
	}
	exits, why := mustcall.WaysOut(l.p, o, false, func(s ast.Stmt) string {
		if ret, ok := s.(*ast.ReturnStmt); ok && all.Mentions(ret) {
			return "what is returned is made with the context, so it cannot be cancelled before"
		}
		return ""
	})
	if why != "" {
		return m.None(why)
	}
	fix := func(d *dstedit.Decl) error {
		return d.InsertEach(exits.Jumps, exits.Last, func(ast.Stmt) dst.Stmt { return dstedit.ExprStmt(l.cancelCall(o.Var.Name())) })
	}
	message := "Cancel before each exit on which nobody else has got " + o.Var.Name()
	t := &lifetime.ContextTracker{Pass: l.p, Fn: l.Fn, Def: l.Node(), Before: mustcall.Between(l.p, o, exits), Seen: map[*types.Var]bool{}}
	if !blank {
		t.Follow(l.Ctx, "")
	}
	l.doubts = t.Doubts()
	switch {
	case t.Outlives != "":
		return m.Unsafe(message+", which cuts off what goes on: "+t.Outlives, fix)
	case len(l.doubts) > 0:
		return m.Unsafe(message+", which cuts off what is not over by then: "+l.doubts[0].Why, fix)
	case l.Wrapper != nil:
		return m.Unsafe(message+", which ends what "+l.Wrapper.Name()+" makes", fix)
	case l.Name == "os/signal.NotifyContext":
		return m.Unsafe("Stop the signal notification before each exit, which restores the default action of the signals", fix)
	case o.Def.Parent().Node() != ast.Node(l.Fn.Body):
		return m.Unsafe(message+", where the statements around the call end: what comes after them may still use "+l.ctxName(), fix)
	}
	return m.Safe(message, fix)
}

// ofRequest reports whether the parent comes from the Context method of a parameter, such
// as a request or a stream: who serves it ends that when the function returns.
func ofRequest(c *ctxcancel.Cancel) bool {
	p, parent := c.Pass, c.Parent()
	if parent == nil {
		return false
	}
	given := []ast.Expr{parent}
	if v := p.VarOf(parent); v != nil {
		for _, use := range p.VarUses(v) {
			if as, ok := use.Parent().Node().(*ast.AssignStmt); ok && code.OnLeft(as, use) {
				given = append(given, code.AssignedTo(as, use.Node()))
			}
		}
	}
	return slices.ContainsFunc(given, func(e ast.Expr) bool {
		if e == nil {
			return false
		}
		call, ok := ast.Unparen(e).(*ast.CallExpr)
		if !ok || code.CalledAs(call) != "Context" || len(call.Args) > 0 {
			return false
		}
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok {
			return false
		}
		v := p.VarOf(code.RootExpr(sel.X)) // r.Context(), c.Request.Context()
		return v != nil && (v.Kind() == types.ParamVar || v.Kind() == types.RecvVar)
	})
}

// onlySometimes reports whether all that may call a cancel function does so on some of its
// paths only.
func onlySometimes(events []usage.Event) (some bool) {
	for _, e := range events {
		switch e.Kind {
		case usage.Closes, usage.DefersClose, usage.ClosesLate, usage.Escapes:
			if !e.Sometimes {
				return false
			}
			some = true
		}
	}
	return some
}

// lentOnly returns events without the hand-overs to what calls on some paths only: the
// obligation stays.
func lentOnly(events []usage.Event) []usage.Event {
	events = slices.Clone(events)
	for i, e := range events {
		if e.Sometimes {
			events[i].Kind = usage.Reads
		}
	}
	return events
}

// sometimesCalled says what calls on some of its paths only.
func sometimesCalled(events []usage.Event, name string) []rule.Related {
	for _, e := range events {
		if e.Sometimes {
			return []rule.Related{{Pos: e.At.Node().Pos(), End: e.At.Node().End(), Message: "only some paths of this call " + name}}
		}
	}
	return nil
}
