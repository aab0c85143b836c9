package rules

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/dave/dst"

	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/match"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// HTTP response bodies that are not closed on every path.
//
// # What it does
//
// It follows the response of a call of http.Get, Head, Post, PostForm, of the
// methods of http.Client, of http.Transport.RoundTrip and, outside of tests, of
// any interface method Do or RoundTrip (*http.Request) (*http.Response, error).
// It reports a path on which the function returns, or takes another response
// into the same variable, before it closes the body.
//
// # Why it leaks
//
// As long as the body is open, net/http keeps the connection and the two
// goroutines that serve it, and the connection cannot be used again.
//
// # Example
//
//	 resp, err := http.Get(url)
//	 if err != nil {
//	 	return 0, err
//	 }
//	+defer resp.Body.Close()
//	 return resp.StatusCode, nil
//
// # What is not reported
//
// A response or body that is returned, stored, sent, captured by a goroutine or
// handed to a function that is not known only to read it: whoever gets it may
// close it. Paths on which the error is set or the response is nil. Paths that
// end in a panic, os.Exit, log.Fatal or t.Fatal. A plain Close at the end of
// straight code.
//
// # Fix safety
//
// The fix puts "defer resp.Body.Close()" behind the check of the error, where
// resp is not nil, or moves an existing one there. Closing twice is harmless: the
// second call returns nil. The receiver of a deferred call is evaluated at the
// defer statement, so a later response in the same variable is another matter.
// The body is closed after every use, because nothing that could outlive the
// function has seen it. In a loop, where deferred calls would pile up, and in a
// function that goes on waiting after the last use, where the connection would
// be held as long, the body is closed at once if nobody reads it and the request
// has no body of its own, or behind the one statement that reads all of it; else
// no fix is offered there. A server that goes on working after it has sent its
// header sees such a client leave. Nor is one without a check of the error, because the response
// could be nil. Behind an interface a substitute for the client may return a
// response without a body: where nothing touches it yet, the fix is unsafe.
//
// # See also
//
// https://pkg.go.dev/net/http#Response
var bodyclose = rule.Rule{Name: "bodyclose", Doc: doc("bodyclose"), Find: findBodyclose}

func findBodyclose(p *match.Pass) []rule.Match {
	var out []rule.Match
	for c := range p.Inspector.Root().Preorder((*ast.CallExpr)(nil)) {
		made, ok := p.ResponseMade(c)
		if !ok {
			continue
		}
		b := bodyLeak{Response: made, p: p}
		if m, ok := b.match(); ok {
			out = append(out, m)
		}
	}
	return out
}

// bodyLeak looks at one call that creates a response.
type bodyLeak struct {
	match.Response
	p *match.Pass
}

func (b *bodyLeak) match() (m rule.Match, ok bool) {
	m = rule.Match{Pos: b.Call.Pos(), End: b.Call.End()}
	if _, bare := b.Def.Node().(*ast.ExprStmt); bare {
		m.Message = b.discards()
		return m.None("closing the body needs a variable for the response and a check of the error"), true
	}
	lhs := b.Targets()
	if len(lhs) != 2 {
		return m, false
	}
	b.Err = b.p.VarOf(lhs[1])
	if match.IsBlank(lhs[0]) {
		return b.discarded(m, lhs)
	}
	b.Var = b.p.VarOf(lhs[0])
	if !b.p.DeclaredIn(b.Var, b.Fn) || b.p.IsResult(b.Var, b.Fn) {
		return m, false
	}
	b.Events = b.p.TrackResponse(b.Var, b.Fn)
	for _, e := range b.Events {
		if e.Kind == match.Escapes {
			return m, false
		}
	}
	return b.tracked(m)
}

func (b *bodyLeak) discards() string {
	return "response of " + types.ExprString(b.Call.Fun) + " is discarded, so its body is never closed and its connection leaks"
}

// discarded is "_, err := http.Get(url)".
func (b *bodyLeak) discarded(m rule.Match, lhs []ast.Expr) (rule.Match, bool) {
	m.Message = b.discards()
	if len(b.p.Unmet(b.Obligation()).Exits) == 0 {
		return m, false // only an error is expected
	}
	as, isAssign := b.Def.Node().(*ast.AssignStmt)
	g, why, ok := b.Guard()
	if !ok {
		return m.None("no safe place for the close: " + why), true
	}
	_, _, listed := match.StmtList(b.Def)
	if !listed && (!isAssign || as.Tok != token.DEFINE) {
		return m.None("closing the body needs a variable for the response"), true
	}
	name := b.p.FreshName(b.Def, "resp", "response", "httpResp")
	if name == "" {
		return m.None("no free name for the response"), true
	}
	closing, message := deferClose(name), "Name the response and defer closing its body"
	if b.p.ComesBack(b.Obligation()) || b.WaitsOn(g) != "" {
		closing, message = closeNow(name), "Name the response and close its body at once, because nobody reads it"
		if !b.p.SendsNothing(b.Call, b.Fn) {
			return m.None("a close at once could cut off a request that is still being sent"), true
		}
	}
	blank := lhs[0].(*ast.Ident)
	assigns := isAssign && as.Tok == token.ASSIGN
	fix := func(d *dstedit.Decl) error {
		if err := d.Rename(blank, name); err != nil {
			return err
		}
		switch {
		case assigns && b.p.InScopeOf(b.Err, b.Def, b.Fn):
			if err := d.Define(as); err != nil {
				return err
			}
		case assigns:
			http, err := d.Import("net/http")
			if err != nil {
				return err
			}
			if err := d.InsertBefore(as, dstedit.VarDecl(name, &dst.StarExpr{X: dstedit.Sel(http, "Response")})); err != nil {
				return err
			}
		}
		return insertBehind(d, g, closing)
	}
	if !b.p.IsClientCall(b.Call) {
		return m.Unsafe(message+", which panics if a substitute for the client returns none", fix), true
	}
	return m.Safe(message, fix), true
}

