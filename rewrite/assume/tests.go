package assume

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// RequiredNil returns the error that is certainly nil once call, one of
// testify's checks such as require.NoError(t, err), has returned; nil for other calls.
func RequiredNil(p *code.Pass, call *ast.CallExpr) ast.Expr {
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "github.com/stretchr/testify/require" || !knowledge.RequireNoError[fn.Name()] {
		return nil
	}
	i := 1
	if fn.Signature().Recv() != nil {
		i = 0
	}
	if i < len(call.Args) && typeis.Error(p.TypesInfo.TypeOf(call.Args[i])) {
		return call.Args[i]
	}
	return nil
}

// ExpectsError reports whether n is a check of a test that err is set: what
// comes with the error is nil then, unless the test fails.
func ExpectsError(p *code.Pass, n ast.Node, err *types.Var) bool {
	es, ok := n.(*ast.ExprStmt)
	if !ok || err == nil {
		return false
	}
	call, ok := ast.Unparen(es.X).(*ast.CallExpr)
	if !ok {
		return false
	}
	if demandsError(p, call, err) {
		return true
	}
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() == nil || !knowledge.ExpectError[fn.Name()] || !p.Mentions(call, err) {
		return false
	}
	path := fn.Pkg().Path()
	return path == "github.com/stretchr/testify/require" || path == "github.com/stretchr/testify/assert"
}

// FailsTest reports whether n marks a test as failed and goes on. What leaks on
// the way to a failing test's end is nobody's concern.
func FailsTest(p *code.Pass, n ast.Node) bool {
	es, ok := n.(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := ast.Unparen(es.X).(*ast.CallExpr)
	if !ok {
		return false
	}
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "testing" {
		return false
	}
	return fn.Name() == "Error" || fn.Name() == "Errorf" || fn.Name() == "Fail"
}
