package abandon

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// sameNumber reports whether a loop of the function has as many iterations as the loop that
// starts the senders.
func sameNumber(s *channel.Local, snd *channel.Sender, loop ast.Stmt) bool {
	if b, ok := frozen.LoopBound(s.Pass, loop); ok {
		return sameBound(b, snd.Bound)
	}
	n, started := frozen.LimitExpr(s.Pass, loop), frozen.LimitExpr(s.Pass, snd.Loop)
	if total := frozen.TotalExpr(s.Pass, loop); total != nil {
		if b, ok := frozen.LimitOf(s.Pass, total); ok {
			return sameBound(b, snd.Bound)
		}
		n = total
	}
	return n != nil && started != nil && !snd.Nested && types.ExprString(n) == types.ExprString(started) &&
		sameVars(s.Pass, n, started) && frozen.StableFrom(s.Pass, n, s.Fn, code.FlowNode(s.Make, s.Fn))
}

// counts reports whether a condition in a loop compares with what counts its iterations, or
// with their number: then it may know that all values have come.
func counts(s *channel.Local, loop ast.Stmt, cond ast.Expr) bool {
	be, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok || be.Pos() < loop.Pos() || be.Pos() >= loop.End() {
		return false
	}
	asked := map[*types.Var]bool{}
	numbers := []ast.Expr{frozen.LimitExpr(s.Pass, loop), frozen.TotalExpr(s.Pass, loop)}
	switch l := loop.(type) {
	case *ast.RangeStmt:
		numbers = append(numbers, &ast.CallExpr{Fun: ast.NewIdent("len"), Args: []ast.Expr{l.X}})
		if l.Key != nil {
			asked[s.Pass.VarOf(l.Key)] = true
		}
	case *ast.ForStmt:
		if cmp, ok := l.Cond.(*ast.BinaryExpr); ok {
			asked[s.Pass.VarOf(cmp.X)] = true
			numbers = append(numbers, cmp.Y)
		}
	}
	delete(asked, nil)
	for _, side := range []ast.Expr{be.X, be.Y} {
		if v := s.Pass.VarOf(side); v != nil && asked[v] {
			return true
		}
		for _, n := range numbers {
			if n != nil && s.Pass.TypesInfo.Types[n].Value == nil && contains(side, n) {
				return true
			}
		}
	}
	return false
}

// contains reports whether an expression has another one in it that reads like part.
func contains(e, part ast.Expr) (found bool) {
	text := types.ExprString(part)
	ast.Inspect(e, func(n ast.Node) bool {
		x, ok := n.(ast.Expr)
		found = found || ok && types.ExprString(x) == text
		return !found
	})
	return found
}

// startsNone reports whether a condition comes out so only if the loop that starts the
// senders has no iterations: its number is zero or less.
func startsNone(s *channel.Local, snd *channel.Sender, cond ast.Expr, taken bool) bool {
	if snd.Loop == nil {
		return false
	}
	n := frozen.LimitExpr(s.Pass, snd.Loop)
	c, ok := assume.Comparison(s.Pass, cond)
	if !ok || n == nil || types.ExprString(n) != types.ExprString(c.Subject) || !sameVars(s.Pass, n, c.Subject) {
		return false
	}
	value, isInt := typeis.SmallInt(c.Value)
	switch {
	case !isInt || !frozen.StableFrom(s.Pass, n, s.Fn, code.FlowNode(s.Make, s.Fn)):
		return false
	case c.Op == token.LSS && taken, c.Op == token.GEQ && !taken:
		return value <= 1
	case c.Op == token.LEQ && taken, c.Op == token.GTR && !taken, c.Op == token.EQL && taken, c.Op == token.NEQ && !taken:
		return value <= 0
	}
	return false
}

// sameVars reports whether two expressions that read the same mean the same variables.
func sameVars(p *code.Pass, a, b ast.Expr) bool {
	vars := func(e ast.Expr) (out []types.Object) {
		ast.Inspect(e, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				out = append(out, p.TypesInfo.ObjectOf(id))
			}
			return true
		})
		return out
	}
	return slices.Equal(vars(a), vars(b))
}
