package deafwait

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// stop is a way in which a loop is told to end, and does.
type stop struct {
	name string   // in a message
	ch   ast.Expr // what ends it is received from, or the context if ctx is set; nil for a flag
	ctx  bool
	root *types.Var      // the variable that ch begins with
	at   token.Pos       // where the loop asks
	body []ast.Stmt      // what it does then
	leap *ast.ReturnStmt // the only statement of body; nil if there are others
	err  *types.Var      // what holds ctx.Err() there, or nil
}

// stopsOf returns what ends loop, a statement of fn, from outside of it: it returns, or
// leaves the loop by a label, where it receives from a channel or finds that a context is
// done or that the method Stop or Close of the receiver has set a flag.
func stopsOf(p *code.Pass, fn *code.Func, loop inspector.Cursor) (out []stop) {
	add := func(s stop) {
		if s.leap = leap(s.body); s.err != nil && s.leap != nil && len(s.leap.Results) == 0 {
			s.leap = nil // what it returns is set by the condition
		}
		if s.ch != nil {
			s.root = p.VarOf(code.RootExpr(s.ch))
			if s.root == nil || !outlives(p, s.root, loop) {
				return // it belongs to one iteration
			}
		}
		out = append(out, s)
	}
	if f, ok := loop.Node().(*ast.ForStmt); ok && f.Cond != nil {
		if s, ok := asked(p, f.Cond, false); ok {
			add(s)
		}
	}
	for c := range loop.Preorder((*ast.CommClause)(nil), (*ast.IfStmt)(nil)) {
		if !inside(p, c, fn) {
			continue
		}
		switch n := c.Node().(type) {
		case *ast.CommClause:
			ch := channel.Received(n.Comm)
			if ch == nil || !leaves(n.Body, loop) || waits.Ticks(p, ch) {
				continue
			}
			if ctx, ok := ctxcancel.DoneCall(p, ch); ok {
				add(stop{name: types.ExprString(ctx), ch: ctx, ctx: true, at: n.Pos(), body: n.Body})
			} else if signal(p.TypesInfo.TypeOf(ch)) && named(ch) {
				add(stop{name: types.ExprString(ch), ch: ch, at: n.Pos(), body: n.Body})
			}
		case *ast.IfStmt:
			s, ok := asked(p, n.Cond, true)
			if init, isAssign := n.Init.(*ast.AssignStmt); isAssign && !ok {
				s, ok = askedBefore(p, init, n.Cond)
			}
			if ok && leaves(n.Body.List, loop) {
				s.at, s.body = n.Pos(), n.Body.List
				add(s)
			}
		}
	}
	return out
}

// outlives reports whether v is the same in all iterations of loop.
func outlives(p *code.Pass, v *types.Var, loop inspector.Cursor) bool {
	if l := loop.Node(); l.Pos() <= v.Pos() && v.Pos() < l.End() {
		return false
	}
	for _, use := range p.Uses(loop, v) {
		if code.IsAssigned(use) || code.Addressed(use) {
			return false
		}
	}
	return true
}

// named reports whether e is a variable or a field, which denotes the same elsewhere.
func named(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return true
	case *ast.SelectorExpr:
		return named(e.X)
	}
	return false
}

// signal reports whether t is a channel that carries nothing but that it is closed.
func signal(t types.Type) bool {
	ch, ok := t.Underlying().(*types.Chan)
	if !ok || ch.Dir() == types.SendOnly {
		return false
	}
	s, ok := ch.Elem().Underlying().(*types.Struct)
	return ok && s.NumFields() == 0
}

// leaves reports whether a list of statements ends with a return, or with a break of
// loop or of one around it.
func leaves(list []ast.Stmt, loop inspector.Cursor) bool {
	if len(list) == 0 {
		return false
	}
	switch s := list[len(list)-1].(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		if s.Tok != token.BREAK || s.Label == nil {
			return false
		}
		for l := range loop.Enclosing((*ast.LabeledStmt)(nil)) {
			if l.Node().(*ast.LabeledStmt).Label.Name == s.Label.Name {
				return true
			}
		}
	}
	return false
}

// leap returns the return that is all of a list of statements.
func leap(list []ast.Stmt) *ast.ReturnStmt {
	if len(list) != 1 {
		return nil
	}
	r, _ := list[0].(*ast.ReturnStmt)
	return r
}

