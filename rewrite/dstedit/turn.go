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

// HoistInit moves the init statement of an if before it, below the
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

// IntoIf makes the call that is s, or whose results s drops, the head of an if:
// "if names := call; cond { body }". Comments stay.
func (d *Decl) IntoIf(s ast.Stmt, names []string, cond dst.Expr, body ...dst.Stmt) error {
	sl, err := d.slot(s)
	if err != nil {
		return err
	}
	var call dst.Expr
	switch n := sl.stmt().(type) {
	case *dst.ExprStmt:
		call = n.X
	case *dst.AssignStmt:
		if len(n.Rhs) != 1 {
			return refuse("the statement has more than one value")
		}
		call = n.Rhs[0]
	default:
		return refuse("the statement is no plain call")
	}
	sl.canon()
	old := sl.stmt().Decorations()
	init := &dst.AssignStmt{Tok: token.DEFINE, Rhs: []dst.Expr{call}}
	for _, name := range names {
		init.Lhs = append(init.Lhs, Ident(name))
	}
	ifs := If(cond, body...)
	ifs.Init = init
	ifs.Decs.NodeDecs, *old = *old, dst.NodeDecs{}
	(*sl.list)[sl.i] = ifs
	d.nodes[s] = ifs
	sl.settle()
	return nil
}
