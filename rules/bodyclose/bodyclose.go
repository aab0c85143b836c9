// HTTP response bodies that are not closed on every path.
//
// # What it does
//
// It follows the response of a call of http.Get, Head, Post, PostForm, of the
// methods of http.Client, of http.Transport.RoundTrip and, outside of tests, of
// any interface method Do or RoundTrip (*http.Request) (*http.Response, error),
// and of functions of the analysed modules that return one of these as they got
// it. It reports a path on which the function returns, or takes another response
// into the same variable, before it closes the body, also if on other paths the
// caller gets the response. It reports a close that is deferred in a loop, and a
// body of http.ReadResponse that is read in part. It follows the body through readers of
// the standard library and of the package that are made from it, and reports a body that such
// a reader replaces in the response, resp.Body = gzip.NewReader(resp.Body), and
// does not close: what is closed later is the reader.
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
// A response or body that is stored, sent, captured by a goroutine or handed to
// a function that is not known only to read it: whoever gets it may close it. A
// body that is returned as an io.Reader, because the connection is free once it
// has been read to its end. A body in a value of the package whose methods close it
// elsewhere than in Close, or do with it what is not known; one that is replaced by a value
// which also gets the body to close it, or that is kept in a variable which is closed. Paths on which the error is set, the response is
// nil, or a cancel function is called before it would be handed on. A response
// to a request whose context the function itself cancels when it returns: that
// ends the connection, too. After a request of method HEAD, a response that is
// handed on or that nobody looks at. Paths on which the status (204, 304), a
// length of zero or the method HEAD of the request says that there is no body, by a
// condition, a flag that it is chosen by, or a check without which a test fails, by a
// loaded helper or one of testify's. A response that
// httputil.DumpResponse dumps with its body, which that closes. A discarded response in a test that
// asks only which error there is. A response that http.ReadResponse parses from
// memory, or once from a connection that a parameter gives or the function closes.
// One of a client that is given a transport whose dialer is a literal that dials
// nobody, or a transport of the package that makes its responses by itself. One of
// an interface, or of a client with a transport that the function does not show,
// where a type of the package that fits reads bodies to their end and hands on
// copies in memory. A
// loop that closes the body in the iterations that a counter chooses, as all but
// the last. Paths that end in a panic, os.Exit, log.Fatal or t.Fatal, with a
// deferred close or without: the process ends, too. Paths on which a test has
// failed, also because it demands an error and there is none. A plain Close at the
// end of straight code. A close that is deferred in a loop of a few iterations, or
// in a test.
//
// # Fix safety
//
// The fix puts "defer resp.Body.Close()" after the check of the error, where resp is not
// nil. A check is an if statement, or a call of a loaded function that ends the test or
// the process unless the error is nil, by itself or by what it calls, or of one of
// testify's. An existing defer moves there if it does nothing else and no other call is
// deferred in between, at any depth; otherwise it stays where it is, and a second one is
// put before it. Closing twice is harmless: the second call returns nil. The receiver of
// a deferred call is evaluated at the defer statement, so it does not close a later
// response in the same variable. The body is closed after every use, because nothing that
// could outlive the function has seen it. In a loop, where deferred calls would pile up,
// and in a function that goes on waiting after the last use, where the connection would
// be held as long, the body is closed at once if nobody reads it and the request has no
// body of its own, or after the one statement that reads all of it. A server that goes on
// working after it has sent its header sees such a client leave.
//
// A body that a reader replaces is closed by a defer before that, which closes the first
// body, after whatever closes the reader. Where the response is handed on with the reader,
// there is no fix: whoever gets it reads from the first body.
//
// A close is unsafe where it may cut off a request that is still being sent. The
// server may answer before it has read all of it, and over HTTP/2 even a body of
// one byte in memory is cut off then. So the request must be seen to have no body:
// it is a Get or a Head, or it is made with nil, http.NoBody or a new empty reader
// of strings or bytes, and nobody else can give it one. Or the function closes the
// response as early on another path.
//
// These fixes are unsafe, too: elsewhere in a loop and in a function that goes on, where
// the response is handed on to the caller on another path, and where its error is checked
// together with something else, the body is closed before each exit that leaves it open,
// by "if resp != nil" where it may be nil. A panic does not close it, and a request that
// is still being sent is cut off. In a loop that takes the next response into the same
// variable, the last one is closed before. A response that nobody looks at gets a name
// and is closed at once. A close that is deferred before the check of the error, by a
// helper or together with others, changes its order or its arguments when it moves after
// the check. And where the client is an interface, a substitute for it may return a
// response without a body: where nothing touches it yet, closing it may panic.
//
// # See also
//
// https://pkg.go.dev/net/http#Response
package bodyclose

