package match

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// Movable returns the "defer cancel()" in the list of the call that can go up
// directly after it: it does nothing but to call the cancel function, and no
// other defer changes places with it, because a deferred Wait needs the cancel
// before it.
func (c *Cancel) Movable(cancel *types.Var) ast.Stmt {
	list, i, ok := StmtList(c.Def)
	if !ok {
		return nil
	}
	for _, s := range list[i+1:] {
		d, isDefer := s.(*ast.DeferStmt)
		if isDefer && c.p.cancelsOnly(d, cancel) && c.p.movesFreely(c.Fn, cancel, c.Def.Node().End(), d.Pos()) {
			return s
		}
	}
	return nil
}

// CallsOnly reports whether a statement defers a call of the cancel function
// and nothing else.
func (c *Cancel) CallsOnly(deferred ast.Stmt, cancel *types.Var) bool {
	d, ok := deferred.(*ast.DeferStmt)
	return ok && c.p.cancelsOnly(d, cancel)
}

// AfterUse returns where the context is to be cancelled, by the function with
// the given events, if the function goes on for long after its last use: a
// deferred call would keep it as long. goesOn is false if it does not. why says
// what stands against it if there is no such place.
// By [Pass.CtxLifetime], the context must not outlive the function.
func (c *Cancel) AfterUse(cancel *types.Var, events []Event) (r Round, goesOn bool, why string) {
	t := &ctxTracker{p: c.p, fn: c.Fn, def: c.Node(), seen: map[*types.Var]bool{}}
	last, ok := c.lastUse(t, events)
	if !ok || !c.p.WaitsAfter(c.Fn, c.Node(), last) {
		return r, false, ""
	}
	list, _, ok := StmtList(c.Def)
	at := slices.IndexFunc(list, func(s ast.Stmt) bool { return s.Pos() <= last && last <= s.End() })
	if !ok || at < 0 {
		return r, true, "it is used last in another block"
	}
	o := Obligation{Fn: c.Fn, Call: c.Call, Def: c.Def, Var: cancel, Events: events, Over: c.WaitsForDone, Settled: c.Ended}
	r, why = c.p.round(o, c.Def.Parent(), func(s ast.Stmt) string {
		if s.Pos() < list[at].End() && t.uses(s) {
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
func (c *Cancel) lastUse(t *ctxTracker, events []Event) (last token.Pos, ok bool) {
	for _, e := range events {
		switch e.Kind {
		case DefersClose, ClosesLate:
			return 0, false
		case Closes:
			last = max(last, c.p.doneAt(e.At, c.Def, c.Fn))
		}
	}
	t.variable(c.Ctx, "")
	last = max(last, c.Call.End())
	for v := range t.seen {
		for _, use := range c.p.Uses(c.Fn.Cursor, v) {
			if use.Node().Pos() < c.Call.Pos() {
				continue
			}
			if InDefer(use) && c.Fn.Cursor.Contains(use) {
				return 0, false
			}
			last = max(last, c.p.doneAt(use, c.Def, c.Fn))
		}
	}
	return last, true
}
