// Package frozen answers what "nothing changes it" means: whether a variable, a length
// or a bound is what it was, and how large it is. The answer is yes only if every use is
// on a list of harmless ones.
package frozen

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// AddressTaken reports whether somebody gets the address of the variable at c, or
// of a part of it: by "&", by a method with a pointer receiver, or by slicing an
// array.
func AddressTaken(p *code.Pass, c inspector.Cursor) bool {
	for {
		at := code.Unparen(c)
		switch n := at.Parent().Node().(type) {
		case *ast.UnaryExpr:
			return n.Op == token.AND
		case *ast.SliceExpr:
			return n.X == at.Node() && typeis.Array(p.TypesInfo.TypeOf(n.X))
		case *ast.IndexExpr: // &array[i], array[i].method()
			if n.X != at.Node() || !typeis.Array(p.TypesInfo.TypeOf(n.X)) {
				return false
			}
		case *ast.SelectorExpr:
			sel := p.TypesInfo.Selections[n]
			if sel == nil || n.X != at.Node() {
				return false
			}
			if sel.Kind() != types.FieldVal {
				return takesAddress(p, sel)
			}
			if sel.Indirect() { // through a pointer: a part of something else
				return false
			}
		default:
			return false
		}
		c = at.Parent()
	}
}

// takesAddress reports whether selecting a method passes it the address of the
// variable that it is selected from.
func takesAddress(p *code.Pass, sel *types.Selection) bool {
	fn, ok := sel.Obj().(*types.Func)
	if !ok || fn.Signature().Recv() == nil {
		return true
	}
	_, byPointer := types.Unalias(fn.Signature().Recv().Type()).(*types.Pointer)
	_, fromPointer := types.Unalias(sel.Recv()).Underlying().(*types.Pointer)
	return byPointer && !fromPointer && sel.Kind() == types.MethodVal
}

// Keeps reports whether the use at c leaves the variable that it denotes with
// the value that it has. A slice, a map or a pointer is that value, not what it
// refers to. What is not listed here may change it.
func Keeps(p *code.Pass, c inspector.Cursor) bool { return !AddressTaken(p, c) && harmless(p, c) }

// harmless is the list: what stands around a variable, an element of an array or
// a field of a structure at c, and gives it no value.
func harmless(p *code.Pass, c inspector.Cursor) bool {
	at := code.Unparen(c)
	switch n := at.Parent().Node().(type) {
	case *ast.AssignStmt:
		return !code.OnLeft(n, at)
	case *ast.ValueSpec, *ast.IncDecStmt:
		return !code.IsAssigned(at)
	case *ast.BinaryExpr, *ast.UnaryExpr, *ast.StarExpr, *ast.SliceExpr, *ast.TypeAssertExpr,
		*ast.CallExpr, *ast.CompositeLit, *ast.KeyValueExpr,
		*ast.ReturnStmt, *ast.SendStmt, *ast.ExprStmt, *ast.GoStmt, *ast.DeferStmt,
		*ast.IfStmt, *ast.ForStmt, *ast.SwitchStmt, *ast.CaseClause:
		return true
	case *ast.RangeStmt:
		return n.X == at.Node()
	case *ast.IndexExpr: // of an array: a part of it
		return n.Index == at.Node() || !typeis.Array(p.TypesInfo.TypeOf(n.X)) || harmless(p, at.Parent())
	case *ast.SelectorExpr:
		sel := p.TypesInfo.Selections[n]
		return sel != nil && (sel.Kind() != types.FieldVal || sel.Indirect() || harmless(p, at.Parent()))
	}
	return false
}

// keepsLen reports whether the use at c of a map leaves its length as it is.
// Whoever else has the map may change it, so it must not get anywhere.
func keepsLen(p *code.Pass, c inspector.Cursor) bool {
	at := code.Unparen(c)
	switch n := at.Parent().Node().(type) {
	case *ast.IndexExpr:
		return n.X == at.Node() && harmless(p, at.Parent())
	case *ast.RangeStmt:
		return n.X == at.Node()
	case *ast.BinaryExpr:
		return p.IsNil(n.X) || p.IsNil(n.Y)
	case *ast.CallExpr:
		return p.IsBuiltin(n, "len") || n.Fun != at.Node() && knowledge.ReadsMaps[p.FullName(n)]
	}
	return false
}

// ScopeOf returns what holds all uses of v: the declaration around a local
// variable, all files for one of the package.
func ScopeOf(p *code.Pass, v *types.Var) (at inspector.Cursor, ok bool) {
	root := p.Inspector.Root()
	if v.Parent() == p.Pkg.Scope() {
		return root, true
	}
	c, ok := root.FindByPos(v.Pos(), v.Pos())
	for ; ok && c.Valid(); c = c.Parent() {
		if _, top := c.Parent().Node().(*ast.File); top {
			return c, true
		}
	}
	return at, false
}

