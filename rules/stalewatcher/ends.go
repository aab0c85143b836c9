package stalewatcher

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
)

// endsItself reports whether the function, or each of its callers if only the package can
// call it, makes or ends what the goroutine receives from: then both end at about the same
// time.
func (w *watcher) endsItself(ch ast.Expr) bool {
	if ctx, ok := ctxcancel.DoneCall(w.p, ch); ok {
		ch = ctx
	}
	if call, ok := ast.Unparen(ch).(*ast.CallExpr); ok {
		ch = call.Fun // of a method: what matters is whose
	}
	field, root := w.p.VarOrField(ch), w.p.VarOf(code.RootExpr(ch))
	d, ok := w.declaration(w.start)
	if !ok {
		return false
	}
	if w.endsIn(d, field, root) {
		return true
	}
	fn, _ := w.p.TypesInfo.Defs[d.Node().(*ast.FuncDecl).Name].(*types.Func)
	calls := w.p.Index().Calls[fn]
	if fn == nil || fn.Exported() || len(calls) == 0 || len(calls) != len(w.p.Index().Funcs[fn]) {
		return false
	}
	for _, c := range calls {
		caller, ok := w.declaration(c)
		if !ok || !w.endsIn(caller, field, nil) {
			return false
		}
	}
	return true
}

func (w *watcher) declaration(c inspector.Cursor) (inspector.Cursor, bool) {
	for d := range c.Enclosing((*ast.FuncDecl)(nil)) {
		return d, true
	}
	return c, false
}

// endsIn reports whether a function outside of the goroutine closes or assigns the field,
// also by a function that it calls, or calls a method that ends the value in root.
func (w *watcher) endsIn(d inspector.Cursor, field, root *types.Var) bool {
	closes := func(call *ast.CallExpr) bool {
		return field != nil && w.p.IsBuiltin(call, "close") && len(call.Args) == 1 && w.p.VarOrField(call.Args[0]) == field
	}
	for c := range d.Preorder((*ast.CallExpr)(nil), (*ast.AssignStmt)(nil)) {
		if code.Within(c.Node(), w.start.Node()) {
			continue
		}
		switch n := c.Node().(type) {
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				if v := w.p.VarOrField(l); v != nil && v == field && v.IsField() {
					return true
				}
			}
		case *ast.CallExpr:
			sel, isSel := ast.Unparen(n.Fun).(*ast.SelectorExpr)
			if closes(n) || isSel && root != nil && w.p.VarOf(sel.X) == root && ending[strings.ToLower(sel.Sel.Name)] {
				return true
			}
			found := false
			if callee := w.p.Declaration(w.p.Callee(n)); callee != nil {
				code.EachCall(callee.Body, func(call *ast.CallExpr) { found = found || closes(call) })
			}
			if found {
				return true
			}
		}
	}
	return false
}

// ending are the names of methods that end a value, in lower case.
var ending = map[string]bool{"close": true, "stop": true, "shutdown": true, "cancel": true}
