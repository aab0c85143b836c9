package match

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// CreatesResponse reports whether call returns a fresh response: by a client
// of net/http, or by anything that is called like one, func Do or RoundTrip
// (*http.Request) (*http.Response, error). In tests those are mocks, whose
// Body may be nil, so only the real ones count there.
func (p *Pass) CreatesResponse(call *ast.CallExpr) bool {
	fn := p.Callee(call)
	if fn == nil {
		return false
	}
	if knowledge.ClientCalls[p.FullName(call)] {
		return (!p.InTest(call.Pos()) || !p.stubbed(call)) && !p.bodyCopied(call)
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
	return types.IsInterface(sig.Recv().Type()) && IsRoundTrip(sig) && !p.bodyCopied(call)
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
	for _, c := range p.VarUses(client) {
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
			if fn := p.Callee(n); fn != nil && typeis.Named(p.TypesInfo.TypeOf(n), "net/http", "Client") {
				found = found || fn.Pkg() == nil || !knowledge.Std(fn.Pkg().Path())
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
	return typeis.Named(p.TypesInfo.TypeOf(e), "net/http", "Transport")
}

// IsClientCall reports whether call is of net/http itself, which promises a
// response with a body unless there is an error.
func (p *Pass) IsClientCall(call *ast.CallExpr) bool {
	if knowledge.ClientCalls[p.FullName(call)] {
		return true
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && p.connects(sel.X) // http.DefaultTransport.RoundTrip
}
