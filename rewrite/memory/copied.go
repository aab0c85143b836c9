package memory

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// A client or a transport may read the whole body, close it, and hand on a copy in
// memory. Whoever gets that response owes nothing.

// copiesBody says of a method that is called like http.RoundTripper.RoundTrip that it
// gives its response a body that is in memory, or of one of an interface that a type of
// its package implements it so.
type copiesBody bool

var copiesOf = code.Register[copiesBody]("copies")

func init() {
	copiesOf.Compute(func(sig *types.Signature, _ *ast.FuncDecl) bool { return sig.Recv() != nil && IsRoundTrip(sig) },
		func(s *code.Subject) copiesBody { return copiesBody(copies(s.Pass, s.Fn, copyDepth)) })
	copiesOf.ComputeWhole(func(s *code.Subject) map[*types.Func]copiesBody { return copyingInterfaces(s.Pass) })
}

// copyingInterfaces returns the methods of the package's interfaces that a type of the
// package implements by a method that copies bodies.
func copyingInterfaces(p *code.Pass) map[*types.Func]copiesBody {
	copying := map[*types.Func]copiesBody{}
	for _, n := range p.Pkg.Scope().Names() {
		obj, ok := p.Pkg.Scope().Lookup(n).(*types.TypeName)
		if !ok || obj.IsAlias() || !types.IsInterface(obj.Type()) {
			continue
		}
		iface := obj.Type().Underlying().(*types.Interface)
		for m := range iface.ExplicitMethods() {
			if IsRoundTrip(m.Signature()) && copierOf(p, iface, m.Name()) {
				copying[m] = true
			}
		}
	}
	return copying
}

// copyDepth bounds how many functions are looked into for the copy.
const copyDepth = 3

// copies reports whether fn gives a response a body that is in memory, or has a
// function of the package do so.
func copies(p *code.Pass, fn *code.Func, depth int) bool {
	if depth == 0 {
		return false
	}
	for c := range fn.Cursor.Preorder((*ast.AssignStmt)(nil), (*ast.CallExpr)(nil)) {
		switch n := c.Node().(type) {
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				sel, ok := ast.Unparen(l).(*ast.SelectorExpr)
				if !ok || sel.Sel.Name != "Body" || !typeis.Response(p.TypesInfo.TypeOf(sel.X)) || len(n.Lhs) != len(n.Rhs) {
					continue
				}
				if Backed(p, code.AssignedTo(n, l), p.EnclosingFunc(c), Depth) {
					return true
				}
			}
		case *ast.CallExpr:
			callee := p.Callee(n)
			if callee == nil || !slices.ContainsFunc(n.Args, func(e ast.Expr) bool { return typeis.Response(p.TypesInfo.TypeOf(e)) }) {
				continue
			}
			if q, body := callers.BodyOf(p.Facts, callee); body != nil && copies(q, body, depth-1) {
				return true
			}
		}
	}
	return false
}

// BodyCopied reports whether the response of a call may have a body that is in memory,
// as the type says that the call is of: an interface that a type of its package, or
// of this one, implements so, or a client that may have such a transport.
func BodyCopied(p *code.Pass, call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || insideCopier(p, call) {
		return false
	}
	recv := p.TypesInfo.TypeOf(sel.X)
	switch {
	case recv == nil:
		return false
	case types.IsInterface(recv) && !typeis.TypeParam(recv):
		return !Connects(p, sel.X) && (copierOf(p, recv.Underlying().(*types.Interface), sel.Sel.Name) || copying(p, p.Callee(call)))
	case typeis.Named(recv, "net/http", "Client"):
		return copyingClient(p, sel.X)
	}
	return false
}

// insideCopier reports whether a call stands in a method that copies bodies: the
// response that it copies from must be closed.
func insideCopier(p *code.Pass, call *ast.CallExpr) bool {
	d, ok := p.DeclAt(call.Pos())
	if !ok {
		return false
	}
	fd, ok := d.Node().(*ast.FuncDecl)
	if !ok {
		return false
	}
	fn, ok := p.TypesInfo.Defs[fd.Name].(*types.Func)
	return ok && copying(p, fn)
}

// copierOf reports whether a type that the package declares at its top level
// implements iface by a method name that copies bodies. Types of test files serve
// tests only.
func copierOf(p *code.Pass, iface *types.Interface, name string) bool {
	for _, n := range p.Pkg.Scope().Names() {
		obj, ok := p.Pkg.Scope().Lookup(n).(*types.TypeName)
		if !ok || obj.IsAlias() || types.IsInterface(obj.Type()) || p.InTest(obj.Pos()) {
			continue
		}
		ptr := types.NewPointer(obj.Type())
		m, _, _ := types.LookupFieldOrMethod(ptr, true, p.Pkg, name)
		if fn, ok := m.(*types.Func); ok && copying(p, fn) && types.Implements(ptr, iface) {
			return true
		}
	}
	return false
}

// copying reports whether fn copies bodies, or is known to be implemented so.
func copying(p *code.Pass, fn *types.Func) bool { return bool(copiesOf.Of(p.Facts.Facts, fn)) }

// roundTripper stands for http.RoundTripper: that a type has its method is asked already.
var roundTripper = types.NewInterfaceType(nil, nil)

// copyingClient reports whether e, a client, may have a transport of the package that
// copies bodies: it is made with one, or nobody can see with which.
func copyingClient(p *code.Pass, e ast.Expr) bool {
	if sel, ok := ast.Unparen(e).(*ast.SelectorExpr); ok && sel.Sel.Name == "DefaultClient" {
		return false
	}
	if v := p.VarOf(e); v != nil {
		if value := p.OnlyValue(v); value != nil && !setsTransport(p, v) {
			e = value
		}
	}
	if addr, ok := ast.Unparen(e).(*ast.UnaryExpr); ok {
		e = addr.X
	}
	lit, ok := ast.Unparen(e).(*ast.CompositeLit)
	if !ok {
		return copierOf(p, roundTripper, "RoundTrip")
	}
	for _, elt := range lit.Elts {
		kv, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Transport" {
			return copyingTransport(p, kv.Value)
		}
	}
	return false
}

// setsTransport reports whether a field Transport of v, a client, is used somewhere.
func setsTransport(p *code.Pass, v *types.Var) bool {
	return slices.ContainsFunc(p.VarUses(v), func(use inspector.Cursor) bool {
		sel, ok := use.Parent().Node().(*ast.SelectorExpr)
		return ok && sel.X == use.Node() && sel.Sel.Name == "Transport"
	})
}

// copyingTransport reports whether e, a transport, may be one that copies bodies.
func copyingTransport(p *code.Pass, e ast.Expr) bool {
	t := p.TypesInfo.TypeOf(e)
	switch {
	case t == nil || Connects(p, e):
		return false
	case types.IsInterface(t):
		if v := p.VarOf(e); v != nil && frozen.Fixed(p, v) {
			if value := p.OnlyValue(v); value != nil {
				return copyingTransport(p, value)
			}
		}
		return copierOf(p, roundTripper, "RoundTrip")
	}
	obj, _, _ := types.LookupFieldOrMethod(t, true, p.Pkg, "RoundTrip")
	m, ok := obj.(*types.Func)
	return ok && copying(p, m)
}
