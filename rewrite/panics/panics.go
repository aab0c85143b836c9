// Package panics answers which statements and expressions of a function may panic.
// It answers no only where that is certain.
package panics

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// MayPanic reports whether n, a statement or expression of a function, may
// panic when it is evaluated. It answers no only where that is certain: what is
// not known to return may panic.
//
// Left aside are faults that no deferred call outlives, such as a stack that
// overflows, and what a goroutine that n starts does.
//
// there are variables that hold no nil pointer, because the code around n has
// looked into them.
func MayPanic(p *code.Pass, n ast.Node, there ...types.Object) bool {
	root, ok := p.FindAnywhere(n)
	if !ok {
		return true
	}
	w := panicWalk{p: p, seen: map[*types.Func]bool{}, there: map[types.Object]bool{}}
	for _, v := range there {
		w.there[v] = true
	}
	return w.may(root)
}

// panicWalk looks for something that may panic.
type panicWalk struct {
	p     *code.Pass
	seen  map[*types.Func]bool  // the functions that are looked into
	there map[types.Object]bool // variables that hold no nil pointer
}

func (w *panicWalk) may(root inspector.Cursor) (may bool) {
	root.Inspect([]ast.Node{
		(*ast.FuncLit)(nil), (*ast.CallExpr)(nil), (*ast.IndexExpr)(nil), (*ast.SliceExpr)(nil), (*ast.StarExpr)(nil),
		(*ast.SelectorExpr)(nil), (*ast.TypeAssertExpr)(nil), (*ast.BinaryExpr)(nil), (*ast.SendStmt)(nil), (*ast.AssignStmt)(nil),
		(*ast.IncDecStmt)(nil), (*ast.RangeStmt)(nil), (*ast.CompositeLit)(nil), (*ast.SwitchStmt)(nil),
	}, func(c inspector.Cursor) bool {
		if may {
			return false
		}
		if e, ok := c.Node().(ast.Expr); ok {
			if tv := w.p.TypesInfo.Types[e]; tv.IsType() || tv.Value != nil {
				return false
			}
		}
		if _, isLit := c.Node().(*ast.FuncLit); isLit {
			return c == root || w.runsHere(c)
		}
		may = w.panics(c)
		return !may
	})
	return may
}

// runsHere reports whether a literal runs in the goroutine of what is around
// it: it is called, or deferred.
func (w *panicWalk) runsHere(lit inspector.Cursor) bool {
	outer := code.Unparen(lit)
	call, ok := outer.Parent().Node().(*ast.CallExpr)
	if !ok || call.Fun != outer.Node() {
		return false
	}
	_, isGo := outer.Parent().Parent().Node().(*ast.GoStmt)
	return !isGo
}

// panics reports whether the node at c itself may panic; what stands in it is
// asked on its own.
func (w *panicWalk) panics(c inspector.Cursor) bool {
	switch n := c.Node().(type) {
	case *ast.CallExpr:
		return w.call(c, n)
	case *ast.IndexExpr:
		return w.index(c, n)
	case *ast.SliceExpr:
		_, isPtr := w.under(n.X).(*types.Pointer)
		return isPtr || n.Low != nil || n.High != nil || n.Max != nil
	case *ast.StarExpr:
		return !w.nonNil(c, n.X)
	case *ast.SelectorExpr:
		return w.selects(c, n)
	case *ast.TypeAssertExpr:
		return n.Type != nil && !commaOk(c)
	case *ast.BinaryExpr:
		switch n.Op {
		case token.EQL, token.NEQ:
			return !w.comparesAnything(n.X, n.Y)
		}
		return w.operates(n.Op, n.X, n.Y)
	case *ast.SendStmt:
		return w.mayBeClosed(n.Chan, c)
	case *ast.AssignStmt:
		for i, l := range n.Lhs {
			if w.fills(l) || i < len(n.Rhs) && w.operates(operatorOf[n.Tok], l, n.Rhs[i]) {
				return true
			}
		}
	case *ast.IncDecStmt:
		return w.fills(n.X)
	case *ast.RangeStmt:
		switch w.under(n.X).(type) {
		case *types.Slice, *types.Array, *types.Map, *types.Chan, *types.Basic:
		default:
			return true // a pointer to an array, a function
		}
		return n.Key != nil && w.fills(n.Key) || n.Value != nil && w.fills(n.Value)
	case *ast.CompositeLit:
		m, ok := w.under(n).(*types.Map)
		return ok && !hashable(m.Key())
	case *ast.SwitchStmt:
		return n.Tag != nil && !hashable(w.p.TypesInfo.TypeOf(n.Tag))
	}
	return false
}