// asked returns the stop that a condition which came out as taken is about: a context
// that has an error, or a flag.
func asked(p *code.Pass, cond ast.Expr, taken bool) (s stop, ok bool) {
	if x, isNil, ok := p.NilTest(cond, taken); ok {
		if ctx := errOf(p, x); ctx != nil && !isNil {
			return stop{name: types.ExprString(ctx), ch: ctx, ctx: true, at: cond.Pos()}, true
		}
		return s, false
	}
	found := false
	ast.Inspect(cond, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && !found {
			if f := p.Selected(sel); f != nil && f.IsField() && setByStop(p, f) {
				found, s = true, stop{name: types.ExprString(sel), at: cond.Pos()}
			}
		}
		return !found
	})
	return s, found
}

// askedBefore is asked for "err := ctx.Err(); err != nil".
func askedBefore(p *code.Pass, init *ast.AssignStmt, cond ast.Expr) (s stop, ok bool) {
	x, isNil, ok := p.NilTest(cond, true)
	if !ok || isNil || len(init.Lhs) != 1 || len(init.Rhs) != 1 || p.VarOf(x) == nil || p.VarOf(init.Lhs[0]) != p.VarOf(x) {
		return s, false
	}
	ctx := errOf(p, init.Rhs[0])
	if ctx == nil {
		return s, false
	}
	return stop{name: types.ExprString(ctx), ch: ctx, ctx: true, err: p.VarOf(x)}, true
}

// errOf returns the context ctx of the call ctx.Err(), or nil.
func errOf(p *code.Pass, e ast.Expr) ast.Expr {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || code.CalledAs(call) != "Err" || len(call.Args) > 0 {
		return nil
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || !typeis.Named(p.TypesInfo.TypeOf(sel.X), "context", "Context") || !named(sel.X) {
		return nil
	}
	return sel.X
}

// setByStop reports whether a method Stop or Close of the package sets the field f, at
// once or as a value of sync/atomic.
func setByStop(p *code.Pass, f *types.Var) bool {
	for _, sel := range p.Index().Fields[f] {
		fn := p.EnclosingFunc(sel)
		if fn == nil {
			continue
		}
		d, ok := fn.Cursor.Node().(*ast.FuncDecl)
		if !ok || d.Recv == nil || !stops[d.Name.Name] {
			continue
		}
		if code.IsAssigned(sel) || code.Addressed(sel) {
			return true
		}
		if m, ok := sel.Parent().Node().(*ast.SelectorExpr); ok && stores[m.Sel.Name] && atomicType(p.TypesInfo.TypeOf(m.X)) {
			return true
		}
	}
	return false
}

// stops are the names of methods that end a value.
var stops = map[string]bool{"Stop": true, "Close": true, "Shutdown": true, "stop": true, "close": true, "shutdown": true}

// atomicType reports whether t is a type of sync/atomic.
func atomicType(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "sync/atomic"
}

// stores are the methods of the types of sync/atomic that set a value.
var stores = map[string]bool{"Store": true, "Swap": true, "CompareAndSwap": true, "Add": true}

// visible reports whether the stop can be named at pos, and be the same there.
func (s stop) visible(p *code.Pass, pos token.Pos) bool { return naming.Visible(p, s.root, pos) }

// known reports whether what is returned at the stop denotes the same at stmt.
func known(p *code.Pass, asks stop, stmt ast.Stmt) bool {
	same := true
	for _, e := range asks.leap.Results {
		if asks.err != nil && p.VarOf(e) == asks.err {
			continue // it is ctx.Err()
		}
		ast.Inspect(e, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				same = same && visibleIn(p, n.X, stmt)
				return false
			case *ast.FuncLit, *ast.CompositeLit:
				same = false
			case *ast.Ident:
				same = same && visibleIn(p, n, stmt)
			}
			return same
		})
	}
	return same
}

// visibleIn reports whether the names in e, those of fields and methods aside, denote the
// same at stmt.
func visibleIn(p *code.Pass, e ast.Expr, stmt ast.Stmt) bool {
	same := true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			same = same && visibleIn(p, n.X, stmt)
			return false
		case *ast.Ident:
			obj := p.TypesInfo.ObjectOf(n)
			same = same && (obj == nil || obj.Parent() == types.Universe || naming.Visible(p, obj, stmt.Pos()))
		}
		return same
	})
	return same
}
