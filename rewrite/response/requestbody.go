package response

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Sent says whether a request has a body. As long as it has one, the server may
// still read it when the response is there, and closing the response cuts it
// off: over HTTP/2 even one of a single byte in memory.
type Sent struct {
	Kind  SentKind
	Param int // for SentParam: the index of that parameter
}

// SentKind is what a function alone tells of the body of a request.
type SentKind uint8

const (
	SentUnknown SentKind = iota // it may have a body
	SentNothing                 // it certainly has none
	SentParam                   // a parameter decides, the request or its body
)

// and returns what is known where either s or t is sent. What a parameter decides
// is still its decision where the other one is nothing.
func (s Sent) and(t Sent) Sent {
	switch {
	case s == t, t.Kind == SentNothing:
		return s
	case s.Kind == SentNothing:
		return t
	}
	return Sent{}
}

// callerDepth bounds how many callers are asked for a parameter.
const callerDepth = 3

// SendsNothing reports whether the request certainly has no body that could
// still be on its way.
func (b *Response) SendsNothing() bool {
	return resolvesToNothing(b.Pass, sentBy(b.Pass, b.Call, b.Fn), b.Fn, callerDepth)
}

// resolvesToNothing reports whether s, as fn tells it, is no body. For a
// parameter, all callers are asked if they are known.
func resolvesToNothing(p *code.Pass, s Sent, fn *code.Func, depth int) bool {
	if s.Kind != SentParam || depth == 0 {
		return s.Kind == SentNothing
	}
	outer := p.FuncOf(fn.Outermost())
	d, ok := outer.Cursor.Node().(*ast.FuncDecl)
	if !ok {
		return false
	}
	obj, ok := p.TypesInfo.Defs[d.Name].(*types.Func)
	if !ok {
		return false
	}
	named := callers.NamedFunc{Func: outer, Object: obj, Pass: p}
	if named.Hidden() != "" {
		return false
	}
	calls, all := named.Calls()
	for _, c := range calls {
		caller := p.EnclosingFunc(c.At)
		if !all || caller == nil || !resolvesToNothing(p, argument(p, c.At.Node().(*ast.CallExpr), obj, s.Param, caller), caller, depth-1) {
			return false
		}
	}
	return len(calls) > 0
}

// sentBy returns what call, which returns a response, sends with its request.
func sentBy(p *code.Pass, call *ast.CallExpr, fn *code.Func) Sent {
	switch callee := p.Callee(call); {
	case callee == nil:
	case knowledge.ClientCalls[callee.FullName()] || CreatesResponse(p, call):
		switch {
		case callee.Name() == "Get" || callee.Name() == "Head":
			return Sent{Kind: SentNothing}
		case callee.Name() == "PostForm" && len(call.Args) == 2 && emptyForm(p, call.Args[1]):
			return Sent{Kind: SentNothing}
		case callee.Name() == "Post" && len(call.Args) == 3:
			return bodySent(p, call.Args[2], fn)
		case (callee.Name() == "Do" || callee.Name() == "RoundTrip") && len(call.Args) == 1:
			return requestIn(p, call.Args[0], fn)
		}
	default:
		if fresh := FreshOf(p.Facts, callee); fresh != nil {
			return givenTo(p, call, callee, fresh.Sent, fn)
		}
	}
	return Sent{}
}

// givenTo returns what s, as callee tells it, is for a call of it in fn.
func givenTo(p *code.Pass, call *ast.CallExpr, callee *types.Func, s Sent, fn *code.Func) Sent {
	if s.Kind != SentParam {
		return s
	}
	return argument(p, call, callee, s.Param, fn)
}

// argument returns what the argument i of a call in fn is as a request, or as
// the body of one.
func argument(p *code.Pass, call *ast.CallExpr, callee *types.Func, i int, fn *code.Func) Sent {
	sig := callee.Signature()
	if len(call.Args) != sig.Params().Len() || sig.Variadic() {
		return Sent{}
	}
	if typeis.Request(sig.Params().At(i).Type()) {
		return requestIn(p, call.Args[i], fn)
	}
	return bodyIn(p, call.Args[i], fn)
}

// emptyForm reports whether e is a form without values.
func emptyForm(p *code.Pass, e ast.Expr) bool {
	lit, ok := ast.Unparen(e).(*ast.CompositeLit)
	return p.IsNil(e) || ok && len(lit.Elts) == 0
}

// bodyIn returns what e, the body of a request in fn, is.
func bodyIn(p *code.Pass, e ast.Expr, fn *code.Func) Sent {
	s, empty := valuesOfBody(p, e, fn)
	if empty {
		return Sent{}
	}
	return s
}

// declParam returns the index of v among the parameters of the declaration
// around fn; -1 if it is none of them.
func declParam(p *code.Pass, v *types.Var, fn *code.Func) int {
	d, ok := fn.Outermost().Node().(*ast.FuncDecl)
	if !ok {
		return -1
	}
	obj, ok := p.TypesInfo.Defs[d.Name].(*types.Func)
	if !ok {
		return -1
	}
	for i := range obj.Signature().Params().Len() {
		if obj.Signature().Params().At(i) == v {
			return i
		}
	}
	return -1
}

// requestIn returns what the body of e, a request in fn, is.
func requestIn(p *code.Pass, e ast.Expr, fn *code.Func) Sent {
	r := &requestWalk{p: p, fn: fn, busy: map[*types.Var]bool{}}
	return r.request(e)
}

type requestWalk struct {
	p    *code.Pass
	fn   *code.Func
	busy map[*types.Var]bool
}

