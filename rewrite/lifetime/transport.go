package lifetime

import (
	"go/ast"
	"go/types"
	"sync"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/memory"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// A client is done with a request when it returns, but for the response, unless
// its transport is not: one that answers from a cache and asks the server in the
// background goes on with the request, and ends with its context.

// keepsRequest says of a transport that it goes on using its request after it
// has returned.
type keepsRequest bool

var detachesOf = code.Register[keepsRequest]("detaches")

func init() {
	detachesOf.Compute(func(sig *types.Signature, _ *ast.FuncDecl) bool { return memory.IsRoundTrip(sig) },
		func(s *code.Subject) keepsRequest { return keepsRequest(detaches(s.Pass, s.Sig, s.Fn)) })
}

// detaches reports whether fn, a transport, certainly goes on using its request
// after it has returned, other than by way of the response.
func detaches(p *code.Pass, sig *types.Signature, fn *code.Func) bool {
	if !memory.IsRoundTrip(sig) {
		return false
	}
	t := &ContextTracker{Pass: p, Fn: fn, Def: fn.Type, Seen: map[*types.Var]bool{}, transport: true}
	t.Follow(sig.Params().At(0), "")
	return t.Outlives != "" && !t.guessed
}

// started reports whether the literals around c are run by a goroutine, or
// handed to a function that may do so.
func (t *ContextTracker) started(c inspector.Cursor) bool {
	for ; c.Valid() && c != t.Fn.Cursor; c = c.Parent() {
		switch n := c.Node().(type) {
		case *ast.GoStmt:
			return true
		case *ast.FuncLit:
			arg := code.Unparen(c)
			call, ok := arg.Parent().Node().(*ast.CallExpr)
			if ok && call.Fun != arg.Node() && !t.Pass.TypesInfo.Types[call.Fun].IsType() && ast.Node(n) != t.Fn.Cursor.Node() {
				return true
			}
		}
	}
	return false
}

// intoResponse reports whether l is a field of a local variable: what is put
// there by a transport goes with its response, or a copy of its request.
func (t *ContextTracker) intoResponse(l ast.Expr) bool {
	sel, ok := ast.Unparen(l).(*ast.SelectorExpr)
	if !ok || !t.transport {
		return false
	}
	v := t.Pass.VarOf(sel.X)
	return v != nil && !v.IsField() && t.Pass.DeclaredIn(v, t.Fn) && (t.Pass.IsResult(v, t.Fn) || v.Pos() >= t.Fn.Body.Pos())
}

// transportCallee is callee for a transport. It looks into the functions of the
// package by itself: summaries do not tell what is returned from what is kept.
func (t *ContextTracker) transportCallee(call inspector.Cursor, fn *types.Func, arg int, name string) {
	if knowledge.OnContext(fn, arg) == knowledge.ContextKept {
		t.Outlives = name + " is passed to " + fn.Name()
		return
	}
	if sig := fn.Signature(); arg >= 0 && arg < sig.Params().Len() && t.depth < transportDepth {
		if q, body := callers.BodyOf(t.Pass.Facts, fn); body != nil {
			inner := &ContextTracker{Pass: q, Fn: body, Def: body.Type, Seen: map[*types.Var]bool{}, transport: true, depth: t.depth + 1}
			if inner.Follow(fn.Origin().Signature().Params().At(arg), ""); inner.Outlives != "" && !inner.guessed {
				t.Outlives = inner.Outlives
				return
			}
		}
	}
	t.value(call, name)
}

// transportDepth bounds how many functions of the package are looked into.
const transportDepth = 3

// detaching says whether a package has transports that go on using their
// requests. Those of test files serve tests only.
type detaching struct{ shipped, tested bool }

// detachingIn is about the types of all expressions of the package and
// about its literals.
type detachingTransports struct {
	mu    sync.Mutex
	known bool
	found detaching
}

func detachingIn(p *code.Pass) detaching {
	d := code.Of(p.Facts, func(*code.Facts) *detachingTransports { return &detachingTransports{} })
	d.mu.Lock()
	known, found := d.known, d.found
	d.known = true
	d.mu.Unlock()
	if known || p.Facts.Lazily() {
		return found
	}
	found = findDetaching(p)
	d.mu.Lock()
	d.found = found
	d.mu.Unlock()
	return found
}

func findDetaching(p *code.Pass) (found detaching) {
	add := func(inTest bool) {
		found.tested = true
		found.shipped = found.shipped || !inTest
	}
	for _, t := range usage.IfacesOf(p.Facts).Types() {
		if types.IsInterface(t) || typeis.TypeParam(t) {
			continue
		}
		obj, _, _ := types.LookupFieldOrMethod(t, true, p.Pkg, "RoundTrip")
		m, ok := obj.(*types.Func)
		switch {
		case !ok || !memory.IsRoundTrip(m.Signature()):
		case m.Pkg() != p.Pkg:
			if bool(detachesOf.Of(p.Facts.Facts, m)) {
				add(false)
			}
		default:
			if q, body := callers.BodyOf(p.Facts, m); body != nil && detaches(q, m.Origin().Signature(), body) {
				add(p.InTest(m.Pos()))
			}
		}
	}
	for _, file := range p.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			lit, ok := n.(*ast.FuncLit)
			if !ok {
				return true
			}
			sig, ok := p.TypesInfo.TypeOf(lit).(*types.Signature)
			if ok && memory.IsRoundTrip(sig) && litDetaches(p, lit, sig) {
				add(p.InTest(lit.Pos()))
			}
			return true
		})
	}
	return found
}

// litDetaches is detaches for a literal of the package.
func litDetaches(p *code.Pass, lit *ast.FuncLit, sig *types.Signature) bool {
	c, ok := p.Inspector.Root().FindNode(lit)
	if !ok {
		if p = callers.PassAt(p.Facts, lit); p == nil {
			return false
		}
		if c, ok = p.Inspector.Root().FindNode(lit); !ok {
			return false
		}
	}
	return detaches(p, sig, p.FuncOf(c))
}

// inFlight says why a request may be in use after a call of fn, a client of
// net/http, has returned, or returns "".
//
// Precision: that the body of the response is closed on each path ends what is
// still being sent, so the context may end there, too. A status without a body is no
// excuse: the close of no body ends nothing.
func (t *ContextTracker) inFlight(call inspector.Cursor, fn *types.Func) string {
	n := call.Node().(*ast.CallExpr)
	if !knowledge.ClientCalls[fn.FullName()] && fn.FullName() != "(net/http.RoundTripper).RoundTrip" {
		return ""
	}
	inTest := t.Pass.InTest(n.Pos())
	if d := detachingIn(t.Pass); d.shipped || d.tested && inTest {
		return " is passed to " + fn.Name() + ", and a transport of the package goes on using requests"
	}
	b := response.Response{Pass: t.Pass, Fn: t.Pass.EnclosingFunc(call), Call: n, Def: code.Unparen(call).Parent()}
	if b.Fn == nil || b.SendsNothing() {
		return ""
	}
	if _, ok := b.Bind(); ok && b.Var != nil {
		o := b.Obligation()
		o.Settled, o.Over = nil, nil
		if len(mustcall.Check(b.Pass, o).Exits) == 0 {
			return ""
		}
	}
	return " is passed to " + fn.Name() + ", which may still be sending the request"
}
