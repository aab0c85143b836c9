package match

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"
)

// WaitGroups knows where in a package WaitGroups are waited for.
type WaitGroups struct {
	p     *Pass
	waits map[types.Object]bool // fields and variables with a Wait; nil until asked for
}

// NewWaitGroups returns the WaitGroups of p's package.
func NewWaitGroups(p *Pass) *WaitGroups { return &WaitGroups{p: p} }

// Goroutine is one go statement, seen together with the WaitGroup calls of
// the declaration around it.
type Goroutine struct {
	p      *Pass
	Groups *WaitGroups
	Stmt   inspector.Cursor // the go statement
	Parent *Func            // the function that it stands in
	Decl   inspector.Cursor // the top-level declaration
	Lit    inspector.Cursor // the literal that it starts; invalid for a call of something else
	Body   *Func            // the same
	all    []WGOp           // the WaitGroup calls of the declaration
}

// Goroutine returns the go statement at c; nil outside of functions.
func (w *WaitGroups) Goroutine(c inspector.Cursor) *Goroutine {
	g := &Goroutine{p: w.p, Groups: w, Stmt: c, Parent: w.p.EnclosingFunc(c), Decl: c}
	if g.Parent == nil {
		return nil
	}
	for d := range c.Enclosing((*ast.FuncDecl)(nil), (*ast.GenDecl)(nil)) {
		g.Decl = d
	}
	fun := ast.Unparen(c.Node().(*ast.GoStmt).Call.Fun)
	if _, ok := fun.(*ast.FuncLit); ok {
		g.Lit, _ = c.FindNode(fun)
		g.Body = w.p.FuncOf(g.Lit)
	}
	return g
}

func (f *WaitGroups) Waited(op WGOp) bool {
	if f.waits == nil {
		f.waits = map[types.Object]bool{}
		for _, w := range f.p.WaitGroupOps(f.p.Inspector.Root()) {
			if w.Name == "Wait" {
				f.waits[w.Key.Root] = true
				if field := f.p.FieldOf(w.Recv); field != nil {
					f.waits[field] = true
				}
			}
		}
	}
	if field := f.p.FieldOf(op.Recv); field != nil {
		return f.waits[field]
	}
	return f.waits[op.Key.Root] || isParam(op.Key.Root)
}

// isParam reports whether o is a pointer from a caller, who waits.
func isParam(o types.Object) bool {
	v, ok := o.(*types.Var)
	if !ok || v.Kind() != types.ParamVar {
		return false
	}
	_, isPtr := types.Unalias(v.Type()).(*types.Pointer)
	return isPtr
}

func (g *Goroutine) Ops() []WGOp {
	if g.all == nil {
		g.all = g.p.WaitGroupOps(g.Decl)
	}
	return g.all
}

// Within reports whether an object is declared inside the literal, other than
// as a parameter that stands for something outside.
func (g *Goroutine) Within(o types.Object) bool {
	return o.Pos() >= g.Lit.Node().Pos() && o.Pos() < g.Lit.Node().End()
}

// Direct returns the list of the goroutine's statements and the index in it
// of the call of op, if that is a statement there.
func (g *Goroutine) Direct(op WGOp) (list []ast.Stmt, at int, ok bool) {
	list = g.Body.Body.List
	at = slices.IndexFunc(list, func(s ast.Stmt) bool {
		es, ok := s.(*ast.ExprStmt)
		return ok && ast.Unparen(es.X) == ast.Expr(op.Call)
	})
	return list, at, at >= 0
}

// Local reports whether the group is a variable of the declaration itself.
func (g *Goroutine) Local(key WGKey) bool {
	v, ok := key.Root.(*types.Var)
	return ok && key.Path == "" && v.Kind() == types.LocalVar
}

