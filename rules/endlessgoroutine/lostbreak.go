package endlessgoroutine

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// lostBreak is a break that leaves a select where it should have left the
// loop around it, which nothing else ends.
type lostBreak struct {
	Break *ast.BranchStmt
	Loop  *ast.ForStmt
	Event string // what has happened by then, and stays so
}

// lostBreaks returns the breaks in selects that answer something which cannot
// be undone, a channel that is closed or a context that is cancelled, in a
// loop without any way out: from then on it spins.
func lostBreaks(p *code.Pass) (out []lostBreak) {
	for c := range p.Inspector.Root().Preorder((*ast.CommClause)(nil)) {
		cc := c.Node().(*ast.CommClause)
		loop, fn := loopAround(p, c), p.EnclosingFunc(c)
		if cc.Comm == nil || loop == nil || fn == nil {
			continue
		}
		br, event := lastingBreak(p, cc, c, loop)
		if br != nil && stays(p, loop, fn) {
			out = append(out, lostBreak{br, loop, event})
		}
	}
	return out
}

// loopAround returns the loop without a condition in whose body the select of
// a clause stands.
func loopAround(p *code.Pass, clause inspector.Cursor) *ast.ForStmt {
	sel := clause.Parent().Parent()
	if l, ok := sel.Parent().Node().(*ast.LabeledStmt); ok && l != nil {
		sel = sel.Parent()
	}
	loop, ok := sel.Parent().Parent().Node().(*ast.ForStmt)
	if !ok || loop.Cond != nil {
		return nil
	}
	return loop
}

func lastingBreak(p *code.Pass, cc *ast.CommClause, c inspector.Cursor, loop *ast.ForStmt) (br *ast.BranchStmt, event string) {
	var recv *ast.UnaryExpr
	var ok *types.Var
	switch comm := cc.Comm.(type) {
	case *ast.ExprStmt:
		recv, _ = ast.Unparen(comm.X).(*ast.UnaryExpr)
	case *ast.AssignStmt:
		recv, _ = ast.Unparen(comm.Rhs[0]).(*ast.UnaryExpr)
		if len(comm.Lhs) == 2 {
			ok = p.VarOf(comm.Lhs[1])
		}
	}
	if recv == nil || len(cc.Body) == 0 {
		return nil, ""
	}
	name := types.ExprString(recv.X)
	if replaced(p, recv.X, loop) {
		return nil, ""
	}
	if ok != nil { // if !ok { break }
		for _, s := range cc.Body {
			ifs, isIf := s.(*ast.IfStmt)
			if !isIf || len(ifs.Body.List) == 0 {
				continue
			}
			not, isNot := ast.Unparen(ifs.Cond).(*ast.UnaryExpr)
			if isNot && not.Op == token.NOT && p.VarOf(not.X) == ok && len(ifs.Body.List) == 1 {
				return plainBreak(ifs.Body.List), name + " is closed"
			}
		}
		return nil, ""
	}
	br = plainBreak(cc.Body)
	if br == nil {
		return nil, ""
	}
	if ctx, isDone := ctxcancel.DoneCall(p, recv.X); isDone {
		return br, types.ExprString(ctx) + " is done"
	}
	if _, isCall := ast.Unparen(recv.X).(*ast.CallExpr); isCall {
		return nil, ""
	}
	if closedInPackage(p, recv.X) {
		return br, name + " is closed"
	}
	return nil, ""
}

// replaced reports whether the channel or context that e starts from may be
// another one in a later iteration: a variable that the loop assigns, a field that
// is assigned more than once.
func replaced(p *code.Pass, e ast.Expr, loop *ast.ForStmt) bool {
	e = ast.Unparen(e)
	if call, ok := e.(*ast.CallExpr); ok {
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok {
			return true
		}
		e = ast.Unparen(sel.X)
	}
	x, isField := e.(*ast.SelectorExpr)
	v := p.VarOf(e)
	if isField {
		v = p.Selected(x)
	}
	if v == nil {
		return true
	}
	made := 0
	for _, l := range p.Index().Assigned[v] {
		if _, ok := ast.Unparen(l).(*ast.SelectorExpr); ok || code.Within(l, loop) {
			made++
		}
	}
	return made > 1 || made == 1 && !isField
}

// plainBreak returns the break without a label at the end of list.
func plainBreak(list []ast.Stmt) *ast.BranchStmt {
	br, ok := list[len(list)-1].(*ast.BranchStmt)
	if !ok || br.Tok != token.BREAK || br.Label != nil {
		return nil
	}
	return br
}

// closedInPackage reports whether the package closes the channel that e, a
// variable or a field, denotes.
func closedInPackage(p *code.Pass, e ast.Expr) bool {
	v := p.VarOrField(e)
	return v != nil && p.Index().Closed[v]
}

// stays reports whether control never leaves the loop: no path goes out of it,
// and nothing on the way may end the goroutine or the process.
func stays(p *code.Pass, loop *ast.ForStmt, fn *code.Func) bool {
	leaves := false
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			leaves = leaves || !code.Within(n, loop)
			if es, ok := n.(*ast.ExprStmt); ok {
				call, isCall := ast.Unparen(es.X).(*ast.CallExpr)
				leaves = leaves || isCall && p.NeverReturns(call)
			}
			return s, !leaves
		},
		Exit: func(*flow.Block, struct{}) { leaves = true },
	}.FromBody(fn.Flow, loop, struct{}{})
	return !leaves && !mayUnwind(p, fn)
}
