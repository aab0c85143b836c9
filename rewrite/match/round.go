package match

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// Round is one run through the list of statements that makes a context in a
// loop: where it is left, or ends, before the context has been cancelled.
type Round struct {
	Jumps []ast.Stmt // the statements that leave it
	Last  ast.Stmt   // its last statement, if control comes to its end
}

// Round returns the ways out of the list of statements that holds the call on
// which the cancel function with the given events is not called. It returns
// why instead if the context may be in use beyond the round, or where a call in
// front of each way out would not do.
func (c *Cancel) Round(cancel *types.Var, events []Event) (r Round, why string) {
	list, _, ok := StmtList(c.Def)
	region := c.Def.Parent()
	if !ok || region.Node() == ast.Node(c.Fn.Body) {
		return r, "in a loop a deferred cancel would wait for the end of the function"
	}
	if c.Ctx == nil {
		return r, "the context is stored, so only its owner knows when to cancel it"
	}
	if cancel != nil && (cancel.Pos() < region.Node().Pos() || cancel.Pos() >= region.Node().End()) {
		return r, cancel.Name() + " lives longer than the round of the loop"
	}
	for _, e := range events {
		if e.Kind == Assigns && e.Node != c.Node() {
			return r, cancel.Name() + " is assigned again"
		}
	}
	t := c.within(region)
	if t.outlives != "" {
		return r, t.outlives
	}
	for b := range region.Preorder((*ast.BranchStmt)(nil)) {
		if tok := b.Node().(*ast.BranchStmt).Tok; tok == token.GOTO || tok == token.FALLTHROUGH {
			return r, "in a loop a deferred cancel would wait for the end of the function, and the round is left by a " + tok.String()
		}
	}
	// What stands before the call belongs to the next round.
	next := func(n ast.Node) bool { return n.Pos() >= region.Node().Pos() && n.End() <= c.Def.Node().Pos() }
	unmet := c.p.Unmet(Obligation{
		Fn: c.Fn, Call: c.Call, Def: c.Def, Var: cancel, Events: events, Over: c.WaitsForDone, Settled: c.Ended,
		Leaves: func(n ast.Node) bool { return next(n) || leaves(n, region) },
	})
	falls := unmet.Again || len(unmet.Exits) > 0
	for _, n := range unmet.Leaves {
		if next(n) {
			falls = true
			continue
		}
		if ret, ok := n.(*ast.ReturnStmt); ok && t.uses(ret) {
			return r, "what is returned is made with the context, so it cannot be cancelled before"
		}
		if cancel != nil && c.p.hidden(cancel, n.Pos()) {
			return r, cancel.Name() + " is something else where the round is left"
		}
		r.Jumps = append(r.Jumps, n.(ast.Stmt))
	}
	if falls {
		r.Last = list[len(list)-1]
	}
	return r, ""
}

// hidden reports whether the name of v means something else at pos.
func (p *Pass) hidden(v *types.Var, pos token.Pos) bool {
	scope := p.TypesInfo.Scopes[p.FileOf(pos)].Innermost(pos)
	if scope == nil {
		return true
	}
	_, obj := scope.LookupParent(v.Name(), pos)
	return obj != types.Object(v)
}

// within follows the context as far as it must not outlive a run through region.
func (c *Cancel) within(region inspector.Cursor) *ctxTracker {
	t := &ctxTracker{p: c.p, fn: c.Fn, def: c.Node(), round: region.Node(), seen: map[*types.Var]bool{}}
	t.variable(c.Ctx, "")
	return t
}

// uses reports whether n mentions the context or something made from it.
func (t *ctxTracker) uses(n ast.Node) bool {
	for v := range t.seen {
		if t.p.Mentions(n, v) {
			return true
		}
	}
	return false
}

// leaves reports whether n is a return or a jump that leads out of region,
// which holds it.
func leaves(n ast.Node, region inspector.Cursor) bool {
	if n.Pos() < region.Node().Pos() || n.End() > region.Node().End() {
		return false
	}
	br, ok := n.(*ast.BranchStmt)
	if !ok {
		_, isReturn := n.(*ast.ReturnStmt)
		return isReturn
	}
	c, ok := region.FindNode(br)
	if !ok {
		return false
	}
	for c = c.Parent(); c != region; c = c.Parent() {
		switch s := c.Node().(type) {
		case *ast.ForStmt, *ast.RangeStmt:
			if br.Label == nil {
				return false
			}
		case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			if br.Label == nil && br.Tok == token.BREAK {
				return false
			}
		case *ast.LabeledStmt:
			if br.Label != nil && s.Label.Name == br.Label.Name {
				return false
			}
		}
	}
	return true
}

// Piles reports whether the contexts of all rounds stay until the function
// returns because cancel is deferred in a loop, and nothing needs them when
// their round is over. Loops that are known to end soon are left alone, those
// of tests, and timed contexts in loops that are known to end.
func (c *Cancel) Piles(events []Event) (deferred ast.Stmt) {
	for _, e := range events {
		switch e.Kind {
		case DefersClose:
			if deferred != nil || e.Via.Node() != e.Node || !c.Fn.Flow.InCycle(e.Node) || e.Via.Parent() != c.Def.Parent() {
				return nil
			}
			deferred = e.Node.(ast.Stmt)
		case Reads:
		case Assigns:
			if e.Node != c.Node() {
				return nil
			}
		default:
			return nil
		}
	}
	if deferred == nil || c.Ctx == nil || !c.InLoop() || !c.unbounded() || c.p.InTest(c.Call.Pos()) || c.within(c.Def.Parent()).outlives != "" {
		return nil
	}
	return deferred
}

// OutlivesRound reports whether the call stands in a loop and the variable of
// its cancel function is declared outside: a later round may call it, and
// whether it does may depend on more than the paths show.
func (c *Cancel) OutlivesRound(cancel *types.Var) bool {
	for loop := range c.Def.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil)) {
		if c.Fn.Cursor.Contains(loop) && cancel.Pos() < loop.Node().Pos() {
			return true
		}
	}
	return false
}

// unbounded reports whether a loop around the call may go on for long enough
// that what piles up matters.
func (c *Cancel) unbounded() bool {
	for loop := range c.Def.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.FuncLit)(nil), (*ast.FuncDecl)(nil)) {
		switch n := loop.Node().(type) {
		case *ast.FuncLit, *ast.FuncDecl:
			return false
		case *ast.ForStmt:
			if n.Cond == nil || n.Post == nil {
				return true
			}
		case *ast.RangeStmt:
			t := c.p.TypesInfo.TypeOf(n.X)
			if _, isChan := t.Underlying().(*types.Chan); isChan {
				return true
			}
			switch t.Underlying().(type) {
			case *types.Slice, *types.Map:
				// How much there is, is not known here; a timer ends it in the end.
				if _, isLit := ast.Unparen(n.X).(*ast.CompositeLit); !isLit && !c.Timed() {
					return true
				}
			}
		}
	}
	return false
}