// Used reports whether the goroutine uses the variable that the group is
// reached from for anything else, such as a call of one of its methods.
func (g *Goroutine) Used(key WGKey) bool {
	if key.Path == "" {
		return false
	}
	for _, use := range g.p.Uses(g.Lit, key.Root) {
		sel, ok := Unparen(use).Parent().Node().(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if s := g.p.TypesInfo.Selections[sel]; s != nil && s.Kind() != types.FieldVal && !g.isOp(sel) {
			return true
		}
	}
	return false
}

// isOp reports whether sel is the method of a call on a WaitGroup.
func (g *Goroutine) isOp(sel *ast.SelectorExpr) bool {
	return slices.ContainsFunc(g.p.WaitGroupOps(g.Lit), func(o WGOp) bool { return ast.Unparen(o.Call.Fun) == ast.Expr(sel) })
}

// PassedOn reports whether the goroutine hands the group to another function.
func (g *Goroutine) PassedOn(key WGKey) bool {
	known := map[ast.Node]bool{}
	for _, o := range g.p.WaitGroupOps(g.Lit) {
		ast.Inspect(o.Recv, func(n ast.Node) bool {
			if n != nil {
				known[n] = true
			}
			return true
		})
	}
	for c := range g.Lit.Preorder((*ast.Ident)(nil), (*ast.SelectorExpr)(nil)) {
		if known[c.Node()] {
			continue
		}
		e := c.Node().(ast.Expr)
		if !IsNamed(g.p.TypesInfo.TypeOf(e), "sync", "WaitGroup") {
			continue
		}
		if k, ok := g.p.WaitGroupKey(e); ok && k == key {
			return true
		}
	}
	return false
}

// CountedBefore reports whether the statement before the go is already an Add
// for it, or the goroutine starts others and any Add stands before it: then
// it runs under a count of its own and may add to it.
func (g *Goroutine) CountedBefore(key WGKey) bool {
	starts := false
	for c := range g.Lit.Preorder((*ast.GoStmt)(nil)) {
		starts = starts || c.Node() != nil
	}
	list, i, ok := StmtList(g.Stmt)
	for _, o := range g.Ops() {
		if o.Name != "Add" || o.Key != key || g.Lit.Contains(o.At) || o.At.Node().Pos() > g.Stmt.Node().Pos() {
			continue
		}
		if starts {
			return true
		}
		if ok && i > 0 {
			if es, isExpr := list[i-1].(*ast.ExprStmt); isExpr && ast.Unparen(es.X) == ast.Expr(o.Call) {
				return true
			}
		}
	}
	return false
}

// Handshake reports whether the parent hears from the goroutine before it
// waits: then the Add has happened by the time of the Wait.
func (g *Goroutine) Handshake(key WGKey) bool {
	wait := g.Decl.Node().End()
	for _, o := range g.Ops() {
		if o.Name == "Wait" && o.Key == key && o.At.Node().Pos() > g.Stmt.Node().End() {
			wait = min(wait, o.At.Node().Pos())
		}
	}
	between := func(c inspector.Cursor) bool {
		return c.Node().Pos() > g.Stmt.Node().End() && c.Node().Pos() < wait && !g.Lit.Contains(c)
	}
	for _, o := range g.Ops() {
		if o.Name == "Wait" && o.Key != key && between(o.At) {
			for _, d := range g.Ops() {
				if d.Name == "Done" && d.Key == o.Key && g.Lit.Contains(d.At) {
					return true
				}
			}
		}
	}
	for ch := range g.channels() {
		for _, u := range g.p.ChannelUses(g.Decl, ch) {
			heard := u.Kind == ChanRecv || u.Kind == ChanRange || u.Kind == ChanSend && g.unbuffered(ch)
			if heard && between(u.At) {
				return true
			}
		}
	}
	// A flag that is polled, a condition that is waited for.
	for c := range g.Decl.Preorder((*ast.SelectorExpr)(nil)) {
		switch c.Node().(*ast.SelectorExpr).Sel.Name {
		case "Load", "Gosched", "LoadInt32", "LoadInt64", "LoadUint32":
			if between(c) {
				return true
			}
		case "Wait":
			call, ok := c.Parent().Node().(*ast.CallExpr)
			if ok && between(c) && g.p.FullName(call) == "(*sync.Cond).Wait" {
				return true
			}
		}
	}
	return false
}

// unbuffered reports whether the channel in v is made without a buffer, as far
// as the declaration shows.
func (g *Goroutine) unbuffered(v types.Object) bool {
	for c := range g.Decl.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if g.p.IsBuiltin(call, "make") && len(call.Args) > 1 && g.p.Mentions(c.Parent().Node(), v) {
			return false
		}
	}
	return true
}

