package match

import (
	"go/ast"
	"slices"
)

// Guard finds the place behind which the error is nil and the response is not.
func (b *Response) Guard() (Guard, string, bool) {
	if b.Must != nil {
		s, ok := b.Def.Node().(ast.Stmt)
		_, guards := b.p.Facts.GuardsError(b.Must)
		if _, _, listed := StmtList(b.Def); !ok || !listed || !guards {
			return Guard{}, b.Must.Name() + " may let a response through that is nil", false
		}
		return Guard{After: s}, "", true
	}
	if b.Err == nil {
		return Guard{}, "its error is not checked", false
	}
	return b.p.FindGuard(b.Def, b.Err, func(s ast.Stmt) bool {
		return b.Var == nil || !b.p.Mentions(s, b.Var) || b.deferred(s)
	})
}

// PlaceKind says how the body of a response gets closed.
type PlaceKind uint8

const (
	Nowhere    PlaceKind = iota // Why says why not
	Deferred                    // by a defer behind the guard
	MovedUp                     // by the defer Stmt, when it stands behind the guard
	AtOnce                      // behind the guard, because nobody reads it
	BehindRead                  // behind Stmt, which reads all of it
	OnWaysOut                   // see WaysOut
)

// Place is where a close belongs.
type Place struct {
	Kind  PlaceKind
	Guard Guard
	Stmt  ast.Stmt
	Why   string
	// Early is set if the function then goes on for long, perhaps until something
	// happens that the server does while the response is open.
	Early bool
}

// Place returns where the body is to be closed, which it is not on the paths of
// unmet.
func (b *Response) Place(unmet Unmet) Place {
	g, why, guarded := b.Guard()
	unsure := b.Unsure(g)
	untouched := guarded && unsure == "" && !b.TouchesBody() && b.Promised() && b.SendsNothing()
	switch comesBack := b.p.ComesBack(b.Obligation()); {
	case b.HandedOn:
		return Place{Kind: OnWaysOut, Guard: g}
	case b.flagged():
		return Place{Why: "the close depends on a flag whose meaning is not known"}
	case comesBack && untouched:
		return Place{Kind: AtOnce, Guard: g}
	case comesBack:
		if read := b.readWhole(g); guarded && read != nil && unsure == "" {
			return Place{Kind: BehindRead, Stmt: read}
		}
		return Place{Kind: OnWaysOut, Guard: g}
	case unmet.OverwrittenLate:
		return Place{Why: "the deferred literal closes the response that " + b.Var.Name() + " holds at the end, not this one"}
	case !guarded && b.Err != nil:
		return Place{Kind: OnWaysOut, Guard: g}
	case !guarded:
		return Place{Why: "no safe place for the close: " + why}
	case unsure != "":
		return Place{Why: unsure}
	}
	if b.GoesOn(g) {
		if untouched {
			return Place{Kind: AtOnce, Guard: g, Early: true}
		}
		if read := b.readWhole(g); read != nil {
			return Place{Kind: BehindRead, Stmt: read}
		}
		if !b.TouchesBody() && !b.SendsNothing() {
			return Place{Why: "the function goes on for long, and what is still being sent would be cut off"}
		}
		return Place{Kind: OnWaysOut, Guard: g}
	}
	if s := b.movable(g); s != nil && !unmet.Overwritten {
		return Place{Kind: MovedUp, Guard: g, Stmt: s}
	}
	return Place{Kind: Deferred, Guard: g}
}

// deferred reports whether s is the direct "defer resp.Body.Close()".
func (b *Response) deferred(s ast.Stmt) bool {
	for _, e := range b.Events {
		if e.Kind == DefersClose && e.Via.Node() == ast.Node(s) {
			return true
		}
	}
	return false
}

// deferredLook reports whether s defers a close and looks into the response to
// do so, which panics at once if it is nil. A helper that gets the response
// itself may well reckon with that.
func (b *Response) deferredLook(s ast.Stmt) bool {
	d, ok := s.(*ast.DeferStmt)
	return ok && b.deferred(s) && b.looksInto(d.Call)
}

