package bodyclose

import (
	"go/ast"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// closesAnyway reports whether the function closes the body on some path
// without having waited for anything: what that cuts off, if the request is
// still being sent, is cut off by the author, too. If the request is seen to send
// what takes its time, to read what the server says is to wait, and a close where
// an answer is rejected says nothing of one that is not.
func closesAnyway(b *response.Response) bool {
	streams := streams(b)
	closes, defers, others, reads := map[ast.Node]bool{}, map[ast.Node]bool{}, map[ast.Node]bool{}, map[ast.Node]bool{}
	for _, e := range b.Events {
		switch e.Kind {
		case usage.Closes:
			closes[e.Node] = !streams || !rejects(b, e.At)
		case usage.DefersClose, usage.ClosesLate:
			defers[e.Node] = true
		case usage.Assigns:
			others[e.Node] = true
		default:
			reads[e.Node] = reads[e.Node] || touches(b, e)
		}
	}
	return mustcall.MayMeet(b.Pass, b.Obligation(), func(n ast.Node) (now, late, stop bool) {
		return closes[n], defers[n], others[n] || waits.MayWait(b.Pass, n) || streams && reads[n]
	})
}

// rejects reports whether c stands in a branch that is taken because of the
// response, and that ends by returning an error.
func rejects(b *response.Response, c inspector.Cursor) bool {
	for c := range c.Enclosing((*ast.IfStmt)(nil), (*ast.CaseClause)(nil)) {
		if !b.Fn.Cursor.Contains(c) {
			break
		}
		var cond ast.Node
		var list []ast.Stmt
		switch n := c.Node().(type) {
		case *ast.IfStmt:
			cond, list = n.Cond, n.Body.List
		case *ast.CaseClause:
			cond, list = c.Parent().Parent().Node(), n.Body
		}
		if len(list) == 0 || b.Var == nil || !b.Pass.Mentions(cond, b.Var) {
			continue
		}
		ret, ok := list[len(list)-1].(*ast.ReturnStmt)
		if !ok || len(ret.Results) == 0 {
			continue
		}
		last := ret.Results[len(ret.Results)-1]
		if typeis.Error(b.Pass.TypesInfo.TypeOf(last)) && !b.Pass.IsNil(last) {
			return true
		}
	}
	return false
}

// streams reports whether the function itself gives the request a body that is
// not all in memory, such as a reader of the caller.
func streams(b *response.Response) bool {
	body := bodyOf(b, b.Call)
	if body == nil && len(b.Call.Args) == 1 {
		if v := b.Pass.VarOf(b.Call.Args[0]); v != nil && !v.IsField() {
			for _, use := range b.Pass.Uses(b.Fn.Cursor, v) {
				as, ok := use.Parent().Node().(*ast.AssignStmt)
				if !ok || !code.OnLeft(as, use) {
					continue
				}
				if call, ok := code.AssignedTo(as, use.Node()).(*ast.CallExpr); ok {
					body = bodyOf(b, call)
				}
			}
		}
	}
	if body == nil || response.NoBody(b.Pass, body) {
		return false
	}
	t := b.Pass.TypesInfo.TypeOf(body)
	return !typeis.Named(t, "bytes", "Buffer") && !typeis.Named(t, "bytes", "Reader") && !typeis.Named(t, "strings", "Reader")
}

// BodyOf returns the body that call gives a request; nil if it makes none.
func bodyOf(b *response.Response, call *ast.CallExpr) ast.Expr {
	switch b.Pass.FullName(call) {
	case "net/http.NewRequest", "net/http.NewRequestWithContext", "net/http.Post", "(*net/http.Client).Post":
		return call.Args[len(call.Args)-1]
	}
	return nil
}

// cutsOff reports whether a close that the author did not write may cut off a
// request that is still being sent.
func cutsOff(b *response.Response) bool { return !b.SendsNothing() && !closesAnyway(b) }
