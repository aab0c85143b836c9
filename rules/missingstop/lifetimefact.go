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
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// endsBy returns what ends a goroutine that runs body, or a call of it; ok is
// false if it may end by anything else, or never waits.
func (t *lifetimes) endsBy(body *code.Func) (ends []ending, ok bool) {
	marks := t.waits(body)
	if len(marks) == 0 || t.leaves(body, marks, nil) {
		return nil, false
	}
	t.last[body.Body] = map[ast.Node][]ending{}
	for n, list := range marks { // which of them lead to the end?
		if t.leaves(body, marks, n) {
			t.last[body.Body][n] = list
			for _, e := range list {
				if !slices.Contains(ends, e) {
					ends = append(ends, e)
				}
			}
		}
	}
	return ends, len(ends) > 0
}

// waits finds the nodes of body, and the ranges, that go on only if somebody
// ends the goroutine.
func (t *lifetimes) waits(body *code.Func) map[ast.Node][]ending {
	if marks, ok := t.marks[body.Body]; ok {
		return marks
	}
	t.marks[body.Body] = nil // recursion knows nothing
	marks := map[ast.Node][]ending{}
	for c := range body.Cursor.Preorder((*ast.UnaryExpr)(nil), (*ast.RangeStmt)(nil), (*ast.CallExpr)(nil)) {
		if t.p.GoroutineFunc(c) != body.Cursor || code.InDefer(c) {
			continue
		}
		node := code.FlowNode(c, body)
		switch n := c.Node().(type) {
		case *ast.RangeStmt:
			if e, ok := t.channel(n, n.X); ok {
				e.close = true
				marks[n] = []ending{e}
			}
		case *ast.UnaryExpr:
			if n.Op != token.ARROW || node == nil {
				continue
			}
			if e, ok := t.channel(n, n.X); ok {
				marks[node] = append(marks[node], e)
			} else if e, ok := t.done(n.X); ok {
				marks[node] = append(marks[node], e)
			}
		case *ast.CallExpr:
			callee := t.decls[t.p.Callee(n)]
			if _, isGo := c.Parent().Node().(*ast.GoStmt); isGo || callee == nil || node == nil {
				continue
			}
			inner, ok := t.endsBy(callee)
			for _, e := range inner {
				b, bound := t.bound(e, n, callee)
				ok = ok && bound
				marks[node] = append(marks[node], b)
			}
			if !ok {
				delete(marks, node)
			}
		}
	}
	t.marks[body.Body] = marks
	return marks
}

// channel looks at a receive from x.
func (t *lifetimes) channel(op ast.Node, x ast.Expr) (e ending, ok bool) {
	e.field = t.recvs[op]
	if sel, isSel := ast.Unparen(x).(*ast.SelectorExpr); isSel && e.field != nil {
		e.root = t.p.VarOf(sel.X)
		if !has(t.owner(e.root), e.field) {
			return e, false
		}
	}
	return e, e.field != nil
}

// done looks at a receive from a call, as in <-ctx.Done().
func (t *lifetimes) done(x ast.Expr) (e ending, ok bool) {
	call, isCall := ast.Unparen(x).(*ast.CallExpr)
	if !isCall {
		return e, false
	}
	sel, isSel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !isSel || sel.Sel.Name != "Done" || !typeis.Named(t.p.TypesInfo.TypeOf(sel.X), "context", "Context") {
		return e, false
	}
	switch ctx := ast.Unparen(sel.X).(type) {
	case *ast.Ident:
		e.ctx = t.p.VarOf(ctx)
	case *ast.SelectorExpr:
		e.ctx = t.p.Selected(ctx)
		e.root = t.p.VarOf(ctx.X)
		if e.ctx != nil && !has(t.owner(e.root), e.ctx) {
			return e, false
		}
	}
	return e, e.ctx != nil
}

// leaves reports whether body comes to an end without passing a mark: from its
// start, or from after one.
func (t *lifetimes) leaves(body *code.Func, marks map[ast.Node][]ending, from ast.Node) bool {
	out := false
	walk := flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			if marks[n] != nil {
				return s, false
			}
			if es, ok := n.(*ast.ExprStmt); ok {
				if call, ok := ast.Unparen(es.X).(*ast.CallExpr); ok && t.p.NeverReturns(call) {
					out = true
				}
			}
			return s, true
		},
		Iteration: func(l ast.Stmt, _ struct{}) bool { return marks[l] == nil },
		Exit:      func(*flow.Block, struct{}) { out = true },
	}
	loop, isRange := from.(*ast.RangeStmt)
	switch {
	case from == nil:
		walk.FromEntry(body.Flow, struct{}{})
		for n := range marks { // what a range over a channel does in between
			if l, ok := n.(*ast.RangeStmt); ok {
				walk.FromBody(body.Flow, l, struct{}{})
			}
		}
	case isRange && marks[loop] != nil:
		return true // the channel is closed
	default:
		walk.After(body.Flow, from, struct{}{})
	}
	return out
}

