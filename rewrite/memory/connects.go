package memory

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Connects reports whether a transport makes connections: one of net/http.
func Connects(p *code.Pass, e ast.Expr) bool {
	if sel, ok := ast.Unparen(e).(*ast.SelectorExpr); ok && sel.Sel.Name == "DefaultTransport" {
		return true
	}
	return typeis.Named(p.TypesInfo.TypeOf(e), "net/http", "Transport")
}

// IsRoundTrip reports whether sig is that of http.RoundTripper.RoundTrip.
func IsRoundTrip(sig *types.Signature) bool {
	return sig.Params().Len() == 1 && typeis.Request(sig.Params().At(0).Type()) &&
		sig.Results().Len() == 2 && typeis.Response(sig.Results().At(0).Type()) && typeis.Error(sig.Results().At(1).Type())
}
