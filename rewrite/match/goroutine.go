package match

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// WaitGroups knows where in a package WaitGroups are waited for.
type WaitGroups struct {
	Pass  *Pass
	waits map[types.Object]bool // fields and variables with a Wait; nil until asked for
}

// NewWaitGroups returns the WaitGroups of p's package.
func NewWaitGroups(p *Pass) *WaitGroups { return &WaitGroups{Pass: p} }

// Goroutine is one go statement, seen together with the WaitGroup calls of
// the declaration around it.
type Goroutine struct {
	Pass   *Pass
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
	g := &Goroutine{Pass: w.Pass, Groups: w, Stmt: c, Parent: w.Pass.EnclosingFunc(c), Decl: c}
	if g.Parent == nil {
		return nil
	}
	for d := range c.Enclosing((*ast.FuncDecl)(nil), (*ast.GenDecl)(nil)) {
		g.Decl = d
	}
	fun := ast.Unparen(c.Node().(*ast.GoStmt).Call.Fun)
	if _, ok := fun.(*ast.FuncLit); ok {
		g.Lit, _ = c.FindNode(fun)
		g.Body = w.Pass.FuncOf(g.Lit)
	}
	return g
}

// anyWait reports whether the package waits for a group at all, or may leave
// that to a caller.
func (f *WaitGroups) anyWait() bool {
	f.collect()
	return len(f.waits) > 0
}

func (f *WaitGroups) collect() {
	if f.waits == nil {
		f.waits = map[types.Object]bool{}
		for _, w := range f.Pass.WaitGroupOps(f.Pass.Inspector.Root()) {
			if w.Name == "Wait" {
				f.waits[w.Key.Root] = true
				if field := f.Pass.FieldOf(w.Recv); field != nil {
					f.waits[field] = true
				}
			}
		}
	}
}

// Waited reports whether somebody in the package waits for the group of op, or
// it comes from a caller who does.
func (f *WaitGroups) Waited(op WGOp) bool {
	f.collect()
	if field := f.Pass.FieldOf(op.Recv); field != nil {
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

// Ops lists the WaitGroup calls of the declaration around the go statement.
func (g *Goroutine) Ops() []WGOp {
	if g.all == nil {
		g.all = g.Pass.WaitGroupOps(g.Decl)
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
// CalledMethods from for anything else, such as a call of one of its methods.
func (g *Goroutine) Used(key WGKey) bool {
	if key.Path == "" {
		return false
	}
	for _, use := range g.Pass.Uses(g.Lit, key.Root) {
		sel, ok := Unparen(use).Parent().Node().(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if s := g.Pass.TypesInfo.Selections[sel]; s != nil && s.Kind() != types.FieldVal && !g.isOp(sel) {
			return true
		}
	}
	return false
}

// isOp reports whether sel is the method of a call on a WaitGroup.
func (g *Goroutine) isOp(sel *ast.SelectorExpr) bool {
	return slices.ContainsFunc(g.Pass.WaitGroupOps(g.Lit), func(o WGOp) bool { return ast.Unparen(o.Call.Fun) == ast.Expr(sel) })
}

// PassedOn reports whether the goroutine hands the group to another function.
func (g *Goroutine) PassedOn(key WGKey) bool {
	known := map[ast.Node]bool{}
	for _, o := range g.Pass.WaitGroupOps(g.Lit) {
		ast.Inspect(o.Recv, func(n ast.Node) bool {
			if n != nil {
				known[n] = true
			}
			return true
		})
	}
	for c := range g.Lit.Preorder((*ast.Ident)(nil), (*ast.SelectorExpr)(nil)) {
		if known[c.Node()] || c.Node().Pos() == key.Root.Pos() {
			continue
		}
		e := c.Node().(ast.Expr)
		if !typeis.Named(g.Pass.TypesInfo.TypeOf(e), "sync", "WaitGroup") {
			continue
		}
		if k, ok := g.Pass.WaitGroupKey(e); ok && k == key {
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
		if o.Name == "Wait" && o.Key == key && o.At.Node().Pos() > g.Stmt.Node().End() && !InDefer(o.At) {
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
		for _, u := range g.Pass.ChannelUses(g.Decl, ch) {
			heard := u.Kind == ChanRecv || u.Kind == ChanRange || u.Kind == ChanSend && g.unbuffered(ch)
			if heard && between(u.At) {
				return true
			}
		}
	}
	// The end of a context that the goroutine ends.
	for cancel := range g.cancels() {
		for c := range g.Decl.Preorder((*ast.CallExpr)(nil)) {
			ctx, ok := g.Pass.DoneCall(c.Node().(*ast.CallExpr))
			if ok && between(c) && g.Pass.EndsBy(ctx, cancel) {
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
			if ok && between(c) && g.Pass.FullName(call) == "(*sync.Cond).Wait" {
				return true
			}
		}
	}
	return false
}

// cancels lists the cancel functions from outside that the goroutine calls.
func (g *Goroutine) cancels() map[*types.Var]bool {
	out := map[*types.Var]bool{}
	for c := range g.Lit.Preorder((*ast.CallExpr)(nil)) {
		cancel, ok := g.Pass.Cancels(c.Node().(*ast.CallExpr))
		if !ok {
			continue
		}
		v := g.Pass.LastVar(cancel)
		if v != nil && !v.IsField() && g.Within(v) {
			if arg := g.Pass.LitArgument(g.Lit, v); arg != nil {
				v = g.Pass.LastVar(arg)
			}
		}
		if v != nil {
			out[v] = true
		}
	}
	return out
}

// unbuffered reports whether the channel in v is made without a buffer, as far
// as the declaration shows.
func (g *Goroutine) unbuffered(v types.Object) bool {
	for c := range g.Decl.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if g.Pass.IsBuiltin(call, "make") && len(call.Args) > 1 && g.Pass.Mentions(c.Parent().Node(), v) {
			return false
		}
	}
	return true
}

// channels lists the channel variables from outside that the goroutine uses.
func (g *Goroutine) channels() map[types.Object]bool {
	out := map[types.Object]bool{}
	for c := range g.Lit.Preorder((*ast.Ident)(nil)) {
		v := g.Pass.VarOf(c.Node().(*ast.Ident))
		if v == nil || v.IsField() {
			continue
		}
		if _, ok := v.Type().Underlying().(*types.Chan); !ok {
			continue
		}
		if !g.Within(v) {
			out[v] = true
		} else if arg := g.Pass.LitArgument(g.Lit, v); arg != nil {
			if a := g.Pass.VarOf(arg); a != nil {
				out[a] = true
			}
		}
	}
	return out
}

// OpOf returns the call of a WaitGroup's method that s is.
func (g *Goroutine) OpOf(s ast.Stmt) (WGOp, bool) {
	es, ok := s.(*ast.ExprStmt)
	if !ok {
		return WGOp{}, false
	}
	o, ok := g.Pass.groupOpAt(g.Decl, ast.Unparen(es.X))
	return o, ok
}
