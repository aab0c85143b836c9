package complete

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Total is how many values come over a channel, as the receiver may say it.
type Total struct {
	s     *channel.Local
	snd   *channel.Sender
	loop  *ast.RangeStmt
	bound frozen.Bound
	limit *types.Var
	ok    bool
	parts []Total // of several senders, of which each is one
}

// NewTotal returns what a receiver that counts may compare with.
func NewTotal(s *channel.Local, loop *ast.RangeStmt) Total {
	if len(s.Senders) == 1 {
		return totalOf(s, s.Senders[0], loop)
	}
	all := Total{s: s, loop: loop, ok: true}
	for _, snd := range s.Senders {
		part := totalOf(s, snd, loop)
		all.ok = all.ok && part.ok
		all.parts = append(all.parts, part)
	}
	return all
}

// totalOf returns how many values the goroutines of one go statement send.
func totalOf(s *channel.Local, snd *channel.Sender, loop *ast.RangeStmt) Total {
	t, starts := Total{s: s, snd: snd, loop: loop}, snd.Loop
	switch {
	case snd.Loop == nil && snd.Most < flow.Many:
		t.bound, t.ok = frozen.Bound{Const: int64(snd.Most)}, true
		return t
	case snd.Loop == nil && len(snd.Sends) == 1: // a producer
		inner := channel.Loops(snd.Sends[0].Op, snd.Body, token.NoPos)
		if len(inner) != 1 {
			return t
		}
		starts = inner[0]
		t.bound, t.ok = frozen.LoopBound(s.Pass, starts)
	case snd.Loop != nil && snd.Most == 1 && !snd.Nested:
		t.bound, t.ok = snd.Bound, snd.Bound != frozen.Bound{}
	default:
		return t
	}
	if !t.ok {
		t.limit = frozen.LoopLimit(s.Pass, starts)
		t.ok = t.limit != nil
	}
	return t
}

// is reports whether e is the total and a constant more than that.
func (t Total) is(e ast.Expr) (more int64, ok bool) {
	if len(t.parts) == 0 {
		return t.plus(e, 4)
	}
	if v := t.s.Pass.VarOf(e); v != nil && t.started(v) {
		return 0, true
	}
	if !t.ok {
		return 0, false
	}
	terms := terms(t.s.Pass, e, 4)
	for _, part := range t.parts {
		if part.bound.Of == nil && part.limit == nil {
			more -= part.bound.Const
			continue
		}
		i := slices.IndexFunc(terms, func(e ast.Expr) bool {
			n, ok := part.plus(e, 4)
			return ok && n == 0
		})
		if i < 0 {
			return 0, false
		}
		terms = slices.Delete(terms, i, i+1)
	}
	for _, e := range terms {
		b, known := frozen.LimitOf(t.s.Pass, e)
		if !known || b.Of != nil {
			return 0, false
		}
		more += b.Const
	}
	return more, true
}

// terms returns the summands of e.
func terms(p *code.Pass, e ast.Expr, depth int) []ast.Expr {
	e = ast.Unparen(e)
	if v := p.VarOf(e); v != nil && depth > 0 && frozen.Fixed(p, v) {
		if def, ok := ast.Unparen(frozen.Definition(p, v)).(*ast.BinaryExpr); ok && def.Op == token.ADD {
			return terms(p, def, depth-1)
		}
	}
	if be, ok := e.(*ast.BinaryExpr); ok && be.Op == token.ADD && p.TypesInfo.Types[e].Value == nil {
		return append(terms(p, be.X, depth), terms(p, be.Y, depth)...)
	}
	return []ast.Expr{e}
}

func (t Total) plus(e ast.Expr, depth int) (more int64, ok bool) {
	e = ast.Unparen(e)
	p := t.s.Pass
	if depth == 0 {
		return 0, false
	}
	if be, isBinary := e.(*ast.BinaryExpr); isBinary && (be.Op == token.ADD || be.Op == token.SUB) {
		if n, isInt := typeis.SmallInt(p.TypesInfo.Types[be.Y].Value); isInt {
			if be.Op == token.SUB {
				n = -n
			}
			more, ok = t.plus(be.X, depth-1)
			return more + n, ok
		}
	}
	v := p.VarOf(e)
	if v != nil && t.started(v) {
		return 0, true
	}
	if !t.ok {
		return 0, false
	}
	if v != nil && t.s.Argument(t.snd, t.limit) == v && t.limit != nil {
		return 0, true
	}
	if t.bound.Of == nil && t.limit == nil {
		if n, isInt := typeis.SmallInt(p.TypesInfo.Types[e].Value); isInt {
			return n - t.bound.Const, true
		}
	}
	b, known := frozen.LimitOf(p, e)
	if known && b.Of == nil && t.bound.Of == nil && t.limit == nil {
		return b.Const - t.bound.Const, true
	}
	if known && b.Of != nil && t.bound.Of != nil {
		of := p.VarOf(t.bound.Of)
		if of != nil && p.VarOf(b.Of) != nil {
			return 0, t.s.Argument(t.snd, of) == p.VarOf(b.Of)
		}
		return 0, types.ExprString(b.Of) == types.ExprString(t.bound.Of)
	}
	if v != nil && v != t.limit {
		if def := frozen.Definition(p, v); def != nil && frozen.FixedAnywhere(p, v) {
			return t.plus(def, depth-1)
		}
	}
	return 0, false
}

