package match

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"
)

// Stuck is where a function stays for ever: a loop without a way out, or an
// empty select.
type Stuck struct {
	Fn   *Func
	Stmt ast.Stmt // *ast.ForStmt, *ast.RangeStmt or *ast.SelectStmt
}

// NeverEnds returns where fn stays when nothing that happens makes it return,
// be it a channel that is closed, a context that is cancelled or an error; ok
// is false if it may return, or end its goroutine or the process.
//
// Precision: a function that recovers may end by a panic, and one that uses a
// test, mentions runtime.Goexit or calls what may end the process by that.
func (p *Pass) NeverEnds(fn *Func) (s Stuck, ok bool) { return p.neverEnds(fn, 0) }

func (p *Pass) neverEnds(fn *Func, depth int) (s Stuck, ok bool) {
	if fn == nil || depth > 3 {
		return s, false
	}
	ends := false
	note := func(l ast.Stmt) {
		if s.Stmt == nil || s.Fn == fn && !within(l, s.Stmt) && l.Pos() > s.Stmt.Pos() {
			s = Stuck{fn, l}
		}
	}
	Paths[struct{}]{
		Node: func(n ast.Node, st struct{}) (struct{}, bool) {
			es, isExpr := n.(*ast.ExprStmt)
			if !isExpr {
				return st, !ends
			}
			call, isCall := ast.Unparen(es.X).(*ast.CallExpr)
			if !isCall {
				return st, !ends
			}
			if inner, stays := p.neverEnds(p.Declaration(p.Callee(call)), depth+1); stays {
				s = inner
				return st, false
			}
			ends = ends || p.NeverReturns(call)
			return st, !ends
		},
		Round: func(l ast.Stmt, _ struct{}) bool {
			note(l)
			return !ends
		},
		Select: func(sel *ast.SelectStmt, _ struct{}) {
			if len(sel.Body.List) == 0 {
				note(sel)
			}
		},
		Exit: func(*Block, struct{}) { ends = true },
	}.FromEntry(fn.Flow, struct{}{})
	if ends || s.Stmt == nil || p.mayUnwind(fn) {
		return Stuck{}, false
	}
	return s, true
}

func within(a, b ast.Node) bool { return b.Pos() <= a.Pos() && a.End() <= b.End() }

// mayUnwind reports whether fn could end by a panic that it recovers from, or
// by the end of its goroutine.
func (p *Pass) mayUnwind(fn *Func) bool {
	may, known := p.unwinds[fn.Body]
	if !known {
		if p.unwinds == nil {
			p.unwinds = map[*ast.BlockStmt]bool{}
		}
		p.unwinds[fn.Body] = false // for recursion
		may = p.unwound(fn)
		p.unwinds[fn.Body] = may
	}
	return may
}

func (p *Pass) unwound(fn *Func) bool {
	for c := range fn.Cursor.Preorder((*ast.CallExpr)(nil), (*ast.Ident)(nil), (*ast.DeferStmt)(nil)) {
		switch n := c.Node().(type) {
		case *ast.CallExpr:
			if p.IsBuiltin(n, "recover") || p.mayEndOn(n) || p.exits(p.literalOf(p.VarOf(n.Fun))) || slices.ContainsFunc(p.bodiesOf(n), p.exits) {
				return true
			}
		case *ast.Ident:
			if o := p.TypesInfo.ObjectOf(n); o != nil && o.Pkg() != nil {
				if o.Pkg().Path() == "runtime" && o.Name() == "Goexit" {
					return true
				}
				if v, ok := o.(*types.Var); ok && isTesting(v.Type()) {
					return true
				}
			}
		case *ast.DeferStmt:
			if _, isLit := ast.Unparen(n.Call.Fun).(*ast.FuncLit); isLit || p.isBuiltin(n.Call) {
				continue
			}
			f := p.Callee(n.Call)
			if d := p.Declaration(f); d != nil {
				if p.mayUnwind(d) {
					return true
				}
				continue
			}
			v := p.VarOf(n.Call.Fun)
			if (f == nil || f.Pkg() == nil || !isStd(f.Pkg().Path())) && (v == nil || !isCallback(v.Type())) {
				return true
			}
		}
	}
	return false
}