import (
	_ "embed"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/dave/dst"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/intent"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rules/bodyclose/internal/transport"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "bodyclose", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed bodyclose.go
var source string

func find(p *code.Pass) []rule.Match {
	var out []rule.Match
	for c := range p.Candidates((*ast.CallExpr)(nil)) {
		made, ok := ResponseMade(p, c)
		if !ok {
			continue
		}
		b := bodyLeak{Response: made, p: p}
		if m, ok := b.match(); ok {
			// Safe fixes ask nothing.
			if m.Applicability == finding.Unsafe && naming.Redeclared(p, "nil", c) {
				m = m.None("nil is shadowed here")
			}
			out = append(out, m)
		}
	}
	return out
}

// bodyLeak looks at one call that creates a response.
type bodyLeak struct {
	response.Response
	p *code.Pass
}

func (b *bodyLeak) match() (m rule.Match, ok bool) {
	m = rule.Match{Pos: b.Call.Pos(), End: b.Call.End()}
	m.Message = "response of " + types.ExprString(b.Call.Fun) + " is discarded, so its body is never closed and its connection leaks"
	if bare, ok := b.Def.Node().(*ast.ExprStmt); ok {
		return b.ignored(m, bare), !b.Parsed && !b.Head()
	}
	if b.Unnamed() {
		m.Message = "response of " + types.ExprString(b.Call.Fun) + " has no name, so its body is never closed and its connection leaks"
		return m.None("closing the body needs a variable for the response"), true
	}
	resp, ok := b.Bind()
	if m, ok := b.rebound(m); ok {
		return m, true
	}
	deferred := defersInLoop(&b.Response)
	switch {
	case !ok:
		return m, false
	case code.IsBlank(resp):
		m, ok := b.discarded(m, resp.(*ast.Ident))
		return m, ok && !b.Parsed
	case deferred != nil && !b.Parsed:
		return b.piled(m, deferred), true
	}
	g, why, guarded := guard(&b.Response)
	if early := deferredTooEarly(&b.Response, g, guarded); early != nil && !b.HandedOn {
		m.Message = b.Var.Name() + ".Body is closed by a defer that runs before " + b.Err.Name() + " is checked, and panics when " + b.Var.Name() + " is nil"
		m.Related = []rule.Related{{Pos: early.Pos(), End: early.End(), Message: "deferred here"}}
		if !guarded {
			return m.None("no safe place for the close: " + why), true
		}
		if !movesDown(&b.Response, early, g) {
			return m.Unsafe("Move the deferred close after the check of the error: what it does, and what else is deferred before the check, may then come in another order, or with other values", moveAfter(early, g)), true
		}
		return m.Safe("Move the deferred close after the check of the error", moveAfter(early, g)), true
	}
	unmet := unclosed(&b.Response, b.Obligation())
	switch {
	case len(unmet.Exits) == 0, b.EndsWithFunction(), b.HandedOn && b.Head():
		return m, false
	case b.Parsed: // no goroutines; who only looks at the header may go on with the connection, as after CONNECT
		m.Message = b.Var.Name() + ".Body is read but never closed, so its unread rest comes before the next response on the connection"
		return m.None("whether the connection is used again is not known"), !unmet.Met && touchesBody(&b.Response) && !drained(&b.Response) && !endsOtherwise(&b.Response)
	}
	return b.close(b.unclosed(m, unmet), placeOf(&b.Response, unmet)), true
}

// ignored is "http.Get(url)" and "_, _ = http.Get(url)".
func (b *bodyLeak) ignored(m rule.Match, s ast.Stmt) rule.Match {
	switch {
	case intent.Intentional(b.p, s):
		return m.None("a comment beside the call says that it is intentional")
	case b.Must != nil:
		return m.None("closing the body needs a variable for the response")
	}
	message := "Close the body at once if there is one, which cuts off a request that is still being sent"
	return m.Unsafe(message, func(d *dstedit.Decl) error {
		return d.IntoIf(s, names(&b.Response, "resp", "err"), dstedit.NilTest("err", token.EQL), closeNow("resp"))
	})
}

// discarded is "_, err := http.Get(url)".
func (b *bodyLeak) discarded(m rule.Match, blank *ast.Ident) (rule.Match, bool) {
	if len(unclosed(&b.Response, b.Obligation()).Exits) == 0 || b.EndsWithFunction() || b.Head() || wantsError(&b.Response) {
		return m, false // only an error is expected, or no body is left behind
	}
	as, isAssign := b.Def.Node().(*ast.AssignStmt)
	_, _, listed := code.StmtList(b.Def)
	if isAssign && listed && !slices.ContainsFunc(as.Lhs, func(l ast.Expr) bool { return !code.IsBlank(l) }) {
		return b.ignored(m, as), true
	}
	g, why, guarded := guard(&b.Response)
	if !guarded && (!listed || b.Err == nil) {
		return m.None("no safe place for the close: " + why), true
	}
	if !listed && (!isAssign || as.Tok != token.DEFINE) {
		return m.None("closing the body needs a variable for the response"), true
	}
	name := naming.FreshName(b.p, b.Def, "resp", "response", "httpResp")
	if name == "" {
		return m.None("no free name for the response"), true
	}
	closing, message := deferClose(name), "Name the response and defer closing its body"
	atOnce := !guarded || mustcall.ComesBack(b.p, b.Obligation()) || goesOn(&b.Response, g)
	if atOnce {
		closing, message = closeNow(name), "Name the response and close its body at once, because nobody reads it"
	}
	fix := func(d *dstedit.Decl) error {
		if err := d.Rename(blank, name); err != nil {
			return err
		}
		if isAssign && as.Tok == token.ASSIGN {
			if err := b.declare(d, as, name); err != nil {
				return err
			}
		}
		if !guarded {
			return d.InsertAfter(b.Def.Node().(ast.Stmt), dstedit.If(dstedit.NilTest(b.Err.Name(), token.EQL), closing))
		}
		return insertAfter(d, g, closing)
	}
	if !guarded && !b.harms() {
		return m.Unsafe(message, fix), true
	}
	if guarded && !b.harms() && goesOn(&b.Response, g) {
		return m.Unsafe(message+early, fix), true
	}
	return b.offer(m, message, fix), true
}

// early is what a close does while the function waits for something that the
// server may be doing.
const early = ", which ends what the server still does for it"

// harms reports whether a close that the author did not write may do harm.
func (b *bodyLeak) harms() bool {
	return cutsOff(&b.Response) || b.mayHaveNone() || transport.OwnTransport(&b.Response)
}

// mayHaveNone reports whether there may be no body to close, and nothing has
// shown so far.
func (b *bodyLeak) mayHaveNone() bool { return !promised(&b.Response) && !touchesBody(&b.Response) }

// offer offers a fix that closes the body where nothing did: unsafe if that may
// do harm, which the message says then.
func (b *bodyLeak) offer(m rule.Match, message string, fix func(*dstedit.Decl) error) rule.Match {
	if !b.harms() {
		return m.Safe(message, fix)
	}
	if cutsOff(&b.Response) {
		message += ", which cuts off a request that is still being sent"
	}
	if transport.OwnTransport(&b.Response) {
		message += ", to which a transport of the package may react"
	}
	switch {
	case b.mayHaveNone() && cutsOff(&b.Response):
		message += " and panics if a substitute for the client returns none"
	case b.mayHaveNone():
		message += ", which panics if a substitute for the client returns none"
	}
	return m.Unsafe(message, fix)
}

// declare makes name a variable before as, or by it.
func (b *bodyLeak) declare(d *dstedit.Decl, as *ast.AssignStmt, name string) error {
	if assignsAll(&b.Response, as) {
		return d.Define(as)
	}
	http, err := d.Import("net/http")
	if err != nil {
		return err
	}
	return d.InsertBefore(as, dstedit.VarDecl(name, &dst.StarExpr{X: dstedit.Sel(http, "Response")}))
}

// unclosed says on which path what stays.
func (b *bodyLeak) unclosed(m rule.Match, unmet mustcall.Unmet) rule.Match {
	harm := ", so its connection and two goroutines leak"
	exit, unread := unread(&b.Response, unmet)
	if !unread {
		exit = unmet.Exits[0]
	}
	switch {
	case b.Head():
		harm = ", though net/http requires a close also where there is no body, as after HEAD"
	case !unread:
		harm = ", so its connection and two goroutines leak when reading it fails"
	}
	name := b.Var.Name()
	switch {
	case b.HandedOn:
		m.Message = name + ".Body is neither closed nor handed on on every path" + harm
	case unmet.Met:
		m.Message = name + ".Body is not closed on every path" + harm
	default:
		m.Message = name + ".Body is never closed" + harm
	}
	m.Related = []rule.Related{{Pos: exit.Pos, End: exit.Pos, Message: "returns here without closing it"}}
	if exit.Assigns {
		m.Related[0].Message = name + " is assigned again here before the body is closed"
	}
	return m
}

// close offers to close the body at its place.
func (b *bodyLeak) close(m rule.Match, at place) rule.Match {
	name := b.Var.Name()
	switch at.Kind {
	case atOnce:
		fix := func(d *dstedit.Decl) error { return insertAfter(d, at.Guard, closeNow(name)) }
		if at.Early {
			return m.Unsafe("Close the response body at once, because nobody reads it"+early, fix)
		}
		return b.offer(m, "Close the response body at once, because nobody reads it", fix)
	case afterRead:
		return b.offer(m, "Close the response body as soon as it has been read", func(d *dstedit.Decl) error {
			return d.InsertAfter(at.Stmt, closeNow(name))
		})
	case beforeExits:
		return b.onWaysOut(m, at.Guard, nil)
	case movedUp:
		return b.offer(m, "Move the deferred close up, before the first return", moveAfter(at.Stmt, at.Guard))
	case deferred:
		return b.offer(m, "Defer closing the response body", func(d *dstedit.Decl) error {
			return insertAfter(d, at.Guard, deferClose(name))
		})
	}
	return m.None(at.Why)
}

// piled is "defer resp.Body.Close()" in a loop.
func (b *bodyLeak) piled(m rule.Match, deferred *ast.DeferStmt) rule.Match {
	g, _, _ := guard(&b.Response)
	b.Response = undeferred(&b.Response)
	m = b.onWaysOut(m, g, deferred)
	m.Message = b.Var.Name() + ".Body is closed by a defer in a loop, so the connections of all iterations stay open until the function returns"
	m.Related = []rule.Related{{Pos: deferred.Pos(), End: deferred.End(), Message: "deferred here"}}
	if m.Fix != nil && !onlyCloses(&b.Response, deferred) {
		return m.None("the deferred call may do more than to close the body")
	}
	return m
}

// onWaysOut offers to close the body on each way out that goes without, and to
// delete the defer, which may be nil.
func (b *bodyLeak) onWaysOut(m rule.Match, g mustcall.Guard, deferred ast.Stmt) rule.Match {
	if why := unsure(&b.Response, g); why != "" {
		return m.None(why)
	}
	ways, why := exitsOf(&b.Response, g)
	if why != "" {
		return m.None("no close before the exits: " + why)
	}
	message := "Close the response body before each exit that leaves it open: a panic does not close it"
	if cutsOff(&b.Response) {
		message += ", and what is still being sent is cut off"
	}
	if !promised(&b.Response) && !touchesBody(&b.Response) {
		message += "; it panics if a substitute for the client returns no body"
	}
	name := b.Var.Name()
	closing := func(s ast.Stmt) dst.Stmt {
		switch {
		case ways.Nilable[s]:
			return dstedit.If(dstedit.NilTest(name, token.NEQ), closeNow(name))
		case readAt(&b.Response, s):
			return deferClose(name)
		}
		return closeNow(name)
	}
	return m.Unsafe(message, func(d *dstedit.Decl) error {
		if deferred != nil {
			if err := d.Delete(deferred); err != nil {
				return err
			}
		}
		return d.InsertEach(ways.Before(), ways.Last, closing)
	})
}

func moveAfter(s ast.Stmt, g mustcall.Guard) func(*dstedit.Decl) error {
	return func(d *dstedit.Decl) error { return d.MoveAfter(s, g.After) }
}

// insertAfter puts a statement where g says that the error is nil.
func insertAfter(d *dstedit.Decl, g mustcall.Guard, s dst.Stmt) error {
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
