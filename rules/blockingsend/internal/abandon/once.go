package abandon

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// findOnce finds the sends of a sender that come at most once, however often its
// loop iterates: a flag that is declared before the loop has one value
// before them, and another one from then on.
func findOnce(s *channel.Local, snd *channel.Sender) {
	if snd.Once != nil {
		return
	}
	snd.Once = map[ast.Node]bool{}
	for _, u := range snd.Sends {
		node := code.FlowNode(u.Op, snd.Body)
		if node == nil || snd.Loop != nil || !snd.Body.Flow.InCycle(node) {
			continue
		}
		for _, v := range askedBefore(s.Pass, u.Op, snd.Body) {
			if letsOnce(s.Pass, v, node, snd.Body) {
				snd.Once[node] = true
			}
		}
		if swapsBefore(s.Pass, u.Op, snd.Body) {
			snd.Once[node] = true
		}
	}
}

// unsetFlag reports whether a condition of the function comes out so only if a flag has been
// set that is set nowhere but after a receive: in "for !done", on a path without one,
// done has the value that it was declared with.
func unsetFlag(s *channel.Local, cond ast.Expr, taken bool, gets map[ast.Node]int8) bool {
	e := ast.Unparen(cond)
	if not, ok := e.(*ast.UnaryExpr); ok && not.Op == token.NOT {
		e, taken = ast.Unparen(not.X), !taken
	}
	v := s.Pass.VarOf(e)
	if !s.Pass.DeclaredIn(v, s.Fn) || s.Pass.IsParam(v, s.Fn) {
		return false
	}
	before, _, ok := twoValues(s.Pass, v, s.Fn)
	if !ok || before.Kind() != constant.Bool || constant.BoolVal(before) == taken {
		return false
	}
	for _, use := range s.Pass.Uses(s.Fn.Cursor, v) {
		if use.Node().Pos() == v.Pos() || frozen.Keeps(s.Pass, use) {
			continue
		}
		if node := code.FlowNode(use, s.Fn); node == nil || !comesAfter(&channel.Sender{Body: s.Fn}, node, widen(gets)) {
			return false
		}
	}
	return true
}

// askedBefore lists the variables in the conditions that decide whether fn comes
// to c in an iteration.
func askedBefore(p *code.Pass, c inspector.Cursor, fn *code.Func) (vars []*types.Var) {
	loops := channel.Loops(c, fn, token.NoPos)
	if len(loops) == 0 {
		return nil
	}
	seen := map[*types.Var]bool{}
	ast.Inspect(loops[len(loops)-1], func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return n == nil || n.Pos() <= c.Node().Pos()
		}
		if v := p.VarOf(id); v != nil && !v.IsField() && !seen[v] && v.Pos() < loops[len(loops)-1].Pos() {
			if b, isBasic := v.Type().Underlying().(*types.Basic); isBasic && b.Info()&(types.IsBoolean|types.IsInteger) != 0 {
				seen[v] = true
				vars = append(vars, v)
			}
		}
		return true
	})
	return vars
}

// letsOnce reports whether fn comes to node at most once because of v, a flag or a
// counter that starts at zero: with the value that v has from the first time on,
// no path comes to node, and nothing gives it back the value that it had before.
func letsOnce(p *code.Pass, v *types.Var, node ast.Node, fn *code.Func) bool {
	before, after, ok := twoValues(p, v, fn)
	if !ok {
		return false
	}
	known := func(cond ast.Expr, value constant.Value, changed bool) (result, ok bool) {
		if p.VarOf(cond) == v {
			return constant.BoolVal(value), true
		}
		be, isBinary := ast.Unparen(cond).(*ast.BinaryExpr)
		if !isBinary || p.VarOf(be.X) != v || p.TypesInfo.Types[be.Y].Value == nil {
			return false, false
		}
		switch be.Op {
		case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
			y := p.TypesInfo.Types[be.Y].Value
			result = constant.Compare(value, be.Op, y)
			if changed && value.Kind() == constant.Int { // a counter may be more by now, then the answer must be the same
				most := constant.BinaryOp(y, token.ADD, constant.MakeInt64(2))
				if constant.Compare(y, token.GTR, value) || constant.Compare(most, be.Op, y) != result {
					return false, false
				}
			}
			return result, true
		}
		return false, false
	}
	// A path carries whether v has changed since the node was passed; a second
	// visit with the value of before is what must not happen.
	twice := false
	type state struct{ changed, passed bool }
	flow.Paths[state]{
		Node: func(n ast.Node, s state) (state, bool) {
			if n == node {
				twice = twice || s.passed
				s.passed = true
			}
			s.changed = s.changed || gives(p, n, v)
			return s, !twice
		},
		Edge: func(cond ast.Expr, taken bool, s state) (state, bool) {
			value := before
			if s.changed {
				value = after
			}
			result, ok := known(cond, value, s.changed)
			return s, !ok || result == taken
		},
	}.FromEntry(fn.Flow, state{})
	return !twice
}

