package code

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
)

// noReturn says of a function that it never returns.
type noReturn bool

var Never = Register[noReturn]("never")

func init() {
	Never.Compute(mayNotReturn, func(s *Subject) noReturn { return noReturn(s.NeverReturns()) })
}

func (s *Subject) NeverReturns() bool {
	return s.Sig.Results().Len() == 0 && !flow.ReachesReturn(s.Fn.Flow, nil) && !s.MayRecover(s.Fn)
}

// NeverReturns reports whether fn never returns to its caller.
func (f *Facts) NeverReturns(fn *types.Func) bool { return bool(Never.Of(f.Facts, fn)) }

// mayNotReturn is a cheap look at a function: could it never return, or not if an error is set?
func mayNotReturn(sig *types.Signature, d *ast.FuncDecl) bool {
	return (sig.Results().Len() == 0 || sig.TypeParams().Len() > 0) && len(d.Body.List) <= 12 && mayEnd(d.Body)
}

// mayEnd reports whether body calls anything that by its name may not return,
// or has a loop that may not end.
func mayEnd(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ForStmt:
			found = found || n.Cond == nil
		case *ast.SelectStmt:
			found = found || len(n.Body.List) == 0
		case *ast.CallExpr:
			name := strings.ToLower(CalledAs(n))
			found = found || slices.ContainsFunc(knowledge.Endings, func(part string) bool { return strings.Contains(name, part) })
		}
		return !found
	})
	return found
}

// Ends reports whether call, of fn, is known by the tables to end the goroutine,
// the test or the process.
func (p *Pass) Ends(call *ast.CallExpr, fn *types.Func) bool {
	return knowledge.NeverReturn[p.FullName(call)] || knowledge.FatalMethods[fn.Pkg().Path()][fn.Name()]
}

// NeverReturns reports whether control does not come back from call.
func (p *Pass) NeverReturns(call *ast.CallExpr) bool {
	if p.IsBuiltin(call, "panic") {
		return true
	}
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() == nil {
		return false
	}
	if p.Ends(call, fn) {
		return true
	}
	return p.Facts.NeverReturns(fn)
}
