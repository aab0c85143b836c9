package match

import (
	"go/ast"
	"go/constant"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// Path is a variable, or a field that is reached from one: "c.state.mu".
type Path struct {
	Root *types.Var
	Path string // ".state.mu"
}

// PlaceOf returns the place that e denotes; ok is false for anything that is
// not a variable with fields behind it.
func (p *Pass) PlaceOf(e ast.Expr) (at Path, ok bool) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		v := p.VarOf(e)
		return Path{Root: v}, v != nil
	case *ast.StarExpr:
		return p.PlaceOf(e.X)
	case *ast.UnaryExpr:
		return p.PlaceOf(e.X)
	case *ast.SelectorExpr:
		if sel := p.TypesInfo.Selections[e]; sel != nil && sel.Kind() == types.FieldVal {
			at, ok = p.PlaceOf(e.X)
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
func (p *Pass) LockOp(call *ast.CallExpr) (l LockCall, ok bool) {
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
	l.At, ok = p.PlaceOf(sel.X)
	if s := p.TypesInfo.Selections[sel]; s != nil {
		l.At.Path += fieldPath(s, len(s.Index())-1)
	}
	return l, ok
}

// GuardedByLock reports whether fn comes to n under a lock that it took to ask
// first whether it may go on: whoever says no takes the same lock.
func (p *Pass) GuardedByLock(fn *Func, n ast.Node) bool {
	locked, asked := map[Path]bool{}, false
	for _, s := range fn.Body.List {
		if s.Pos() <= n.Pos() && n.End() <= s.End() {
			break
		}
		switch s := s.(type) {
		case *ast.ExprStmt:
			if call, ok := s.X.(*ast.CallExpr); ok {
				if l, ok := p.LockOp(call); ok {
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

// EachCall calls f for the calls that evaluating n makes: not those of
// literals, nor those that are deferred or run in another goroutine.
func EachCall(n ast.Node, f func(*ast.CallExpr)) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.DeferStmt, *ast.GoStmt:
			return false
		case *ast.CallExpr:
			f(n)
		}
		return true
	})
}

// Into translates a place of the caller into the callee of call: one that is
// reached from an argument is reached from the parameter there. A variable that
// the callee does not get at stays what it is.
func (p *Pass) Into(at Path, call *ast.CallExpr, callee *Func) Path {
	for i, param := range Params(callee) {
		arg := Argument(call, callee, i)
		if arg == nil || param == nil {
			continue
		}
		from, ok := p.PlaceOf(arg)
		v, isVar := p.TypesInfo.Defs[param].(*types.Var)
		if ok && isVar && from.Root == at.Root && len(at.Path) >= len(from.Path) && at.Path[:len(from.Path)] == from.Path {
			return Path{v, at.Path[len(from.Path):]}
		}
	}
	return at
}

// Params lists the names of the receiver, nil if there is none, and the parameters.
func Params(fn *Func) []*ast.Ident {
	out := []*ast.Ident{nil}
	if d, ok := fn.Cursor.Node().(*ast.FuncDecl); ok && d.Recv != nil && len(d.Recv.List[0].Names) == 1 {
		out[0] = d.Recv.List[0].Names[0]
	}
	for _, field := range fn.Type.Params.List {
		out = append(out, field.Names...)
		if len(field.Names) == 0 {
			out = append(out, nil)
		}
	}
	return out
}

// Argument returns what call passes for parameter i of Params; nil if that is
// not to be seen.
func Argument(call *ast.CallExpr, fn *Func, i int) ast.Expr {
	if i > 0 {
		if i-1 < len(call.Args) && !call.Ellipsis.IsValid() {
			return call.Args[i-1]
		}
		return nil
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if _, isDecl := fn.Cursor.Node().(*ast.FuncDecl); !ok || !isDecl {
		return nil
	}
	return sel.X
}

// CallSites lists where the package calls fn; ok is false if it also uses it
// as a value, or if others may call it.
func (p *Pass) CallSites(fn *types.Func) (calls []inspector.Cursor, ok bool) {
	if fn.Exported() && p.Pkg.Name() != "main" {
		return nil, false
	}
	for _, c := range p.Index().Funcs[fn] {
		if _, isSel := c.Parent().Node().(*ast.SelectorExpr); isSel {
			c = c.Parent()
		}
		call := Unparen(c).Parent()
		if ce, isCall := call.Node().(*ast.CallExpr); !isCall || ce.Fun != Unparen(c).Node() {
			return nil, false
		}
		calls = append(calls, call)
	}
	return calls, len(calls) > 0
}

// SizeOf returns the constant value of e, nil if it has none.
func (p *Pass) SizeOf(e ast.Expr) (v constant.Value) {
	if e != nil {
		v = p.TypesInfo.Types[e].Value
	}
	return v
}