// gives reports whether a node of the flow gives v another value than its first.
func gives(p *code.Pass, n ast.Node, v *types.Var) bool {
	switch n := n.(type) {
	case *ast.IncDecStmt:
		return p.VarOf(n.X) == v
	case *ast.AssignStmt:
		return n.Tok != token.DEFINE && len(n.Lhs) == 1 && p.VarOf(n.Lhs[0]) == v
	}
	return false
}

// twoValues returns the value that a local variable starts with and the one that
// all its assignments give it; ok is false if there are others. For a counter that
// only goes up the second is 1, which stands for all above.
func twoValues(p *code.Pass, v *types.Var, fn *code.Func) (before, after constant.Value, ok bool) {
	at, found := frozen.ScopeOf(p, v)
	if !found || v.Parent() == p.Pkg.Scope() {
		return nil, nil, false
	}
	if def := frozen.Definition(p, v); def != nil {
		before = p.TypesInfo.Types[def].Value
	} else if c, in := at.FindByPos(v.Pos(), v.Pos()); in {
		spec, isSpec := c.Parent().Node().(*ast.ValueSpec)
		if !isSpec || len(spec.Values) > 0 {
			return nil, nil, false
		}
		if before = constant.MakeBool(false); v.Type().Underlying().(*types.Basic).Info()&types.IsInteger != 0 {
			before = constant.MakeInt64(0)
		}
	}
	if before == nil {
		return nil, nil, false
	}
	for _, use := range p.Uses(at, v) {
		if use.Node().Pos() == v.Pos() || frozen.Keeps(p, use) {
			continue
		}
		var value constant.Value
		switch n := code.Unparen(use).Parent().Node().(type) {
		case *ast.AssignStmt:
			if n.Tok == token.ASSIGN && len(n.Lhs) == 1 && len(n.Rhs) == 1 {
				value = p.TypesInfo.Types[n.Rhs[0]].Value
			}
		case *ast.IncDecStmt:
			if n.Tok == token.INC && constant.Sign(before) == 0 {
				value = constant.MakeInt64(1)
			}
		}
		if value == nil || p.GoroutineFunc(use) != fn.Cursor || after != nil && !constant.Compare(value, token.EQL, after) {
			return nil, nil, false
		}
		after = value
	}
	return before, after, after != nil
}

// swapsBefore reports whether c stands in an if that asks an atomic for the first
// time: "if done.CompareAndSwap(false, true)", or "if !done.Swap(true)".
func swapsBefore(p *code.Pass, c inspector.Cursor, fn *code.Func) bool {
	for at := c; at.Valid() && at != fn.Cursor; at = at.Parent() {
		ifs, ok := at.Parent().Node().(*ast.IfStmt)
		if !ok || ast.Node(ifs.Body) != at.Node() {
			continue
		}
		cond := ast.Unparen(ifs.Cond)
		not, negated := cond.(*ast.UnaryExpr)
		if negated = negated && not.Op == token.NOT; negated {
			cond = ast.Unparen(not.X)
		}
		call, isCall := cond.(*ast.CallExpr)
		if !isCall || len(call.Args) == 0 {
			continue
		}
		sel, isSel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !isSel {
			continue
		}
		v := p.VarOf(sel.X)
		if v == nil || !typeis.Named(v.Type(), "sync/atomic", "Bool") || otherwiseStored(p, v, call) || !before(p, v, c, fn) {
			continue
		}
		last := p.TypesInfo.Types[call.Args[len(call.Args)-1]].Value
		sets := last != nil && last.Kind() == constant.Bool && constant.BoolVal(last)
		if sets && (sel.Sel.Name == "CompareAndSwap" && !negated || sel.Sel.Name == "Swap" && negated) {
			return true
		}
	}
	return false
}

// before reports whether v is declared before the loops around c.
func before(p *code.Pass, v *types.Var, c inspector.Cursor, fn *code.Func) bool {
	loops := channel.Loops(c, fn, token.NoPos)
	return len(loops) == 0 || v.Pos() < loops[len(loops)-1].Pos()
}

// otherwiseStored reports whether anything but the call uses an atomic flag other
// than to load it.
func otherwiseStored(p *code.Pass, v *types.Var, call *ast.CallExpr) bool {
	at, ok := frozen.ScopeOf(p, v)
	if !ok {
		return true
	}
	for _, use := range p.Uses(at, v) {
		sel, isSel := code.Unparen(use).Parent().Node().(*ast.SelectorExpr)
		switch {
		case use.Node().Pos() == v.Pos():
		case !isSel || sel.Sel.Name != "Load" && ast.Expr(sel) != ast.Unparen(call.Fun):
			return true
		}
	}
	return false
}
