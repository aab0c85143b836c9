package endlessgoroutine

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/lifetime"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// stuck is where a function stays for ever: a loop without a way out, or an
// empty select.
type stuck struct {
	Fn   *code.Func
	Stmt ast.Stmt // *ast.ForStmt, *ast.RangeStmt or *ast.SelectStmt
}

// stuckGoroutines returns where fn stays when nothing that happens makes it return,
// be it a channel that is closed, a context that is cancelled or an error; ok
// is false if it may return, or end its goroutine or the process.
//
// Precision: a function that recovers may end by a panic, and one that uses a
// test, mentions runtime.Goexit or calls what may end the process by that.
func stuckGoroutines(p *code.Pass, fn *code.Func) (s stuck, ok bool) { return neverEnds(p, fn, 0) }

func neverEnds(p *code.Pass, fn *code.Func, depth int) (s stuck, ok bool) {
	if fn == nil || depth > 3 {
		return s, false
	}
	ends := false
	note := func(l ast.Stmt) {
		if s.Stmt == nil || s.Fn == fn && !code.Within(l, s.Stmt) && l.Pos() > s.Stmt.Pos() {
			s = stuck{fn, l}
		}
	}
	flow.Paths[struct{}]{
		Node: func(n ast.Node, st struct{}) (struct{}, bool) {
			es, isExpr := n.(*ast.ExprStmt)
			if !isExpr {
				return st, !ends
			}
			call, isCall := ast.Unparen(es.X).(*ast.CallExpr)
			if !isCall {
				return st, !ends
			}
			if inner, stays := neverEnds(p, p.Declaration(p.Callee(call)), depth+1); stays {
				s = inner
				return st, false
			}
			ends = ends || p.NeverReturns(call)
			return st, !ends
		},
		Iteration: func(l ast.Stmt, _ struct{}) bool {
			note(l)
			return !ends
		},
		Select: func(sel *ast.SelectStmt, _ struct{}) {
			if len(sel.Body.List) == 0 {
				note(sel)
			}
		},
		Exit: func(*flow.Block, struct{}) { ends = true },
	}.FromEntry(fn.Flow, struct{}{})
	if ends || s.Stmt == nil || mayUnwind(p, fn) {
		return stuck{}, false
	}
	return s, true
}

// knownEnds is what mayUnwind and exits have found, by function.
type knownEnds struct {
	unwinds, exiting map[*ast.BlockStmt]bool
}

// mayUnwind reports whether fn could end by a panic that it recovers from, or
// by the end of its goroutine.
func mayUnwind(p *code.Pass, fn *code.Func) bool {
	known := code.State[knownEnds](p)
	may, ok := known.unwinds[fn.Body]
	if !ok {
		if known.unwinds == nil {
			known.unwinds = map[*ast.BlockStmt]bool{}
		}
		known.unwinds[fn.Body] = false // for recursion
		may = unwound(p, fn)
		known.unwinds[fn.Body] = may
	}
	return may
}

func unwound(p *code.Pass, fn *code.Func) bool {
	for c := range fn.Cursor.Preorder((*ast.CallExpr)(nil), (*ast.Ident)(nil), (*ast.DeferStmt)(nil)) {
		switch n := c.Node().(type) {
		case *ast.CallExpr:
			if p.IsBuiltin(n, "recover") || mayEndOn(p, n) || exits(p, p.LiteralOf(p.VarOf(n.Fun))) || slices.ContainsFunc(bodiesOf(p, n), func(fn *code.Func) bool { return exits(p, fn) }) {
				return true
			}
		case *ast.Ident:
			if o := p.TypesInfo.ObjectOf(n); o != nil && o.Pkg() != nil {
				if o.Pkg().Path() == "runtime" && o.Name() == "Goexit" {
					return true
				}
				if v, ok := o.(*types.Var); ok && typeis.Testing(v.Type()) {
					return true
				}
			}
		case *ast.DeferStmt:
			if _, isLit := ast.Unparen(n.Call.Fun).(*ast.FuncLit); isLit || p.CallsBuiltin(n.Call) {
				continue
			}
			f := p.Callee(n.Call)
			if d := p.Declaration(f); d != nil {
				if mayUnwind(p, d) {
					return true
				}
				continue
			}
			v := p.VarOf(n.Call.Fun)
			if (f == nil || f.Pkg() == nil || !knowledge.Std(f.Pkg().Path())) && (v == nil || !typeis.Callback(v.Type())) {
				return true
			}
		}
	}
	return false
}