// tracked decides on a response in a local variable that never escapes.
func (b *bodyLeak) tracked(m rule.Match) (rule.Match, bool) {
	name := b.Var.Name()
	g, why, guarded := b.Guard()
	if early := b.DeferredTooEarly(g, guarded); early != nil {
		m.Message = name + ".Body is closed by a defer that runs before " + b.Err.Name() + " is checked, and panics when " + name + " is nil"
		m.Related = []rule.Related{{Pos: early.Pos(), End: early.End(), Message: "deferred here"}}
		if !guarded {
			return m.None("no safe place for the close: " + why), true
		}
		return m.Safe("Move the deferred close behind the check of the error", moveBehind(early, g)), true
	}
	unmet := b.p.Unmet(b.Obligation())
	if len(unmet.Exits) == 0 {
		return m, false
	}
	m.Message = name + ".Body is not closed on every path" + b.harm()
	if !unmet.Met {
		m.Message = name + ".Body is never closed" + b.harm()
	}
	exit := unmet.Exits[0]
	m.Related = []rule.Related{{Pos: exit.Pos, End: exit.Pos, Message: "returns here without closing it"}}
	if exit.Assigns {
		m.Related[0].Message = name + " is assigned again here before the body is closed"
	}
	untouched := !b.TouchesBody() && b.p.IsClientCall(b.Call) && b.p.SendsNothing(b.Call, b.Fn)
	atOnce := func(d *dstedit.Decl) error { return insertBehind(d, g, closeNow(name)) }
	comesBack := b.p.ComesBack(b.Obligation())
	switch {
	case comesBack && guarded && untouched && b.Unsure(g) == "":
		return m.Safe("Close the response body at once, because nobody reads it", atOnce), true
	case comesBack && guarded && b.ReadWhole(g) != nil && b.Unsure(g) == "":
		read := b.ReadWhole(g)
		return m.Safe("Close the response body as soon as it has been read", func(d *dstedit.Decl) error {
			return d.InsertAfter(read, closeNow(name))
		}), true
	case comesBack:
		return m.None("in a loop a deferred close would wait for the end of the function"), true
	case unmet.OverwrittenLate:
		return m.None("the deferred literal closes the response that " + name + " holds at the end, not this one"), true
	case b.Flagged():
		return m.None("the close depends on a flag whose meaning is not known"), true
	case !guarded:
		return m.None("no safe place for the close: " + why), true
	}
	if why := b.Unsure(g); why != "" {
		return m.None(why), true
	}
	if why := b.WaitsOn(g); why != "" {
		if untouched {
			return m.Safe("Close the response body at once, because nobody reads it", atOnce), true
		}
		return m.None(why), true
	}
	if s := b.Movable(g); s != nil && !unmet.Overwritten {
		return m.Safe("Move the deferred close up, before the first return", moveBehind(s, g)), true
	}
	fix := func(d *dstedit.Decl) error { return insertBehind(d, g, deferClose(name)) }
	if !b.p.IsClientCall(b.Call) && !b.TouchesBody() {
		return m.Unsafe("Defer closing the response body, which panics if a substitute for the client returns none", fix), true
	}
	return m.Safe("Defer closing the response body", fix), true
}

// harm says what stays.
func (b *bodyLeak) harm() string {
	switch {
	case strings.HasSuffix(b.p.FullName(b.Call), ".Head"):
		return ", which net/http asks for also where there is no body, as after HEAD"
	case b.Drained():
		return ", so its connection and two goroutines leak when reading it fails"
	}
	return ", so its connection and two goroutines leak"
}

func moveBehind(s ast.Stmt, g match.Guard) func(*dstedit.Decl) error {
	return func(d *dstedit.Decl) error { return d.MoveAfter(s, g.After) }
}

// insertBehind puts a statement where g says that the error is nil.
func insertBehind(d *dstedit.Decl, g match.Guard, s dst.Stmt) error {
	if g.First != nil {
		return d.InsertFirst(g.First, s)
	}
	return d.InsertAfter(g.After, s)
}

func deferClose(name string) dst.Stmt { return dstedit.Defer(closeCall(name)) }

func closeNow(name string) dst.Stmt { return dstedit.ExprStmt(closeCall(name)) }

func closeCall(name string) *dst.CallExpr {
	return dstedit.Call(&dst.SelectorExpr{X: dstedit.Sel(name, "Body"), Sel: dstedit.Ident("Close")})
}
