package mustcall

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
)

// Iteration is one run through a list of statements that makes something that must
// be met before the list is left: where it is left, or ends, without that.
type Iteration struct {
	Jumps []ast.Stmt // the statements that leave it
	Last  ast.Stmt   // its last statement, if control comes to its end
	Again []ast.Stmt // the assignments of the next value to the same variable, the call itself among them
}

// Before returns the statements before which something must be done.
func (r *Iteration) Before() []ast.Stmt {
	return append(slices.Clone(r.Jumps), r.Again...)
}

// IterationExits returns the ways out of region, a list of statements that holds the one
// of the call, on which o is not met. fits says why nothing can be put before a jump, or
// returns "". why says what stands against it if there is a way out where nothing can be
// done.
func IterationExits(p *code.Pass, o Obligation, region inspector.Cursor, fits func(ast.Stmt) string) (r Iteration, why string) {
	for b := range region.Preorder((*ast.BranchStmt)(nil)) {
		if tok := b.Node().(*ast.BranchStmt).Tok; tok == token.GOTO || tok == token.FALLTHROUGH {
			return r, "in a loop a deferred call would wait for the end of the function, and the iteration is left by a " + tok.String()
		}
	}
	next := NextIteration(p, o, region)
	o.Leaves = func(n ast.Node) bool { return next(n) || LeavesRegion(n, region) }
	unmet := Check(p, o)
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
		if o.Var != nil && !naming.Visible(p, o.Var, n.Pos()) {
			return r, o.Var.Name() + " is not visible where the iteration is left"
		}
		r.Jumps = append(r.Jumps, n.(ast.Stmt))
	}
	if list := code.StmtsOf(region.Node()); falls && len(list) > 0 {
		r.Last = list[len(list)-1]
		if o.Var != nil && !naming.VisibleAfter(p, o.Var, region, r.Last) {
			return r, o.Var.Name() + " is not visible where the iteration ends"
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

// NextIteration returns what reports whether a node belongs to the next run through
// region, or stands outside: there, the variable of o is another one.
func NextIteration(p *code.Pass, o Obligation, region inspector.Cursor) func(ast.Node) bool {
	start, end := region.Node().Pos(), region.Node().End()
	direct := o.Def.Parent() == region
	if def := o.Def.Node().Pos(); def < start {
		start = def // the call stands in the head of an if, region is the block after it
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

// declares reports whether the variable of o dies with each iteration: it is
// declared by the call, or discarded.
func declares(region inspector.Cursor, o Obligation) bool {
	return o.Var == nil || o.Def.Parent() == region || o.Var.Pos() >= o.Def.Node().Pos() && o.Var.Pos() < o.Def.Node().End()
}

// LeavesRegion reports whether n is a return or a jump that leads out of region,
// which holds it.
func LeavesRegion(n ast.Node, region inspector.Cursor) bool {
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

// LongLoop reports whether a loop around the statement at c may go on for long
// enough that what piles up matters. What is timed ends by itself in the end.
func LongLoop(p *code.Pass, c inspector.Cursor, timed bool) bool {
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
				if !timed && !literal(p, n.X, loop) {
					return true
				}
			}
		}
	}
	return false
}

// literal reports whether e is a composite literal, or a variable that the
// function around c gives no other value.
func literal(p *code.Pass, e ast.Expr, c inspector.Cursor) bool {
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
		if !code.IsAssigned(use) {
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