// bodiesOf lists the declarations of the package that a call may run: that of the
// function, or, for a method of an interface, those of all that the package is seen to
// have after it.
func bodiesOf(p *code.Pass, call *ast.CallExpr) (out []*code.Func) {
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() != p.Pkg {
		return nil
	}
	methods, _ := lifetime.CalledMethods(p, call, fn)
	for _, m := range methods {
		if d := p.Declaration(m); d != nil {
			out = append(out, d)
		}
	}
	return out
}

// tickerOf returns the ticker that the loop ranges over and that somebody
// outside of the function stops; nil if there is none.
func tickerOf(p *code.Pass, s stuck) ast.Expr {
	r, ok := s.Stmt.(*ast.RangeStmt)
	if !ok {
		return nil
	}
	x, ok := ast.Unparen(r.X).(*ast.SelectorExpr)
	if !ok || x.Sel.Name != "C" || !typeis.Named(p.TypesInfo.TypeOf(x.X), "time", "Ticker") {
		return nil
	}
	v, field := p.VarOf(x.X), (*types.Var)(nil)
	if sel, isSel := ast.Unparen(x.X).(*ast.SelectorExpr); isSel {
		field = p.Selected(sel)
	}
	var uses []inspector.Cursor
	if field != nil {
		uses = p.Index().Fields[field]
	} else if v != nil {
		uses = p.VarUses(v)
	}
	for _, use := range uses {
		c := code.Unparen(use).Parent()
		stop, isStop := c.Node().(*ast.SelectorExpr)
		if !isStop || stop.Sel.Name != "Stop" || !typeis.Named(p.TypesInfo.TypeOf(stop.X), "time", "Ticker") || s.Fn.Cursor.Contains(c) {
			continue
		}
		if sel, isSel := ast.Unparen(stop.X).(*ast.SelectorExpr); isSel && field != nil && p.Selected(sel) == field {
			return x.X
		}
		if v != nil && p.VarOf(stop.X) == v {
			return x.X
		}
	}
	return nil
}

// closer returns the method by which a type of this package says that its
// values have an end; nil if it has none.
func closer(p *code.Pass, v *types.Var) *code.Func {
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
		if params := m.Signature().Params(); params.Len() > 1 || params.Len() == 1 && !typeis.Named(params.At(0).Type(), "context", "Context") {
			continue // it ends one of the things in it
		}
		d := p.Declaration(m)
		if d == nil || len(d.Body.List) == 0 || !flow.ReachesReturn(d.Flow, nil) || exits(p, d) {
			continue
		}
		if s, isExpr := d.Body.List[0].(*ast.ReturnStmt); isExpr && len(d.Body.List) == 1 && !slices.ContainsFunc(s.Results, func(e ast.Expr) bool { return acts(p, e) }) {
			continue // it does nothing
		}
		return d
	}
	return nil
}

// handlesSignals reports whether fn receives the signals that the process
// gets where s says that it stays.
func handlesSignals(p *code.Pass, s stuck) bool {
	found := false
	ast.Inspect(s.Stmt, func(n ast.Node) bool {
		if recv, ok := n.(*ast.UnaryExpr); ok && recv.Op == token.ARROW {
			found = found || typeis.Named(p.TypesInfo.TypeOf(recv), "os", "Signal")
		}
		return !found
	})
	return found
}

// acts reports whether the evaluation of e calls anything.
func acts(p *code.Pass, e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		_, isCall := n.(*ast.CallExpr)
		found = found || isCall
		return !found
	})
	return found
}

