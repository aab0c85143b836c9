package code

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Callee returns the function or method that call invokes, by identity of the
// object: aliased imports and embedded receivers make no difference, a
// shadowed name does. A local variable that is assigned one function, once,
// stands for that function. It returns nil for other function values.
func (p *Pass) Callee(call *ast.CallExpr) *types.Func {
	switch obj := typeutil.Callee(p.TypesInfo, call).(type) {
	case *types.Func:
		return obj.Origin()
	case *types.Var:
		return p.boundFunc(obj)
	}
	return nil
}

// boundFunc resolves "f := context.WithCancel".
func (p *Pass) boundFunc(v *types.Var) *types.Func {
	if v.IsField() || v.Parent() == nil || v.Parent() == p.Pkg.Scope() {
		return nil
	}
	p.shared.mu.Lock()
	fn, known := p.shared.bound[v]
	p.shared.mu.Unlock()
	if !known {
		fn = p.onlyFunc(v)
		p.shared.mu.Lock()
		p.shared.bound[v] = fn
		p.shared.mu.Unlock()
	}
	return fn
}

// onlyFunc returns the function that v, a local variable, is assigned, if
// that happens once.
func (p *Pass) onlyFunc(v *types.Var) *types.Func {
	value := p.OnlyValue(v)
	if value == nil {
		return nil
	}
	return p.FuncRef(value)
}

// OnlyValue returns the only value that v, a local variable, is ever given; nil
// if there are others, or none is in sight.
func (p *Pass) OnlyValue(v *types.Var) ast.Expr {
	if values, param, ok := p.ValuesOf(v); ok && !param && len(values) == 1 {
		return values[0]
	}
	return nil
}

// ValuesOf returns all values that v, a local variable, is given; param says
// that it is a parameter, which has one before. ok is false if others may be.
func (p *Pass) ValuesOf(v *types.Var) (values []ast.Expr, param, ok bool) {
	if v.IsField() || v.Parent() == nil || v.Parent() == p.Pkg.Scope() {
		return nil, false, false
	}
	decl, found := p.DeclAt(v.Pos())
	if !found {
		return nil, false, false
	}
	for _, use := range p.Uses(decl, v) {
		use = Unparen(use)
		var given ast.Expr
		switch parent := use.Parent().Node().(type) {
		case *ast.AssignStmt:
			if !OnLeft(parent, use) {
				continue
			}
			given = assigned(parent, use)
		case *ast.ValueSpec:
			if len(parent.Values) == 0 || !IsAssigned(use) {
				continue
			}
			if len(parent.Names) == len(parent.Values) {
				given = parent.Values[slices.Index(parent.Names, use.Node().(*ast.Ident))]
			}
		case *ast.RangeStmt:
			if parent.X == use.Node() {
				continue
			}
		case *ast.UnaryExpr:
			if parent.Op != token.AND {
				continue
			}
		case *ast.Field:
			param = true
			continue
		default:
			continue
		}
		if given == nil {
			return nil, false, false
		}
		values = append(values, given)
	}
	return values, param, true
}

// OnLeft reports whether the expression at c stands on the left of as.
func OnLeft(as *ast.AssignStmt, c inspector.Cursor) bool {
	for _, l := range as.Lhs {
		if l == c.Node() {
			return true
		}
	}
	return false
}

// assigned returns what as gives to c, one of what is on its left; nil if that
// is one of several results.
func assigned(as *ast.AssignStmt, c inspector.Cursor) ast.Expr {
	if len(as.Lhs) != len(as.Rhs) || as.Tok != token.ASSIGN && as.Tok != token.DEFINE {
		return nil
	}
	for i, l := range as.Lhs {
		if l == c.Node() {
			return as.Rhs[i]
		}
	}
	return nil
}

// FuncRef returns the function that e names, without a receiver; nil if it names none.
func (p *Pass) FuncRef(e ast.Expr) *types.Func {
	var id *ast.Ident
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		id = x
	case *ast.SelectorExpr:
		if sel := p.TypesInfo.Selections[x]; sel != nil {
			return nil // a method value carries its receiver
		}
		id = x.Sel
	default:
		return nil
	}
	fn, _ := p.TypesInfo.Uses[id].(*types.Func)
	return fn
}

