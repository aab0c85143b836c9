package missingstop

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
)

// borrows computes Borrows.
func (t *lifetimes) borrows(fn *types.Func, stops, seen map[*types.Func]bool) bool {
	f := t.decls[fn]
	if f == nil || stops[fn] {
		return false
	}
	if seen[fn] {
		return true
	}
	seen[fn] = true
	recv := t.receiver(f.Cursor.Node().(*ast.FuncDecl))
	return recv == nil || t.onlyBorrows(recv, f, func(m *types.Func) bool { return t.borrows(m, stops, seen) })
}

// onlyBorrows reports whether fn does nothing with v but to use its fields and
// to call methods that only borrow.
func (t *lifetimes) onlyBorrows(v *types.Var, fn *code.Func, borrows func(*types.Func) bool) bool {
	for _, use := range t.p.Uses(fn.Cursor, v) {
		if borrowingUse(t.p, use, borrows) || t.afterWait(use) {
			continue
		}
		if param, lit := literalArg(t.p, use); param == nil || !t.onlyBorrows(param, lit, borrows) {
			return false
		}
	}
	return true
}

// literalArg returns the parameter that the expression at c is for the literal
// that is called with it, and the literal; nil if there is none.
func literalArg(p *code.Pass, c inspector.Cursor) (*types.Var, *code.Func) {
	c = code.Unparen(c)
	call, ok := c.Parent().Node().(*ast.CallExpr)
	if !ok {
		return nil, nil
	}
	lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit)
	if !ok {
		return nil, nil
	}
	at, _ := c.Parent().FindNode(lit)
	return ctxcancel.ArgumentOf(lit, call, c.Node(), p), p.FuncOf(at)
}

// borrowingUse reports whether the use of a value at c looks at a field, compares
// with nil, declares the variable, or calls a method that only borrows.
func borrowingUse(p *code.Pass, c inspector.Cursor, borrows func(*types.Func) bool) bool {
	c = code.Unparen(c)
	switch n := c.Parent().Node().(type) {
	case *ast.Field:
		return true
	case *ast.BinaryExpr:
		return n.Op == token.EQL || n.Op == token.NEQ
	case *ast.SelectorExpr:
		sel := p.TypesInfo.Selections[n]
		if sel == nil {
			return false
		}
		if sel.Kind() == types.FieldVal {
			return true
		}
		m, ok := sel.Obj().(*types.Func)
		outer := code.Unparen(c.Parent())
		call, called := outer.Parent().Node().(*ast.CallExpr)
		if !ok || !called || call.Fun != outer.Node() {
			return false
		}
		return len(sel.Index()) > 1 || borrows(m.Origin())
	}
	return false
}

// fresh computes Fresh for a function that returns a watched type.
func (t *lifetimes) fresh(fn *types.Func, watched map[*types.TypeName]bool, fact func(*types.Func) *lived) {
	res := fn.Signature().Results()
	if res.Len() == 0 || !watched[t.owner(res.At(0))] || fact(fn).Fresh {
		return
	}
	f := t.decls[fn]
	isFresh := func(m *types.Func) bool { return fact(m).Fresh }
	v := t.returned(fn)
	if v == nil {
		fact(fn).Fresh = t.returnsLiterals(f, isFresh)
		return
	}
	for _, use := range t.p.Uses(f.Cursor, v) {
		switch n := code.Unparen(use).Parent().Node().(type) {
		case *ast.ReturnStmt:
			continue
		case *ast.UnaryExpr:
			if _, returns := code.Unparen(code.Unparen(use).Parent()).Parent().Node().(*ast.ReturnStmt); returns && n.Op == token.AND {
				continue
			}
			return
		case *ast.AssignStmt:
			if len(n.Lhs) >= 1 && n.Lhs[0] == use.Node() && freshValue(t.p, n.Rhs[0], isFresh) {
				continue
			}
			return
		case *ast.ValueSpec:
			if len(n.Values) == 0 || n.Names[0] == use.Node() && freshValue(t.p, n.Values[0], isFresh) {
				continue
			}
			return
		}
		if !borrowingUse(t.p, use, func(m *types.Func) bool { return fact(m).Borrows }) && !t.afterWait(use) {
			return
		}
	}
	fact(fn).Fresh = true
}