// bodiesOf lists the declarations of the package that a call may run: that of the
// function, or, for a method of an interface, those of all that the package is seen to
// have behind it.
func (p *Pass) bodiesOf(call *ast.CallExpr) (out []*Func) {
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() != p.Pkg {
		return nil
	}
	methods, _ := p.reached(call, fn)
	for _, m := range methods {
		if d := p.Declaration(m); d != nil {
			out = append(out, d)
		}
	}
	return out
}

// literalOf returns the literal that a local variable is declared with; nil if
// there is none.
func (p *Pass) literalOf(v *types.Var) *Func {
	if v == nil || v.IsField() || v.Parent() == p.Pkg.Scope() {
		return nil
	}
	c, ok := p.at(v.Pos())
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

// isTesting reports whether t is a test, benchmark or fuzz target.
func isTesting(t types.Type) bool {
	for _, name := range []string{"T", "B", "F", "TB", "PB"} {
		if IsNamed(t, "testing", name) {
			return true
		}
	}
	return false
}

// TickerOf returns the ticker that the loop ranges over and that somebody
// outside of the function stops; nil if there is none.
func (p *Pass) TickerOf(s Stuck) ast.Expr {
	r, ok := s.Stmt.(*ast.RangeStmt)
	if !ok {
		return nil
	}
	x, ok := ast.Unparen(r.X).(*ast.SelectorExpr)
	if !ok || x.Sel.Name != "C" || !IsNamed(p.TypesInfo.TypeOf(x.X), "time", "Ticker") {
		return nil
	}
	v, field := p.VarOf(x.X), (*types.Var)(nil)
	if sel, isSel := ast.Unparen(x.X).(*ast.SelectorExpr); isSel {
		field = p.selected(sel)
	}
	var uses []inspector.Cursor
	if field != nil {
		uses = p.index().fields[field]
	} else if v != nil {
		uses = p.varUses(v)
	}
	for _, use := range uses {
		c := Unparen(use).Parent()
		stop, isStop := c.Node().(*ast.SelectorExpr)
		if !isStop || stop.Sel.Name != "Stop" || !IsNamed(p.TypesInfo.TypeOf(stop.X), "time", "Ticker") || s.Fn.Cursor.Contains(c) {
			continue
		}
		if sel, isSel := ast.Unparen(stop.X).(*ast.SelectorExpr); isSel && field != nil && p.selected(sel) == field {
			return x.X
		}
		if v != nil && p.VarOf(stop.X) == v {
			return x.X
		}
	}
	return nil
}

// Closer returns the method by which a type of this package says that its
// values have an end; nil if it has none.
func (p *Pass) Closer(v *types.Var) *Func {
	if v == nil {
		return nil
	}
	t := types.Unalias(v.Type())
	if ptr, ok := t.(*types.Pointer); ok {
		t = types.Unalias(ptr.Elem())
	}
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Pkg() != p.Pkg {
		return nil
	}
	for m := range named.Origin().Methods() {
		switch strings.ToLower(m.Name()) {
		case "close", "stop": // Shutdown is what the one daemon of a process has
		default:
			continue
		}
		if params := m.Signature().Params(); params.Len() > 1 || params.Len() == 1 && !IsNamed(params.At(0).Type(), "context", "Context") {
			continue // it ends one of the things in it
		}
		d := p.Declaration(m)
		if d == nil || len(d.Body.List) == 0 || !reachesReturn(d.Flow, nil) || p.exits(d) {
			continue
		}
		if s, isExpr := d.Body.List[0].(*ast.ReturnStmt); isExpr && len(d.Body.List) == 1 && !slices.ContainsFunc(s.Results, p.acts) {
			continue // it does nothing
		}
		return d
	}
	return nil
}

// HandlesSignals reports whether fn receives the signals that the process
// gets where s says that it stays.
func (p *Pass) HandlesSignals(s Stuck) bool {
	found := false
	ast.Inspect(s.Stmt, func(n ast.Node) bool {
		if recv, ok := n.(*ast.UnaryExpr); ok && recv.Op == token.ARROW {
			found = found || IsNamed(p.TypesInfo.TypeOf(recv), "os", "Signal")
		}
		return !found
	})
	return found
}

// acts reports whether the evaluation of e calls anything.
func (p *Pass) acts(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		_, isCall := n.(*ast.CallExpr)
		found = found || isCall
		return !found
	})
	return found
}