func (r *requestWalk) request(e ast.Expr) Sent {
	p := r.p
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		return r.made(e)
	case *ast.UnaryExpr: // &http.Request{Method: ...}
		lit, ok := e.X.(*ast.CompositeLit)
		if !ok || !typeis.Named(p.TypesInfo.TypeOf(lit), "net/http", "Request") {
			return Sent{}
		}
		for _, elt := range lit.Elts {
			kv, ok := elt.(*ast.KeyValueExpr)
			if !ok {
				return Sent{}
			}
			if key, ok := kv.Key.(*ast.Ident); !ok || bodyField(key.Name) && !NoBody(p, kv.Value) {
				return Sent{}
			}
		}
		return Sent{Kind: SentNothing}
	case *ast.Ident:
		return r.variable(p.VarOf(e), frozen.GivenLast(p, e))
	}
	return Sent{}
}

// bodyField reports whether a field of a request decides about its body: after a
// redirect, GetBody does so, too.
func bodyField(name string) bool { return name == "Body" || name == "GetBody" }

// made returns what the request that is the first result of call has for a body.
func (r *requestWalk) made(call *ast.CallExpr) Sent {
	p := r.p
	if p.IsBuiltin(call, "new") {
		return Sent{Kind: SentNothing}
	}
	callee := p.Callee(call)
	if callee == nil {
		return Sent{}
	}
	switch callee.FullName() {
	case "net/http.NewRequest", "net/http.NewRequestWithContext":
		if n := callee.Signature().Params().Len(); len(call.Args) == n {
			return bodySent(p, call.Args[n-1], r.fn)
		}
		return Sent{}
	case "net/http/httptest.NewRequest", "net/http/httptest.NewRequestWithContext": // they keep an empty reader
		if n := callee.Signature().Params().Len(); len(call.Args) == n {
			return bodyIn(p, call.Args[n-1], r.fn)
		}
		return Sent{}
	case "(*net/http.Request).WithContext", "(*net/http.Request).Clone":
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && len(call.Args) == 1 {
			return r.request(sel.X)
		}
		return Sent{}
	}
	s := requestOf.Of(p.Facts.Facts, callee)
	if s.Kind == SentParam && len(call.Args) == callee.Signature().Params().Len() && typeis.Request(callee.Signature().Params().At(s.Param).Type()) {
		return r.request(call.Args[s.Param])
	}
	return givenTo(p, call, callee, s, r.fn)
}

// variable returns what all requests that v may hold have for a body; only the one
// that last gives it, unless that is nil.
func (r *requestWalk) variable(v *types.Var, last *ast.AssignStmt) Sent {
	p, outer := r.p, r.fn.Outermost()
	if v == nil || v.IsField() || v.Pos() < outer.Node().Pos() || v.Pos() >= outer.Node().End() {
		return Sent{}
	}
	if r.busy[v] { // req = req.WithContext(ctx)
		return Sent{Kind: SentNothing}
	}
	r.busy[v] = true
	defer delete(r.busy, v)
	out, known := Sent{}, false
	add := func(s Sent) {
		if known {
			s = s.and(out)
		}
		out, known = s, true
	}
	if i := declParam(p, v, r.fn); i >= 0 && last == nil {
		add(Sent{Kind: SentParam, Param: i})
	}
	for _, use := range p.Uses(outer, v) {
		if as, ok := use.Parent().Node().(*ast.AssignStmt); ok && code.OnLeft(as, use) {
			rhs := code.AssignedTo(as, use.Node())
			switch {
			case last != nil && as != last:
			case rhs == nil:
				return Sent{}
			case p.Mentions(rhs, v): // req = req.WithContext(ctx)
				if s := r.request(rhs); s.Kind != SentNothing {
					return Sent{}
				}
			default:
				add(r.request(rhs))
			}
			continue
		}
		if spec, ok := use.Parent().Node().(*ast.ValueSpec); ok && len(spec.Names) > 0 && spec.Names[0] == use.Node() {
			if last != nil {
				continue
			}
			if len(spec.Values) == 1 {
				add(r.request(spec.Values[0]))
			} else if len(spec.Values) > 1 {
				return Sent{}
			}
			continue
		}
		if _, isField := use.Parent().Node().(*ast.Field); isField {
			if !known && last == nil { // of a literal, or a result
				return Sent{}
			}
			continue
		}
		if !leavesBody(p, use) {
			return Sent{}
		}
	}
	return out
}

// requestOf is what the request that is the first result of a function has for a body.
var requestOf = code.Register[Sent]("request")

func init() {
	requestOf.Compute(returnsRequest, func(s *code.Subject) Sent { return requestResult(s.Pass, s.Fn, s.Sig) })
}

func returnsRequest(sig *types.Signature, _ *ast.FuncDecl) bool {
	return sig.Results().Len() > 0 && typeis.Request(sig.Results().At(0).Type())
}

// requestResult computes requestOf: what the request that fn returns
// first has for a body.
func requestResult(p *code.Pass, fn *code.Func, sig *types.Signature) Sent {
	if sig.Results().Len() == 0 || !typeis.Request(sig.Results().At(0).Type()) {
		return Sent{}
	}
	out, known := Sent{}, false
	for c := range fn.Cursor.Preorder((*ast.ReturnStmt)(nil)) {
		if inner := p.EnclosingFunc(c); inner == nil || inner.Cursor != fn.Cursor {
			continue
		}
		results := c.Node().(*ast.ReturnStmt).Results
		if len(results) == 0 {
			return Sent{}
		}
		if p.IsNil(results[0]) {
			continue
		}
		s := requestIn(p, results[0], fn)
		if known {
			s = s.and(out)
		}
		out, known = s, true
	}
	return out
}