// started reports whether v counts the senders: it is counted up beside each go
// statement.
func (t Total) started(v *types.Var) bool {
	for _, snd := range t.s.Senders {
		if snd.Most > 1 {
			return false
		}
		list, _, ok := code.StmtList(snd.Stmt)
		found := false
		for _, s := range list {
			inc, isInc := s.(*ast.IncDecStmt)
			found = found || isInc && inc.Tok == token.INC && t.s.Pass.VarOf(inc.X) == v
		}
		if !ok || !found {
			return false
		}
	}
	return true
}

// Reached reports whether a condition of the receiver may only come out as it
// does when all have come: it compares what it has counted with the total.
func (t Total) Reached(cond ast.Expr) bool {
	be, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok {
		return false
	}
	switch be.Op {
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
	default:
		return false
	}
	for _, side := range [][2]ast.Expr{{be.X, be.Y}, {be.Y, be.X}} {
		count, with := side[0], side[1]
		step, before, start, known := t.counter(count, be)
		if !known {
			continue
		}
		late := int64(0) // the test of an iteration does not see its value
		if !before {
			late = 1
		}
		switch step {
		case 1:
			// In iteration k the counter is start + k - late.
			first, isInt := int64(0), true
			if start != nil {
				first, isInt = typeis.SmallInt(t.s.Pass.TypesInfo.Types[start].Value)
			}
			if more, isTotal := t.is(with); isTotal && isInt && more-first+late >= 0 {
				return true
			}
		case -1:
			// It is start - k + late.
			if start == nil {
				continue
			}
			more, isTotal := t.is(start)
			to, isInt := typeis.SmallInt(t.s.Pass.TypesInfo.Types[with].Value)
			if isTotal && isInt && more-to+late >= 0 {
				return true
			}
		}
	}
	return false
}

// counter recognises what the body of the loop counts the values with: a
// variable that goes up or down by one, or the length of what it puts them into.
// before says that it counts before the test; start is the value that it has before
// the loop, nil for nothing.
func (t Total) counter(e ast.Expr, test ast.Node) (step int, before bool, start ast.Expr, ok bool) {
	p := t.s.Pass
	if call, isCall := ast.Unparen(e).(*ast.CallExpr); isCall && p.IsBuiltin(call, "len") {
		e = call.Args[0]
		v := p.VarOf(code.RootExpr(e))
		found := false
		ast.Inspect(t.loop.Body, func(n ast.Node) bool {
			if as, isAssign := n.(*ast.AssignStmt); isAssign && v != nil {
				for _, l := range as.Lhs {
					if p.VarOf(code.RootExpr(l)) == v && !found {
						found, before = true, as.Pos() < test.Pos()
					}
				}
			}
			return true
		})
		return 1, before, nil, found
	}
	v := p.VarOf(e)
	if v == nil {
		return 0, false, nil, false
	}
	found := 0
	ast.Inspect(t.loop.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IncDecStmt:
			if p.VarOf(n.X) == v {
				found++
				before, step = n.Pos() < test.Pos(), 1
				if n.Tok == token.DEC {
					step = -1
				}
			}
		case *ast.AssignStmt:
			for i, l := range n.Lhs {
				if p.VarOf(l) != v {
					continue
				}
				found++
				before, step = n.Pos() < test.Pos(), 0
				if n.Tok == token.ADD_ASSIGN || n.Tok == token.SUB_ASSIGN {
					if one, isInt := typeis.SmallInt(p.TypesInfo.Types[n.Rhs[i]].Value); isInt && one == 1 {
						if step = 1; n.Tok == token.SUB_ASSIGN {
							step = -1
						}
					}
				}
			}
		}
		return true
	})
	if found != 1 || step == 0 {
		return 0, false, nil, false
	}
	start = frozen.Definition(p, v)
	if start == nil && step < 0 && t.started(v) {
		start = e
	}
	if step < 0 && t.started(v) {
		return step, before, e, true
	}
	return step, before, start, true
}