// operatorOf maps assignments to the operators in them that may panic.
var operatorOf = map[token.Token]token.Token{
	token.QUO_ASSIGN: token.QUO, token.REM_ASSIGN: token.REM, token.SHL_ASSIGN: token.SHL, token.SHR_ASSIGN: token.SHR,
}

// operates reports whether x op y may panic: an integer divided by zero, a shift
// by a negative number.
func (w *panicWalk) operates(op token.Token, x, y ast.Expr) bool {
	switch op {
	case token.QUO, token.REM:
		b, ok := w.under(x).(*types.Basic)
		if ok && b.Info()&(types.IsFloat|types.IsComplex) != 0 {
			return false
		}
		v := w.p.TypesInfo.Types[y].Value
		return v == nil || constant.Sign(v) == 0
	case token.SHL, token.SHR:
		b, ok := w.under(y).(*types.Basic)
		return w.p.TypesInfo.Types[y].Value == nil && (!ok || b.Info()&types.IsUnsigned == 0)
	}
	return false
}

// index is x[i], or a function or type with its arguments.
func (w *panicWalk) index(c inspector.Cursor, n *ast.IndexExpr) bool {
	if tv := w.p.TypesInfo.Types[n.Index]; tv.IsType() {
		return false
	}
	t := w.under(n.X)
	if ptr, ok := t.(*types.Pointer); ok {
		if !w.nonNil(c, n.X) {
			return true
		}
		t = ptr.Elem().Underlying()
	}
	switch t := t.(type) {
	case *types.Map:
		return !hashable(t.Key()) // that it is nil matters to assignments
	case *types.Array:
		return w.p.TypesInfo.Types[n.Index].Value == nil // else the compiler has looked
	}
	return true
}

// fills reports whether l, to which something is assigned, is an element of a
// map, which may be nil. All else is asked as an expression.
func (w *panicWalk) fills(l ast.Expr) bool {
	ix, ok := ast.Unparen(l).(*ast.IndexExpr)
	if !ok {
		return false
	}
	_, isMap := w.under(ix.X).(*types.Map)
	return isMap
}

// selects is x.f and x.M.
func (w *panicWalk) selects(c inspector.Cursor, n *ast.SelectorExpr) bool {
	sel := w.p.TypesInfo.Selections[n]
	if sel == nil {
		return false // of a package
	}
	if sel.Kind() == types.MethodExpr {
		return false
	}
	through := len(sel.Index()) > 1 && sel.Indirect() // an embedded pointer, maybe
	_, isPtr := w.under(n.X).(*types.Pointer)
	if sel.Kind() == types.FieldVal {
		return through || isPtr && !w.nonNil(c, n.X)
	}
	if types.IsInterface(sel.Recv()) {
		return true // it may be nil, and the method is not known either
	}
	_, wantsPtr := types.Unalias(sel.Obj().(*types.Func).Signature().Recv().Type()).(*types.Pointer)
	return through || isPtr && !wantsPtr && !w.nonNil(c, n.X)
}

// nonNil reports whether e, in the node at c, certainly is a pointer to something.
func (w *panicWalk) nonNil(c inspector.Cursor, e ast.Expr) bool {
	if w.fresh(e) {
		return true
	}
	v := w.p.VarOf(e)
	return v != nil && (w.there[v] || w.tested(c, v) || w.alwaysSet(v))
}

// fresh reports whether e is a pointer to something new, or to a variable.
func (w *panicWalk) fresh(e ast.Expr) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		return x.Op == token.AND
	case *ast.CallExpr:
		return w.p.IsBuiltin(x, "new")
	}
	return false
}

// tested reports whether c is reached only if v is not nil, by the condition of
// an if or of an && around it, and v gets no other value there.
func (w *panicWalk) tested(c inspector.Cursor, v *types.Var) bool {
	if !w.owned(v) {
		return false
	}
	for at := c; at.Valid() && at.Node() != nil; at = at.Parent() {
		var cond ast.Expr
		switch n := at.Parent().Node().(type) {
		case *ast.FuncLit, *ast.FuncDecl, nil:
			return false
		case *ast.IfStmt:
			if at.Node() == ast.Node(n.Body) {
				cond = n.Cond
			}
		case *ast.BinaryExpr:
			if n.Op == token.LAND && at.Node() == ast.Node(n.Y) {
				cond = n.X
			}
		}
		if cond == nil {
			continue
		}
		if x, isNil, ok := w.p.NilTest(cond, true); ok && !isNil && w.p.VarOf(x) == v {
			return !slices.ContainsFunc(w.p.Uses(at, v), code.IsAssigned)
		}
	}
	return false
}

