package mustcall

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// Guard is the place where an error is known to be nil for the first time
// after it was assigned.
type Guard struct {
	// After is the statement after which the error is nil, or
	After ast.Stmt
	// First is the block that is entered only if the error is nil.
	First *ast.BlockStmt
}

// covers reports whether all of list stand where the error is known to be nil.
func (g Guard) covers(list []ast.Stmt) bool {
	return !slices.ContainsFunc(list, func(s ast.Stmt) bool {
		if g.First != nil {
			return !code.Within(s, g.First)
		}
		return s.Pos() < g.After.End()
	})
}

// FindGuard looks for the check of err that follows the statement at def,
// which assigns it: an if whose body does not go on when the error is set, a
// call that ends the test when it is set, or an "if err == nil" block. Only
// statements without control flow may stand in between, and none that fails
// allowed. why says in a few words what is in the way if ok is false.
func FindGuard(p *code.Pass, def inspector.Cursor, err *types.Var, allowed func(ast.Stmt) bool) (g Guard, why string, ok bool) {
	if ifs, isIf := def.Parent().Node().(*ast.IfStmt); isIf && ifs.Init == def.Node() {
		g, ok := guardIf(p, ifs, err)
		if as, _ := def.Node().(*ast.AssignStmt); ok && g.First == nil && as != nil && as.Tok == token.ASSIGN {
			if _, _, listed := code.StmtList(def.Parent()); listed {
				return g, "", true // if resp, err = get(); err != nil { return }: resp is declared outside
			}
		}
		if !ok {
			return Guard{}, "the if statement that declares it does not end the function when the error is set", false
		}
		if g.First == nil { // if resp, err := get(); err != nil { return }: out of scope after it
			return Guard{}, "the variable is not in scope after the check of its error", false
		}
		return g, "", true
	}
	list, i, isListed := code.StmtList(def)
	if !isListed {
		return Guard{}, "the assignment does not stand on its own", false
	}
	for _, s := range list[i+1:] {
		if ifs, isIf := s.(*ast.IfStmt); isIf && ifs.Init == nil {
			if g, ok := guardIf(p, ifs, err); ok {
				return g, "", true
			}
			if assume.ErrorMatch(p, ifs.Cond, err) && ifs.Else == nil && assume.Terminates(p, ifs.Body) && allowed(s) {
				continue // one kind of error, the general check comes next
			}
		}
		if es, isExpr := s.(*ast.ExprStmt); isExpr {
			if call, isCall := ast.Unparen(es.X).(*ast.CallExpr); isCall && assume.EndsUnlessNil(p, call, err) {
				return Guard{After: s}, "", true
			}
		}
		if !assume.IsPlain(s) || p.Mentions(s, err) && !readsOnly(s) || !allowed(s) {
			break
		}
	}
	return Guard{}, "its error is not checked directly after the call", false
}

// guardIf recognises "if err != nil { ...terminates }", the same with more
// alternatives (err != nil || x), and "if err == nil { ... }".
func guardIf(p *code.Pass, s *ast.IfStmt, err *types.Var) (Guard, bool) {
	if impliesSet(p, s.Cond, err) && assume.Terminates(p, s.Body) {
		switch els := s.Else.(type) {
		case nil:
			return Guard{After: s}, true
		case *ast.BlockStmt:
			return Guard{First: els}, true
		}
		return Guard{}, false
	}
	if x, isNil, ok := p.NilTest(s.Cond, true); ok && isNil && p.VarOf(x) == err {
		return Guard{First: s.Body}, true
	}
	return Guard{}, false
}

// impliesSet reports whether cond being false implies err == nil.
func impliesSet(p *code.Pass, cond ast.Expr, err *types.Var) bool {
	if not, ok := ast.Unparen(cond).(*ast.UnaryExpr); ok && not.Op == token.NOT {
		x, isNil, ok := p.NilTest(not.X, true)
		return ok && isNil && p.VarOf(x) == err
	}
	if x, isNil, ok := p.NilTest(cond, true); ok {
		return !isNil && p.VarOf(x) == err
	}
	// err != nil || resp == nil; with any other test beside it, the body of
	// the if also runs when err is nil.
	if be, ok := ast.Unparen(cond).(*ast.BinaryExpr); ok && be.Op == token.LOR {
		return impliesSet(p, be.X, err) && testsNil(p, be.Y) || impliesSet(p, be.Y, err) && testsNil(p, be.X)
	}
	return false
}

func testsNil(p *code.Pass, cond ast.Expr) bool {
	_, isNil, ok := p.NilTest(cond, true)
	return ok && isNil
}

func readsOnly(s ast.Stmt) bool {
	_, ok := s.(*ast.ExprStmt)
	return ok
}

// UnderFlag reports whether c stands alone in an if after a place of the source that tests
// a bare variable: what the flag means is then not known.
func UnderFlag(c inspector.Cursor, after token.Pos) bool {
	for up := range c.Enclosing((*ast.IfStmt)(nil)) {
		if up.Node().Pos() < after {
			break
		}
		ifs := up.Node().(*ast.IfStmt)
		if len(ifs.Body.List) > 1 {
			continue
		}
		cond := ast.Unparen(ifs.Cond)
		if not, ok := cond.(*ast.UnaryExpr); ok && not.Op == token.NOT {
			cond = ast.Unparen(not.X)
		}
		if _, ok := cond.(*ast.Ident); ok {
			return true
		}
	}
	return false
}
