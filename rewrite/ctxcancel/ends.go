package ctxcancel

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// Ends reports whether the context that x denotes ends when the function returns.
func (c *Cancel) Ends(x ast.Expr, mended func(*ast.CallExpr) bool) bool {
	e := ctxEnding{c: c, mended: mended, known: map[ast.Node]bool{}}
	return e.expr(x, x.Pos())
}

// EndedBefore reports whether the context that x denotes has certainly ended when the
// call makes another from it.
func (c *Cancel) EndedBefore(x ast.Expr) bool {
	e := ctxEnding{c: c, before: true, known: map[ast.Node]bool{}}
	return e.expr(x, x.Pos())
}

// ctxEnding finds out whether contexts end when the function returns.
type ctxEnding struct {
	c      *Cancel
	before bool // whether they have ended before the call
	mended func(*ast.CallExpr) bool
	known  map[ast.Node]bool // assignments, and whether what they assign ends
}

// expr reports whether the context that e denotes at pos ends with the function.
func (e *ctxEnding) expr(x ast.Expr, pos token.Pos) bool {
	p := e.c.Pass
	if call, ok := ast.Unparen(x).(*ast.CallExpr); ok {
		return !e.before && endsWithTest(p, call, e.c.Fn) || p.FullName(call) == "context.WithValue" && e.expr(call.Args[0], pos)
	}
	v := p.VarOf(x)
	if v == nil || !p.DeclaredIn(v, e.c.Fn) {
		return false
	}
	// What it may hold: what the last assignment gives that certainly comes
	// before, and those after it.
	var given []inspector.Cursor
	certain := false
	for _, use := range p.Uses(e.c.Fn.Cursor, v) {
		if !code.IsAssigned(use) || use.Parent().Node().End() > pos {
			continue
		}
		if assume.LitUse(p, use, e.c.Fn) != assume.LitNone {
			return false
		}
		if e.c.beside(EnclosingStmt(use)) {
			given, certain = nil, true
		}
		given = append(given, use)
	}
	for _, use := range given {
		if !e.assigned(use, v) {
			return false
		}
	}
	return certain
}

// assigned reports whether the context that v gets at use ends with the function.
func (e *ctxEnding) assigned(use inspector.Cursor, v *types.Var) bool {
	stmt := EnclosingStmt(use)
	if ends, ok := e.known[stmt]; ok {
		return ends
	}
	e.known[stmt] = false // until it is found out
	e.known[stmt] = e.given(use, v, stmt)
	return e.known[stmt]
}

func (e *ctxEnding) given(use inspector.Cursor, v *types.Var, stmt ast.Stmt) bool {
	p := e.c.Pass
	var lhs, rhs []ast.Expr
	switch n := use.Parent().Node().(type) {
	case *ast.AssignStmt:
		lhs, rhs = n.Lhs, n.Rhs
	case *ast.ValueSpec:
		for _, id := range n.Names {
			lhs = append(lhs, id)
		}
		rhs = n.Values
	}
	if len(rhs) != 1 || lhs[0] != use.Node() {
		return false
	}
	call, ok := ast.Unparen(rhs[0]).(*ast.CallExpr)
	if !ok {
		return e.expr(rhs[0], stmt.Pos())
	}
	if maker(p, call) == "" || len(lhs) != 2 {
		for _, arg := range call.Args { // ctx = withUser(ctx)
			if a := p.VarOf(arg); a == v && len(lhs) == 1 && p.FullName(call) != "context.WithoutCancel" {
				return e.expr(arg, stmt.Pos())
			}
		}
		return e.expr(call, stmt.Pos())
	}
	if e.mended != nil && e.mended(call) {
		return true
	}
	if cancel := p.VarOf(lhs[1]); cancel != nil {
		events := e.c.cancels(cancel, map[*types.Var]bool{cancel: true})
		if e.before {
			return e.endedAround(use, cancel, events)
		}
		if e.calledOnEachPath(call, use, cancel, events) || e.endedAround(use, cancel, events) {
			return true
		}
		for _, ev := range events {
			late := ev.Kind == usage.DefersClose || ev.Kind == usage.ClosesLate || ev.Kind == usage.Escapes && goroutineEnds(p, ev.At)
			if late && (e.c.beside(ev.Node) || Beside(use, ev.Node)) {
				return true
			}
		}
	}
	made := Cancel{Pass: p, Fn: e.c.Fn, Call: call}
	if p.Callee(call).FullName() != maker(p, call) {
		made.Wrapper = p.Callee(call)
	}
	parent := made.Parent()
	return parent != nil && e.expr(parent, stmt.Pos())
}

