package match

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// WGKey identifies a sync.WaitGroup by the variable it is reached from and
// the fields on the way.
type WGKey struct {
	Root types.Object
	Path string
}

// WGOp is one call of a method of a WaitGroup.
type WGOp struct {
	Name   string // Add, Done, Wait, Go
	Key    WGKey
	Recv   ast.Expr
	Call   *ast.CallExpr
	At     inspector.Cursor // the call
	Runner inspector.Cursor // the function whose goroutine makes the call, see Runner
}

// Runner returns the function in whose goroutine c runs: literals that are
// called or deferred where they stand belong to the function around them. What
// initialises a package variable has no function around it: then it is the
// outermost of the literals, or the root of all files if there is none. The result
// is always valid.
func (p *Pass) Runner(c inspector.Cursor) inspector.Cursor {
	outer := p.Inspector.Root()
	for f := range c.Enclosing((*ast.FuncLit)(nil), (*ast.FuncDecl)(nil)) {
		outer = f
		lit, ok := f.Node().(*ast.FuncLit)
		if !ok {
			return f
		}
		call := Unparen(f).Parent()
		ce, ok := call.Node().(*ast.CallExpr)
		if !ok || ast.Unparen(ce.Fun) != ast.Expr(lit) {
			return f
		}
		if _, isGo := call.Parent().Node().(*ast.GoStmt); isGo {
			return f
		}
	}
	return outer
}

// groupIndex holds the WaitGroup calls of a package.
type groupIndex struct {
	ops    []WGOp
	on     map[*types.Var][]WGOp // by field; nil for groups that are in none
	groups []inspector.Cursor    // identifiers and selections that are WaitGroups
}

func newGroupIndex(p *Pass) *groupIndex {
	root := p.Inspector.Root()
	x := &groupIndex{ops: p.waitGroupOps(root), on: map[*types.Var][]WGOp{}}
	for _, o := range x.ops {
		field := p.FieldOf(o.Recv)
		x.on[field] = append(x.on[field], o)
	}
	for c := range root.Preorder((*ast.Ident)(nil), (*ast.SelectorExpr)(nil)) {
		e := c.Node().(ast.Expr)
		if _, isSelector := e.(*ast.SelectorExpr); !isSelector && p.VarOf(e) == nil {
			continue
		}
		if typeis.Named(p.TypesInfo.TypeOf(e), "sync", "WaitGroup") {
			x.groups = append(x.groups, c)
		}
	}
	return x
}

// groupMemo keeps what a rule has asked about the WaitGroup calls of declarations.
type groupMemo struct {
	ops map[inspector.Cursor][]WGOp            // by WaitGroupOps
	at  map[inspector.Cursor]map[ast.Expr]WGOp // by groupOpAt
}

func memoOf(p *Pass) *groupMemo {
	m := State[groupMemo](p)
	if m.ops == nil {
		m.ops, m.at = map[inspector.Cursor][]WGOp{}, map[inspector.Cursor]map[ast.Expr]WGOp{}
	}
	return m
}

// WaitGroupOps lists the WaitGroup calls below root, in source order. A
// parameter of a literal that is started with an argument stands for that
// argument: in go func(w *sync.WaitGroup) { w.Done() }(&wg), w is wg.
func (p *Pass) WaitGroupOps(root inspector.Cursor) []WGOp {
	if root == p.Inspector.Root() {
		return slices.Clip(Shared(p, newGroupIndex).ops)
	}
	m := memoOf(p)
	ops, known := m.ops[root]
	if !known {
		ops = p.waitGroupOps(root)
		m.ops[root] = ops
	}
	return slices.Clip(ops)
}

// groupOpAt returns the operation of WaitGroupOps that call is.
func (p *Pass) groupOpAt(root inspector.Cursor, call ast.Expr) (op WGOp, ok bool) {
	m := memoOf(p)
	ops, known := m.at[root]
	if !known {
		ops = map[ast.Expr]WGOp{}
		for _, o := range p.WaitGroupOps(root) {
			if _, twice := ops[o.Call]; !twice {
				ops[o.Call] = o
			}
		}
		m.at[root] = ops
	}
	op, ok = ops[call]
	return op, ok
}

