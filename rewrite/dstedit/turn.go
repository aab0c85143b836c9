package dstedit

import (
	"go/ast"
	"go/token"

	"github.com/dave/dst"
)

// Define turns the assignment as (=) into a definition (:=).
func (d *Decl) Define(as *ast.AssignStmt) error {
	n, err := d.node(as)
	if err != nil {
		return err
	}
	stmt, ok := n.(*dst.AssignStmt)
	if !ok || stmt.Tok != token.ASSIGN {
		return refuse("the statement is no plain assignment")
	}
	stmt.Tok = token.DEFINE
	return nil
}

// ToDefer turns the call statement s into a deferred call. Comments stay.
func (d *Decl) ToDefer(s *ast.ExprStmt) error {
	sl, err := d.slot(s)
	if err != nil {
		return err
	}
	es, ok := sl.stmt().(*dst.ExprStmt)
	if !ok {
		return refuse("the statement carries a label")
	}
	call, ok := es.X.(*dst.CallExpr)
	if !ok {
		return refuse("the statement is no call")
	}
	def := &dst.DeferStmt{Call: call}
	def.Decs.NodeDecs, es.Decs.NodeDecs = es.Decs.NodeDecs, dst.NodeDecs{}
	(*sl.list)[sl.i] = def
	d.nodes[s] = def
	return nil
}
