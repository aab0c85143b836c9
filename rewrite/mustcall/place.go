package mustcall

import (
	"go/ast"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/intent"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// PlaceKind says where a missing release belongs.
type PlaceKind uint8

const (
	Nowhere     PlaceKind = iota // Why says why not
	Defer                        // in a defer statement after the guard
	MoveDefer                    // in the defer statement Stmt, which moves after the guard
	BeforeExits                  // before each way out of Exits
)

// Place is where a missing release belongs.
type Place struct {
	Kind  PlaceKind
	Guard Guard
	Stmt  ast.Stmt
	Exits Iteration
	Why   string
}

// Place returns where the release of o is to be put, which is missing on the ways out of
// unmet. only reports whether a deferred call releases the resource and does nothing else.
//
// A deferred release runs when the function returns, after every use, because nobody who
// could outlive the function has got the resource. The guard is where its error is known
// to be nil. What is handed on to others on some path is released before each of the
// other ways out; there, and in a loop, a deferred call would come too early or too late.
func (o *Owed) Place(unmet Unmet, only func(*ast.DeferStmt) bool) Place {
	if o.Err == nil {
		return Place{Why: "its error is not checked"}
	}
	g, why, guarded := FindGuard(o.Pass, o.Def, o.Err, func(s ast.Stmt) bool { return !o.Pass.Mentions(s, o.Var) })
	switch {
	case !guarded:
		return Place{Why: why}
	case unmet.OverwrittenLate:
		return Place{Why: "the deferred literal releases what " + o.Var.Name() + " holds at the end, not this"}
	case o.meant(g):
		return Place{Why: "a comment beside the call says that it is intentional"}
	case o.usedByEarlierDefer():
		return Place{Why: "an earlier defer uses " + o.Var.Name() + ", and runs after a deferred release"}
	case o.lentOn():
		return Place{Why: "what ends with " + o.Var.Name() + " is handed on, and may be used after the function has returned"}
	case o.HandedOn || ComesBack(o.Pass, o.Obligation):
		return o.beforeExits(g)
	case o.goesOn(g):
		return Place{Why: "the function goes on for long after the last use"}
	}
	if s := o.movable(g, only); s != nil {
		return Place{Kind: MoveDefer, Guard: g, Stmt: s}
	}
	return Place{Kind: Defer, Guard: g}
}

// meant reports whether a comment beside the call or its guard says that it is intentional.
func (o *Owed) meant(g Guard) bool {
	end := o.Def.Node().End()
	if g.After != nil {
		end = g.After.End()
	}
	return intent.IntentionalBetween(o.Pass, o.Def.Node().Pos(), end)
}

// usedByEarlierDefer reports whether a defer that stands before the call uses the resource.
// One that closes what the variable holds there closes another one.
func (o *Owed) usedByEarlierDefer() bool {
	return slices.ContainsFunc(o.Events, func(e usage.Event) bool {
		return e.Kind != usage.DefersClose && e.At.Node().Pos() < o.Call.Pos() && code.InDefer(e.At)
	})
}

// lentOn reports whether somebody else gets what ends with the resource.
func (o *Owed) lentOn() bool {
	return slices.ContainsFunc(o.Events, func(e usage.Event) bool { return e.Kind == usage.Outlives })
}

// goesOn reports whether the function waits for something after the last use of the
// resource, so that a deferred release would keep it as long.
func (o *Owed) goesOn(g Guard) bool {
	last := o.Call.End()
	if g.After != nil {
		last = g.After.End()
	}
	for _, e := range o.Events {
		if e.Kind == usage.DefersClose || e.Kind == usage.ClosesLate {
			return false // one already does
		}
		last = max(last, waits.DoneAt(o.Pass, e.At, o.Def, o.Fn))
	}
	return waits.WaitsAfter(o.Pass, o.Fn, o.Pass.Evaluates(o.Fn, o.Call), last)
}

// movable returns the deferred release in the list of the call that can go up after the
// guard: it does nothing else, and no other defer changes places with it.
func (o *Owed) movable(g Guard, only func(*ast.DeferStmt) bool) ast.Stmt {
	if g.After == nil {
		return nil
	}
	return MovableDefer(o.Obligation, o.Pass, g.After, only)
}

// MovableDefer returns the first deferred release after the statement from, which stands
// in the list of the call of o, that may as well stand right after it; nil if there is
// none. only reports whether a deferred call releases the value and does nothing else.
func MovableDefer(o Obligation, p *code.Pass, from ast.Stmt, only func(*ast.DeferStmt) bool) ast.Stmt {
	list, _, ok := code.StmtList(o.Def)
	at := slices.Index(list, from)
	if !ok || at < 0 {
		return nil
	}
	for _, s := range list[at+1:] {
		if d, ok := s.(*ast.DeferStmt); ok && only(d) && MovesFreely(p, o.Fn, o.Var, from.End(), d.Pos()) {
			return s
		}
	}
	return nil
}

// beforeExits returns the ways out of the statements around the call at which the resource
// is to be released, because it is not on the way there.
func (o *Owed) beforeExits(g Guard) Place {
	exits, why := WaysOut(o.Pass, o.Obligation, false, func(s ast.Stmt) string {
		if _, isReturn := s.(*ast.ReturnStmt); isReturn && o.Pass.Mentions(s, o.Var) {
			return o.Var.Name() + " is still used where the function returns"
		}
		return ""
	})
	switch {
	case why != "":
		return Place{Why: why}
	case !g.covers(exits.Jumps):
		return Place{Why: "at an exit, whether " + o.Var.Name() + " is set is not known"}
	}
	return Place{Kind: BeforeExits, Guard: g, Exits: exits}
}
