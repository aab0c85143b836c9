package missingstop

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// lifetime says what ends a goroutine that a call starts and that ends by
// nothing else.
type lifetime struct {
	Stops []string // methods of the value that may end it, sorted
	Ctx   int      // 1 + index of the parameter, a context, that ends it, too; 0 for none
	// Result reports whether it belongs to the first result, a new value, and
	// not to what the method is called on.
	Result bool
	// Itself reports whether a goroutine of the value calls one of Stops, so that the
	// value may end by itself.
	Itself bool
}

// lived is what is known of goroutines that only a method ends: see spawnsOf,
// borrowsOf and freshOf.
type lived struct {
	Spawns         *lifetime
	Borrows, Fresh bool
}

var lifetimeOf = code.Register[lived]("lifetime")

func init() {
	lifetimeOf.ComputeWhole(func(s *code.Subject) map[*types.Func]lived { return lifetimesIn(s.Pass) })
}

// spawnsOf returns what ends the goroutine that each successful call of fn
// starts. It returns nil if fn is not known to start one.
func spawnsOf(f *code.Facts, fn *types.Func) *lifetime { return lifetimeOf.Of(f.Facts, fn).Spawns }

// borrowsOf reports whether fn, a method of a type with such goroutines, neither
// ends one nor gives its receiver to anybody.
func borrowsOf(f *code.Facts, fn *types.Func) bool { return lifetimeOf.Of(f.Facts, fn).Borrows }

// freshOf reports whether the first result of fn is a new value that nobody
// else has, of a type with such goroutines.
func freshOf(f *code.Facts, fn *types.Func) bool { return lifetimeOf.Of(f.Facts, fn).Fresh }

// ending is one way in which a goroutine ends.
type ending struct {
	field *types.Var // the channel, or the cancel function of the context, that it waits for
	ctx   *types.Var // the local variable with the context, as long as it is not known more of it
	root  *types.Var // the variable with the value that field belongs to
	close bool       // only to close the channel does it
}

// origin is what is known of a context that is derived in the package.
type origin struct {
	cancel *types.Var // the field that holds its cancel function
	parent *types.Var // the parameter that it is derived from; nil for a root context
}

// spawn is a goroutine that one function starts.
type spawn struct {
	fn   *types.Func
	body *code.Func // of the goroutine
	ends []ending
	root *types.Var // the variable of fn with the value that it belongs to
	node ast.Node   // of the flow of fn
}

// lifetimes finds out which functions of a package start goroutines that only
// a method can end.
type lifetimes struct {
	p       *code.Pass
	decls   map[*types.Func]*code.Func
	order   []*types.Func
	recvs   map[ast.Node]*types.Var                  // receives and ranges -> the field
	enders  map[*types.Var]map[*types.Func]bool      // fields -> the methods that send, close or cancel; none for a field that others can reach
	derived map[*types.Var]origin                    // contexts, in fields or local variables
	bodies  map[inspector.Cursor]*code.Func          // of the goroutines
	marks   map[*ast.BlockStmt]map[ast.Node][]ending // see waits
	last    map[*ast.BlockStmt]map[ast.Node][]ending // see endsBy
	gone    map[*types.Func]bool                     // what go statements start, see itself
}

// lifetimesIn returns what is known of the functions of the package: see
// Spawns, Borrows and Fresh.
func lifetimesIn(p *code.Pass) map[*types.Func]lived {
	if !launch.HasGo(p.Inspector) {
		return nil // most packages start no goroutine
	}
	t := &lifetimes{p: p, decls: map[*types.Func]*code.Func{}, recvs: map[ast.Node]*types.Var{}, enders: map[*types.Var]map[*types.Func]bool{}, derived: map[*types.Var]origin{}, bodies: map[inspector.Cursor]*code.Func{}, marks: map[*ast.BlockStmt]map[ast.Node][]ending{}, last: map[*ast.BlockStmt]map[ast.Node][]ending{}}
	root := p.Inspector.Root()
	for c := range root.Preorder((*ast.FuncDecl)(nil)) {
		if fn, ok := p.TypesInfo.Defs[c.Node().(*ast.FuncDecl).Name].(*types.Func); ok {
			if f := p.FuncOf(c); f != nil {
				t.decls[fn], t.order = f, append(t.order, fn)
			}
		}
	}
	t.channels()
	t.contexts()
	if len(t.enders) == 0 {
		return nil
	}
	var all []spawn
	for c := range root.Preorder((*ast.GoStmt)(nil)) {
		if s, ok := t.started(c); ok {
			all = append(all, s)
			t.bodies[s.body.Cursor] = s.body
		}
	}
	if len(all) == 0 {
		return nil
	}
	out := map[*types.Func]lived{}
	for fn, l := range t.facts(all) {
		out[fn] = *l
	}
	*launchedIn(p) = t.launched(all)
	return out
}

