package dstedit

import (
	"go/ast"

	"github.com/dave/dst"
)

// AppendCase adds a copy of clause after the last clause of s, and after the comments
// that stand there. It refuses a select without clauses.
func (d *Decl) AppendCase(s *ast.SelectStmt, clause *dst.CommClause) error {
	n, err := d.node(s)
	if err != nil {
		return err
	}
	sel, ok := n.(*dst.SelectStmt)
	if !ok || len(sel.Body.List) == 0 {
		return refuse("the select has no clause")
	}
	c := dst.Clone(clause).(*dst.CommClause)
	layOut(c)
	c.Decs.Before, c.Decs.After = dst.NewLine, dst.NewLine
	last := sel.Body.List[len(sel.Body.List)-1].Decorations()
	if last.After = dst.NewLine; len(sel.Body.List) > 1 {
		c.Decs.Before = last.Before // as the clauses before
	}
	sel.Body.List = append(sel.Body.List, c)
	return nil
}