// facts makes of the goroutines what callers want to know.
func (t *lifetimes) facts(all []spawn) map[*types.Func]*lived {
	stops := t.stops(all)
	out := map[*types.Func]*lived{}
	fact := func(fn *types.Func) *lived {
		if out[fn] == nil {
			out[fn] = new(lived)
		}
		return out[fn]
	}
	watched := map[*types.TypeName]bool{}
	for _, s := range all {
		if typ := t.owner(s.root); typ != nil {
			watched[typ] = true
		}
	}
	for _, fn := range t.order {
		if recv := fn.Signature().Recv(); recv != nil && watched[t.owner(recv)] && t.borrows(fn, stops, map[*types.Func]bool{}) {
			fact(fn).Borrows = true
		}
	}
	for _, fn := range t.order { // twice, because a constructor may call another
		t.fresh(fn, watched, fact)
	}
	for _, fn := range t.order {
		t.fresh(fn, watched, fact)
	}
	for _, s := range all {
		if l := t.lifetime(s, stops); l != nil && t.always(t.decls[s.fn], s.node) {
			fact(s.fn).Spawns = l
		}
	}
	for range 3 { // a function that calls such a function
		if !starts(out) {
			break
		}
		for _, fn := range t.order {
			if out[fn] == nil || out[fn].Spawns == nil {
				if l := t.calling(fn, out, stops); l != nil {
					fact(fn).Spawns = l
				}
			}
		}
	}
	for _, f := range out { // of a constructor that gives the value to others, nothing is known
		if f.Spawns != nil && f.Spawns.Result && !f.Fresh {
			f.Spawns = nil
		}
	}
	return out
}

// starts reports whether a function is known to start a goroutine.
func starts(facts map[*types.Func]*lived) bool {
	for _, f := range facts {
		if f.Spawns != nil {
			return true
		}
	}
	return false
}

// lifetime returns what ends s; nil if that is not for the callers to know.
func (t *lifetimes) lifetime(s spawn, stops map[*types.Func]bool) *lifetime {
	typ := t.owner(s.root)
	result, ok := t.belongs(s.fn, s.root)
	if typ == nil || stops[s.fn] || !ok {
		return nil
	}
	if d, ok := s.body.Cursor.Node().(*ast.FuncDecl); ok && stops[t.p.TypesInfo.Defs[d.Name].(*types.Func)] {
		return nil
	}
	l := &lifetime{Stops: t.names(typ, stops), Result: result, Itself: t.itself(typ, stops)}
	if len(l.Stops) == 0 {
		return nil
	}
	for _, e := range s.ends {
		if e.ctx == nil {
			continue
		}
		i := ctxcancel.ParamIndex(s.fn, e.ctx)
		if i < 0 || l.Ctx != 0 && l.Ctx != i+1 {
			return nil
		}
		l.Ctx = i + 1
	}
	return l
}

// belongs reports whether v is what fn is called on, or what it makes and
// returns: then result is set.
func (t *lifetimes) belongs(fn *types.Func, v *types.Var) (result, ok bool) {
	if v == nil {
		return false, false
	}
	if t.receiver(t.decls[fn].Cursor.Node().(*ast.FuncDecl)) == v {
		return false, true
	}
	return true, v == t.returned(fn)
}

// names lists the methods of a type that end its goroutines.
func (t *lifetimes) names(typ *types.TypeName, stops map[*types.Func]bool) (names []string) {
	for fn := range stops {
		if recv := fn.Signature().Recv(); recv != nil && t.owner(recv) == typ {
			names = append(names, fn.Name())
		}
	}
	slices.Sort(names)
	return names
}

// stops returns the methods that may end one of the goroutines, by themselves
// or through others.
func (t *lifetimes) stops(all []spawn) map[*types.Func]bool {
	stops := map[*types.Func]bool{}
	for _, s := range all {
		for _, e := range s.ends {
			for fn, more := range t.enders[e.field] {
				if more || !e.close {
					stops[fn] = true
				}
			}
		}
	}
	for again := true; again; {
		again = false
		for _, fn := range t.order {
			if stops[fn] || fn.Signature().Recv() == nil {
				continue
			}
			for c := range t.decls[fn].Cursor.Preorder((*ast.Ident)(nil)) {
				callee, ok := t.p.TypesInfo.Uses[c.Node().(*ast.Ident)].(*types.Func)
				if !ok || !stops[callee.Origin()] || t.afterWait(c) {
					continue
				}
				stops[fn], again = true, true
				break
			}
		}
	}
	return stops
}

// afterWait reports whether c is reached in the goroutine only after it has
// been ended.
func (t *lifetimes) afterWait(c inspector.Cursor) bool {
	body := t.bodies[t.p.GoroutineFunc(c)]
	if body == nil {
		return false
	}
	node, marks := code.FlowNode(c, body), t.last[body.Body]
	if _, isDefer := node.(*ast.DeferStmt); isDefer || node == nil {
		return false
	}
	after := true
	flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
		after = after && n != node
		return s, marks[n] == nil
	}, Iteration: func(l ast.Stmt, _ struct{}) bool { return marks[l] == nil }}.FromEntry(body.Flow, struct{}{})
	return after
}
