package match

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// WaysOut are the places where a body is not closed.
type WaysOut struct {
	Round
	// Nilable holds those at which the response may be nil, or that of
	// another call into the same variable.
	Nilable map[ast.Stmt]bool
}

// WaysOut returns the places where the body is not closed and must be by a
// statement of its own, because one behind the guard g would not do: a deferred
// one would pile up in a loop, or close what is handed on. why says what is in
// the way.
func (b *Response) WaysOut(g Guard) (w WaysOut, why string) {
	if b.Err == nil || b.p.IsParam(b.Var, b.Fn) {
		return w, "its error is not checked"
	}
	region := b.region(g)
	if !region.Valid() {
		return w, b.Var.Name() + " is declared in the head of another statement"
	}
	aliased := false
	for _, e := range b.Events {
		if v := b.p.VarOf(e.At.Node().(*ast.Ident)); v != b.Var {
			aliased = true
			if v.Pos() < region.Node().Pos() || v.Pos() >= region.Node().End() {
				return w, v.Name() + " may still read the body when " + b.Var.Name() + " is gone"
			}
		}
		if _, isDefer := e.Node.(*ast.DeferStmt); isDefer && e.Kind == Reads {
			return w, "a deferred call still uses the response"
		}
		if e.Kind == Assigns && e.Node != b.node() && !b.assignsResponse(e) {
			return w, b.Var.Name() + " is assigned something that may belong to others"
		}
	}
	w.Round, why = b.p.IterationExits(b.Obligation(), region, func(ast.Stmt) string { return "" })
	switch {
	case why != "":
		return w, why
	case len(w.Again) > 0 && aliased:
		return w, "another variable may still use the response when " + b.Var.Name() + " is assigned again"
	}
	w.Nilable = b.nilable(w.Round, region)
	for _, s := range w.Again {
		if b.reads(s) {
			return w, "the body is read where " + b.Var.Name() + " is assigned again"
		}
	}
	for s := range w.Nilable {
		if b.ReadAt(s) {
			return w, "where it is read last, " + b.Var.Name() + " may be nil"
		}
	}
	b.behindLastUse(&w, g, region)
	return w, ""
}

// behindLastUse replaces the ways out that come behind the last use of the
// response by one: the statement of the list that uses it last, and for which it
// is certainly there.
func (b *Response) behindLastUse(w *WaysOut, g Guard, region inspector.Cursor) {
	list := stmtsIn(region.Node())
	if b.Def.Parent() != region && region.Node() != ast.Node(g.First) || b.p.IsResult(b.Var, b.Fn) || len(w.Nilable)+len(w.Again) > 0 {
		return
	}
	at := func(n ast.Node) int {
		return slices.IndexFunc(list, func(s ast.Stmt) bool { return s.Pos() <= n.Pos() && n.End() <= s.End() })
	}
	last := -1
	if g.After != nil {
		last = at(g.After)
	}
	for _, e := range b.Events {
		if e.Kind == Assigns || b.touches(e) {
			last = max(last, at(e.At.Node()))
		}
	}
	if last < 0 || b.Def.Parent() == region && g.After == nil {
		return
	}
	var before []ast.Stmt
	for _, s := range w.Jumps {
		if at(s) <= last {
			before = append(before, s)
		}
	}
	if len(before) < len(w.Jumps) || w.Last != nil {
		w.Jumps, w.Last = before, list[last]
	}
}

