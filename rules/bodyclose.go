package rules

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/dave/dst"
	"golang.org/x/tools/go/ast/inspector"

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
		call := c.Node().(*ast.CallExpr)
		if !p.CreatesResponse(call) {
			continue
		}
		fn := p.EnclosingFunc(c)
		if fn == nil {
			continue
		}
		b := bodyLeak{p: p, fn: fn, call: call, def: match.Unparen(c).Parent()}
		if m, ok := b.match(); ok {
			out = append(out, m)
		}
	}
	return out
}

// bodyLeak looks at one call that creates a response.
type bodyLeak struct {
	p    *match.Pass
	fn   *match.Func
	call *ast.CallExpr
	def  inspector.Cursor // the statement or spec that takes the results

	resp, err *types.Var
	name      string // of resp
	events    []match.Event
}

func (b *bodyLeak) match() (m rule.Match, ok bool) {
	m = rule.Match{Pos: b.call.Pos(), End: b.call.End()}
	var lhs []ast.Expr
	switch n := b.def.Node().(type) {
	case *ast.ExprStmt:
		m.Message = "response of " + types.ExprString(b.call.Fun) + " is discarded, so its body is never closed and its connection leaks"
		return m.None("closing the body needs a variable for the response and a check of the error"), true
	case *ast.AssignStmt:
		lhs = n.Lhs
	case *ast.ValueSpec:
		for _, id := range n.Names {
			lhs = append(lhs, id)
		}
		b.def = b.def.Parent().Parent() // the DeclStmt
		if _, isStmt := b.def.Node().(*ast.DeclStmt); !isStmt {
			return m, false
		}
	}
	if len(lhs) != 2 {
		return m, false
	}
	b.err = b.p.VarOf(lhs[1])
	if match.IsBlank(lhs[0]) {
		return b.discarded(m, lhs)
	}
	b.resp = b.p.VarOf(lhs[0])
	if !b.p.DeclaredIn(b.resp, b.fn) || b.p.IsResult(b.resp, b.fn) {
		return m, false
	}
	b.name = b.resp.Name()
	b.events = b.p.TrackResponse(b.resp, b.fn)
	for _, e := range b.events {
		if e.Kind == match.Escapes {
			return m, false
		}
	}
	return b.tracked(m)
}

