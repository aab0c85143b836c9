package transport

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/lifetime"
	"github.com/goroutinefix/goroutinefix/rewrite/memory"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// answersItself reports whether e, a transport, makes its responses by itself:
// neither it nor what it calls gets one from elsewhere. Then there is no connection
// that an unclosed body could keep.
func answersItself(p *code.Pass, e ast.Expr) bool {
	e = ast.Unparen(e)
	t := p.TypesInfo.TypeOf(e)
	if t == nil || types.IsInterface(t) || typeis.TypeParam(t) {
		if v := p.VarOf(e); v != nil && frozen.Fixed(p, v) { // var t http.RoundTripper = stub{}
			value := p.OnlyValue(v)
			return value != nil && p.TypesInfo.TypeOf(value) != nil && !types.IsInterface(p.TypesInfo.TypeOf(value)) && answersItself(p, value)
		}
		return false
	}
	if _, isFunc := t.Underlying().(*types.Signature); isFunc {
		return composesFunc(p, e)
	}
	obj, _, _ := types.LookupFieldOrMethod(t, true, p.Pkg, "RoundTrip")
	m, ok := obj.(*types.Func)
	return ok && memory.IsRoundTrip(m.Signature()) && composes(p, m.Origin(), lifetime.FuncValueDepth)
}

// composesFunc is answersItself for a function value of a type whose method RoundTrip
// calls it, as far as that is a literal or a function of the package.
func composesFunc(p *code.Pass, e ast.Expr) bool {
	if v := p.VarOf(e); v != nil {
		if e = p.OnlyValue(v); e == nil || !frozen.Fixed(p, v) {
			return false
		}
	}
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || !p.TypesInfo.Types[call.Fun].IsType() || len(call.Args) != 1 {
		return false
	}
	obj, _, _ := types.LookupFieldOrMethod(p.TypesInfo.TypeOf(call), true, p.Pkg, "RoundTrip")
	m, ok := obj.(*types.Func)
	if !ok || !callsReceiver(p, m.Origin()) {
		return false
	}
	switch arg := ast.Unparen(call.Args[0]).(type) {
	case *ast.FuncLit:
		return composesIn(p, arg.Body, lifetime.FuncValueDepth)
	default:
		fn := p.FuncRef(arg)
		return fn != nil && composes(p, fn, lifetime.FuncValueDepth)
	}
}

// callsReceiver reports whether m is a method func (f F) RoundTrip(r) { return f(r) }.
func callsReceiver(p *code.Pass, m *types.Func) bool {
	c, ok := response.DeclOf(p, m)
	if !ok {
		return false
	}
	body := c.Node().(*ast.FuncDecl).Body.List
	if len(body) != 1 {
		return false
	}
	ret, ok := body[0].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return false
	}
	call, ok := ast.Unparen(ret.Results[0]).(*ast.CallExpr)
	return ok && p.VarOf(call.Fun) == m.Signature().Recv()
}

// composes reports whether fn, a function of the package, gets no response from
// elsewhere; depth bounds the functions that are looked into.
func composes(p *code.Pass, fn *types.Func, depth int) bool {
	if depth == 0 {
		return false
	}
	c, ok := response.DeclOf(p, fn)
	return ok && composesIn(p, c.Node().(*ast.FuncDecl).Body, depth)
}

func composesIn(p *code.Pass, body *ast.BlockStmt, depth int) bool {
	composes := true
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.UnaryExpr: // of a channel
			composes = composes && (n.Op != token.ARROW || !typeis.Response(p.TypesInfo.TypeOf(n)))
		case *ast.CallExpr:
			composes = composes && !makesConn(p, n) && (!makesResponse(p, n) || ownResponse(p, n, depth))
		}
		return composes
	})
	return composes
}

// makesResponse reports whether a response is among the results of a call.
func makesResponse(p *code.Pass, call *ast.CallExpr) bool {
	t := p.TypesInfo.TypeOf(call)
	if t == nil || p.TypesInfo.Types[call.Fun].IsType() || p.IsBuiltin(call, "new") {
		return false
	}
	if tuple, ok := t.(*types.Tuple); ok {
		for v := range tuple.Variables() {
			if typeis.Response(v.Type()) {
				return true
			}
		}
		return false
	}
	return typeis.Response(t)
}

// ownResponse reports whether a call returns a response that nobody else has
// made: a recorded one, or one that a function of the package composes.
func ownResponse(p *code.Pass, call *ast.CallExpr, depth int) bool {
	callee := p.Callee(call)
	if callee == nil {
		return false
	}
	return callee.FullName() == "(*net/http/httptest.ResponseRecorder).Result" || composes(p, callee.Origin(), depth-1)
}