// exits reports whether fn, which may be nil, may end the process or the test.
func (p *Pass) exits(fn *Func) bool {
	if fn == nil {
		return false
	}
	found, known := p.exiting[fn.Body]
	if known {
		return found
	}
	for c := range fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		f := p.Callee(call)
		if f != nil && f.Pkg() != nil && p.ends(call, f) {
			found = true
			break
		}
	}
	if p.exiting == nil {
		p.exiting = map[*ast.BlockStmt]bool{}
	}
	p.exiting[fn.Body] = found
	return found
}

// Signals reports whether one function gives a value to a field that the
// other reads: a flag between them, or what they share.
func (p *Pass) Signals(from, to *Func) bool {
	written := map[*types.Var]bool{}
	book := func(e ast.Expr) {
		if x, ok := ast.Unparen(e).(*ast.SelectorExpr); ok {
			written[p.selected(x)] = true
		}
	}
	for c := range from.Cursor.Preorder((*ast.AssignStmt)(nil), (*ast.CallExpr)(nil), (*ast.IncDecStmt)(nil), (*ast.SendStmt)(nil)) {
		switch n := c.Node().(type) {
		case *ast.SendStmt:
			book(n.Chan)
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				book(l)
			}
		case *ast.IncDecStmt:
			book(n.X)
		case *ast.CallExpr:
			if p.IsBuiltin(n, "close") || p.IsBuiltin(n, "delete") || p.IsBuiltin(n, "clear") {
				book(n.Args[0])
			}
			for _, a := range n.Args { // atomic.StoreInt32(&x.stopped, 1)
				if amp, ok := ast.Unparen(a).(*ast.UnaryExpr); ok {
					book(amp.X)
				}
			}
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok { // x.stopped.Store(true)
				if fn := p.Callee(n); fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "sync/atomic" {
					book(sel.X)
				}
			}
		}
	}
	delete(written, nil)
	return p.readsAny(to, written, 0)
}

func (p *Pass) readsAny(fn *Func, fields map[*types.Var]bool, depth int) bool {
	if fn == nil || depth > 2 {
		return false
	}
	for c := range fn.Cursor.Preorder((*ast.SelectorExpr)(nil), (*ast.CallExpr)(nil)) {
		switch n := c.Node().(type) {
		case *ast.SelectorExpr:
			if fields[p.selected(n)] {
				return true
			}
		case *ast.CallExpr:
			if p.readsAny(p.Declaration(p.Callee(n)), fields, depth+1) {
				return true
			}
		}
	}
	return false
}

// Captured returns the variables from outside that the goroutine at c, running
// body, works on: what a literal captures, or the receiver and the arguments.
func (p *Pass) Captured(c inspector.Cursor, body *Func) (out []*types.Var) {
	root := body.Cursor
	if _, isDecl := root.Node().(*ast.FuncDecl); isDecl {
		root = c
	}
	for id := range root.Preorder((*ast.Ident)(nil)) {
		v := p.VarOf(id.Node().(*ast.Ident))
		if v != nil && !v.IsField() && !slices.Contains(out, v) && (v.Pos() < body.Cursor.Node().Pos() || v.Pos() > body.Cursor.Node().End()) {
			out = append(out, v)
		}
	}
	return out
}

// Owns reports whether v is what the method fn is called on, or what fn makes
// and returns.
func (p *Pass) Owns(fn *Func, v *types.Var) bool {
	d, ok := fn.Cursor.Node().(*ast.FuncDecl)
	if !ok {
		return false
	}
	if d.Recv != nil && len(d.Recv.List[0].Names) > 0 && p.TypesInfo.Defs[d.Recv.List[0].Names[0]] == types.Object(v) {
		return true
	}
	returned := false
	for c := range fn.Cursor.Preorder((*ast.ReturnStmt)(nil)) {
		if ret := c.Node().(*ast.ReturnStmt); len(ret.Results) > 0 && p.Runner(c) == fn.Cursor {
			e := ast.Unparen(ret.Results[0])
			if amp, ok := e.(*ast.UnaryExpr); ok {
				e = amp.X
			}
			returned = returned || p.VarOf(e) == v
		}
	}
	return returned && p.DeclaredIn(v, fn)
}
