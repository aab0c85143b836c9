package response

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// FreshOf says of a function that among its results is a response that
// it got from a client and nobody else knows: the caller must close it unless
// the error, the last result, is set.
type FreshResponse struct {
	Index    int  // of the response among the results
	Promised bool // it certainly has a body
	Sent     Sent // what its request has for a body
}

var responseOf = code.Register[*FreshResponse]("response")

func init() {
	responseOf.Compute(func(sig *types.Signature, _ *ast.FuncDecl) bool { return responseResult(sig) >= 0 },
		func(s *code.Subject) *FreshResponse { return freshResponse(s.Pass, s.Fn, s.Sig) })
}

// FreshOf returns what is known of the response among the results of fn, or nil.
func FreshOf(f *code.Facts, fn *types.Func) *FreshResponse { return responseOf.Of(f.Facts, fn) }

// responseResult returns the index of the one response among the results of a
// function whose last result is an error; -1 if there is none.
func responseResult(sig *types.Signature) int {
	r, at := sig.Results(), -1
	if r.Len() < 2 || !typeis.Error(r.At(r.Len()-1).Type()) {
		return -1
	}
	for i := range r.Len() - 1 {
		switch t := r.At(i).Type(); {
		case typeis.Response(t):
			if at >= 0 {
				return -1
			}
			at = i
		case !typeis.DataOnly(t):
			return -1 // a connection, a reader: the body may belong to it
		}
	}
	return at
}

// freshResponse computes FreshOf: on every way out, the result is nil
// beside an error, or a response of a client with which nothing has been done
// but to look at it.
func freshResponse(p *code.Pass, fn *code.Func, sig *types.Signature) *FreshResponse {
	f := &freshness{p: p, fn: fn, index: responseResult(sig), results: sig.Results().Len(), promised: true}
	if f.index < 0 {
		return nil
	}
	for c := range fn.Cursor.Preorder((*ast.ReturnStmt)(nil)) {
		if inner := p.EnclosingFunc(c); inner == nil || inner.Cursor != fn.Cursor {
			continue
		}
		if !f.returns(c) {
			return nil
		}
	}
	if !f.found {
		return nil
	}
	return &FreshResponse{Index: f.index, Promised: f.promised, Sent: f.sent}
}

type freshness struct {
	p               *code.Pass
	fn              *code.Func
	index, results  int
	found, promised bool
	sent            Sent
}

// returns reports whether a return statement is as freshResponse wants it.
func (f *freshness) returns(c inspector.Cursor) bool {
	ret := c.Node().(*ast.ReturnStmt)
	if len(ret.Results) == 0 {
		v := namedResult(f.p, f.fn, f.index)
		return v != nil && f.variable(v, ret)
	}
	if len(ret.Results) == 1 && f.results > 1 {
		call, ok := ast.Unparen(ret.Results[0]).(*ast.CallExpr)
		return ok && f.made(call, f.index)
	}
	if len(ret.Results) != f.results {
		return false
	}
	x := ret.Results[f.index]
	if f.p.IsNil(x) {
		return !f.p.IsNil(ret.Results[f.results-1])
	}
	v := f.p.VarOf(x)
	return v != nil && f.p.DeclaredIn(v, f.fn) && !f.p.IsParam(v, f.fn) && f.variable(v, ret)
}

// namedResult returns the result of fn with the given index, or nil if it has
// no name.
func namedResult(p *code.Pass, fn *code.Func, index int) *types.Var {
	i := 0
	for _, field := range fn.Type.Results.List {
		for _, name := range field.Names {
			if i == index {
				v, _ := p.TypesInfo.Defs[name].(*types.Var)
				return v
			}
			i++
		}
	}
	return nil
}

// made reports whether call creates the response that is its result at index.
func (f *freshness) made(call *ast.CallExpr, index int) bool {
	if f.ends(call) {
		return false // the caller has nothing to close
	}
	if CreatesResponse(f.p, call) && !f.p.InTest(call.Pos()) {
		f.sends(call)
		f.promised = f.promised && IsClientCall(f.p, call)
		return index == 0
	}
	fn := f.p.Callee(call)
	if fn == nil {
		return false
	}
	inner := FreshOf(f.p.Facts, fn)
	if inner == nil || inner.Index != index {
		return false
	}
	f.sends(call)
	f.promised = f.promised && inner.Promised
	return true
}

