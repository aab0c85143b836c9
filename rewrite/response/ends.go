package response

import (
	"go/ast"
	"go/constant"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// EndsWithFunction reports whether the request is made with a context that the
// function cancels when it returns: that ends the connection and its
// goroutines, whether the body is closed or not.
func (b *Response) EndsWithFunction() bool {
	c := &ctxcancel.Cancel{Pass: b.Pass, Fn: b.Fn, Call: b.Call, Def: b.Def}
	if c.InLoop() {
		return false // until then, each iteration adds one
	}
	return slices.ContainsFunc(b.Call.Args, func(arg ast.Expr) bool { return takes(c, arg, 3) })
}

// takes reports whether e is a context that ends when the function returns, or a
// request that is made with one; depth bounds how many requests in between are
// looked through.
func takes(c *ctxcancel.Cancel, e ast.Expr, depth int) bool {
	t := c.Pass.TypesInfo.TypeOf(e)
	if typeis.Named(t, "context", "Context") {
		return c.Ends(e, nil)
	}
	if call, ok := ast.Unparen(e).(*ast.CallExpr); ok && depth > 0 {
		switch c.Pass.FullName(call) {
		case "net/http.NewRequestWithContext", "(*net/http.Request).WithContext", "(*net/http.Request).Clone":
			return takes(c, call.Args[0], 0)
		}
		return false
	}
	v := c.Pass.VarOf(e)
	if depth == 0 || !typeis.Named(t, "net/http", "Request") || !c.Pass.DeclaredIn(v, c.Fn) {
		return false
	}
	for _, use := range c.Pass.Uses(c.Fn.Cursor, v) {
		as, ok := use.Parent().Node().(*ast.AssignStmt)
		if ok && as.Pos() < c.Call.Pos() && as.Lhs[0] == use.Node() && len(as.Rhs) == 1 && takes(c, as.Rhs[0], depth-1) {
			return true
		}
	}
	return false
}

// Head reports whether the response certainly has no body, because the method of
// the request is HEAD.
func (b *Response) Head() bool {
	if b.Wrapper != nil {
		return false
	}
	switch code.CalledAs(b.Call) {
	case "Head":
		return true
	case "Do", "RoundTrip":
		return len(b.Call.Args) == 1 && b.asksForHead(b.Call.Args[0])
	}
	return false
}

// asksForHead reports whether e is a variable of the function that holds no
// request but one of method HEAD.
func (b *Response) asksForHead(e ast.Expr) bool {
	v := b.Pass.VarOf(e)
	if v == nil || !b.Pass.DeclaredIn(v, b.Fn) {
		return false
	}
	made := false
	for _, use := range b.Pass.Uses(b.Fn.Cursor, v) {
		if sel, ok := use.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel.Name == "Method" {
			return false // may get another one
		}
		if !code.IsAssigned(use) {
			continue
		}
		as, ok := use.Parent().Node().(*ast.AssignStmt)
		if !ok || len(as.Rhs) != 1 || !requestsHead(b.Pass, as.Rhs[0]) {
			return false
		}
		made = true
	}
	return made
}

// requestsHead reports whether e makes a request of method HEAD.
func requestsHead(p *code.Pass, e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	i, ok := requestMakers[p.FullName(call)]
	if !ok || i >= len(call.Args) {
		return false
	}
	v := p.TypesInfo.Types[call.Args[i]].Value
	return v != nil && v.Kind() == constant.String && constant.StringVal(v) == "HEAD"
}
