package bodyclose

import (
	"go/ast"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// exits are the places where a body is not closed.
type exits struct {
	mustcall.Iteration
	// Nilable holds those at which the response may be nil, or that of
	// another call into the same variable.
	Nilable map[ast.Stmt]bool
}

// exitsOf returns the places where the body is not closed and must be by a
// statement of its own, because one after the guard g would not do: a deferred
// one would pile up in a loop, or close what is handed on. why says what is in
// the way.
func exitsOf(b *response.Response, g mustcall.Guard) (w exits, why string) {
	if b.Err == nil || b.Pass.IsParam(b.Var, b.Fn) {
		return w, "its error is not checked"
	}
	region := region(b, g)
	if !region.Valid() {
		return w, b.Var.Name() + " is declared in the header of another statement"
	}
	aliased := false
	for _, e := range b.Events {
		if v := b.Pass.VarOf(e.At.Node().(*ast.Ident)); v != b.Var {
			aliased = true
			if v.Pos() < region.Node().Pos() || v.Pos() >= region.Node().End() {
				return w, v.Name() + " may still read the body when " + b.Var.Name() + " is out of scope"
			}
		}
		if _, isDefer := e.Node.(*ast.DeferStmt); isDefer && e.Kind == usage.Reads {
			return w, "a deferred call still uses the response"
		}
		if e.Kind == usage.Assigns && e.Node != b.Node() && !assignsResponse(b, e) {
			return w, b.Var.Name() + " is assigned something that may belong to others"
		}
	}
	w.Iteration, why = mustcall.IterationExits(b.Pass, b.Obligation(), region, func(ast.Stmt) string { return "" })
	switch {
	case why != "":
		return w, why
	case len(w.Again) > 0 && aliased:
		return w, "another variable may still use the response when " + b.Var.Name() + " is assigned again"
	}
	w.Nilable = nilable(b, w.Iteration, region)
	for _, s := range w.Again {
		if reads(b, s) {
			return w, "the body is read where " + b.Var.Name() + " is assigned again"
		}
	}
	for s := range w.Nilable {
		if readAt(b, s) {
			return w, "where it is read last, " + b.Var.Name() + " may be nil"
		}
	}
	afterLastUse(b, &w, g, region)
	return w, ""
}

// afterLastUse replaces the ways out that come after the last use of the
// response by one: the statement of the list that uses it last, and for which it
// is certainly there.
func afterLastUse(b *response.Response, w *exits, g mustcall.Guard, region inspector.Cursor) {
	list := code.StmtsOf(region.Node())
	if b.Def.Parent() != region && region.Node() != ast.Node(g.First) || b.Pass.IsResult(b.Var, b.Fn) || len(w.Nilable)+len(w.Again) > 0 {
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
		if e.Kind == usage.Assigns || touches(b, e) {
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
func region(b *response.Response, g mustcall.Guard) inspector.Cursor {
	if as, ok := b.Def.Node().(*ast.AssignStmt); ok && g.First != nil && inHead(b) && b.Var.Pos() >= as.Pos() && b.Var.Pos() < as.End() {
		c, _ := b.Fn.Cursor.FindNode(g.First)
		return c
	}
	if b.Pass.IsResult(b.Var, b.Fn) {
		c, _ := b.Fn.Cursor.FindNode(b.Fn.Body)
		return c
	}
	c, ok := b.Fn.Cursor.FindByPos(b.Var.Pos(), b.Var.Pos())
	for ; ok && c != b.Fn.Cursor; c = c.Parent() {
		if code.StmtsOf(c.Parent().Node()) != nil {
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
func inHead(b *response.Response) bool {
	_, ok := b.Def.Parent().Node().(*ast.IfStmt)
	return ok
}

// assignsResponse reports whether e, which assigns Var, gives it a response of
// a client, of which nobody else knows, or none.
func assignsResponse(b *response.Response, e usage.Event) bool {
	var rhs []ast.Expr
	switch n := code.Unparen(e.At).Parent().Node().(type) {
	case *ast.AssignStmt:
		rhs = n.Rhs
	case *ast.ValueSpec:
		rhs = n.Values
	}
	if len(rhs) != 1 {
		return false
	}
	call, ok := ast.Unparen(rhs[0]).(*ast.CallExpr)
	return b.Pass.IsNil(rhs[0]) || ok && response.CreatesResponse(b.Pass, call)
}

// checked is what a path remembers: whether the error of the call is known to
// be nil.
type checked struct{ live, known bool }

// nilable returns the ways out of region at which the error of the call is not
// known to be nil, or to which control comes without the call.
func nilable(b *response.Response, r mustcall.Iteration, region inspector.Cursor) map[ast.Stmt]bool {
	out := map[ast.Stmt]bool{}
	if inHead(b) && region.Node() != ast.Node(b.Fn.Body) && b.Def.Parent().Node().Pos() < region.Node().Pos() {
		return out // entered only without an error
	}
	at := map[ast.Node]ast.Stmt{}
	for _, s := range r.Jumps {
		at[s] = s
	}
	for _, s := range r.Again {
		if ast.Node(s) == b.Def.Node() {
			out[s] = true // before the first iteration
		} else {
			at[s] = s
		}
	}
	sets := mustcall.ErrorSets(b.Pass, b.Obligation())
	next := mustcall.NextIteration(b.Pass, b.Obligation(), region)
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
			case at[n] != nil || mustcall.LeavesRegion(n, region):
				ends(at[n], s.known)
				return s, false
			case n == b.Node() || next(n) || outside(n):
				ends(r.Last, s.known || n == b.Node() && len(r.Again) > 0)
				return s, false
			}
			s.live = s.live && !sets[n]
			s.known = s.known || s.live && guardedBy(b, n) || looksInto(b, n)
			return s, true
		},
		Edge: func(cond ast.Expr, taken bool, s checked) (checked, bool) {
			x, isNil, ok := b.Pass.NilTest(cond, taken)
			if !ok {
				return s, true
			}
			switch v := b.Pass.VarOf(x); {
			case v == nil:
			case v == b.Err && s.live && isNil, v == b.Var && !isNil:
				s.known = true
			}
			return s, true
		},
		Exit: func(_ *flow.Block, s checked) { ends(r.Last, s.known) },
	}.After(b.Fn.Flow, b.Node(), checked{live: true})
	if b.Def.Parent() == region {
		return out
	}
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			ends(at[n], false)
			return s, n != b.Node()
		},
		Exit: func(*flow.Block, struct{}) { ends(r.Last, false) },
	}.FromEntry(b.Fn.Flow, struct{}{})
	return out
}

// looksInto reports whether n selects a field or method of the response, which
// panics if it is nil.
func looksInto(b *response.Response, n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.DeferStmt:
			return false
		case *ast.SelectorExpr:
			found = found || b.Pass.VarOf(n.X) == b.Var
		}
		return !found
	})
	return found
}

