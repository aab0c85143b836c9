package bodyclose

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/intent"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// closesOnly reports whether d defers v.Body.Close() and nothing else: a body has
// no other method without arguments.
func closesOnly(p *code.Pass, d *ast.DeferStmt, v *types.Var) bool {
	sel, ok := ast.Unparen(d.Call.Fun).(*ast.SelectorExpr)
	if !ok || v == nil || len(d.Call.Args) > 0 {
		return false
	}
	body, ok := ast.Unparen(sel.X).(*ast.SelectorExpr)
	return ok && body.Sel.Name == "Body" && p.VarOf(body.X) == v
}

// guard finds the place after which the error is nil and the response is not.
func guard(b *response.Response) (mustcall.Guard, string, bool) {
	if b.Must != nil {
		s, ok := b.Def.Node().(ast.Stmt)
		_, guards := assume.GuardsError(b.Pass.Facts, b.Must)
		if _, _, listed := code.StmtList(b.Def); !ok || !listed || !guards {
			return mustcall.Guard{}, b.Must.Name() + " may let a response through that is nil", false
		}
		return mustcall.Guard{After: s}, "", true
	}
	if b.Err == nil {
		return mustcall.Guard{}, "its error is not checked", false
	}
	return mustcall.FindGuard(b.Pass, b.Def, b.Err, func(s ast.Stmt) bool {
		return b.Var == nil || !b.Pass.Mentions(s, b.Var) || isDeferred(b, s)
	})
}

// placeKind says how the body of a response gets closed.
type placeKind uint8

const (
	nowhere     placeKind = iota // Why says why not
	deferred                     // by a defer after the guard
	movedUp                      // by the defer Stmt, when it stands after the guard
	atOnce                       // after the guard, because nobody reads it
	afterRead                    // after Stmt, which reads all of it
	beforeExits                  // see exitsOf
)

// place is where a close belongs.
type place struct {
	Kind  placeKind
	Guard mustcall.Guard
	Stmt  ast.Stmt
	Why   string
	// Early is set if the function then goes on for long, perhaps until something
	// happens that the server does while the response is open.
	Early bool
}

// placeOf returns where the body is to be closed, which it is not on the paths of
// unmet.
func placeOf(b *response.Response, unmet mustcall.Unmet) place {
	g, why, guarded := guard(b)
	unsure := unsure(b, g)
	untouched := guarded && unsure == "" && !touchesBody(b) && promised(b) && b.SendsNothing()
	switch comesBack := mustcall.ComesBack(b.Pass, b.Obligation()); {
	case b.HandedOn:
		return place{Kind: beforeExits, Guard: g}
	case flagged(b):
		return place{Why: "the close depends on a flag whose meaning is not known"}
	case comesBack && untouched:
		return place{Kind: atOnce, Guard: g}
	case comesBack:
		if read := readWhole(b, g); guarded && read != nil && unsure == "" {
			return place{Kind: afterRead, Stmt: read}
		}
		return place{Kind: beforeExits, Guard: g}
	case unmet.OverwrittenLate:
		return place{Why: "the deferred literal closes the response that " + b.Var.Name() + " holds at the end, not this one"}
	case !guarded && b.Err != nil:
		return place{Kind: beforeExits, Guard: g}
	case !guarded:
		return place{Why: "no safe place for the close: " + why}
	case unsure != "":
		return place{Why: unsure}
	}
	if goesOn(b, g) {
		if untouched {
			return place{Kind: atOnce, Guard: g, Early: true}
		}
		if read := readWhole(b, g); read != nil {
			return place{Kind: afterRead, Stmt: read}
		}
		if !touchesBody(b) && !b.SendsNothing() {
			return place{Why: "the function goes on for long, and what is still being sent would be cut off"}
		}
		return place{Kind: beforeExits, Guard: g}
	}
	if s := movable(b, g); s != nil && !unmet.Overwritten {
		return place{Kind: movedUp, Guard: g, Stmt: s}
	}
	return place{Kind: deferred, Guard: g}
}

// isDeferred reports whether s is the direct "defer resp.Body.Close()".
func isDeferred(b *response.Response, s ast.Stmt) bool {
	for _, e := range b.Events {
		if e.Kind == usage.DefersClose && e.Via.Node() == ast.Node(s) {
			return true
		}
	}
	return false
}

