package response

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// Response is a response that a call returns, with all that its function does to it.
type Response struct {
	Pass   *code.Pass
	Fn     *code.Func
	Call   *ast.CallExpr
	Def    inspector.Cursor // what takes the results: a statement or spec, or an expression
	Var    *types.Var       // nil if the response is discarded
	Err    *types.Var       // the error beside it; nil if that is not in a variable
	Events []usage.Event    // of Var

	// Wrapper is the loaded function that is called and hands on a fresh
	// response; nil if Call is of a client itself.
	Wrapper *FreshResponse
	// Must is the function that takes the results and lets the response through.
	Must *types.Func
	// Parsed is set if the response is read by http.ReadResponse, from a
	// connection that others own.
	Parsed bool
	// HandedOn is set if the response, or its body, goes to the caller on some
	// path.
	HandedOn bool
}

// Bind finds out what becomes of the results of the call. It returns what the
// response is assigned to; ok is false if that is nothing that one could follow.
func (b *Response) Bind() (resp ast.Expr, ok bool) {
	var lhs []ast.Expr
	b.Def, lhs = mustcall.Targets(b.Def)
	resp, err, ok := b.results(lhs)
	if !ok {
		return nil, false
	}
	if err != nil {
		b.Err = b.Pass.VarOf(err)
	}
	if code.IsBlank(resp) {
		return resp, true
	}
	if b.Var = b.Pass.VarOf(resp); !b.Pass.DeclaredIn(b.Var, b.Fn) {
		return nil, false
	}
	b.Events = usage.Track(b.Pass, b.Var, b.Fn, Resource)
	b.HandedOn = b.Pass.IsResult(b.Var, b.Fn) || slices.ContainsFunc(b.Events, func(e usage.Event) bool { return e.Kind == usage.Escapes })
	return resp, !b.HandedOn || !b.Parsed && b.onlyReturned()
}

// results returns what the response and its error are assigned to, of all that
// the results of the call are assigned to.
func (b *Response) results(lhs []ast.Expr) (resp, err ast.Expr, ok bool) {
	switch {
	case b.Must != nil:
		if len(lhs) == 1 {
			return lhs[0], nil, true
		}
	case b.Wrapper != nil:
		if n := len(lhs); n == b.Pass.Callee(b.Call).Signature().Results().Len() {
			return lhs[b.Wrapper.Index], lhs[n-1], true
		}
	case len(lhs) == 2:
		return lhs[0], lhs[1], true
	}
	return nil, nil, false
}

// Obligation is to close the body.
func (b *Response) Obligation() mustcall.Obligation {
	o := mustcall.Obligation{Fn: b.Fn, Call: b.Call, Def: b.Def, Var: b.Var, Err: b.Err, Events: b.Events, Settled: b.withoutBody, Over: b.demandsEmpty}
	if b.HandedOn {
		o.Over = func(n ast.Node) bool { return b.settled(n) || b.demandsEmpty(n) }
	}
	return o
}
