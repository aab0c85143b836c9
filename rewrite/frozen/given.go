package frozen

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// GivenLast returns the assignment that gave the variable id the value that it has
// at this use: one before it in the same list of statements, with no other and no
// label in between. It is nil if another one may come last, or if the new value is
// made of the old one.
func GivenLast(p *code.Pass, id *ast.Ident) *ast.AssignStmt {
	c, ok := p.FindAnywhere(id)
	v := p.VarOf(id)
	if !ok || v == nil || v.IsField() || v.Parent() == p.Pkg.Scope() {
		return nil
	}
	fn := p.EnclosingFunc(c)
	list, at, listed := code.StmtList(c)
	for ; !listed; list, at, listed = code.StmtList(c) {
		if c = c.Parent(); !c.Valid() {
			return nil
		}
	}
	uses := p.Uses(fn.Outermost(), v)
	for _, use := range uses { // a literal may run at any time
		if in := p.EnclosingFunc(use); code.IsAssigned(use) && (in == nil || in.Cursor != fn.Cursor) {
			return nil
		}
	}
	for i := at; i >= 0; i-- {
		if _, labelled := list[i].(*ast.LabeledStmt); labelled {
			return nil
		}
		if as, ok := list[i].(*ast.AssignStmt); ok && i < at && givesAnew(p, as, v) {
			return as
		}
		if slices.ContainsFunc(uses, func(use inspector.Cursor) bool {
			pos := use.Node().Pos()
			return code.IsAssigned(use) && list[i].Pos() <= pos && pos < list[i].End()
		}) {
			return nil
		}
	}
	return nil
}

// givesAnew reports whether as gives v the first value of an expression that does
// not ask for the old one.
func givesAnew(p *code.Pass, as *ast.AssignStmt, v *types.Var) bool {
	for _, lhs := range as.Lhs {
		if id, ok := ast.Unparen(lhs).(*ast.Ident); ok && p.VarOf(id) == v {
			rhs := code.AssignedTo(as, lhs)
			return rhs != nil && !p.Mentions(rhs, v)
		}
	}
	return false
}
