package match

import (
	"go/ast"
	"go/types"
	"slices"
)

// clientCalls are the functions of net/http that hand the caller a response
// with a body to close.
var clientCalls = map[string]bool{
	"net/http.Get": true, "net/http.Head": true, "net/http.Post": true, "net/http.PostForm": true,
	"(*net/http.Client).Do": true, "(*net/http.Client).Get": true, "(*net/http.Client).Head": true,
	"(*net/http.Client).Post": true, "(*net/http.Client).PostForm": true,
	"(*net/http.Transport).RoundTrip": true,
}

// CreatesResponse reports whether call returns a fresh response: by a client
// of net/http, or by anything that is called like one, func Do or RoundTrip
// (*http.Request) (*http.Response, error). In tests those are mocks, whose
// Body may be nil, so only the real ones count there.
func (p *Pass) CreatesResponse(call *ast.CallExpr) bool {
	fn := p.Callee(call)
	if fn == nil {
		return false
	}
	if clientCalls[p.FullName(call)] {
		return !p.InTest(call.Pos()) || !p.stubbed(call)
	}
	if fn.Name() != "Do" && fn.Name() != "RoundTrip" || p.InTest(call.Pos()) {
		return false
	}
	sig := fn.Signature()
	if sig.Recv() == nil || sig.Params().Len() != 1 || sig.Results().Len() != 2 {
		return false
	}
	// Only behind an interface: a concrete client of this signature may well
	// have read and closed the body itself.
	return types.IsInterface(sig.Recv().Type()) &&
		IsNamed(sig.Params().At(0).Type(), "net/http", "Request") &&
		IsNamed(sig.Results().At(0).Type(), "net/http", "Response") &&
		IsError(sig.Results().At(1).Type())
}

// stubbed reports whether the client of a call in a test has a transport of
// its own, which is a stub without connections as far as one can tell, or
// comes from a function that may have given it one.
func (p *Pass) stubbed(call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	client := p.VarOf(sel.X)
	if client == nil {
		return p.stubIn(sel.X)
	}
	for _, c := range p.varUses(client) {
		switch n := c.Parent().Node().(type) {
		case *ast.SelectorExpr: // client.Transport = stub
			as, ok := c.Parent().Parent().Node().(*ast.AssignStmt)
			if ok && n.Sel.Name == "Transport" && len(as.Rhs) == 1 && !p.connects(as.Rhs[0]) {
				return true
			}
		case *ast.AssignStmt:
			if slices.ContainsFunc(n.Rhs, p.stubIn) {
				return true
			}
		case *ast.ValueSpec:
			if slices.ContainsFunc(n.Values, p.stubIn) {
				return true
			}
		}
	}
	return false
}

// stubIn reports whether e, a client, is made with a stub for a transport.
func (p *Pass) stubIn(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.KeyValueExpr:
			key, ok := n.Key.(*ast.Ident)
			found = found || ok && key.Name == "Transport" && !p.connects(n.Value)
		case *ast.CallExpr:
			if fn := p.Callee(n); fn != nil && IsNamed(p.TypesInfo.TypeOf(n), "net/http", "Client") {
				found = found || fn.Pkg() == nil || !isStd(fn.Pkg().Path())
			}
		}
		return !found
	})
	return found
}

// connects reports whether a transport makes connections: one of net/http.
func (p *Pass) connects(e ast.Expr) bool {
	if sel, ok := ast.Unparen(e).(*ast.SelectorExpr); ok && sel.Sel.Name == "DefaultTransport" {
		return true
	}
	return IsNamed(p.TypesInfo.TypeOf(e), "net/http", "Transport")
}

// sendsNothing reports whether the request of a call that returns a response
// certainly has no body that could still be on its way: a Get, or a Do of a
// request that is made without one.
func (p *Pass) sendsNothing(call *ast.CallExpr, fn *Func) bool {
	switch calledAs(call) {
	case "Get", "Head":
		return true
	case "Do", "RoundTrip":
		return len(call.Args) == 1 && p.emptyRequest(call, call.Args[0], fn)
	}
	return false
}

// emptyRequest reports whether e, the request of send, is made without a body
// and nobody else who sees it can give it one.
func (p *Pass) emptyRequest(send *ast.CallExpr, e ast.Expr, fn *Func) bool {
	if call, ok := ast.Unparen(e).(*ast.CallExpr); ok {
		switch p.FullName(call) {
		case "net/http.NewRequest", "net/http.NewRequestWithContext", "net/http/httptest.NewRequest", "net/http/httptest.NewRequestWithContext":
			body := call.Args[len(call.Args)-1]
			sel, ok := ast.Unparen(body).(*ast.SelectorExpr)
			return p.IsNil(body) || ok && sel.Sel.Name == "NoBody"
		}
		return false
	}
	v := p.VarOf(e)
	if v == nil {
		return false
	}
	made := 0
	for _, use := range p.Uses(fn.Outermost(), v) {
		if as, ok := use.Parent().Node().(*ast.AssignStmt); ok {
			if !onLeft(as, use) || len(as.Rhs) != 1 || as.Lhs[0] != use.Node() || !p.emptyRequest(send, as.Rhs[0], fn) {
				return false
			}
			made++
			continue
		}
		// Its other fields and its methods leave the body alone; all else may not.
		sel, ok := use.Parent().Node().(*ast.SelectorExpr)
		if ok && sel.Sel.Name != "Body" || use.Parent().Node() == ast.Node(send) {
			continue
		}
		if call, ok := use.Parent().Node().(*ast.CallExpr); ok && clientCalls[p.FullName(call)] {
			continue
		}
		return false
	}
	return made > 0
}

// IsClientCall reports whether call is of net/http itself, which promises a
// response with a body unless there is an error.
func (p *Pass) IsClientCall(call *ast.CallExpr) bool {
	if clientCalls[p.FullName(call)] {
		return true
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && p.connects(sel.X) // http.DefaultTransport.RoundTrip
}