// region returns the list of statements at whose end the response is out of
// reach: the block for which there is no error, or the one that declares Var.
func (b *Response) region(g Guard) inspector.Cursor {
	if as, ok := b.Def.Node().(*ast.AssignStmt); ok && g.First != nil && b.inHead() && b.Var.Pos() >= as.Pos() && b.Var.Pos() < as.End() {
		c, _ := b.Fn.Cursor.FindNode(g.First)
		return c
	}
	if b.p.IsResult(b.Var, b.Fn) {
		c, _ := b.Fn.Cursor.FindNode(b.Fn.Body)
		return c
	}
	c, ok := b.Fn.Cursor.FindByPos(b.Var.Pos(), b.Var.Pos())
	for ; ok && c != b.Fn.Cursor; c = c.Parent() {
		if stmtsIn(c.Parent().Node()) != nil {
			return c.Parent()
		}
		if _, isStmt := c.Node().(ast.Stmt); isStmt {
			if _, inDecl := c.Node().(*ast.DeclStmt); !inDecl {
				break // the head of a statement
			}
		}
	}
	return inspector.Cursor{}
}

// inHead reports whether the call stands in the head of an if.
func (b *Response) inHead() bool {
	_, ok := b.Def.Parent().Node().(*ast.IfStmt)
	return ok
}

// assignsResponse reports whether e, which assigns Var, gives it a response of
// a client, of which nobody else knows, or none.
func (b *Response) assignsResponse(e Event) bool {
	var rhs []ast.Expr
	switch n := Unparen(e.At).Parent().Node().(type) {
	case *ast.AssignStmt:
		rhs = n.Rhs
	case *ast.ValueSpec:
		rhs = n.Values
	}
	if len(rhs) != 1 {
		return false
	}
	call, ok := ast.Unparen(rhs[0]).(*ast.CallExpr)
	return b.p.IsNil(rhs[0]) || ok && b.p.CreatesResponse(call)
}

// checked is what a path remembers: whether the error of the call is known to
// be nil.
type checked struct{ live, known bool }

// nilable returns the ways out of region at which the error of the call is not
// known to be nil, or to which control comes without the call.
func (b *Response) nilable(r Round, region inspector.Cursor) map[ast.Stmt]bool {
	out := map[ast.Stmt]bool{}
	if b.inHead() && region.Node() != ast.Node(b.Fn.Body) && b.Def.Parent().Node().Pos() < region.Node().Pos() {
		return out // entered only without an error
	}
	at := map[ast.Node]ast.Stmt{}
	for _, s := range r.Jumps {
		at[s] = s
	}
	for _, s := range r.Again {
		if ast.Node(s) == b.Def.Node() {
			out[s] = true // before the first round
		} else {
			at[s] = s
		}
	}
	w := &unmetWalk{p: b.p, o: b.Obligation(), errSet: map[ast.Node]bool{}, derived: map[*types.Var]bool{}}
	w.followErr()
	next := b.p.nextRound(b.Obligation(), region)
	outside := func(n ast.Node) bool {
		return n.Pos() < region.Node().Pos() || n.End() > region.Node().End()
	}
	ends := func(s ast.Stmt, known bool) {
		if s != nil && !known {
			out[s] = true
		}
	}
	flow.Paths[checked]{
		Node: func(n ast.Node, s checked) (checked, bool) {
			switch {
			case at[n] != nil || leaves(n, region):
				ends(at[n], s.known)
				return s, false
			case n == b.node() || next(n) || outside(n):
				ends(r.Last, s.known || n == b.node() && len(r.Again) > 0)
				return s, false
			}
			s.live = s.live && !w.errSet[n]
			s.known = s.known || s.live && b.guardedBy(n) || b.looksInto(n)
			return s, true
		},
		Edge: func(cond ast.Expr, taken bool, s checked) (checked, bool) {
			x, isNil, ok := b.p.NilTest(cond, taken)
			if !ok {
				return s, true
			}
			switch v := b.p.VarOf(x); {
			case v == nil:
			case v == b.Err && s.live && isNil, v == b.Var && !isNil:
				s.known = true
			}
			return s, true
		},
		Exit: func(_ *flow.Block, s checked) { ends(r.Last, s.known) },
	}.After(b.Fn.Flow, b.node(), checked{live: true})
	if b.Def.Parent() == region {
		return out
	}
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			ends(at[n], false)
			return s, n != b.node()
		},
		Exit: func(*flow.Block, struct{}) { ends(r.Last, false) },
	}.FromEntry(b.Fn.Flow, struct{}{})
	return out
}

