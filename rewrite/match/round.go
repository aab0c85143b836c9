package match

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"
)

// Round is one run through a list of statements that makes something that must
// be met before the list is left: where it is left, or ends, without that.
type Round struct {
	Jumps []ast.Stmt // the statements that leave it
	Last  ast.Stmt   // its last statement, if control comes to its end
	Again []ast.Stmt // the assignments of the next value to the same variable, the call itself among them
}

// Before returns the statements in front of which something must be done.
func (r *Round) Before() []ast.Stmt {
	return append(slices.Clone(r.Jumps), r.Again...)
}

// round returns the ways out of region, a list of statements that holds the
// one of the call, on which o is not met. fits says why nothing can be put in
// front of a jump, or returns "". why says what stands against it if there is
// a way out where nothing can be done.
func (p *Pass) round(o Obligation, region inspector.Cursor, fits func(ast.Stmt) string) (r Round, why string) {
	for b := range region.Preorder((*ast.BranchStmt)(nil)) {
		if tok := b.Node().(*ast.BranchStmt).Tok; tok == token.GOTO || tok == token.FALLTHROUGH {
			return r, "in a loop a deferred call would wait for the end of the function, and the round is left by a " + tok.String()
		}
	}
	next := p.nextRound(o, region)
	o.Leaves = func(n ast.Node) bool { return next(n) || leaves(n, region) }
	unmet := p.Unmet(o)
	falls := unmet.Again
	for _, e := range unmet.Exits {
		as := assignmentAt(region, e)
		switch {
		case as == nil || next(as) || as.Pos() <= o.Var.Pos() && o.Var.Pos() < as.End() || as == o.Def.Node() && declares(region, o):
			falls = true
		case !slices.Contains(r.Again, as):
			r.Again = append(r.Again, as)
		}
	}
	for _, n := range unmet.Leaves {
		if next(n) {
			falls = true
			continue
		}
		if why := fits(n.(ast.Stmt)); why != "" {
			return r, why
		}
		if o.Var != nil && p.hidden(o.Var, n.Pos()) {
			return r, o.Var.Name() + " is something else where the round is left"
		}
		r.Jumps = append(r.Jumps, n.(ast.Stmt))
	}
	if list := stmtsIn(region.Node()); falls && len(list) > 0 {
		r.Last = list[len(list)-1]
		if o.Var != nil && p.hiddenAfter(o.Var, region, r.Last) {
			return r, o.Var.Name() + " is something else where the round ends"
		}
	}
	return r, ""
}

// assignmentAt returns the statement of region that assigns another value where
// a path ends; nil if it ends otherwise.
func assignmentAt(region inspector.Cursor, e Exit) ast.Stmt {
	c, ok := region.FindByPos(e.Pos, e.Pos)
	if !ok || !e.Assigns {
		return nil
	}
	for as := range c.Enclosing((*ast.AssignStmt)(nil)) {
		return as.Node().(ast.Stmt)
	}
	return nil
}

// nextRound returns what reports whether a node belongs to the next run through
// region, or stands outside: there, the variable of o is another one.
func (p *Pass) nextRound(o Obligation, region inspector.Cursor) func(ast.Node) bool {
	start, end := region.Node().Pos(), region.Node().End()
	direct := o.Def.Parent() == region
	if def := o.Def.Node().Pos(); def < start {
		start = def // the call stands in the head of an if, region is the block behind it
	}
	return func(n ast.Node) bool {
		switch {
		case n.Pos() < start || n.End() > end:
			return !direct
		case direct: // what stands before the call
			return n.End() <= o.Def.Node().Pos()
		}
		return o.Var != nil && n.Pos() <= o.Var.Pos() && o.Var.Pos() < n.End()
	}
}

// declares reports whether the variable of o dies with each round: it is
// declared by the call, or discarded.
func declares(region inspector.Cursor, o Obligation) bool {
	return o.Var == nil || o.Def.Parent() == region || o.Var.Pos() >= o.Def.Node().Pos() && o.Var.Pos() < o.Def.Node().End()
}

