// Package cutoff finds values that a function hands out although the context that
// they live on is cancelled when it returns.
package cutoff

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// Cut is a value that a function hands to its caller although the context
// that the value lives on is cancelled by then: a response whose body is still
// to be read, rows, a transaction.
type Cut struct {
	Return *ast.ReturnStmt
	Cancel ast.Node // the defer statement or the call that ends the context
	What   string   // what is returned
	Harm   string   // and what becomes of it
}

// Find returns the first value that is cut off by the events of the cancel
// function of a context in a local variable.
//
// Precision: the value must certainly come from the context, by way of nothing
// but what package context, net/http and loaded functions do. It counts no
// more once anything but its plain fields is touched: it may have been read to
// its end by then. And the context must certainly be cancelled on the way.
func Find(c *ctxcancel.Cancel, events []usage.Event) (out Cut, ok bool) {
	w := newLiveWalk(c.Pass, c.Fn)
	start, found := liveState{vars: w.bit(c.Ctx)}, false
	w.here, w.cancels = c.Node(), map[ast.Node]bool{}
	for _, e := range events {
		later := e.At.Node().Pos() > c.Call.Pos() || c.InLoop()
		if e.Kind == usage.Escapes || e.Kind == usage.Assigns && e.Node != w.here && later {
			return out, false
		}
		if n := certainCancel(e); n != nil {
			w.cancels[e.Node], found = true, true
		}
	}
	if !found || start.vars == 0 || nobodyReads(c.Pass, c.Fn) {
		return out, false
	}
	w.found = func(ret *ast.ReturnStmt, t types.Type, s liveState) {
		if s.cancel != nil && out.Return == nil {
			out = Cut{Return: ret, Cancel: s.cancel}
			out.What, out.Harm = fate(t)
		}
	}
	w.after(w.here, start)
	return out, out.Return != nil
}

// certainCancel returns the statement of an event that certainly cancels: a
// call or a defer of its own, or a deferred literal that does so whatever happens.
func certainCancel(e usage.Event) ast.Node {
	call := code.Unparen(e.At).Parent()
	if ce, ok := call.Node().(*ast.CallExpr); !ok || ce.Fun != code.Unparen(e.At).Node() {
		return nil
	}
	stmt := call.Parent()
	switch e.Kind {
	case usage.DefersClose:
		if stmt.Node() == e.Node {
			return e.Node
		}
	case usage.Closes:
		if _, ok := stmt.Node().(*ast.ExprStmt); ok && stmt.Node() == e.Node {
			return e.Node
		}
	case usage.ClosesLate:
		lit, ok := stmt.Parent().Parent().Node().(*ast.FuncLit)
		if !ok || stmt.Parent().Node() != ast.Node(lit.Body) {
			return nil
		}
		for range stmt.Parent().Preorder((*ast.ReturnStmt)(nil)) {
			return nil
		}
		if d, ok := e.Node.(*ast.DeferStmt); ok && ast.Unparen(d.Call.Fun) == ast.Expr(lit) {
			return d
		}
	}
	return nil
}

// fate says what a value of type t is, and what becomes of it when its context ends.
func fate(t types.Type) (what, harm string) {
	switch {
	case typeis.Named(t, "net/http", "Response"):
		return "the response", "reading a long body fails with \"context canceled\""
	case typeis.Named(t, "database/sql", "Tx"):
		return "the transaction", "it is rolled back"
	case typeis.Named(t, "database/sql", "Rows"), typeis.Named(t, "database/sql", "Row"):
		return "the result of the query", "reading it fails with \"context canceled\""
	}
	return "what reads from the response", "reading a long body fails with \"context canceled\""
}

// nobodyReads reports whether all callers of fn, a function that only its
// package can call, do no more with the response that it returns than to look
// at its plain fields and to close it.
func nobodyReads(p *code.Pass, fn *code.Func) bool {
	d, ok := fn.Cursor.Node().(*ast.FuncDecl)
	if !ok || d.Name.IsExported() || len(p.IgnoredFiles) > 0 {
		return false
	}
	obj, _ := p.TypesInfo.Defs[d.Name].(*types.Func)
	if obj == nil {
		return false
	}
	if sig, ok := obj.Type().(*types.Signature); !ok || sig.Results().Len() == 0 || !typeis.Named(sig.Results().At(0).Type(), "net/http", "Response") {
		return false
	}
	callers := 0
	for _, c := range p.Index().Funcs[obj] {
		if _, ok := c.Parent().Node().(*ast.SelectorExpr); ok {
			c = c.Parent()
		}
		call := code.Unparen(c).Parent()
		if ce, ok := call.Node().(*ast.CallExpr); !ok || ce.Fun != code.Unparen(c).Node() || mayRead(p, call) {
			return false
		}
		callers++
	}
	return callers > 0
}

// mayRead reports whether the response that a call returns goes anywhere but
// to a variable of which only plain fields are asked and which is closed.
func mayRead(p *code.Pass, call inspector.Cursor) bool {
	as, ok := code.Unparen(call).Parent().Node().(*ast.AssignStmt)
	if !ok || len(as.Rhs) != 1 {
		return true
	}
	if code.IsBlank(as.Lhs[0]) {
		return false
	}
	v, fn := p.VarOf(as.Lhs[0]), p.EnclosingFunc(call)
	if v == nil || fn == nil || !p.DeclaredIn(v, fn) || p.IsResult(v, fn) {
		return true
	}
	for _, use := range p.Uses(fn.Cursor, v) {
		if code.IsAssigned(use) || plainField(use) {
			continue
		}
		if be, ok := code.Unparen(use).Parent().Node().(*ast.BinaryExpr); ok && (p.IsNil(be.X) || p.IsNil(be.Y)) {
			continue
		}
		body := use.Parent() // resp.Body.Close()
		sel, ok := body.Parent().Node().(*ast.SelectorExpr)
		if _, isSel := body.Node().(*ast.SelectorExpr); !isSel || !ok || sel.Sel.Name != "Close" {
			return true
		}
	}
	return false
}