// looksInto reports whether n selects a field or method of the response, which
// panics if it is nil.
func (b *Response) looksInto(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.DeferStmt:
			return false
		case *ast.SelectorExpr:
			found = found || b.p.VarOf(n.X) == b.Var
		}
		return !found
	})
	return found
}

// guardedBy reports whether n is a call that returns only if the error is nil.
func (b *Response) guardedBy(n ast.Node) bool {
	es, ok := n.(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := ast.Unparen(es.X).(*ast.CallExpr)
	if !ok {
		return false
	}
	return b.p.EndsUnlessNil(call, b.Err)
}

// ReadAt reports whether the statement s, a way out, is a return that still
// reads the body.
func (b *Response) ReadAt(s ast.Stmt) bool {
	_, isReturn := s.(*ast.ReturnStmt)
	return isReturn && b.reads(s)
}

// reads reports whether the statement s does something with the body.
func (b *Response) reads(s ast.Stmt) bool {
	for _, e := range b.Events {
		if e.Node == ast.Node(s) && e.Kind != Assigns && b.touches(e) {
			return true
		}
	}
	return false
}

// touches reports whether e does something with the body, or hands the
// response to something that may.
func (b *Response) touches(e Event) bool {
	sel, ok := Unparen(e.At).Parent().Node().(*ast.SelectorExpr)
	return b.p.VarOf(e.At.Node().(*ast.Ident)) != b.Var || !ok || sel.Sel.Name == "Body"
}

// onlyReturned reports whether nobody gets the response but the caller, by a
// return: on the other paths, only this function can close it. What is stored on
// one path may have been stored on another that comes to the same return.
func (b *Response) onlyReturned() bool {
	for _, e := range b.Events {
		if _, isReturn := e.Node.(*ast.ReturnStmt); e.Kind == Escapes && (!isReturn || e.Node == b.node()) {
			return false
		}
	}
	return true
}

// settled reports whether n returns a named response without mentioning it, or
// calls a cancel function, which ends the request and its connection.
func (b *Response) settled(n ast.Node) bool {
	if ret, ok := n.(*ast.ReturnStmt); ok && len(ret.Results) == 0 && b.p.IsResult(b.Var, b.Fn) {
		return true
	}
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			found = found || typeis.CancelFunc(b.p.TypesInfo.TypeOf(n.Fun))
		}
		return !found
	})
	return found
}

// Piles returns the defer statement that closes the body in a loop that may go
// on for long, so that the responses of all rounds stay open until the function
// returns; nil if there is none. Tests are left alone.
func (b *Response) Piles() *ast.DeferStmt {
	var deferred *ast.DeferStmt
	for _, e := range b.Events {
		switch e.Kind {
		case Reads:
		case Assigns:
			if e.Node != b.node() {
				return nil
			}
		case DefersClose, ClosesLate:
			d, ok := e.Node.(*ast.DeferStmt)
			if !ok || deferred != nil && deferred != d || e.Kind == DefersClose && e.Via.Node() != ast.Node(d) {
				return nil
			}
			deferred = d
			c, _ := b.Fn.Cursor.FindNode(d)
			if c.Parent() != b.Def.Parent() && !b.inHead() {
				return nil
			}
		default:
			return nil
		}
	}
	if deferred == nil || !b.Fn.Flow.InCycle(deferred) || !b.p.LongLoop(b.Def, false) || b.p.InTest(b.Call.Pos()) || !b.p.ComesBack(b.Obligation()) {
		return nil
	}
	return deferred
}

// Undeferred is the response without its deferred closes.
func (b *Response) Undeferred() Response {
	out := *b
	out.Events = nil
	for _, e := range b.Events {
		if e.Kind != DefersClose && e.Kind != ClosesLate {
			out.Events = append(out.Events, e)
		}
	}
	return out
}