// owner returns the type of this package that v is a value of or points to.
func (t *lifetimes) owner(v *types.Var) *types.TypeName {
	if v == nil {
		return nil
	}
	typ := types.Unalias(v.Type())
	if ptr, ok := typ.(*types.Pointer); ok {
		typ = types.Unalias(ptr.Elem())
	}
	named, ok := typ.(*types.Named)
	if !ok || named.Obj().Pkg() != t.p.Pkg {
		return nil
	}
	if _, isStruct := named.Underlying().(*types.Struct); !isStruct {
		return nil
	}
	return named.Origin().Obj()
}

// has reports whether field is one of the struct type.
func has(owner *types.TypeName, field *types.Var) bool {
	if owner == nil {
		return false
	}
	s, ok := owner.Type().Underlying().(*types.Struct)
	return ok && typeis.HasField(s, field)
}

// in returns the declared function around c.
func (t *lifetimes) in(c inspector.Cursor) *types.Func {
	for d := range c.Enclosing((*ast.FuncDecl)(nil)) {
		fn, _ := t.p.TypesInfo.Defs[d.Node().(*ast.FuncDecl).Name].(*types.Func)
		return fn
	}
	return nil
}

// method reports whether fn is a method of the type that field belongs to.
func (t *lifetimes) method(fn *types.Func, field *types.Var) bool {
	return fn != nil && fn.Signature().Recv() != nil && has(t.owner(fn.Signature().Recv()), field)
}

// started looks at one go statement.
func (t *lifetimes) started(c inspector.Cursor) (s spawn, ok bool) {
	s.fn = t.in(c)
	if s.fn == nil {
		return s, false
	}
	call := c.Node().(*ast.GoStmt).Call
	s.body = t.body(c, call)
	if s.body == nil {
		return s, false
	}
	ends, ok := t.endsBy(s.body)
	if !ok {
		return s, false
	}
	for _, e := range ends {
		e, ok := t.bound(e, call, s.body)
		if !ok {
			return s, false
		}
		if e.ctx != nil {
			if o, ok := t.derived[e.ctx]; ok {
				e.field = o.cancel
				if e.ctx = o.parent; o.parent != nil && ctxcancel.ParamIndex(s.fn, o.parent) < 0 {
					return s, false
				}
			} else if ctxcancel.ParamIndex(s.fn, e.ctx) < 0 {
				return s, false
			}
		}
		if e.root != nil {
			if s.root != nil && s.root != e.root {
				return s, false
			}
			s.root = e.root
		}
		s.ends = append(s.ends, e)
	}
	for _, e := range s.ends {
		if s.root != nil || e.field == nil {
			continue
		}
		// It waits for a context alone: whose cancel function is it?
		recv, result := t.receiver(t.decls[s.fn].Cursor.Node().(*ast.FuncDecl)), t.returned(s.fn)
		if has(t.owner(recv), e.field) {
			s.root = recv
		} else if has(t.owner(result), e.field) {
			s.root = result
		}
	}
	s.node = t.runs(c, t.decls[s.fn])
	return s, s.node != nil && !t.serves(s) && slices.ContainsFunc(s.ends, func(e ending) bool { return e.field != nil })
}

