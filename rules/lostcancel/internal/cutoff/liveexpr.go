package cutoff

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// live reports whether e, or the first of its results, lives on the context.
func (w *liveWalk) live(e ast.Expr, s liveState) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		v := w.p.VarOf(e)
		return v != nil && s.vars&w.bit(v) != 0
	case *ast.SelectorExpr:
		return e.Sel.Name == "Body" && typeis.Named(w.p.TypesInfo.TypeOf(e.X), "net/http", "Response") && w.live(e.X, s)
	case *ast.UnaryExpr:
		lit, ok := e.X.(*ast.CompositeLit)
		return ok && e.Op == token.AND && w.live(lit, s)
	case *ast.CompositeLit:
		return w.liveLit(e, s)
	case *ast.CallExpr:
		return w.liveCall(e, s)
	}
	return false
}

// liveLit reports whether a struct keeps something to read from, and is no error.
func (w *liveWalk) liveLit(lit *ast.CompositeLit, s liveState) bool {
	t := w.p.TypesInfo.TypeOf(lit)
	if _, ok := t.Underlying().(*types.Struct); !ok || typeis.Erroneous(t) || typeis.Erroneous(types.NewPointer(t)) {
		return false
	}
	return slices.ContainsFunc(lit.Elts, func(x ast.Expr) bool {
		if kv, ok := x.(*ast.KeyValueExpr); ok {
			x = kv.Value
		}
		return product(w.p.TypesInfo.TypeOf(x)) && w.live(x, s)
	})
}

func (w *liveWalk) liveCall(call *ast.CallExpr, s liveState) bool {
	if w.p.TypesInfo.Types[call.Fun].IsType() {
		return len(call.Args) == 1 && w.live(call.Args[0], s)
	}
	fn := w.p.Callee(call)
	if fn == nil {
		return false
	}
	name := fn.FullName()
	i, ok := knowledge.LiveMakers[name]
	if _, isMaker := knowledge.CancelMakers[name]; isMaker && name != "os/signal.NotifyContext" {
		i, ok = 0, true
	}
	switch {
	case ok:
	case response.CreatesResponse(w.p, call) && len(call.Args) == 1 && typeis.Named(w.p.TypesInfo.TypeOf(call.Args[0]), "net/http", "Request"):
		i, ok = 0, true
	default:
		if i, ok = knowledge.ReaderMakers[name]; !ok {
			return w.liveResult(call, fn, s)
		}
	}
	if name == "net/http.NewRequestWithContext" && len(call.Args) > 1 && w.isHead(call.Args[1]) {
		return false // its response has no body
	}
	return i < len(call.Args) && w.live(call.Args[i], s)
}

// liveResult asks the summary of a loaded function.
func (w *liveWalk) liveResult(call *ast.CallExpr, fn *types.Func, s liveState) bool {
	for i, arg := range call.Args {
		if livesOnOf(w.p.Facts, fn, i) && w.live(arg, s) {
			return true
		}
	}
	return false
}

func (w *liveWalk) isHead(e ast.Expr) bool {
	v := w.p.TypesInfo.Types[e].Value
	return v != nil && v.Kind() == constant.String && constant.StringVal(v) == "HEAD"
}
