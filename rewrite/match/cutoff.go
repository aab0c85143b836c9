package match

import (
	"go/ast"
	"go/types"
)

// CutOff is a value that a function hands to its caller although the context
// that the value lives on is cancelled by then: a response whose body is still
// to be read, rows, a transaction.
type CutOff struct {
	Return *ast.ReturnStmt
	Cancel ast.Node // the defer statement or the call that ends the context
	What   string   // what is returned
	Harm   string   // and what becomes of it
}

// CutOff returns the first value that is cut off by the events of the cancel
// function of a context in a local variable.
//
// Precision: the value must certainly come from the context, by way of nothing
// but what package context, net/http and loaded functions do. It counts no
// more once anything but its plain fields is touched: it may have been read to
// its end by then. And the context must certainly be cancelled on the way.
func (c *Cancel) CutOff(events []Event) (out CutOff, ok bool) {
	w := newLiveWalk(c.p, c.Fn)
	start, any := liveState{vars: w.bit(c.Ctx)}, false
	w.here, w.cancels = c.Node(), map[ast.Node]bool{}
	for _, e := range events {
		if e.Kind == Escapes || e.Kind == Assigns && e.Node != w.here {
			return out, false
		}
		if n := certainCancel(e); n != nil {
			w.cancels[e.Node], any = true, true
		}
	}
	if !any || start.vars == 0 {
		return out, false
	}
	w.found = func(ret *ast.ReturnStmt, t types.Type, s liveState) {
		if s.cancel != nil && out.Return == nil {
			out = CutOff{Return: ret, Cancel: s.cancel}
			out.What, out.Harm = fate(t)
		}
	}
	w.after(w.here, start)
	return out, out.Return != nil
}

// certainCancel returns the statement of an event that certainly cancels: a
// call or a defer of its own, or a deferred literal that does so whatever happens.
func certainCancel(e Event) ast.Node {
	call := Unparen(e.At).Parent()
	if ce, ok := call.Node().(*ast.CallExpr); !ok || ce.Fun != Unparen(e.At).Node() {
		return nil
	}
	stmt := call.Parent()
	switch e.Kind {
	case DefersClose:
		if stmt.Node() == e.Node {
			return e.Node
		}
	case Closes:
		if _, ok := stmt.Node().(*ast.ExprStmt); ok && stmt.Node() == e.Node {
			return e.Node
		}
	case ClosesLate:
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
	case IsNamed(t, "net/http", "Response"):
		return "the response", "reading a long body fails with \"context canceled\""
	case IsNamed(t, "database/sql", "Tx"):
		return "the transaction", "it is rolled back"
	case IsNamed(t, "database/sql", "Rows"), IsNamed(t, "database/sql", "Row"):
		return "the result of the query", "reading it fails with \"context canceled\""
	}
	return "what reads from the response", "reading a long body fails with \"context canceled\""
}