// serves reports whether the function goes on, after the go statement, in a
// loop without a condition: who calls it does nothing else any more.
func (t *lifetimes) serves(s spawn) bool {
	found := false
	flow.Paths[struct{}]{
		Node: func(_ ast.Node, st struct{}) (struct{}, bool) { return st, !found },
		Iteration: func(l ast.Stmt, _ struct{}) bool {
			loop, ok := l.(*ast.ForStmt)
			found = found || ok && loop.Cond == nil && loop.Pos() > s.node.End()
			return !found
		},
	}.After(t.decls[s.fn].Flow, s.node, struct{}{})
	return found
}

// body returns what a go statement or a call runs, if it is in this package.
func (t *lifetimes) body(c inspector.Cursor, call *ast.CallExpr) *code.Func {
	if lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
		at, _ := c.FindNode(lit)
		return t.p.FuncOf(at)
	}
	return t.decls[t.p.Callee(call)]
}

// runs returns the node of fn that certainly starts the goroutine at c when it
// is passed: the statement itself, or the call of once.Do around it.
func (t *lifetimes) runs(c inspector.Cursor, fn *code.Func) ast.Node {
	runner := t.p.GoroutineFunc(c)
	if runner != fn.Cursor {
		lit := t.p.FuncOf(runner)
		call, ok := code.Unparen(runner).Parent().Node().(*ast.CallExpr)
		if !ok || t.p.FullName(call) != "(*sync.Once).Do" || t.p.EnclosingFunc(runner).Cursor != fn.Cursor || !t.always(lit, code.FlowNode(c, lit)) {
			return nil
		}
		c = runner
	}
	return code.FlowNode(c, fn)
}

// always reports whether fn passes node on every way out that does not return
// an error.
func (t *lifetimes) always(fn *code.Func, node ast.Node) bool {
	if node == nil {
		return false
	}
	always := true
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			ret, ok := n.(*ast.ReturnStmt)
			fails := ok && len(ret.Results) > 0 && typeis.Error(t.p.TypesInfo.TypeOf(ret.Results[len(ret.Results)-1])) && !t.p.IsNil(ret.Results[len(ret.Results)-1])
			return s, n != node && !fails
		},
		Exit: func(*flow.Block, struct{}) { always = false },
	}.FromEntry(fn.Flow, struct{}{})
	return always
}

// bound says what an ending of a callee is for the caller: a parameter stands
// for its argument, the receiver for what the method is called on.
func (t *lifetimes) bound(e ending, call *ast.CallExpr, callee *code.Func) (out ending, ok bool) {
	out = e
	out.root, out.ctx = t.argument(e.root, call, callee), t.argument(e.ctx, call, callee)
	return out, (e.root == nil) == (out.root == nil) && (e.ctx == nil) == (out.ctx == nil)
}

// argument returns the variable or field that v, which the callee uses, is for
// the caller; nil if it is none.
func (t *lifetimes) argument(v *types.Var, call *ast.CallExpr, callee *code.Func) *types.Var {
	if v == nil || v.IsField() {
		return v
	}
	variable := func(e ast.Expr) *types.Var {
		e = ast.Unparen(e)
		if amp, ok := e.(*ast.UnaryExpr); ok && amp.Op == token.AND {
			e = ast.Unparen(amp.X)
		}
		if x, ok := e.(*ast.SelectorExpr); ok {
			return t.p.Selected(x)
		}
		return t.p.VarOf(e)
	}
	d, declared := callee.Cursor.Node().(*ast.FuncDecl)
	if declared && v == t.receiver(d) {
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
			return variable(sel.X)
		}
		return nil
	}
	i := 0
	for _, field := range callee.Type.Params.List {
		for _, name := range field.Names {
			if t.p.TypesInfo.Defs[name] == types.Object(v) {
				if i >= len(call.Args) || call.Ellipsis.IsValid() {
					return nil
				}
				return variable(call.Args[i])
			}
			i++
		}
	}
	if declared {
		return nil
	}
	return v // captured
}

// receiver returns the variable that d is called on; nil if it has none.
func (t *lifetimes) receiver(d *ast.FuncDecl) *types.Var {
	if d.Recv == nil || len(d.Recv.List[0].Names) == 0 {
		return nil
	}
	v, _ := t.p.TypesInfo.Defs[d.Recv.List[0].Names[0]].(*types.Var)
	return v
}
