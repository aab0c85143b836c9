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

// HoistInit moves the init statement of an if in front of it, below the
// comments above the if. It refuses an if
// that follows a label or an else, and one whose init holds comments.
func (d *Decl) HoistInit(s *ast.IfStmt) error {
	sl, err := d.slot(s)
	if err != nil {
		return err
	}
	n, err := d.node(s)
	if err != nil {
		return err
	}
	ifs, ok := n.(*dst.IfStmt)
	if !ok || ifs.Init == nil || sl.inner {
		return refuse("the if has no init statement or follows a label")
	}
	if holdsComment(ifs.Init) {
		return refuse("the init statement holds a comment")
	}
	sl.canon()
	init := ifs.Init
	ifs.Init = nil
	above := ifs.Decs.Start
	ifs.Decs.Start = nil
	sl.putBefore([]dst.Stmt{init})
	init.Decorations().Start = above
	sl.settle()
	return nil
}