// channels lists the channel variables from outside that the goroutine uses.
func (g *Goroutine) channels() map[types.Object]bool {
	out := map[types.Object]bool{}
	for c := range g.Lit.Preorder((*ast.Ident)(nil)) {
		v := g.p.VarOf(c.Node().(*ast.Ident))
		if v == nil || v.IsField() {
			continue
		}
		if _, ok := v.Type().Underlying().(*types.Chan); !ok {
			continue
		}
		if !g.Within(v) {
			out[v] = true
		} else if arg := g.p.LitArgument(g.Lit, v); arg != nil {
			if a := g.p.VarOf(arg); a != nil {
				out[a] = true
			}
		}
	}
	return out
}

func (g *Goroutine) OpOf(s ast.Stmt) (WGOp, bool) {
	es, ok := s.(*ast.ExprStmt)
	if !ok {
		return WGOp{}, false
	}
	for _, o := range g.Ops() {
		if ast.Expr(o.Call) == ast.Unparen(es.X) {
			return o, true
		}
	}
	return WGOp{}, false
}

func (g *Goroutine) IsOne(op WGOp) bool {
	v := g.p.TypesInfo.Types[op.Call.Args[0]].Value
	return v != nil && constant.Compare(v, token.EQL, constant.MakeInt64(1))
}

// Counts reports whether s starts a goroutine that calls Done on the group.
func (g *Goroutine) Counts(s ast.Stmt, key WGKey) bool {
	gs, ok := s.(*ast.GoStmt)
	if !ok {
		return false
	}
	for _, o := range g.Ops() {
		if o.Name == "Done" && o.Key == key && gs.Pos() <= o.Call.Pos() && o.Call.End() <= gs.End() {
			return true
		}
	}
	for _, arg := range gs.Call.Args {
		if amp, ok := ast.Unparen(arg).(*ast.UnaryExpr); ok && amp.Op == token.AND {
			if k, ok := g.p.WaitGroupKey(arg); ok && k == key {
				return true
			}
		}
	}
	return g.Groups.calleeCounts(gs.Call, key)
}

// calleeCounts reports whether call is of a method of this package that
// calls Done on the group, reached from its receiver.
func (f *WaitGroups) calleeCounts(call *ast.CallExpr, key WGKey) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	fn := f.p.Callee(call)
	if !ok || fn == nil || fn.Pkg() != f.p.Pkg || fn.Signature().Recv() == nil {
		return false
	}
	from, ok := f.p.WaitGroupKey(sel.X)
	if !ok {
		return false
	}
	from.Path = strings.TrimSuffix(from.Path, ".~") // the receiver is no WaitGroup
	for c := range f.p.Inspector.Root().Preorder((*ast.FuncDecl)(nil)) {
		d := c.Node().(*ast.FuncDecl)
		if f.p.TypesInfo.Defs[d.Name] != types.Object(fn) || d.Recv == nil || len(d.Recv.List[0].Names) == 0 {
			continue
		}
		recv := f.p.TypesInfo.Defs[d.Recv.List[0].Names[0]]
		for _, o := range f.p.WaitGroupOps(c) {
			if o.Name == "Done" && o.Key.Root == recv && (WGKey{Root: from.Root, Path: from.Path + o.Key.Path}) == key {
				return true
			}
		}
	}
	return false
}