// Round returns the ways out of the list of statements that holds the call on
// which the cancel function with the given events is not called. It returns
// why instead if the context may be in use beyond the round, or where a call in
// front of each way out would not do.
func (c *Cancel) Round(cancel *types.Var, events []Event) (r Round, why string) {
	region := c.Def.Parent()
	if _, _, ok := StmtList(c.Def); !ok || region.Node() == ast.Node(c.Fn.Body) {
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
	o := Obligation{Fn: c.Fn, Call: c.Call, Def: c.Def, Var: cancel, Events: events, Over: c.WaitsForDone, Settled: c.Ended}
	return c.p.round(o, region, func(s ast.Stmt) string {
		if ret, ok := s.(*ast.ReturnStmt); ok && t.uses(ret) {
			return "what is returned is made with the context, so it cannot be cancelled before"
		}
		return ""
	})
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

// hiddenAfter reports whether the name of v means something else after s, a
// statement of the list region.
func (p *Pass) hiddenAfter(v *types.Var, region inspector.Cursor, s ast.Stmt) bool {
	scope := p.TypesInfo.Scopes[region.Node()]
	if scope == nil {
		switch fn := region.Parent().Node().(type) {
		case *ast.FuncDecl:
			scope = p.TypesInfo.Scopes[fn.Type]
		case *ast.FuncLit:
			scope = p.TypesInfo.Scopes[fn.Type]
		}
	}
	if scope == nil {
		return true
	}
	_, obj := scope.LookupParent(v.Name(), s.End())
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
		case ClosesLate: // by a literal, of which each iteration has its own
			d, ok := e.Node.(*ast.DeferStmt)
			if !ok || deferred != nil && deferred != ast.Stmt(d) || !c.Fn.Flow.InCycle(d) || !beside(c.Def, d) {
				return nil
			}
			deferred = d
		case Reads:
		case Assigns:
			if e.Node != c.Node() {
				return nil
			}
		default:
			return nil
		}
	}
	if deferred == nil || c.Ctx == nil || !c.InLoop() || !c.p.longLoop(c.Def, c.Timed()) || c.p.InTest(c.Call.Pos()) || c.within(c.Def.Parent()).outlives != "" {
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

// longLoop reports whether a loop around the statement at c may go on for long
// enough that what piles up matters. What is timed ends by itself in the end.
func (p *Pass) longLoop(c inspector.Cursor, timed bool) bool {
	for loop := range c.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.FuncLit)(nil), (*ast.FuncDecl)(nil)) {
		switch n := loop.Node().(type) {
		case *ast.FuncLit, *ast.FuncDecl:
			return false
		case *ast.ForStmt:
			if n.Cond == nil || n.Post == nil {
				return true
			}
		case *ast.RangeStmt:
			switch p.TypesInfo.TypeOf(n.X).Underlying().(type) {
			case *types.Chan:
				return true
			case *types.Slice, *types.Map:
				// How much there is, is not known here.
				if !timed && !p.literal(n.X, loop) {
					return true
				}
			}
		}
	}
	return false
}

// literal reports whether e is a composite literal, or a variable that the
// function around c gives no other value.
func (p *Pass) literal(e ast.Expr, c inspector.Cursor) bool {
	if _, ok := ast.Unparen(e).(*ast.CompositeLit); ok {
		return true
	}
	v := p.VarOf(e)
	fn := p.EnclosingFunc(c)
	if v == nil || fn == nil || !p.DeclaredIn(v, fn) {
		return false
	}
	found := false
	for _, use := range p.Uses(fn.Cursor, v) {
		if !IsAssigned(use) {
			continue
		}
		var rhs []ast.Expr
		switch n := use.Parent().Node().(type) {
		case *ast.AssignStmt:
			rhs = n.Rhs
		case *ast.ValueSpec:
			rhs = n.Values
		}
		if len(rhs) != 1 {
			return false
		}
		if _, ok := ast.Unparen(rhs[0]).(*ast.CompositeLit); !ok {
			return false
		}
		found = true
	}
	return found
}
