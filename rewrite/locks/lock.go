// Package locks recognises the calls that lock and unlock, and the mutex that they are
// about. It does not follow what is held from function to function.
package locks

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// Path is a variable, or a field that is reached from one: "c.state.mu".
type Path struct {
	Root *types.Var
	Path string // ".state.mu"
}

// PlaceOf returns the place that e denotes; ok is false for anything that is
// not a variable followed by fields.
func PlaceOf(p *code.Pass, e ast.Expr) (at Path, ok bool) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		v := p.VarOf(e)
		return Path{Root: v}, v != nil
	case *ast.StarExpr:
		return PlaceOf(p, e.X)
	case *ast.UnaryExpr:
		return PlaceOf(p, e.X)
	case *ast.SelectorExpr:
		if sel := p.TypesInfo.Selections[e]; sel != nil && sel.Kind() == types.FieldVal {
			at, ok = PlaceOf(p, e.X)
			at.Path += fieldPath(sel, len(sel.Index()))
			return at, ok
		}
		v, isVar := p.TypesInfo.Uses[e.Sel].(*types.Var)
		return Path{Root: v}, isVar // of another package
	}
	return Path{}, false
}

// fieldPath names the first n fields of a selection, embedded ones included.
func fieldPath(sel *types.Selection, n int) (path string) {
	t := sel.Recv()
	for _, i := range sel.Index()[:n] {
		if ptr, ok := t.Underlying().(*types.Pointer); ok {
			t = ptr.Elem()
		}
		s, ok := t.Underlying().(*types.Struct)
		if !ok {
			return path
		}
		path += "." + s.Field(i).Name()
		t = s.Field(i).Type()
	}
	return path
}

// LockCall is a call of Lock, RLock, Unlock or RUnlock.
type LockCall struct {
	At   Path
	Name string
}

// Takes reports whether the call locks the mutex, for reading or for writing.
func (l LockCall) Takes() bool { return l.Name == "Lock" || l.Name == "RLock" }

// LockOp says which mutex a call locks or unlocks.
func LockOp(p *code.Pass, call *ast.CallExpr) (l LockCall, ok bool) {
	sel, isSel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !isSel {
		return l, false
	}
	switch sel.Sel.Name { // the cheap question first
	case "Lock", "Unlock", "RLock", "RUnlock":
	default:
		return l, false
	}
	switch p.FullName(call) {
	case "(*sync.Mutex).Lock", "(*sync.Mutex).Unlock", "(*sync.RWMutex).Lock", "(*sync.RWMutex).Unlock", "(*sync.RWMutex).RLock", "(*sync.RWMutex).RUnlock":
	default:
		return l, false
	}
	l.Name = sel.Sel.Name
	l.At, ok = PlaceOf(p, sel.X)
	if s := p.TypesInfo.Selections[sel]; s != nil {
		l.At.Path += fieldPath(s, len(s.Index())-1)
	}
	return l, ok
}

// GuardedByLock reports whether fn comes to n under a lock that it took to ask
// first whether it may go on: whoever says no takes the same lock.
func GuardedByLock(p *code.Pass, fn *code.Func, n ast.Node) bool {
	locked, asked := map[Path]bool{}, false
	for _, s := range fn.Body.List {
		if s.Pos() <= n.Pos() && n.End() <= s.End() {
			break
		}
		switch s := s.(type) {
		case *ast.ExprStmt:
			if call, ok := s.X.(*ast.CallExpr); ok {
				if l, ok := LockOp(p, call); ok {
					locked[l.At], asked = l.Takes(), false
				}
			}
		case *ast.IfStmt:
			ast.Inspect(s.Body, func(n ast.Node) bool {
				_, returns := n.(*ast.ReturnStmt)
				asked = asked || returns
				_, isLit := n.(*ast.FuncLit)
				return !isLit
			})
		}
	}
	for _, held := range locked {
		if held && asked {
			return true
		}
	}
	return false
}

// Into translates a place of the caller into the callee of call: one that is
// reached from an argument is reached from the parameter there. A variable that
// the callee does not get at stays what it is; one of the callee itself is another there,
// where it calls itself, and has no place.
func Into(p *code.Pass, at Path, call *ast.CallExpr, callee *code.Func) Path {
	for i, param := range code.Params(callee) {
		arg := code.Argument(call, callee, i)
		if arg == nil || param == nil {
			continue
		}
		from, ok := PlaceOf(p, arg)
		v, isVar := p.TypesInfo.Defs[param].(*types.Var)
		if ok && isVar && from.Root == at.Root && len(at.Path) >= len(from.Path) && at.Path[:len(from.Path)] == from.Path {
			return Path{v, at.Path[len(from.Path):]}
		}
	}
	if d := callee.Cursor.Node(); at.Root != nil && d.Pos() <= at.Root.Pos() && at.Root.Pos() < d.End() {
		return Path{}
	}
	return at
}