// discarded is "_, err := http.Get(url)".
func (b *bodyLeak) discarded(m rule.Match, lhs []ast.Expr) (rule.Match, bool) {
	m.Message = "response of " + types.ExprString(b.call.Fun) + " is discarded, so its body is never closed and its connection leaks"
	o := match.Obligation{Fn: b.fn, Call: b.call, Def: b.def, Err: b.err}
	if len(b.p.Unmet(o).Exits) == 0 {
		return m, false // only an error is expected
	}
	as, isAssign := b.def.Node().(*ast.AssignStmt)
	g, why, ok := b.guard()
	if !ok {
		return m.None("no safe place for the close: " + why), true
	}
	_, _, listed := match.StmtList(b.def)
	if !listed && (!isAssign || as.Tok != token.DEFINE) {
		return m.None("closing the body needs a variable for the response"), true
	}
	name := b.p.FreshName(b.def, "resp", "response", "httpResp")
	if name == "" {
		return m.None("no free name for the response"), true
	}
	closing, message := deferClose(name), "Name the response and defer closing its body"
	if b.p.ComesBack(o) || b.unsuitable(g, nil) != "" {
		closing, message = closeNow(name), "Name the response and close its body at once, because nobody reads it"
		if !b.p.SendsNothing(b.call, b.fn) {
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
		case assigns && b.p.InScopeOf(b.err, b.def, b.fn):
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
	if !b.p.IsClientCall(b.call) {
		return m.Unsafe(message+", which panics if a substitute for the client returns none", fix), true
	}
	return m.Safe(message, fix), true
}

func (b *bodyLeak) response() *match.Response { return b.p.NewResponse(b.call, b.def, b.events) }

// guard finds the place behind which err is nil and resp is not.
func (b *bodyLeak) guard() (match.Guard, string, bool) {
	if b.err == nil {
		return match.Guard{}, "its error is not checked", false
	}
	return b.p.FindGuard(b.def, b.err, func(s ast.Stmt) bool {
		if b.resp == nil || !b.p.Mentions(s, b.resp) {
			return true
		}
		_, isDefer := s.(*ast.DeferStmt)
		return isDefer && b.closeOf(s) != nil
	})
}

// closeOf returns the event of the direct "defer resp.Body.Close()" that s is, or nil.
func (b *bodyLeak) closeOf(s ast.Stmt) *match.Event {
	for i, e := range b.events {
		if e.Kind == match.DefersClose && e.Via.Node() == ast.Node(s) {
			return &b.events[i]
		}
	}
	return nil
}

// tracked decides on a response in a local variable that never escapes.
func (b *bodyLeak) tracked(m rule.Match) (rule.Match, bool) {
	g, why, guarded := b.guard()
	if early := b.closedUnchecked(); early != nil && !guarded {
		m.Message = b.name + ".Body is closed by a defer that runs before " + b.err.Name() + " is checked, and panics when " + b.name + " is nil"
		m.Related = []rule.Related{{Pos: early.Pos(), End: early.End(), Message: "deferred here"}}
		return m.None("no safe place for the close: " + why), true
	}
	if early := b.closedBeforeCheck(g, guarded); early != nil {
		m.Message = b.name + ".Body is closed by a defer that runs before " + b.err.Name() + " is checked, and panics when " + b.name + " is nil"
		m.Related = []rule.Related{{Pos: early.Pos(), End: early.End(), Message: "deferred here"}}
		return m.Safe("Move the deferred close behind the check of the error", moveBehind(early, g)), true
	}
	o := match.Obligation{Fn: b.fn, Call: b.call, Def: b.def, Var: b.resp, Err: b.err, Events: b.events}
	unmet := b.p.Unmet(o)
	if len(unmet.Exits) == 0 {
		return m, false
	}
	harm := ", so its connection and two goroutines leak"
	switch {
	case strings.HasSuffix(b.p.FullName(b.call), ".Head"):
		harm = ", which net/http asks for also where there is no body, as after HEAD"
	case b.response().Drained():
		harm = ", so its connection and two goroutines leak when reading it fails"
	}
	m.Message = b.name + ".Body is not closed on every path" + harm
	if !unmet.Met {
		m.Message = b.name + ".Body is never closed" + harm
	}
	exit := unmet.Exits[0]
	m.Related = []rule.Related{{Pos: exit.Pos, End: exit.Pos, Message: "returns here without closing it"}}
	if exit.Assigns {
		m.Related[0].Message = b.name + " is assigned again here before the body is closed"
	}
	untouched := !b.response().TouchesBody() && b.p.IsClientCall(b.call) && b.p.SendsNothing(b.call, b.fn)
	switch {
	case b.p.ComesBack(o) && guarded && untouched && b.unsure(g) == "":
		return m.Safe("Close the response body at once, because nobody reads it", func(d *dstedit.Decl) error {
			return insertBehind(d, g, closeNow(b.name))
		}), true
	case b.p.ComesBack(o) && guarded && b.response().ReadWhole(g) != nil && b.unsure(g) == "":
		read := b.response().ReadWhole(g)
		return m.Safe("Close the response body as soon as it has been read", func(d *dstedit.Decl) error {
			return d.InsertAfter(read, closeNow(b.name))
		}), true
	case b.p.ComesBack(o):
		return m.None("in a loop a deferred close would wait for the end of the function"), true
	case unmet.OverwrittenLate:
		return m.None("the deferred literal closes the response that " + b.name + " holds at the end, not this one"), true
	case b.response().Flagged():
		return m.None("the close depends on a flag whose meaning is not known"), true
	case !guarded:
		return m.None("no safe place for the close: " + why), true
	}
	if why := b.unsure(g); why != "" {
		return m.None(why), true
	}
	if why := b.unsuitable(g, b.resp); why != "" {
		if untouched {
			return m.Safe("Close the response body at once, because nobody reads it", func(d *dstedit.Decl) error {
				return insertBehind(d, g, closeNow(b.name))
			}), true
		}
		return m.None(why), true
	}
	if s := b.movable(g); s != nil && !unmet.Overwritten {
		return m.Safe("Move the deferred close up, before the first return", moveBehind(s, g)), true
	}
	fix := func(d *dstedit.Decl) error { return insertBehind(d, g, deferClose(b.name)) }
	if !b.p.IsClientCall(b.call) && !b.response().TouchesBody() {
		return m.Unsafe("Defer closing the response body, which panics if a substitute for the client returns none", fix), true
	}
	return m.Safe("Defer closing the response body", fix), true
}

func (b *bodyLeak) flowNode() ast.Node { return match.FlowNode(b.cursor(), b.fn) }

func (b *bodyLeak) cursor() inspector.Cursor {
	c, _ := b.fn.Cursor.FindNode(b.call)
	return c
}

// closedBeforeCheck returns the "defer resp.Body.Close()" that stands between
// the call and the check of its error, or nil.
func (b *bodyLeak) closedBeforeCheck(g match.Guard, guarded bool) ast.Stmt {
	list, i, ok := match.StmtList(b.def)
	if !guarded || !ok || g.After == nil {
		return nil
	}
	for _, s := range list[i+1:] {
		if s == g.After {
			return nil
		}
		if b.closeOf(s) != nil {
			return s
		}
	}
	return nil
}

// closedUnchecked returns the "defer resp.Body.Close()" right behind the call
// if err is tested only further down, or nil.
func (b *bodyLeak) closedUnchecked() ast.Stmt {
	list, i, ok := match.StmtList(b.def)
	if !ok || b.err == nil || i+2 >= len(list) || b.closeOf(list[i+1]) == nil {
		return nil
	}
	if ifs, ok := list[i+2].(*ast.IfStmt); ok && ifs.Init == nil {
		if x, _, isTest := b.p.NilTest(ifs.Cond, true); isTest && b.p.VarOf(x) == b.err {
			return list[i+1]
		}
	}
	return nil
}

// movable returns the one "defer resp.Body.Close()" in the list of the call
// that can go up behind the guard: no other defer may change places with it.
func (b *bodyLeak) movable(g match.Guard) ast.Stmt {
	list, _, ok := match.StmtList(b.def)
	if !ok || g.After == nil {
		return nil
	}
	behind := false
	for _, s := range list {
		switch {
		case s == g.After:
			behind = true
		case !behind:
		case b.closeOf(s) != nil:
			return s
		default:
			if _, isDefer := s.(*ast.DeferStmt); isDefer {
				return nil
			}
		}
	}
	return nil
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

// unsure says why a deferred close could do harm that the paths do not show,
// or returns "".
func (b *bodyLeak) unsure(g match.Guard) string {
	r := b.response()
	switch {
	case r.UsedByEarlierDefer():
		return "an earlier defer uses the response and would find its body closed"
	case !b.p.IsClientCall(b.call) && r.MayBeNil():
		return "the function reckons with a response or body that is nil"
	}
	end := b.def.Node().End()
	if g.After != nil {
		end = g.After.End() + 1
	}
	if b.p.MeantBetween(b.def.Node().Pos(), end) {
		return "a comment beside the call says that it is meant"
	}
	return ""
}

// unsuitable says why a deferred close would come too late, or returns "":
// the function goes on waiting for something after the last use of resp, and
// the connection would be held as long.
func (b *bodyLeak) unsuitable(g match.Guard, resp *types.Var) string {
	last := b.call.End()
	if g.After != nil {
		last = g.After.End()
	}
	if resp != nil {
		for _, use := range b.p.Uses(b.fn.Cursor, resp) {
			last = max(last, use.Node().End())
		}
	}
	if b.p.WaitsAfter(b.fn, b.flowNode(), last) {
		return "the function goes on waiting after the last use of the response, and a deferred close would hold the connection as long"
	}
	return ""
}
