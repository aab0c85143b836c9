package waitgroupwait

import (
	"go/ast"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
)

// addsInGo lists the Adds in literals that a group's own Go starts, which
// counts the goroutine already, where nobody counts the group down.
func addsInGo(w *waitgroup.Groups) (out []waitgroup.Op) {
	for _, start := range waitgroup.Ops(w.Pass, w.Pass.Inspector.Root()) {
		if start.Name != "Go" || len(start.Call.Args) != 1 {
			continue
		}
		arg, ok := ast.Unparen(start.Call.Args[0]).(*ast.FuncLit)
		if !ok {
			continue
		}
		lit, ok := start.At.FindNode(arg)
		if !ok || !w.Waited(start) || countedDown(w, start, lit) {
			continue
		}
		body := w.Pass.FuncOf(lit)
		for _, o := range waitgroup.Ops(w.Pass, lit) {
			if o.Name == "Add" && o.Key == start.Key && o.GoroutineFunc == lit && body.Flow.Has(o.At.Parent().Node()) {
				out = append(out, o)
			}
		}
	}
	return out
}

// countedDown reports whether anybody may call Done on the group of start.
func countedDown(w *waitgroup.Groups, start waitgroup.Op, lit inspector.Cursor) bool {
	field := w.Pass.FieldOf(start.Recv)
	root := start.At
	for d := range start.At.Enclosing((*ast.FuncDecl)(nil), (*ast.GenDecl)(nil)) {
		root = d
	}
	if field != nil || start.Key.Root.Parent() == w.Pass.Pkg.Scope() {
		root = w.Pass.Inspector.Root()
	}
	known := map[ast.Node]bool{}
	for _, o := range waitgroup.Ops(w.Pass, root) {
		same := o.Key == start.Key || field != nil && w.Pass.FieldOf(o.Recv) == field
		if same && o.Name == "Done" {
			return true
		}
		if same {
			ast.Inspect(o.Recv, func(n ast.Node) bool {
				known[n] = true
				return true
			})
		}
	}
	// As a whole the group goes nowhere else.
	for _, c := range waitgroup.Exprs(w.Pass, root) {
		e := c.Node().(ast.Expr)
		if known[e] || !typeis.Named(w.Pass.TypesInfo.TypeOf(e), "sync", "WaitGroup") || e.Pos() == start.Key.Root.Pos() {
			continue
		}
		if sel, ok := c.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel == e {
			continue // seen as a whole
		}
		if key, ok := waitgroup.Key(w.Pass, e); ok && key == start.Key || field != nil && w.Pass.FieldOf(e) == field {
			return true
		}
	}
	return start.Key.Fields != "" && field == nil
}