// GroupExprs lists the identifiers and selections below root that are WaitGroups,
// and may list others.
func (p *Pass) GroupExprs(root inspector.Cursor) []inspector.Cursor {
	if root == p.Inspector.Root() {
		return Shared(p, newGroupIndex).groups
	}
	return slices.Collect(root.Preorder((*ast.Ident)(nil), (*ast.SelectorExpr)(nil)))
}

// GroupOpsOn lists the WaitGroup calls of the package on groups in field.
func (p *Pass) GroupOpsOn(field *types.Var) []WGOp { return Shared(p, newGroupIndex).on[field] }

func (p *Pass) waitGroupOps(root inspector.Cursor) []WGOp {
	var ops []WGOp
	for c := range root.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		switch name := CalledAs(call); name {
		case "Add", "Done", "Wait", "Go":
			recv, ok := p.Method(call, "sync", "WaitGroup", name)
			if !ok {
				continue
			}
			if key, ok := p.WaitGroupKey(recv); ok {
				key = p.ArgumentFor(key, c)
				what := name
				if name == "Add" && p.negative(call.Args) {
					what = "Done" // wg.Add(-1)
				}
				ops = append(ops, WGOp{what, key, recv, call, c, p.Runner(c)})
			}
		}
	}
	return ops
}

// negative reports whether the first of args, the number of an Add, is below
// zero as far as one can see: the Add then counts down.
func (p *Pass) negative(args []ast.Expr) bool {
	minus, ok := ast.Unparen(args[0]).(*ast.UnaryExpr)
	sign := p.Sign(args[0], 3)
	return sign < 0 || sign == 0 && ok && minus.Op == token.SUB && p.TypesInfo.Types[minus.X].Value == nil
}

// Sign returns 1 or -1 for an integer that is at least or at most zero, whatever
// happens, and 0 if it is not known which. A constant zero is neither.
func (p *Pass) Sign(e ast.Expr, depth int) int {
	if v := p.TypesInfo.Types[e].Value; v != nil {
		return constant.Sign(v)
	}
	if t := p.TypesInfo.TypeOf(e); t != nil {
		if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsUnsigned != 0 {
			return 1
		}
	}
	switch x := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		if x.Op == token.SUB {
			return -p.Sign(x.X, depth)
		}
	case *ast.BinaryExpr:
		a, b := p.Sign(x.X, depth), p.Sign(x.Y, depth)
		switch {
		case (x.Op == token.MUL || x.Op == token.QUO) && a != 0 && b != 0:
			return a * b
		case x.Op == token.ADD && a == b, x.Op == token.SUB && a == -b:
			return a
		}
	case *ast.CallExpr:
		if p.IsBuiltin(x, "len") || p.IsBuiltin(x, "cap") {
			return 1
		}
		if p.TypesInfo.Types[x.Fun].IsType() && len(x.Args) == 1 && depth > 0 {
			if b, ok := p.TypesInfo.TypeOf(x.Args[0]).Underlying().(*types.Basic); ok && b.Info()&types.IsUnsigned == 0 {
				return p.Sign(x.Args[0], depth-1) // a big unsigned one may be negative then
			}
		}
	case *ast.Ident:
		if v := p.VarOf(x); v != nil && depth > 0 && p.Fixed(v) {
			if def := p.Definition(v); def != nil {
				return p.Sign(def, depth-1)
			}
		}
	}
	return 0
}

// WaitGroupKey returns the key of e: an identifier or a chain of fields,
// possibly behind & or *.
func (p *Pass) WaitGroupKey(e ast.Expr) (WGKey, bool) {
	key, ok := p.Path(e)
	if ok && !typeis.Named(p.TypesInfo.TypeOf(e), "sync", "WaitGroup") {
		key.Path += ".~" // promoted from an embedded WaitGroup
	}
	return key, ok
}