// goroutineEnds reports whether the cancel function at c is what a goroutine calls
// when it ends, because its literal defers that on each path.
func goroutineEnds(p *code.Pass, c inspector.Cursor) bool {
	call := code.Unparen(c).Parent()
	deferred, ok := call.Parent().Node().(*ast.DeferStmt)
	_, isLit := p.GoroutineFunc(c).Node().(*ast.FuncLit)
	if !ok || !isLit || ast.Node(deferred.Call) != call.Node() {
		return false
	}
	always := true
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) { return s, n != ast.Node(deferred) },
		Exit: func(*flow.Block, struct{}) { always = false },
	}.FromEntry(p.FuncOf(p.GoroutineFunc(c)).Flow, struct{}{})
	if !always {
		return false
	}
	start := code.Unparen(p.GoroutineFunc(c)).Parent()
	n, ok := start.Node().(*ast.CallExpr)
	if !ok {
		return false
	}
	_, isGo := start.Parent().Node().(*ast.GoStmt)
	_, isStmt := start.Parent().Node().(*ast.ExprStmt)
	return isGo || isStmt && code.CalledAs(n) == "Go"
}

// calledOnEachPath reports whether the cancel function of a call is called or
// deferred on each path to a return. Who else has it can only call it, too, but
// may not.
func (e *ctxEnding) calledOnEachPath(call *ast.CallExpr, use inspector.Cursor, cancel *types.Var, events []usage.Event) bool {
	if !e.c.Pass.DeclaredIn(cancel, e.c.Fn) {
		return false
	}
	events = slices.DeleteFunc(slices.Clone(events), func(ev usage.Event) bool { return ev.Kind == usage.Escapes })
	unmet := mustcall.Check(e.c.Pass, mustcall.Obligation{Fn: e.c.Fn, Call: call, Def: use.Parent(), Var: cancel, Events: events})
	return unmet.Met && !unmet.Again && !unmet.Overwritten && len(unmet.Exits) == 0
}

// endedAround reports whether each path that makes the context in question from the
// one that use gets also calls the cancel function of that, or finds that it has
// ended, be it before or after. Where the end must come before, only a call counts, or
// a Wait for a group of which a member calls it when it ends.
func (e *ctxEnding) endedAround(use inspector.Cursor, cancel *types.Var, events []usage.Event) bool {
	c, def := e.c, code.FlowNode(use, e.c.Fn)
	child := code.FlowNode(c.Def, c.Fn)
	if !c.Pass.DeclaredIn(cancel, c.Fn) || def == nil || child == nil {
		return false
	}
	calls, starts, waits := map[ast.Node]bool{}, map[ast.Node]bool{}, map[ast.Node]bool{}
	for _, ev := range events {
		switch ev.Kind {
		case usage.Closes:
			calls[ev.Node] = true
		case usage.DefersClose:
			calls[ev.Node] = !e.before
		case usage.Escapes:
			if start, list := c.waitsForMember(ev.At); len(list) > 0 {
				starts[start] = true
				for _, wait := range list {
					waits[wait] = true
				}
			}
		case usage.Assigns:
			if ev.Node != def {
				return false
			}
		}
	}
	type state struct{ made, started, ended bool }
	ends := true
	flow.Paths[state]{
		Node: func(n ast.Node, s state) (state, bool) {
			s.made = s.made || n == child
			s.ended = s.ended || calls[n] || s.started && waits[n] || !e.before && c.waitsForEnd(n)
			s.started = s.started || starts[n]
			ends = ends && !(e.before && n == child && !s.ended)
			return s, !s.made || !s.ended
		},
		Edge: func(cond ast.Expr, taken bool, s state) (state, bool) {
			s.ended = s.ended || !e.before && c.Ended(cond, taken)
			return s, !s.made || !s.ended
		},
		Exit: func(_ *flow.Block, s state) { ends = ends && !s.made },
	}.After(c.Fn.Flow, def, state{})
	return ends
}

// waitsForMember returns the nodes of the function that start a member of a group which
// calls the cancel function at c when it ends, group.Go(func() { defer cancel() }), and
// that wait for the group.
func (c *Cancel) waitsForMember(at inspector.Cursor) (start ast.Node, waits []ast.Node) {
	p := c.Pass
	if !goroutineEnds(p, at) {
		return nil, nil
	}
	group := func(call *ast.CallExpr, method string) *types.Var {
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != method {
			return nil
		}
		return p.VarOf(sel.X)
	}
	call := code.Unparen(p.GoroutineFunc(at)).Parent()
	v := group(call.Node().(*ast.CallExpr), "Go")
	if v == nil || !p.DeclaredIn(v, c.Fn) || p.GoroutineFunc(call) != c.Fn.Cursor {
		return nil, nil
	}
	for _, use := range p.Uses(c.Fn.Cursor, v) {
		if code.IsAssigned(use) && use.Node().Pos() != v.Pos() {
			return nil, nil // to another group
		}
		call, ok := use.Parent().Parent().Node().(*ast.CallExpr)
		if ok && group(call, "Wait") == v && p.GoroutineFunc(use) == c.Fn.Cursor && !code.InDefer(use) {
			waits = append(waits, code.FlowNode(use, c.Fn))
		}
	}
	return code.FlowNode(call, c.Fn), waits
}