// DeferredTooEarly returns the "defer resp.Body.Close()" that stands between
// the call and the check of its error, where the response may be nil; nil if
// there is none. g is the check, unless ok is false.
func (b *Response) DeferredTooEarly(g Guard, ok bool) ast.Stmt {
	list, i, listed := StmtList(b.Def)
	switch {
	case !listed || b.Err == nil:
		return nil
	case !ok:
		return b.deferredUnchecked(list[i+1:])
	case g.After == nil:
		return nil
	}
	for _, s := range list[i+1:] {
		if s == g.After {
			return nil
		}
		if b.deferredLook(s) {
			return s
		}
	}
	return nil
}

// deferredUnchecked is DeferredTooEarly right behind the call, if the error is
// tested in the next statement and nothing comes of it.
func (b *Response) deferredUnchecked(behind []ast.Stmt) ast.Stmt {
	if len(behind) < 2 || !b.deferredLook(behind[0]) {
		return nil
	}
	if ifs, ok := behind[1].(*ast.IfStmt); ok && ifs.Init == nil {
		if x, _, isTest := b.p.NilTest(ifs.Cond, true); isTest && b.p.VarOf(x) == b.Err {
			return behind[0]
		}
	}
	return nil
}

// movable returns the "defer resp.Body.Close()" in the list of the call that
// can go up after the guard: it does nothing else, and no other defer changes
// places with it.
func (b *Response) movable(g Guard) ast.Stmt {
	list, _, ok := StmtList(b.Def)
	at := slices.Index(list, g.After)
	if !ok || g.After == nil || at < 0 {
		return nil
	}
	for _, s := range list[at+1:] {
		if d, ok := s.(*ast.DeferStmt); ok && b.ClosesOnly(d) && b.p.MovesFreely(b.Fn, b.Var, g.After.End(), d.Pos()) {
			return s
		}
	}
	return nil
}

// ClosesOnly reports whether a deferred call closes the body and does nothing else.
func (b *Response) ClosesOnly(d *ast.DeferStmt) bool { return b.p.closesOnly(d, b.Var) }

// MovesDown reports whether the deferred close at s can go down after the
// guard: it does nothing else, and no other defer changes places with it.
func (b *Response) MovesDown(s ast.Stmt, g Guard) bool {
	d, ok := s.(*ast.DeferStmt)
	return ok && b.ClosesOnly(d) && b.p.MovesFreely(b.Fn, b.Var, d.End(), g.After.Pos())
}

// Unsure says why a close behind the guard could do harm that the paths do not
// show, or returns "".
func (b *Response) Unsure(g Guard) string {
	switch {
	case b.usedByEarlierDefer():
		return "an earlier defer uses the response and would find its body closed"
	case !b.Promised() && b.mayBeNil():
		return "the function reckons with a response or body that is nil"
	}
	end := b.Def.Node().End()
	if g.After != nil {
		end = g.After.End() + 1
	}
	if b.p.MeantBetween(b.Def.Node().Pos(), end) {
		return "a comment beside the call says that it is meant"
	}
	return ""
}

// GoesOn reports whether the function goes on waiting for something after the
// last use of the body: a deferred close would hold the connection as long. It
// does not count where one already does.
func (b *Response) GoesOn(g Guard) bool {
	last := b.Call.End()
	if g.After != nil {
		last = g.After.End()
	}
	for _, e := range b.Events {
		switch {
		case e.Kind == Assigns:
		case (e.Kind == DefersClose || e.Kind == ClosesLate) && e.At.Node().Pos() > b.Call.Pos():
			return false
		case b.touches(e):
			last = max(last, b.p.DoneAt(e.At, b.Def, b.Fn))
		}
	}
	return b.p.WaitsAfter(b.Fn, b.node(), last)
}

// node is the node of the function's flow that makes the response.
func (b *Response) node() ast.Node {
	return b.p.evaluates(b.Fn, b.Call)
}