func (p *Pass) Path(e ast.Expr) (WGKey, bool) {
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		if v, ok := p.TypesInfo.ObjectOf(x).(*types.Var); ok {
			return WGKey{Root: v}, true
		}
	case *ast.SelectorExpr:
		sel := p.TypesInfo.Selections[x]
		if sel == nil { // pkg.Var
			if v, ok := p.TypesInfo.Uses[x.Sel].(*types.Var); ok {
				return WGKey{Root: v}, true
			}
			return WGKey{}, false
		}
		if sel.Kind() != types.FieldVal {
			return WGKey{}, false
		}
		key, ok := p.Path(x.X)
		name := x.Sel.Name
		if v := sel.Obj().(*types.Var); v.Embedded() && typeis.Named(v.Type(), "sync", "WaitGroup") {
			name = "~"
		}
		key.Path += "." + name
		return key, ok
	case *ast.StarExpr:
		return p.Path(x.X)
	case *ast.UnaryExpr:
		if x.Op == token.AND {
			return p.Path(x.X)
		}
	case *ast.CallExpr: // s.group(): the same text is taken for the same group
		if fn := p.Callee(x); fn != nil {
			return WGKey{Root: fn, Path: "." + types.ExprString(x)}, true
		}
	}
	return WGKey{}, false
}

// ArgumentFor replaces a parameter of an enclosing literal that is called or
// started in place by what is passed for it.
func (p *Pass) ArgumentFor(key WGKey, c inspector.Cursor) WGKey {
	for lit := range c.Enclosing((*ast.FuncLit)(nil)) {
		if arg := p.LitArgument(lit, key.Root); arg != nil {
			if outer, ok := p.Path(arg); ok {
				key = WGKey{outer.Root, outer.Path + key.Path}
			}
		}
	}
	return key
}

// LitArgument returns the argument for parameter v of a literal that is
// called where it stands, or nil.
func (p *Pass) LitArgument(lit inspector.Cursor, v types.Object) ast.Expr {
	call, ok := Unparen(lit).Parent().Node().(*ast.CallExpr)
	if !ok || ast.Unparen(call.Fun) != ast.Expr(lit.Node().(*ast.FuncLit)) {
		return nil
	}
	i := 0
	for _, field := range lit.Node().(*ast.FuncLit).Type.Params.List {
		for _, name := range field.Names {
			if p.TypesInfo.Defs[name] == v && i < len(call.Args) {
				return call.Args[i]
			}
			i++
		}
		if len(field.Names) == 0 {
			i++
		}
	}
	return nil
}

// FieldOf returns the last field on the way to a WaitGroup, or nil if it is
// CalledMethods without one.
func (p *Pass) FieldOf(recv ast.Expr) *types.Var {
	x, ok := ast.Unparen(recv).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	if sel := p.TypesInfo.Selections[x]; sel != nil {
		v, _ := sel.Obj().(*types.Var)
		return v
	}
	return nil
}

// Stable reports whether e has the same value wherever fn, or a literal in it,
// evaluates it: constants, variables that are assigned once, fields and len of such.
func (p *Pass) Stable(e ast.Expr, fn *Func) bool {
	if p.TypesInfo.Types[e].Value != nil {
		return true
	}
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		v, ok := p.TypesInfo.ObjectOf(x).(*types.Var)
		return ok && (p.Fixed(v) || p.isPlace(v))
	case *ast.SelectorExpr:
		if p.TypesInfo.Selections[x] == nil {
			return false
		}
		return p.TypesInfo.Selections[x].Kind() == types.FieldVal && p.Stable(x.X, fn)
	case *ast.UnaryExpr:
		return x.Op == token.AND && p.Stable(x.X, fn)
	case *ast.StarExpr:
		return p.Stable(x.X, fn)
	case *ast.CallExpr:
		return p.IsBuiltin(x, "len") && len(x.Args) == 1 && (p.FrozenLen(x.Args[0]) || p.VarOf(x.Args[0]) == nil && p.Stable(x.Args[0], fn))
	}
	return false
}