// fixed are the variables of which is known whether they are [Fixed].
type fixed struct{ known map[*types.Var]bool }

// Fixed reports whether v, a local variable or a parameter, has one value from
// its declaration on: nothing assigns it again or gets its address.
func Fixed(p *code.Pass, v *types.Var) bool {
	return v != nil && v.Parent() != p.Pkg.Scope() && FixedAnywhere(p, v)
}

// FixedAnywhere is Fixed for variables of the package, too.
func FixedAnywhere(p *code.Pass, v *types.Var) bool {
	if v == nil || v.IsField() || v.Parent() == nil || v.Exported() && v.Parent() == p.Pkg.Scope() {
		return false
	}
	m := code.State[fixed](p)
	if known, ok := m.known[v]; ok {
		return known
	}
	if m.known == nil {
		m.known = map[*types.Var]bool{}
	}
	at, ok := ScopeOf(p, v)
	if ok {
		for _, use := range p.Uses(at, v) {
			if use.Node().Pos() != v.Pos() && !Keeps(p, use) {
				ok = false
				break
			}
		}
	}
	m.known[v] = ok
	return ok
}

// fixedWithin is Fixed for the part of the source below n: nothing there changes o.
func fixedWithin(p *code.Pass, n ast.Node, o types.Object) bool {
	v, ok := o.(*types.Var)
	at, found := p.FindAnywhere(n)
	if !ok || !found {
		return false
	}
	for _, use := range p.Uses(at, v) {
		if use.Node().Pos() != v.Pos() && !Keeps(p, use) {
			return false
		}
	}
	return true
}

// FrozenLen reports whether len(e) is the same from its declaration on: e is a
// local variable or a parameter that is [Fixed], and if it is a map, nothing
// that the declaration does can change it.
func FrozenLen(p *code.Pass, e ast.Expr) bool {
	v := p.VarOf(e)
	return Fixed(p, v) && frozenLen(p, v)
}

func frozenLen(p *code.Pass, v *types.Var) bool {
	if !FixedAnywhere(p, v) {
		return false
	}
	if !typeis.Map(v.Type()) {
		return true
	}
	at, ok := ScopeOf(p, v)
	if !ok {
		return false
	}
	for _, use := range p.Uses(at, v) {
		if use.Node().Pos() != v.Pos() && !keepsLen(p, use) {
			return false
		}
	}
	return true
}

// isPlace reports whether v is a local structure or array that nothing assigns as
// a whole: it may change, but whoever uses it uses the same one.
func isPlace(p *code.Pass, v *types.Var) bool {
	if v == nil || v.IsField() || v.Parent() == nil || v.Parent() == p.Pkg.Scope() {
		return false
	}
	switch v.Type().Underlying().(type) {
	case *types.Struct, *types.Array:
	default:
		return false
	}
	at, ok := ScopeOf(p, v)
	if !ok {
		return false
	}
	for _, use := range p.Uses(at, v) {
		if use.Node().Pos() != v.Pos() && code.IsAssigned(use) {
			return false
		}
	}
	return true
}

// ValuesIn counts the values that fn may see v with: one for a variable that it
// gets from outside, and one for each use that changes it.
func ValuesIn(p *code.Pass, v *types.Var, fn *code.Func) int {
	n := 0
	if !p.DeclaredIn(v, fn) || p.IsParam(v, fn) {
		n++
	}
	for _, use := range p.Uses(fn.Cursor, v) {
		if _, isField := use.Parent().Node().(*ast.Field); !isField && !Keeps(p, use) {
			n++
		}
	}
	return n
}

// Stable reports whether e has the same value wherever fn, or a literal in it,
// evaluates it: constants, variables that are assigned once, fields and len of such.
func Stable(p *code.Pass, e ast.Expr, fn *code.Func) bool {
	if p.TypesInfo.Types[e].Value != nil {
		return true
	}
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		v, ok := p.TypesInfo.ObjectOf(x).(*types.Var)
		return ok && (Fixed(p, v) || isPlace(p, v))
	case *ast.SelectorExpr:
		if p.TypesInfo.Selections[x] == nil {
			return false
		}
		return p.TypesInfo.Selections[x].Kind() == types.FieldVal && Stable(p, x.X, fn)
	case *ast.UnaryExpr:
		return x.Op == token.AND && Stable(p, x.X, fn)
	case *ast.StarExpr:
		return Stable(p, x.X, fn)
	case *ast.CallExpr:
		return p.IsBuiltin(x, "len") && len(x.Args) == 1 && (FrozenLen(p, x.Args[0]) || p.VarOf(x.Args[0]) == nil && Stable(p, x.Args[0], fn))
	}
	return false
}
