package match

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// Guard is the place where an error is known to be nil for the first time
// after it was assigned.
type Guard struct {
	// After is the statement behind which the error is nil, or
	After ast.Stmt
	// First is the block that is entered only if the error is nil.
	First *ast.BlockStmt
}

// FindGuard looks for the check of err that follows the statement at def,
// which assigns it: an if whose body does not go on when the error is set, a
// call that ends the test when it is set, or an "if err == nil" block. Only
// statements without control flow may stand in between, and none that fails
// allowed. why says in a few words what is in the way if ok is false.
func (p *Pass) FindGuard(def inspector.Cursor, err *types.Var, allowed func(ast.Stmt) bool) (g Guard, why string, ok bool) {
	if ifs, isIf := def.Parent().Node().(*ast.IfStmt); isIf && ifs.Init == def.Node() {
		g, ok := p.guardIf(ifs, err)
		if as, _ := def.Node().(*ast.AssignStmt); ok && g.First == nil && as != nil && as.Tok == token.ASSIGN {
			if _, _, listed := StmtList(def.Parent()); listed {
				return g, "", true // if resp, err = get(); err != nil { return }: resp is declared outside
			}
		}
		if !ok {
			return Guard{}, "the if statement that declares it does not end the function when the error is set", false
		}
		if g.First == nil { // if resp, err := get(); err != nil { return }: out of scope behind it
			return Guard{}, "the variable is not in scope behind the check of its error", false
		}
		return g, "", true
	}
	list, i, isListed := StmtList(def)
	if !isListed {
		return Guard{}, "the assignment does not stand on its own", false
	}
	for _, s := range list[i+1:] {
		if ifs, isIf := s.(*ast.IfStmt); isIf && ifs.Init == nil {
			if g, ok := p.guardIf(ifs, err); ok {
				return g, "", true
			}
			if p.ErrorMatch(ifs.Cond, err) && ifs.Else == nil && p.Terminates(ifs.Body) && allowed(s) {
				continue // one kind of error, the general check comes next
			}
		}
		if es, isExpr := s.(*ast.ExprStmt); isExpr {
			if call, isCall := ast.Unparen(es.X).(*ast.CallExpr); isCall && p.EndsUnlessNil(call, err) {
				return Guard{After: s}, "", true
			}
		}
		if !IsPlain(s) || p.Mentions(s, err) && !readsOnly(s) || !allowed(s) {
			break
		}
	}
	return Guard{}, "its error is not checked right behind the call", false
}

// guardIf recognises "if err != nil { ...terminates }", the same with more
// alternatives (err != nil || x), and "if err == nil { ... }".
func (p *Pass) guardIf(s *ast.IfStmt, err *types.Var) (Guard, bool) {
	if p.impliesSet(s.Cond, err) && p.Terminates(s.Body) {
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
func (p *Pass) impliesSet(cond ast.Expr, err *types.Var) bool {
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
		return p.impliesSet(be.X, err) && p.testsNil(be.Y) || p.impliesSet(be.Y, err) && p.testsNil(be.X)
	}
	return false
}

func (p *Pass) testsNil(cond ast.Expr) bool {
	_, isNil, ok := p.NilTest(cond, true)
	return ok && isNil
}

// ErrorMatch reports whether cond can only be true if err is set.
func (p *Pass) ErrorMatch(cond ast.Expr, err *types.Var) bool {
	call, ok := ast.Unparen(cond).(*ast.CallExpr)
	if !ok || len(call.Args) == 0 || p.VarOf(call.Args[0]) != err || err == nil {
		return false
	}
	switch p.FullName(call) {
	case "errors.Is":
		return len(call.Args) == 2 && !p.IsNil(call.Args[1])
	case "errors.As", "errors.AsType", "os.IsTimeout", "os.IsNotExist", "os.IsPermission":
		return true
	}
	return false
}

// IsPlain reports whether s has no control flow of its own and starts nothing.
func IsPlain(s ast.Stmt) bool {
	switch s.(type) {
	case *ast.ExprStmt, *ast.AssignStmt, *ast.IncDecStmt, *ast.DeclStmt, *ast.DeferStmt:
		return true
	}
	return false
}

func readsOnly(s ast.Stmt) bool {
	_, ok := s.(*ast.ExprStmt)
	return ok
}

// NilTest reports what a condition that came out as taken says about x:
// whether x is nil then. ok is false if cond is no comparison with nil.
func (p *Pass) NilTest(cond ast.Expr, taken bool) (x ast.Expr, isNil, ok bool) {
	if call, isCall := ast.Unparen(cond).(*ast.CallExpr); isCall {
		return p.nilTestOf(call, taken)
	}
	be, isBinary := ast.Unparen(cond).(*ast.BinaryExpr)
	if !isBinary || be.Op != token.EQL && be.Op != token.NEQ {
		return nil, false, false
	}
	switch {
	case p.IsNil(be.Y):
		x = be.X
	case p.IsNil(be.X):
		x = be.Y
	default:
		return nil, false, false
	}
	return x, (be.Op == token.EQL) == taken, true
}

// nilTestOf is NilTest for the call of a function of the package that does
// nothing but to compare one of its parameters with nil: failed(t, err).
func (p *Pass) nilTestOf(call *ast.CallExpr, taken bool) (x ast.Expr, isNil, ok bool) {
	fn := p.Declaration(p.Callee(call))
	if fn == nil || len(fn.Body.List) != 1 || call.Ellipsis.IsValid() {
		return nil, false, false
	}
	ret, isReturn := fn.Body.List[0].(*ast.ReturnStmt)
	if !isReturn || len(ret.Results) != 1 {
		return nil, false, false
	}
	be, isBinary := ast.Unparen(ret.Results[0]).(*ast.BinaryExpr)
	if !isBinary {
		return nil, false, false
	}
	own, isNil, ok := p.NilTest(be, taken)
	if !ok {
		return nil, false, false
	}
	sig := p.Callee(call).Signature()
	for i := range sig.Params().Len() {
		if v := p.VarOf(own); v != nil && v == sig.Params().At(i) && i < len(call.Args) && !(sig.Variadic() && i == sig.Params().Len()-1) {
			return call.Args[i], isNil, true
		}
	}
	return nil, false, false
}

// Mentions reports whether n holds an identifier that denotes obj.
func (p *Pass) Mentions(n ast.Node, obj types.Object) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && p.TypesInfo.ObjectOf(id) == obj {
			found = true
		}
		return !found
	})
	return found
}

// Terminates reports whether control never reaches the end of block: it is
// the terminating statement of the language specification, with jumps and
// with calls that do not return.
func (p *Pass) Terminates(block *ast.BlockStmt) bool {
	if len(block.List) == 0 {
		return false
	}
	return p.terminates(block.List[len(block.List)-1])
}

func (p *Pass) terminates(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok != token.FALLTHROUGH
	case *ast.ExprStmt:
		call, ok := ast.Unparen(s.X).(*ast.CallExpr)
		return ok && p.NeverReturns(call)
	case *ast.BlockStmt:
		return p.Terminates(s)
	case *ast.IfStmt:
		return s.Else != nil && p.Terminates(s.Body) && p.terminates(s.Else)
	}
	return false
}