// sends notes what is sent by call, which makes the response on some way out.
func (f *freshness) sends(call *ast.CallExpr) {
	sent := sentBy(f.p, call, f.fn)
	if f.found {
		sent = sent.and(f.sent)
	}
	f.found, f.sent = true, sent
}

// ends reports whether the response of call has no body, or its connection ends
// when the function returns.
func (f *freshness) ends(call *ast.CallExpr) bool {
	c, ok := f.fn.Cursor.FindNode(call)
	b := Response{Pass: f.p, Fn: f.fn, Call: call, Def: code.Unparen(c).Parent()}
	return ok && (b.Head() || b.EndsWithFunction())
}

// variable reports whether the response in v is fresh where ret returns it.
func (f *freshness) variable(v *types.Var, ret *ast.ReturnStmt) bool {
	done := map[ast.Node]bool{} // where it is closed, or somebody else gets it
	for _, e := range usage.Track(f.p, v, f.fn, Resource) {
		switch e.Kind {
		case usage.Assigns:
			if !f.assigned(e.At) {
				return false
			}
		case usage.Closes, usage.DefersClose, usage.ClosesLate:
			done[e.Node] = true
		case usage.Escapes:
			if e.Node != ast.Node(ret) {
				if _, isReturn := e.Node.(*ast.ReturnStmt); !isReturn {
					return false
				}
			}
		}
		if f.p.VarOf(e.At.Node().(*ast.Ident)) != v && e.Kind != usage.Reads {
			return false
		}
	}
	fresh := true
	flow.Paths[bool]{
		Node: func(n ast.Node, closed bool) (bool, bool) {
			closed = closed || done[n]
			fresh = fresh && !(closed && n == ast.Node(ret))
			return closed, true
		},
	}.FromEntry(f.fn.Flow, false)
	return fresh
}

// assigned reports whether the variable at c gets the response of a client.
func (f *freshness) assigned(c inspector.Cursor) bool {
	var lhs, rhs []ast.Expr
	switch n := code.Unparen(c).Parent().Node().(type) {
	case *ast.AssignStmt:
		lhs, rhs = n.Lhs, n.Rhs
	case *ast.ValueSpec:
		for _, name := range n.Names {
			lhs = append(lhs, name)
		}
		rhs = n.Values
	}
	if len(rhs) != 1 {
		return false
	}
	call, ok := ast.Unparen(rhs[0]).(*ast.CallExpr)
	if !ok {
		return false
	}
	for i, l := range lhs {
		if l == c.Node() {
			return f.made(call, i)
		}
	}
	return false
}

// LetsThrough returns the function that takes the results of call and whose
// own result is the response: must[T any](v T, err error) T. What is of a type
// of which it knows nothing, it can neither make nor close.
func LetsThrough(p *code.Pass, parent inspector.Cursor, call *ast.CallExpr) *types.Func {
	outer, ok := parent.Node().(*ast.CallExpr)
	if !ok || len(outer.Args) == 0 || ast.Unparen(outer.Args[0]) != ast.Expr(call) {
		return nil
	}
	fn := p.Callee(outer)
	if fn == nil {
		return nil
	}
	sig := fn.Signature()
	if sig.Params().Len() < 2 || sig.Results().Len() != 1 {
		return nil
	}
	t, ok := types.Unalias(sig.Params().At(0).Type()).(*types.TypeParam)
	if !ok || !types.Identical(sig.Results().At(0).Type(), t) || !t.Underlying().(*types.Interface).Empty() {
		return nil
	}
	return fn
}

// Unnamed reports whether the response is used where it is returned, without
// a name, by something that does not close it: must(http.Get(u)).StatusCode.
func (b *Response) Unnamed() bool {
	c, ok := b.Pass.Find(b.Fn.Cursor, b.Call)
	if !ok || b.Must == nil {
		return false
	}
	if _, isStmt := b.Def.Node().(ast.Stmt); isStmt {
		return false
	}
	return usage.OnlyRead(b.Pass, code.Unparen(c).Parent(), b.Fn, Resource)
}
