package match

import (
	"go/ast"
	"go/token"
	"go/types"
)

// answersItself reports whether e, a transport, makes its responses by itself:
// neither it nor what it calls gets one from elsewhere. Then there is no connection
// that an unclosed body could keep.
func (p *Pass) answersItself(e ast.Expr) bool {
	e = ast.Unparen(e)
	t := p.TypesInfo.TypeOf(e)
	if t == nil || types.IsInterface(t) || isTypeParam(t) {
		if v := p.VarOf(e); v != nil && p.Fixed(v) { // var t http.RoundTripper = stub{}
			value := p.onlyValue(v)
			return value != nil && p.TypesInfo.TypeOf(value) != nil && !types.IsInterface(p.TypesInfo.TypeOf(value)) && p.answersItself(value)
		}
		return false
	}
	if _, isFunc := t.Underlying().(*types.Signature); isFunc {
		return p.composesFunc(e)
	}
	obj, _, _ := types.LookupFieldOrMethod(t, true, p.Pkg, "RoundTrip")
	m, ok := obj.(*types.Func)
	return ok && roundTrips(m.Signature()) && p.composes(m.Origin(), funcValueDepth)
}

// composesFunc is answersItself for a function value of a type whose method RoundTrip
// calls it, as far as that is a literal or a function of the package.
func (p *Pass) composesFunc(e ast.Expr) bool {
	if v := p.VarOf(e); v != nil {
		if e = p.onlyValue(v); e == nil || !p.Fixed(v) {
			return false
		}
	}
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || !p.TypesInfo.Types[call.Fun].IsType() || len(call.Args) != 1 {
		return false
	}
	obj, _, _ := types.LookupFieldOrMethod(p.TypesInfo.TypeOf(call), true, p.Pkg, "RoundTrip")
	m, ok := obj.(*types.Func)
	if !ok || !p.callsReceiver(m.Origin()) {
		return false
	}
	switch arg := ast.Unparen(call.Args[0]).(type) {
	case *ast.FuncLit:
		return p.composesIn(arg.Body, funcValueDepth)
	default:
		fn := p.funcRef(arg)
		return fn != nil && p.composes(fn, funcValueDepth)
	}
}

// callsReceiver reports whether m is a method func (f F) RoundTrip(r) { return f(r) }.
func (p *Pass) callsReceiver(m *types.Func) bool {
	c, ok := p.declOf(m)
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
func (p *Pass) composes(fn *types.Func, depth int) bool {
	if depth == 0 {
		return false
	}
	c, ok := p.declOf(fn)
	return ok && p.composesIn(c.Node().(*ast.FuncDecl).Body, depth)
}

func (p *Pass) composesIn(body *ast.BlockStmt, depth int) bool {
	composes := true
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.UnaryExpr: // of a channel
			composes = composes && (n.Op != token.ARROW || !isResponse(p.TypesInfo.TypeOf(n)))
		case *ast.CallExpr:
			composes = composes && !p.makesConn(n) && (!p.makesResponse(n) || p.ownResponse(n, depth))
		}
		return composes
	})
	return composes
}

// makesResponse reports whether a response is among the results of a call.
func (p *Pass) makesResponse(call *ast.CallExpr) bool {
	t := p.TypesInfo.TypeOf(call)
	if t == nil || p.TypesInfo.Types[call.Fun].IsType() || p.IsBuiltin(call, "new") {
		return false
	}
	if tuple, ok := t.(*types.Tuple); ok {
		for v := range tuple.Variables() {
			if isResponse(v.Type()) {
				return true
			}
		}
		return false
	}
	return isResponse(t)
}

// ownResponse reports whether a call returns a response that nobody else has
// made: a recorded one, or one that a function of the package composes.
func (p *Pass) ownResponse(call *ast.CallExpr, depth int) bool {
	callee := p.Callee(call)
	if callee == nil {
		return false
	}
	return callee.FullName() == "(*net/http/httptest.ResponseRecorder).Result" || p.composes(callee.Origin(), depth-1)
}