// freshValue reports whether e is a new value: a literal, new(T), or what a
// function returns that makes one.
func freshValue(p *code.Pass, e ast.Expr, fresh func(*types.Func) bool) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		_, isLit := ast.Unparen(x.X).(*ast.CompositeLit)
		return x.Op == token.AND && isLit
	case *ast.CompositeLit:
		return true
	case *ast.CallExpr:
		if p.IsBuiltin(x, "new") {
			return true
		}
		fn := p.Callee(x)
		return fn != nil && fresh(fn)
	}
	return false
}

// results yields the first results of the return statements of f itself.
func (t *lifetimes) results(f *code.Func, yield func(ast.Expr) bool) bool {
	for c := range f.Cursor.Preorder((*ast.ReturnStmt)(nil)) {
		if in := t.p.EnclosingFunc(c); in == nil || in.Cursor != f.Cursor {
			continue
		}
		ret := c.Node().(*ast.ReturnStmt)
		if len(ret.Results) == 0 || !yield(ret.Results[0]) {
			return false
		}
	}
	return true
}

func (t *lifetimes) returnsLiterals(f *code.Func, fresh func(*types.Func) bool) bool {
	found := false
	return t.results(f, func(e ast.Expr) bool {
		found = found || !t.p.IsNil(e)
		return t.p.IsNil(e) || freshValue(t.p, e, fresh)
	}) && found
}

// returned returns the local variable that fn returns as its first result on
// every way out on which it does not return nil.
func (t *lifetimes) returned(fn *types.Func) *types.Var {
	f := t.decls[fn]
	if fn.Signature().Results().Len() == 0 {
		return nil
	}
	var v *types.Var
	ok := t.results(f, func(e ast.Expr) bool {
		if t.p.IsNil(e) {
			return true
		}
		if amp, ok := ast.Unparen(e).(*ast.UnaryExpr); ok && amp.Op == token.AND {
			e = amp.X
		}
		r := t.p.VarOf(e)
		if r == nil || v != nil && r != v || !t.p.DeclaredIn(r, f) || r.Kind() != types.LocalVar {
			return false
		}
		v = r
		return true
	})
	if !ok {
		return nil
	}
	return v
}

// calling returns the lifetime of the goroutine that a function called by fn
// starts, for the same receiver or for the value that fn makes.
func (t *lifetimes) calling(fn *types.Func, out map[*types.Func]*lived, stops map[*types.Func]bool) *lifetime {
	f := t.decls[fn]
	if stops[fn] {
		return nil
	}
	for c := range f.Cursor.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		callee := t.p.Callee(call)
		if callee == nil || out[callee] == nil || out[callee].Spawns == nil || t.p.GoroutineFunc(c) != f.Cursor || code.InDefer(c) {
			continue
		}
		l := *out[callee].Spawns
		if l.Result {
			if !t.makes(fn, c) {
				continue
			}
		} else {
			sel, isSel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
			if !isSel {
				continue
			}
			result, ok := t.belongs(fn, t.p.VarOf(sel.X))
			if !ok {
				continue
			}
			l.Result = result
		}
		if l.Ctx > 0 {
			i := -1
			if arg := call.Args[l.Ctx-1]; ctxcancel.RootContext(t.p, arg) {
				l.Ctx = 0
			} else if v := t.p.VarOf(arg); v != nil {
				i = ctxcancel.ParamIndex(fn, v)
			}
			if l.Ctx > 0 && i < 0 {
				continue
			}
			if i >= 0 {
				l.Ctx = i + 1
			}
		}
		if t.always(f, code.FlowNode(c, f)) {
			return &l
		}
	}
	return nil
}

// makes reports whether the call at c makes the value that fn returns.
func (t *lifetimes) makes(fn *types.Func, c inspector.Cursor) bool {
	switch n := code.Unparen(c).Parent().Node().(type) {
	case *ast.ReturnStmt:
		return len(n.Results) >= 1 && ast.Unparen(n.Results[0]) == c.Node()
	case *ast.AssignStmt:
		v := t.p.VarOf(n.Lhs[0])
		return v != nil && v == t.returned(fn)
	}
	return false
}
