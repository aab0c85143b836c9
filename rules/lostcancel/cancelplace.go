package lostcancel

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/lifetime"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// movable returns the "defer cancel()" in the list of the call that can go up
// directly after it: it does nothing but to call the cancel function, and no
// other defer changes places with it, because a deferred Wait needs the cancel
// before it.
func movable(c *ctxcancel.Cancel, cancel *types.Var) ast.Stmt {
	call, ok := c.Def.Node().(ast.Stmt)
	if !ok {
		return nil
	}
	o := mustcall.Obligation{Fn: c.Fn, Def: c.Def, Var: cancel}
	return mustcall.MovableDefer(o, c.Pass, call, func(d *ast.DeferStmt) bool { return cancelsOnly(c.Pass, d, cancel) })
}

// callsOnly reports whether a statement defers a call of the cancel function
// and nothing else.
func callsOnly(c *ctxcancel.Cancel, deferred ast.Stmt, cancel *types.Var) bool {
	d, ok := deferred.(*ast.DeferStmt)
	return ok && cancelsOnly(c.Pass, d, cancel)
}

// afterUse returns where the context is to be cancelled, by the function with
// the given events, if the function goes on for long after its last use: a
// deferred call would keep it as long. goesOn is false if it does not. why says
// what stands against it if there is no such place.
// By [lifetime.CtxLifetime], the context must not outlive the function.
func afterUse(c *ctxcancel.Cancel, cancel *types.Var, events []usage.Event) (r mustcall.Iteration, goesOn bool, why string) {
	t := &lifetime.ContextTracker{Pass: c.Pass, Fn: c.Fn, Def: c.Node(), Seen: map[*types.Var]bool{}}
	last, ok := lastUse(c, t, events)
	if !ok || !waits.WaitsAfter(c.Pass, c.Fn, c.Node(), last) {
		return r, false, ""
	}
	list, _, ok := code.StmtList(c.Def)
	at := slices.IndexFunc(list, func(s ast.Stmt) bool { return s.Pos() <= last && last <= s.End() })
	if !ok || at < 0 {
		return r, true, "it is used last in another block"
	}
	o := mustcall.Obligation{Fn: c.Fn, Call: c.Call, Def: c.Def, Var: cancel, Events: events, Over: c.WaitsForDone, Settled: c.Ended}
	r, why = mustcall.IterationExits(c.Pass, o, c.Def.Parent(), func(s ast.Stmt) string {
		if s.Pos() < list[at].End() && t.Mentions(s) {
			return "what is returned is made with the context, so it cannot be cancelled before"
		}
		return ""
	})
	if why == "" && len(r.Again) > 0 {
		why = cancel.Name() + " is assigned again"
	}
	r.Jumps = slices.DeleteFunc(r.Jumps, func(s ast.Stmt) bool { return s.Pos() >= list[at].End() })
	r.Last = list[at]
	return r, true, why
}

// lastUse returns where the function is done with the context and all that t,
// which follows it, finds to be made from it; ok is false if that is only when
// the function returns, or a deferred call already keeps it as long.
func lastUse(c *ctxcancel.Cancel, t *lifetime.ContextTracker, events []usage.Event) (last token.Pos, ok bool) {
	for _, e := range events {
		switch e.Kind {
		case usage.DefersClose, usage.ClosesLate:
			return 0, false
		case usage.Closes:
			last = max(last, waits.DoneAt(c.Pass, e.At, c.Def, c.Fn))
		}
	}
	t.Follow(c.Ctx, "")
	last = max(last, c.Call.End())
	for v := range t.Seen {
		for _, use := range c.Pass.Uses(c.Fn.Cursor, v) {
			if use.Node().Pos() < c.Call.Pos() {
				continue
			}
			if code.InDefer(use) && c.Fn.Cursor.Contains(use) {
				return 0, false
			}
			last = max(last, waits.DoneAt(c.Pass, use, c.Def, c.Fn))
		}
	}
	return last, true
}

// cancelsOnly reports whether d defers a call of the cancel function in v and
// nothing else: the cause of a cancellation may be nil, but no other argument
// has the same value elsewhere for certain.
func cancelsOnly(p *code.Pass, d *ast.DeferStmt, v *types.Var) bool {
	if v == nil || p.VarOf(d.Call.Fun) != v {
		return false
	}
	args := d.Call.Args
	return len(args) == 0 || len(args) == 1 && p.IsNil(args[0])
}
