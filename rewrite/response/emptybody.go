package response

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// bodySent is bodyIn for an argument of http.NewRequest or of a client, which
// take an empty reader of strings or bytes for no body.
func bodySent(p *code.Pass, e ast.Expr, fn *code.Func) Sent {
	if emptyReader(p, e) {
		return Sent{Kind: SentNothing}
	}
	s, _ := valuesOfBody(p, e, fn)
	return s
}

// valuesOfBody returns what all values of e, the body of a request in fn, are,
// and whether one of them is an empty reader, which counts as nothing then.
func valuesOfBody(p *code.Pass, e ast.Expr, fn *code.Func) (s Sent, empty bool) {
	if NoBody(p, e) {
		return Sent{Kind: SentNothing}, false
	}
	v := p.VarOf(e)
	// A nil pointer is a body all the same: it is in an interface that is not nil.
	if v == nil || v.IsField() || !types.IsInterface(v.Type()) || typeis.TypeParam(v.Type()) {
		return Sent{}, false
	}
	stays := true
	for _, use := range p.Uses(fn.Outermost(), v) {
		stays = stays && staysEmpty(p, use)
		switch n := code.Unparen(use).Parent().Node().(type) {
		case *ast.Field:
		case *ast.ValueSpec:
			if len(n.Values) > 0 {
				return Sent{}, false
			}
		case *ast.AssignStmt:
			rhs := code.AssignedTo(n, use.Node())
			switch {
			case !code.OnLeft(n, code.Unparen(use)), rhs != nil && NoBody(p, rhs):
			case rhs != nil && emptyReader(p, rhs):
				empty = true
			default:
				return Sent{}, false
			}
		default:
			if !frozen.Keeps(p, use) {
				return Sent{}, false // it may get another one
			}
		}
	}
	switch i := declParam(p, v, fn); {
	case empty && !stays:
		return Sent{}, false
	case i >= 0:
		return Sent{Kind: SentParam, Param: i}, empty
	case p.DeclaredNil(v, fn): // var body io.Reader
		return Sent{Kind: SentNothing}, empty
	}
	return Sent{}, false
}

// emptyReader reports whether e is a new reader of strings or bytes that has
// nothing to read.
func emptyReader(p *code.Pass, e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return false
	}
	name := p.FullName(call)
	return (name == "bytes.NewReader" || name == "strings.NewReader") && emptyText(p, call.Args[0])
}

// emptyText reports whether e is nil, a string without bytes or a literal of no bytes.
func emptyText(p *code.Pass, e ast.Expr) bool {
	e = ast.Unparen(e)
	if call, ok := e.(*ast.CallExpr); ok && len(call.Args) == 1 && p.TypesInfo.Types[call.Fun].IsType() { // []byte("")
		e = ast.Unparen(call.Args[0])
	}
	if lit, ok := e.(*ast.CompositeLit); ok {
		return len(lit.Elts) == 0
	}
	tv := p.TypesInfo.Types[e]
	return p.IsNil(e) || tv.Value != nil && tv.Value.ExactString() == `""`
}

// staysEmpty reports whether an empty reader in the variable at c is as empty
// after this use: nobody may call Reset.
func staysEmpty(p *code.Pass, c inspector.Cursor) bool {
	at := code.Unparen(c)
	switch n := at.Parent().Node().(type) {
	case *ast.Field, *ast.ValueSpec, *ast.BinaryExpr, *ast.SwitchStmt:
		return true
	case *ast.AssignStmt:
		return code.OnLeft(n, at)
	case *ast.SelectorExpr:
		return n.Sel.Name != "Reset"
	case *ast.CallExpr:
		name := p.FullName(n)
		return knowledge.ClientCalls[name] || name == "io.ReadAll" || name == "net/http.NewRequest" || name == "net/http.NewRequestWithContext"
	}
	return false
}