// FullName is Callee's qualified name, such as "net/http.Get" or
// "(*sync.WaitGroup).Add"; "" when the callee is not known.
func (p *Pass) FullName(call *ast.CallExpr) string {
	fn := p.Callee(call)
	if fn == nil {
		return ""
	}
	p.shared.mu.Lock()
	defer p.shared.mu.Unlock()
	name, ok := p.shared.names[fn]
	if !ok {
		name = fn.FullName()
		p.shared.names[fn] = name
	}
	return name
}

// CalledAs returns the name by which call calls its function, without what it
// is a method of; "" for the result of an expression.
func CalledAs(call *ast.CallExpr) string {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		return fun.Sel.Name
	}
	return ""
}

// IsBuiltin reports whether call invokes the predeclared function name.
func (p *Pass) IsBuiltin(call *ast.CallExpr, name string) bool {
	b, ok := typeutil.Callee(p.TypesInfo, call).(*types.Builtin)
	return ok && b.Name() == name
}

// Method returns the receiver expression of a call of method name of the
// named type pkg.typ (or a pointer to it, also promoted through embedding).
func (p *Pass) Method(call *ast.CallExpr, pkg, typ, name string) (recv ast.Expr, ok bool) {
	sel, isSel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !isSel || sel.Sel.Name != name {
		return nil, false
	}
	fn, isFn := p.TypesInfo.Uses[sel.Sel].(*types.Func)
	if !isFn || fn.Pkg() == nil || fn.Pkg().Path() != pkg {
		return nil, false
	}
	r := fn.Signature().Recv()
	if r == nil || !typeis.Named(r.Type(), pkg, typ) || p.TypesInfo.Selections[sel] == nil ||
		p.TypesInfo.Selections[sel].Kind() != types.MethodVal {
		return nil, false
	}
	return sel.X, true
}

// LastVar returns the field or variable that e selects in the end, also one of
// its elements; nil if it is none.
func (p *Pass) LastVar(e ast.Expr) *types.Var {
	switch x := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		return p.Selected(x)
	case *ast.IndexExpr:
		return p.LastVar(x.X)
	case *ast.StarExpr:
		return p.LastVar(x.X)
	case *ast.Ident:
		return p.VarOf(x)
	}
	return nil
}

// Within reports whether a stands in b, or is b.
func Within(a, b ast.Node) bool { return b.Pos() <= a.Pos() && a.End() <= b.End() }

// LiteralOf returns the literal that a local variable is declared with; nil if
// there is none.
func (p *Pass) LiteralOf(v *types.Var) *Func {
	if v == nil || v.IsField() || v.Parent() == p.Pkg.Scope() {
		return nil
	}
	c, ok := p.CursorAt(v.Pos())
	if !ok {
		return nil
	}
	as, ok := c.Parent().Node().(*ast.AssignStmt)
	if !ok || len(as.Lhs) != len(as.Rhs) {
		return nil
	}
	for i, l := range as.Lhs {
		if lit, isLit := ast.Unparen(as.Rhs[i]).(*ast.FuncLit); isLit && p.VarOf(l) == v {
			at, _ := c.Parent().FindNode(lit)
			return p.FuncOf(at)
		}
	}
	return nil
}

// Signature returns the signature of fn.
func (p *Pass) Signature(fn *Func) *types.Signature {
	var t types.Type
	switch n := fn.Cursor.Node().(type) {
	case *ast.FuncDecl:
		if o := p.TypesInfo.Defs[n.Name]; o != nil {
			t = o.Type()
		}
	case *ast.FuncLit:
		t = p.TypesInfo.TypeOf(n)
	}
	sig, _ := t.(*types.Signature)
	return sig
}

// Declaration returns the declaration of fn in the files of this package, with
// a body; nil if it is declared elsewhere.
func (p *Pass) Declaration(fn *types.Func) *Func {
	if fn == nil || fn.Pkg() != p.Pkg {
		return nil
	}
	d, ok := p.DeclAt(fn.Pos())
	if !ok {
		return nil
	}
	if decl, ok := d.Node().(*ast.FuncDecl); ok && p.TypesInfo.Defs[decl.Name] == types.Object(fn) {
		return p.FuncOf(d)
	}
	return nil
}

// CallsBuiltin reports whether call is of a builtin function.
func (p *Pass) CallsBuiltin(call *ast.CallExpr) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok {
		return false
	}
	_, ok = p.TypesInfo.Uses[id].(*types.Builtin)
	return ok
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
