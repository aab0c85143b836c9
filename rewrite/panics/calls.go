package panics

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
)

// call reports whether the call at c may panic, its arguments aside.
func (w *panicWalk) call(c inspector.Cursor, n *ast.CallExpr) bool {
	fun := ast.Unparen(n.Fun)
	if tv := w.p.TypesInfo.Types[n.Fun]; tv.IsType() {
		return w.converts(n.Args[0], tv.Type)
	}
	if _, isLit := fun.(*ast.FuncLit); isLit {
		return false // its body is asked on its own, or runs elsewhere
	}
	if w.p.CallsBuiltin(n) {
		return w.builtin(n)
	}
	fn := w.p.Callee(n)
	_, isGo := c.Parent().Node().(*ast.GoStmt)
	switch {
	case fn == nil:
		return !isGo // to start nothing ends the process at once
	case isGo:
		return false // what it does there is no matter here; how it is selected is asked on its own
	case fn.Pkg() == nil:
		return true
	case knowledge.Calm[fn.FullName()] || knowledge.CalmPackages[fn.Pkg().Path()] && !knowledge.Jumpy[fn.FullName()] && fn.Signature().Recv() == nil && !takesFunc(fn):
		return false
	case knowledge.OnTheirOwn[fn.FullName()]:
		sel, ok := fun.(*ast.SelectorExpr)
		return !ok || w.mayBeNil(c, sel)
	}
	return w.callee(c, n, fn)
}

// takesFunc reports whether a function calls what it is given.
func takesFunc(fn *types.Func) bool {
	for v := range fn.Signature().Params().Variables() {
		switch v.Type().Underlying().(type) {
		case *types.Signature, *types.Interface:
			return true
		}
	}
	return false
}

// mayBeNil reports whether the receiver of a method is a pointer that may be nil.
func (w *panicWalk) mayBeNil(c inspector.Cursor, sel *ast.SelectorExpr) bool {
	_, isPtr := w.under(sel.X).(*types.Pointer)
	return isPtr && !w.nonNil(c, sel.X)
}

// callee looks into a function of the package that the call at c calls.
func (w *panicWalk) callee(c inspector.Cursor, n *ast.CallExpr, fn *types.Func) bool {
	if w.seen[fn] || len(w.seen) > 8 {
		return true // it may call itself without end
	}
	body := w.p.Declaration(fn)
	if body == nil {
		return true
	}
	if recv := w.receiver(body); recv != nil {
		if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok && !w.mayBeNil(c, sel) {
			defer func(was bool) { w.there[recv] = was }(w.there[recv])
			w.there[recv] = true
		}
	}
	w.seen[fn] = true
	in, ok := body.Cursor.FindNode(body.Body)
	may := !ok || w.may(in)
	delete(w.seen, fn)
	return may
}

// receiver returns the variable that a method has its receiver in; nil if it
// has none or gives it another value.
func (w *panicWalk) receiver(fn *code.Func) types.Object {
	d, ok := fn.Cursor.Node().(*ast.FuncDecl)
	if !ok || d.Recv == nil || len(d.Recv.List) != 1 || len(d.Recv.List[0].Names) != 1 {
		return nil
	}
	v, _ := w.p.TypesInfo.Defs[d.Recv.List[0].Names[0]].(*types.Var)
	if v == nil || slices.ContainsFunc(w.p.Uses(fn.Cursor, v), func(c inspector.Cursor) bool { return code.IsAssigned(c) || code.Addressed(c) }) {
		return nil
	}
	return v
}

// builtin is a call of a function of the language.
func (w *panicWalk) builtin(n *ast.CallExpr) bool {
	switch name := code.CalledAs(n); name {
	case "append", "cap", "clear", "complex", "copy", "imag", "len", "max", "min", "new", "print", "println", "real", "recover":
		return false
	case "delete":
		m, ok := w.under(n.Args[0]).(*types.Map)
		return !ok || !hashable(m.Key())
	case "make":
		for _, size := range n.Args[1:] {
			if w.p.TypesInfo.Types[size].Value == nil && !w.measures(size) {
				return true
			}
		}
		return false
	}
	return true // close, panic, what unsafe offers
}

// measures reports whether e is a length or a capacity.
func (w *panicWalk) measures(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	return ok && (w.p.IsBuiltin(call, "len") || w.p.IsBuiltin(call, "cap"))
}

// converts reports whether a conversion of e to a type may panic: that of a
// slice to an array does if it is too short.
func (w *panicWalk) converts(e ast.Expr, to types.Type) bool {
	if ptr, ok := to.Underlying().(*types.Pointer); ok {
		to = ptr.Elem()
	}
	_, isArray := to.Underlying().(*types.Array)
	_, isSlice := w.under(e).(*types.Slice)
	_, isParam := types.Unalias(to).(*types.TypeParam)
	return isArray && isSlice || isParam
}