// waitsForEnd reports whether a statement receives from the Done channel of the context
// or its parent.
func (c *Cancel) waitsForEnd(n ast.Node) bool {
	s, ok := n.(*ast.ExprStmt)
	if !ok {
		return false
	}
	recv, ok := ast.Unparen(s.X).(*ast.UnaryExpr)
	if !ok || recv.Op != token.ARROW {
		return false
	}
	ctx, isDone := DoneCall(c.Pass, recv.X)
	return isDone && c.its(ctx)
}

// cancels lists what happens to a cancel function. What gets it in a deferred
// call is there to call it, and another name for it is followed.
func (c *Cancel) cancels(cancel *types.Var, seen map[*types.Var]bool) (out []usage.Event) {
	p := c.Pass
	for _, ev := range usage.Track(p, cancel, c.Fn, usage.Func) {
		if ev.Kind != usage.Escapes {
			out = append(out, ev)
			continue
		}
		at := code.Unparen(ev.At)
		switch n := at.Parent().Node().(type) {
		case *ast.CallExpr:
			if _, deferred := at.Parent().Parent().Node().(*ast.DeferStmt); deferred && n.Fun != at.Node() && assume.LitUse(p, ev.At, c.Fn) == assume.LitNone {
				ev.Kind, ev.Via = usage.DefersClose, at.Parent().Parent()
			} else if d, ok := deferredCall(at.Parent()); ok && n.Fun != at.Node() {
				ev.Kind, ev.Via = usage.DefersClose, d
			}
		case *ast.AssignStmt:
			i := slices.Index(n.Rhs, at.Node().(ast.Expr))
			if i < 0 || len(n.Lhs) != len(n.Rhs) {
				break
			}
			alias := p.VarOf(n.Lhs[i])
			// The other name may be one of a literal: what is called in there counts as late.
			local := p.DeclaredIn(alias, c.Fn) || alias != nil && !alias.IsField() && assume.LitUse(p, ev.At, c.Fn) != assume.LitNone
			if !local || seen[alias] || p.IsResult(alias, c.Fn) || !frozen.Fixed(p, alias) {
				break
			}
			seen[alias] = true
			out = append(out, slices.DeleteFunc(c.cancels(alias, seen), func(ev usage.Event) bool { return ev.Kind == usage.Assigns })...)
			continue
		}
		out = append(out, ev)
	}
	return out
}

// deferredCall returns the defer statement of a literal that makes the call at c whatever
// happens: "defer func() { stop(cancel) }()".
func deferredCall(c inspector.Cursor) (inspector.Cursor, bool) {
	stmt := c.Parent()
	_, isStmt := stmt.Node().(*ast.ExprStmt)
	lit := stmt.Parent().Parent()
	if _, isLit := lit.Node().(*ast.FuncLit); !isStmt || !isLit {
		return c, false
	}
	list, i, ok := code.StmtList(stmt)
	if !ok || slices.ContainsFunc(list[:i], func(s ast.Stmt) bool { _, plain := s.(*ast.ExprStmt); return !plain }) {
		return c, false
	}
	call := code.Unparen(lit).Parent()
	ce, isCall := call.Node().(*ast.CallExpr)
	d, isDefer := call.Parent().Node().(*ast.DeferStmt)
	return call.Parent(), isCall && isDefer && d.Call == ce && ast.Unparen(ce.Fun) == lit.Node()
}

// EnclosingStmt returns the innermost statement around c.
func EnclosingStmt(c inspector.Cursor) ast.Stmt {
	for ; c.Valid(); c = c.Parent() {
		if s, ok := c.Node().(ast.Stmt); ok {
			return s
		}
	}
	return nil
}

// beside reports whether a statement stands in a list of statements that also
// holds the call, at any depth: then it is not in another branch.
func (c *Cancel) beside(n ast.Node) bool {
	for up := c.Def; up.Valid() && up != c.Fn.Cursor; up = up.Parent() {
		if Beside(up, n) {
			return true
		}
	}
	return false
}

// Beside reports whether n stands in the list of statements that holds the
// statement around c.
func Beside(c inspector.Cursor, n ast.Node) bool {
	for ; c.Valid(); c = c.Parent() {
		switch c.Node().(type) {
		case *ast.FuncLit, *ast.FuncDecl:
			return false
		}
		if list, _, ok := code.StmtList(c); ok {
			return slices.ContainsFunc(list, func(s ast.Stmt) bool {
				for label, ok := s.(*ast.LabeledStmt); ok; label, ok = s.(*ast.LabeledStmt) {
					s = label.Stmt
				}
				return ast.Node(s) == n
			})
		}
	}
	return false
}