// owned reports whether v is a variable of a function whose address nobody has.
func (w *panicWalk) owned(v *types.Var) bool {
	if v.IsField() || v.Parent() == nil || v.Parent() == w.p.Pkg.Scope() {
		return false
	}
	return !slices.ContainsFunc(w.uses(v), code.Addressed)
}

// uses lists the uses of a variable in the declaration that it belongs to.
func (w *panicWalk) uses(v *types.Var) []inspector.Cursor {
	c, ok := w.p.Inspector.Root().FindByPos(v.Pos(), v.Pos())
	if !ok {
		return nil
	}
	for d := range c.Enclosing((*ast.FuncDecl)(nil), (*ast.GenDecl)(nil)) {
		c = d
	}
	return w.p.Uses(c, v)
}

// alwaysSet reports whether a local variable is declared with something that
// is not nil and gets no other value.
func (w *panicWalk) alwaysSet(v *types.Var) bool {
	if !w.owned(v) {
		return false
	}
	set := false
	for _, use := range w.uses(v) {
		if !code.IsAssigned(use) {
			continue
		}
		var lhs, rhs []ast.Expr
		switch n := use.Parent().Node().(type) {
		case *ast.AssignStmt:
			lhs, rhs = n.Lhs, n.Rhs
		case *ast.ValueSpec:
			for _, name := range n.Names {
				lhs = append(lhs, name)
			}
			rhs = n.Values
		}
		i := slices.IndexFunc(lhs, func(l ast.Expr) bool { return l == use.Node() })
		if i < 0 || len(lhs) != len(rhs) || !w.fresh(rhs[i]) {
			return false
		}
		set = true
	}
	return set
}

// commaOk reports whether the type assertion at c also says whether it holds.
func commaOk(c inspector.Cursor) bool {
	c = code.Unparen(c)
	switch n := c.Parent().Node().(type) {
	case *ast.AssignStmt:
		return len(n.Lhs) == 2 && len(n.Rhs) == 1
	case *ast.ValueSpec:
		return len(n.Names) == 2 && len(n.Values) == 1
	}
	return false
}

// comparesAnything reports whether x == y never panics: it does where both are
// interfaces that hold values that cannot be compared.
func (w *panicWalk) comparesAnything(x, y ast.Expr) bool {
	for _, e := range []ast.Expr{x, y} {
		// io.EOF and the like are pointers.
		if w.p.IsNil(e) || w.sentinel(e) {
			return true
		}
		if t := w.p.TypesInfo.TypeOf(e); hashable(t) {
			return true
		}
	}
	return false
}

// sentinel reports whether e is a variable of the standard library that holds an error.
func (w *panicWalk) sentinel(e ast.Expr) bool {
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	v, ok := w.p.TypesInfo.Uses[sel.Sel].(*types.Var)
	return ok && !v.IsField() && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() && knowledge.Std(v.Pkg().Path()) && typeis.Error(v.Type())
}

// hashable reports whether values of type t can be compared, whatever they are.
func hashable(t types.Type) bool {
	if t == nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Basic, *types.Pointer, *types.Chan:
		return true
	case *types.Array:
		return hashable(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if !hashable(f.Type()) {
				return false
			}
		}
		return true
	}
	return false
}

// mayBeClosed reports whether the channel e, on which the statement at c
// sends, may be closed by then: it is anything but a variable of the declaration
// that only sends and receives.
func (w *panicWalk) mayBeClosed(e ast.Expr, c inspector.Cursor) bool {
	v := w.p.VarOf(e)
	if v == nil || v.IsField() || v.Kind() != types.LocalVar || v.Parent() == w.p.Pkg.Scope() {
		return true
	}
	decl := c
	for d := range c.Enclosing((*ast.FuncDecl)(nil), (*ast.GenDecl)(nil)) {
		decl = d
	}
	for _, u := range channel.Uses(w.p, decl, v) {
		switch u.Kind {
		case channel.Send, channel.Recv, channel.Range, channel.Nil:
			if u.Callee.Callee != nil {
				return true
			}
		case channel.Make:
			if !w.made(u.At) {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// made reports whether the variable at c gets a channel that is new.
func (w *panicWalk) made(c inspector.Cursor) bool {
	var rhs []ast.Expr
	switch n := c.Parent().Node().(type) {
	case *ast.AssignStmt:
		rhs = n.Rhs
	case *ast.ValueSpec:
		rhs = n.Values
	}
	for _, e := range rhs {
		if call, ok := ast.Unparen(e).(*ast.CallExpr); !ok || !w.p.IsBuiltin(call, "make") {
			return false
		}
	}
	return true
}

func (w *panicWalk) under(e ast.Expr) types.Type {
	t := w.p.TypesInfo.TypeOf(e)
	if t == nil {
		return nil
	}
	return t.Underlying()
}