// Shared reports whether anything but this goroutine may call Done for it:
// another function, a literal that is not a goroutine of its own, or an alias.
func (g *Goroutine) Shared(done WGOp) bool {
	ops := map[ast.Node]bool{}
	for _, o := range g.Ops() {
		if o.Key == done.Key {
			ops[o.Recv] = true
			if o.Name == "Done" && !g.Lit.Contains(o.At) && (!started(o.Runner) || g.sends()) {
				return true
			}
		}
	}
	if field := g.p.FieldOf(done.Recv); field != nil {
		for _, o := range g.p.WaitGroupOps(g.p.Inspector.Root()) {
			if o.Name == "Done" && g.p.FieldOf(o.Recv) == field && !g.Lit.Contains(o.At) {
				return g.sends() // what is sent may be the duty to call it
			}
		}
		return false
	}
	for _, use := range g.p.Uses(g.Decl, done.Key.Root) {
		if amp, ok := use.Parent().Node().(*ast.UnaryExpr); ok && amp.Op == token.AND && !ops[amp] {
			return true
		}
		if sel, ok := use.Parent().Node().(*ast.SelectorExpr); ok && !ops[use.Node()] && sel.X == use.Node() {
			return true // a method value
		}
	}
	return false
}

// sends reports whether the goroutine sends on a channel.
func (g *Goroutine) sends() bool {
	for range g.Lit.Preorder((*ast.SendStmt)(nil)) {
		return true
	}
	return false
}

// Counted reports whether an Add for the goroutine stands in front of it
// unconditionally: in a list of statements that also holds, at some depth,
// the go statement.
func (g *Goroutine) Counted(key WGKey) bool {
	for c := g.Stmt; c.Valid() && c != g.Parent.Cursor; c = c.Parent() {
		list, i, ok := StmtList(c)
		if !ok {
			continue
		}
		for _, s := range list[:i] {
			if op, ok := g.OpOf(s); ok && op.Name == "Add" && op.Key == key && g.known(op.Call.Args[0]) {
				return true
			}
		}
	}
	return false
}

// known reports whether a number of goroutines is a constant or a length, and
// not counted up somewhere.
func (g *Goroutine) known(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	return g.p.TypesInfo.Types[e].Value != nil || ok && g.p.IsBuiltin(call, "len")
}

// WaitedAlways reports whether the function that starts the goroutine comes to
// a Wait on every path, unless somebody else is the one that waits.
func (g *Goroutine) WaitedAlways(key WGKey) bool {
	waits, elsewhere := map[ast.Node]bool{}, true
	for _, o := range g.Ops() {
		if o.Name == "Wait" && o.Key == key {
			elsewhere = false
			if n := FlowNode(o.At, g.Parent); n != nil && o.Runner == g.p.Runner(g.Stmt) {
				waits[n] = true
			}
		}
	}
	if elsewhere {
		return true
	}
	always := true
	Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) { return s, !waits[n] },
		Exit: func(*Block, struct{}) { always = false },
	}.After(g.Parent.Flow, FlowNode(g.Stmt, g.Parent), struct{}{})
	return always
}

// started reports whether a function is a literal that a go statement starts.
func started(fn inspector.Cursor) bool {
	if _, ok := fn.Node().(*ast.FuncLit); !ok {
		return false
	}
	_, ok := Unparen(fn).Parent().Parent().Node().(*ast.GoStmt)
	return ok
}

// Gated reports whether the goroutine begins by waiting for a channel or a lock.
func (g *Goroutine) Gated() bool {
	for _, s := range g.Body.Body.List[:min(2, len(g.Body.Body.List))] {
		gate := false
		ast.Inspect(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit, *ast.DeferStmt:
				return false
			case *ast.UnaryExpr:
				gate = gate || n.Op == token.ARROW
			case *ast.CallExpr:
				if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
					gate = gate || sel.Sel.Name == "Lock" || sel.Sel.Name == "RLock" || sel.Sel.Name == "Wait"
				}
			}
			return !gate
		})
		if gate {
			return true
		}
	}
	return false
}