// exits reports whether fn, which may be nil, may end the process or the test.
func exits(p *code.Pass, fn *code.Func) bool {
	if fn == nil {
		return false
	}
	known := code.State[knownEnds](p)
	found, ok := known.exiting[fn.Body]
	if ok {
		return found
	}
	for c := range fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		f := p.Callee(call)
		if f != nil && f.Pkg() != nil && p.Ends(call, f) {
			found = true
			break
		}
	}
	if known.exiting == nil {
		known.exiting = map[*ast.BlockStmt]bool{}
	}
	known.exiting[fn.Body] = found
	return found
}

// signals reports whether one function gives a value to a field that the
// other reads: a flag between them, or what they share.
func signals(p *code.Pass, from, to *code.Func) bool {
	written := map[*types.Var]bool{}
	record := func(e ast.Expr) {
		if x, ok := ast.Unparen(e).(*ast.SelectorExpr); ok {
			written[p.Selected(x)] = true
		}
	}
	for c := range from.Cursor.Preorder((*ast.AssignStmt)(nil), (*ast.CallExpr)(nil), (*ast.IncDecStmt)(nil), (*ast.SendStmt)(nil)) {
		switch n := c.Node().(type) {
		case *ast.SendStmt:
			record(n.Chan)
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				record(l)
			}
		case *ast.IncDecStmt:
			record(n.X)
		case *ast.CallExpr:
			if p.IsBuiltin(n, "close") || p.IsBuiltin(n, "delete") || p.IsBuiltin(n, "clear") {
				record(n.Args[0])
			}
			for _, a := range n.Args { // atomic.StoreInt32(&x.stopped, 1)
				if amp, ok := ast.Unparen(a).(*ast.UnaryExpr); ok {
					record(amp.X)
				}
			}
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok { // x.stopped.Store(true)
				if fn := p.Callee(n); fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "sync/atomic" {
					record(sel.X)
				}
			}
		}
	}
	delete(written, nil)
	return readsAny(p, to, written, 0)
}

func readsAny(p *code.Pass, fn *code.Func, fields map[*types.Var]bool, depth int) bool {
	if fn == nil || depth > 2 {
		return false
	}
	for c := range fn.Cursor.Preorder((*ast.SelectorExpr)(nil), (*ast.CallExpr)(nil)) {
		switch n := c.Node().(type) {
		case *ast.SelectorExpr:
			if fields[p.Selected(n)] {
				return true
			}
		case *ast.CallExpr:
			if readsAny(p, p.Declaration(p.Callee(n)), fields, depth+1) {
				return true
			}
		}
	}
	return false
}

// captured returns the variables from outside that the goroutine at c, running
// body, works on: what a literal captures, or the receiver and the arguments.
func captured(p *code.Pass, c inspector.Cursor, body *code.Func) (out []*types.Var) {
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

// owns reports whether v is what the method fn is called on, or what fn makes
// and returns.
func owns(p *code.Pass, fn *code.Func, v *types.Var) bool {
	d, ok := fn.Cursor.Node().(*ast.FuncDecl)
	if !ok {
		return false
	}
	if d.Recv != nil && len(d.Recv.List[0].Names) > 0 && p.TypesInfo.Defs[d.Recv.List[0].Names[0]] == types.Object(v) {
		return true
	}
	returned := false
	for c := range fn.Cursor.Preorder((*ast.ReturnStmt)(nil)) {
		if ret := c.Node().(*ast.ReturnStmt); len(ret.Results) > 0 && p.GoroutineFunc(c) == fn.Cursor {
			e := ast.Unparen(ret.Results[0])
			if amp, ok := e.(*ast.UnaryExpr); ok {
				e = amp.X
			}
			returned = returned || p.VarOf(e) == v
		}
	}
	return returned && p.DeclaredIn(v, fn)
}

// mayEndOn reports whether call may end the test or the process, depending on
// its arguments.
func mayEndOn(p *code.Pass, call *ast.CallExpr) bool {
	return assume.RequiredNil(p, call) != nil ||
		slices.ContainsFunc(assume.AssuredBy(p, call), func(a assume.Assured) bool { return !a.Soft })
}
