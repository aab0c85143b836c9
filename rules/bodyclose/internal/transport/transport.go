// Package transport answers what the transports of a package under analysis do: whether
// one makes up its answers itself, without a connection, or sets a body of its own.
package transport

import (
	"go/ast"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// OwnTransport reports whether the package has a transport that puts a body of
// its own into a request or a response: what closing that body does is then not
// only what package net/http does, and a request may have a body that the call does
// not give it. A transport of a test file serves tests only.
func OwnTransport(b *response.Response) bool {
	own := find(b.Pass)
	return own.shipped || own.tested && b.Pass.InTest(b.Call.Pos())
}

// ownTransports says where a package has such transports.
type ownTransports struct{ known, shipped, tested bool }

func find(p *code.Pass) ownTransports {
	own := code.State[ownTransports](p)
	if own.known {
		return *own
	}
	own.known = true
	for _, file := range p.Files {
		for _, d := range file.Decls {
			fd, ok := d.(*ast.FuncDecl)
			if !ok || fd.Name.Name != "RoundTrip" || fd.Recv == nil || fd.Body == nil || !setsBody(p, fd.Body) {
				continue
			}
			if p.InTest(fd.Pos()) {
				own.tested = true
			} else {
				own.shipped = true
			}
		}
	}
	return *own
}

// setsBody reports whether the body of a function assigns the body of a request or
// a response of package net/http.
func setsBody(p *code.Pass, body *ast.BlockStmt) (sets bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		as, ok := n.(*ast.AssignStmt)
		if !ok {
			return !sets
		}
		for _, l := range as.Lhs {
			sel, ok := ast.Unparen(l).(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "Body" {
				continue
			}
			t := p.TypesInfo.TypeOf(sel.X)
			sets = sets || t != nil && (typeis.Request(t) || typeis.Named(t, "net/http", "Response"))
		}
		return !sets
	})
	return sets
}
