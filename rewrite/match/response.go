package match

import (
	"go/ast"
	"go/types"
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
	if clientCalls[fn.FullName()] {
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

// stubbed reports whether the client of a call is a variable that is made
// with a transport of its own, which in tests is a stub without connections.
func (p *Pass) stubbed(call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	client := p.VarOf(sel.X)
	if client == nil {
		return false
	}
	for c := range p.Inspector.Root().Preorder((*ast.KeyValueExpr)(nil)) {
		kv := c.Node().(*ast.KeyValueExpr)
		key, ok := kv.Key.(*ast.Ident)
		if !ok || key.Name != "Transport" || IsNamed(p.TypesInfo.TypeOf(kv.Value), "net/http", "Transport") {
			continue
		}
		lit := c.Parent()
		if !IsNamed(p.TypesInfo.TypeOf(lit.Node().(ast.Expr)), "net/http", "Client") {
			continue
		}
		stmt := lit.Parent()
		if _, ok := stmt.Node().(*ast.UnaryExpr); ok {
			stmt = stmt.Parent()
		}
		if p.Mentions(stmt.Node(), client) {
			return true
		}
	}
	return false
}

// IsClientCall reports whether call is of net/http itself, which promises a
// response with a body unless there is an error.
func (p *Pass) IsClientCall(call *ast.CallExpr) bool { return clientCalls[p.FullName(call)] }
