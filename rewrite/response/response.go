// Package response answers which call makes an HTTP response, whether it is fresh, has
// a body, and still sends its request, and what obligation comes with it.
package response

import (
	"go/ast"
	"go/constant"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/memory"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// Resource is a response, whose body must be closed.
var Resource = usage.Register(&usage.Resource{
	Type: func(t types.Type) bool {
		_, isPtr := types.Unalias(t).(*types.Pointer)
		return isPtr && typeis.Named(t, "net/http", "Response")
	},
	Holds: "Body",
	Held:  usage.Stream,
	Takes: []string{"Write"}, // closes the body
	Known: dumps,
})

// dumps says what httputil.DumpResponse does: with its body, that is read, closed, and
// replaced by a copy in memory.
func dumps(p *code.Pass, call *ast.CallExpr, name string) (usage.Effect, bool) {
	if name != "net/http/httputil.DumpResponse" || len(call.Args) != 2 {
		return usage.Unknown, false
	}
	switch v := p.TypesInfo.Types[call.Args[1]].Value; {
	case v == nil || v.Kind() != constant.Bool:
		return usage.Unknown, true
	case constant.BoolVal(v):
		return usage.Releases, true
	}
	return usage.Borrows, true
}

// CreatesResponse reports whether call returns a fresh response: by a client
// of net/http, or by anything that is called like one, func Do or RoundTrip
// (*http.Request) (*http.Response, error). In tests those are mocks, whose
// Body may be nil, so only the real ones count there.
func CreatesResponse(p *code.Pass, call *ast.CallExpr) bool {
	fn := p.Callee(call)
	if fn == nil {
		return false
	}
	if knowledge.ClientCalls[p.FullName(call)] {
		return (!p.InTest(call.Pos()) || !stubbed(p, call)) && !memory.BodyCopied(p, call)
	}
	if fn.Name() != "Do" && fn.Name() != "RoundTrip" || p.InTest(call.Pos()) {
		return false
	}
	sig := fn.Signature()
	if sig.Recv() == nil || sig.Params().Len() != 1 || sig.Results().Len() != 2 {
		return false
	}
	// Only for a method of an interface: a concrete client of this signature may well
	// have read and closed the body itself.
	return types.IsInterface(sig.Recv().Type()) && memory.IsRoundTrip(sig) && !memory.BodyCopied(p, call)
}

// stubbed reports whether the client of a call in a test has a transport of
// its own, which is a stub without connections as far as one can tell, or
// comes from a function that may have given it one.
func stubbed(p *code.Pass, call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	client := p.VarOf(sel.X)
	if client == nil {
		return stubIn(p, sel.X)
	}
	for _, c := range p.VarUses(client) {
		switch n := c.Parent().Node().(type) {
		case *ast.SelectorExpr: // client.Transport = stub
			as, ok := c.Parent().Parent().Node().(*ast.AssignStmt)
			if ok && n.Sel.Name == "Transport" && len(as.Rhs) == 1 && !memory.Connects(p, as.Rhs[0]) {
				return true
			}
		case *ast.AssignStmt:
			if slices.ContainsFunc(n.Rhs, func(e ast.Expr) bool { return stubIn(p, e) }) {
				return true
			}
		case *ast.ValueSpec:
			if slices.ContainsFunc(n.Values, func(e ast.Expr) bool { return stubIn(p, e) }) {
				return true
			}
		}
	}
	return false
}

// stubIn reports whether e, a client, is made with a stub for a transport.
func stubIn(p *code.Pass, e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.KeyValueExpr:
			key, ok := n.Key.(*ast.Ident)
			found = found || ok && key.Name == "Transport" && !memory.Connects(p, n.Value)
		case *ast.CallExpr:
			if fn := p.Callee(n); fn != nil && typeis.Named(p.TypesInfo.TypeOf(n), "net/http", "Client") {
				found = found || fn.Pkg() == nil || !knowledge.Std(fn.Pkg().Path())
			}
		}
		return !found
	})
	return found
}

// IsClientCall reports whether call is of net/http itself, which promises a
// response with a body unless there is an error.
func IsClientCall(p *code.Pass, call *ast.CallExpr) bool {
	if knowledge.ClientCalls[p.FullName(call)] {
		return true
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && memory.Connects(p, sel.X) // http.DefaultTransport.RoundTrip
}

// FromMemory reports whether the response is parsed from bytes in memory, such
// as a datagram: there is no connection that could be used again.
func (b *Response) FromMemory() bool {
	return b.Parsed && len(b.Call.Args) == 2 && memory.Backed(b.Pass, b.Call.Args[0], b.Fn, memory.Depth)
}