// guardedBy reports whether n is a call that returns only if the error is nil.
func guardedBy(b *response.Response, n ast.Node) bool {
	es, ok := n.(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := ast.Unparen(es.X).(*ast.CallExpr)
	if !ok {
		return false
	}
	return assume.EndsUnlessNil(b.Pass, call, b.Err)
}

// readAt reports whether the statement s, a way out, is a return that still
// reads the body.
func readAt(b *response.Response, s ast.Stmt) bool {
	_, isReturn := s.(*ast.ReturnStmt)
	return isReturn && reads(b, s)
}

// reads reports whether the statement s does something with the body.
func reads(b *response.Response, s ast.Stmt) bool {
	for _, e := range b.Events {
		if e.Node == ast.Node(s) && e.Kind != usage.Assigns && touches(b, e) {
			return true
		}
	}
	return false
}

// touches reports whether e does something with the body, or hands the
// response to something that may.
func touches(b *response.Response, e usage.Event) bool {
	sel, ok := code.Unparen(e.At).Parent().Node().(*ast.SelectorExpr)
	return b.Pass.VarOf(e.At.Node().(*ast.Ident)) != b.Var || !ok || sel.Sel.Name == "Body"
}

// defersInLoop returns the defer statement that closes the body in a loop that may go
// on for long, so that the responses of all iterations stay open until the function
// returns; nil if there is none. Tests are left alone.
func defersInLoop(b *response.Response) *ast.DeferStmt {
	var deferred *ast.DeferStmt
	for _, e := range b.Events {
		switch e.Kind {
		case usage.Reads:
		case usage.Assigns:
			if e.Node != b.Node() {
				return nil
			}
		case usage.DefersClose, usage.ClosesLate:
			d, ok := e.Node.(*ast.DeferStmt)
			if !ok || deferred != nil && deferred != d || e.Kind == usage.DefersClose && e.Via.Node() != ast.Node(d) {
				return nil
			}
			deferred = d
			c, _ := b.Fn.Cursor.FindNode(d)
			if c.Parent() != b.Def.Parent() && !inHead(b) {
				return nil
			}
		default:
			return nil
		}
	}
	if deferred == nil || !b.Fn.Flow.InCycle(deferred) || !mustcall.LongLoop(b.Pass, b.Def, false) || b.Pass.InTest(b.Call.Pos()) || !mustcall.ComesBack(b.Pass, b.Obligation()) {
		return nil
	}
	return deferred
}

// undeferred is the response without its deferred closes.
func undeferred(b *response.Response) response.Response {
	out := *b
	out.Events = nil
	for _, e := range b.Events {
		if e.Kind != usage.DefersClose && e.Kind != usage.ClosesLate {
			out.Events = append(out.Events, e)
		}
	}
	return out
}