// deferredLook reports whether s defers a close and looks into the response to
// do so, which panics at once if it is nil. A helper that gets the response
// itself may well expect that.
func deferredLook(b *response.Response, s ast.Stmt) bool {
	d, ok := s.(*ast.DeferStmt)
	return ok && isDeferred(b, s) && looksInto(b, d.Call)
}

// deferredTooEarly returns the "defer resp.Body.Close()" that stands between
// the call and the check of its error, where the response may be nil; nil if
// there is none. g is the check, unless ok is false.
func deferredTooEarly(b *response.Response, g mustcall.Guard, ok bool) ast.Stmt {
	list, i, listed := code.StmtList(b.Def)
	switch {
	case !listed || b.Err == nil:
		return nil
	case !ok:
		return deferredUnchecked(b, list[i+1:])
	case g.After == nil:
		return nil
	}
	for _, s := range list[i+1:] {
		if s == g.After {
			return nil
		}
		if deferredLook(b, s) {
			return s
		}
	}
	return nil
}

// deferredUnchecked is deferredTooEarly directly after the call, if the error is
// tested in the next statement and nothing comes of it.
func deferredUnchecked(b *response.Response, following []ast.Stmt) ast.Stmt {
	if len(following) < 2 || !deferredLook(b, following[0]) {
		return nil
	}
	if ifs, ok := following[1].(*ast.IfStmt); ok && ifs.Init == nil {
		if x, _, isTest := b.Pass.NilTest(ifs.Cond, true); isTest && b.Pass.VarOf(x) == b.Err {
			return following[0]
		}
	}
	return nil
}

// movable returns the "defer resp.Body.Close()" in the list of the call that
// can go up after the guard: it does nothing else, and no other defer changes
// places with it.
func movable(b *response.Response, g mustcall.Guard) ast.Stmt {
	if g.After == nil {
		return nil
	}
	return mustcall.MovableDefer(b.Obligation(), b.Pass, g.After, func(d *ast.DeferStmt) bool { return onlyCloses(b, d) })
}

// onlyCloses reports whether a deferred call closes the body and does nothing else.
func onlyCloses(b *response.Response, d *ast.DeferStmt) bool { return closesOnly(b.Pass, d, b.Var) }

// movesDown reports whether the deferred close at s can go down after the
// guard: it does nothing else, and no other defer changes places with it.
func movesDown(b *response.Response, s ast.Stmt, g mustcall.Guard) bool {
	d, ok := s.(*ast.DeferStmt)
	return ok && onlyCloses(b, d) && mustcall.MovesFreely(b.Pass, b.Fn, b.Var, d.End(), g.After.Pos())
}

// unsure says why a close after the guard could do harm that the paths do not
// show, or returns "".
func unsure(b *response.Response, g mustcall.Guard) string {
	switch {
	case usedByEarlierDefer(b):
		return "an earlier defer uses the response and would find its body closed"
	case !promised(b) && mayBeNil(b):
		return "the function expects that the response or its body may be nil"
	}
	end := b.Def.Node().End()
	if g.After != nil {
		end = g.After.End() + 1
	}
	if intent.IntentionalBetween(b.Pass, b.Def.Node().Pos(), end) {
		return "a comment beside the call says that it is intentional"
	}
	return ""
}

// goesOn reports whether the function goes on waiting for something after the
// last use of the body: a deferred close would hold the connection as long. It
// does not count where one already does.
func goesOn(b *response.Response, g mustcall.Guard) bool {
	last := b.Call.End()
	if g.After != nil {
		last = g.After.End()
	}
	for _, e := range b.Events {
		switch {
		case e.Kind == usage.Assigns:
		case (e.Kind == usage.DefersClose || e.Kind == usage.ClosesLate) && e.At.Node().Pos() > b.Call.Pos():
			return false
		case touches(b, e):
			last = max(last, waits.DoneAt(b.Pass, e.At, b.Def, b.Fn))
		}
	}
	return waits.WaitsAfter(b.Pass, b.Fn, b.Node(), last)
}
