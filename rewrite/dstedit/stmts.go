package dstedit

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"github.com/dave/dst"
)

// InsertAfter inserts copies of new directly after s, after the comment on
// its line. A labelled statement counts as a whole. It refuses an s that is
// not in the list of a block or clause.
func (d *Decl) InsertAfter(s ast.Stmt, repl ...dst.Stmt) error {
	sl, err := d.slot(s)
	if err != nil {
		return err
	}
	sl.canon()
	sl.putAfter(copies(repl))
	sl.settle()
	return nil
}

// InsertBefore inserts copies of new directly before s and the comments that
// belong to it. It refuses an s that carries a label from inside, or is not in
// the list of a block or clause.
func (d *Decl) InsertBefore(s ast.Stmt, repl ...dst.Stmt) error {
	sl, err := d.slot(s)
	if err != nil {
		return err
	}
	if sl.inner {
		return refuse("the statement follows a label")
	}
	sl.canon()
	sl.putBefore(copies(repl))
	sl.settle()
	return nil
}

// InsertEach inserts what new returns for each of the statements in before, directly
// before it, and for last, unless that is nil, after it.
func (d *Decl) InsertEach(before []ast.Stmt, last ast.Stmt, repl func(ast.Stmt) dst.Stmt) error {
	for _, s := range before {
		if err := d.InsertBefore(s, repl(s)); err != nil {
			return err
		}
	}
	if last == nil {
		return nil
	}
	return d.InsertAfter(last, repl(last))
}

// InsertFirst inserts copies of new at the start of list, which is an
// *ast.BlockStmt, *ast.CaseClause or *ast.CommClause. In an empty list they go
// after the comments in it.
func (d *Decl) InsertFirst(list ast.Node, repl ...dst.Stmt) error {
	n, err := d.node(list)
	if err != nil {
		return err
	}
	body := listOf(n)
	if body == nil {
		return refuse("the node holds no statements")
	}
	if b, ok := n.(*dst.BlockStmt); ok && d.holdsClauses(b) {
		return refuse("the block holds clauses")
	}
	stmts := copies(repl)
	if len(stmts) == 0 {
		return nil
	}
	if len(*body) == 0 {
		fill(n, body, stmts)
		return nil
	}
	sl := &slot{owner: n, list: body}
	sl.canon()
	// Comments after the brace stay there; those above the first statement
	// stay with it.
	first := (*body)[0].Decorations()
	stmts[0].Decorations().Before = broken(first.Before)
	first.Before = dst.NewLine
	stmts[len(stmts)-1].Decorations().After = dst.NewLine
	*body = append(stmts, *body...)
	sl.settle()
	return nil
}

// fill puts stmts into the empty list body of n.
func fill(n dst.Node, body *[]dst.Stmt, stmts []dst.Stmt) {
	stmts[len(stmts)-1].Decorations().After = dst.NewLine
	*body = stmts
	// The comments of an empty clause are at its end; its colon keeps them
	// before the first statement.
	var colon, end *dst.Decorations
	switch n := n.(type) {
	case *dst.CaseClause:
		colon, end = &n.Decs.Colon, &n.Decs.End
	case *dst.CommClause:
		colon, end = &n.Decs.Colon, &n.Decs.End
	default:
		return
	}
	if hasComment(*end) {
		head, rest := splitEnd(*end)
		*colon = joinEnd(append(clip(*colon), head...), rest)
		*end = nil
	}
}

// MoveAfter moves s with the comments that belong to it directly after anchor,
// which may be in another list. It refuses a labelled s and an anchor inside s.
func (d *Decl) MoveAfter(s, anchor ast.Stmt) error {
	return d.move(s, anchor, false)
}

// MoveBefore moves s with the comments that belong to it directly before
// anchor, which may be in another list, such as a statement that contains s.
// It refuses a labelled s and an anchor inside s.
func (d *Decl) MoveBefore(s, anchor ast.Stmt) error {
	return d.move(s, anchor, true)
}

func (d *Decl) move(s, anchor ast.Stmt, before bool) error {
	from, err := d.slot(s)
	if err != nil {
		return err
	}
	if from.labelled {
		return refuse("the statement to move has a label")
	}
	to, err := d.slot(anchor)
	if err != nil {
		return err
	}
	if before && to.inner {
		return refuse("the statement follows a label")
	}
	if contains(from.stmt(), to.stmt()) {
		return refuse("the statement cannot move into itself")
	}
	from.canon()
	moved := from.take()
	from.settle()
	// Taking may have shifted the anchor.
	if to, err = d.slot(anchor); err != nil {
		return err
	}
	to.canon()
	if before {
		to.putBefore([]dst.Stmt{moved})
	} else {
		to.putAfter([]dst.Stmt{moved})
	}
	to.settle()
	return nil
}

// Delete removes s. It refuses a labelled s, and one that would take a comment
// with it.
func (d *Decl) Delete(s ast.Stmt) error {
	sl, err := d.slot(s)
	if err != nil {
		return err
	}
	if sl.labelled {
		return refuse("the statement to delete has a label")
	}
	sl.canon()
	if sl.losesComment() {
		sl.settle()
		return refuse("a comment would be lost")
	}
	sl.take()
	sl.settle()
	return nil
}

// DeleteLeavingComments removes s and leaves the comments that belong to it before
// the next statement. It refuses a labelled s, one with comments
// inside, and one with comments that no statement follows.
func (d *Decl) DeleteLeavingComments(s ast.Stmt) error {
	sl, err := d.slot(s)
	if err != nil {
		return err
	}
	next := sl.neighbour(sl.i + 1)
	if next == nil || sl.labelled {
		return d.Delete(s)
	}
	sl.canon()
	decs := sl.stmt().Decorations()
	above, own := splitStart(decs.Start)
	head, below := splitEnd(decs.End)
	decs.Start, decs.End = above, below
	if sl.losesComment() {
		sl.settle()
		return refuse("a comment would be lost")
	}
	var left dst.Decorations
	for _, x := range append(own, head...) {
		if !isComment(x) {
			continue
		}
		left = append(left, x)
		if !strings.HasPrefix(x, "//") {
			left = append(left, "\n")
		}
	}
	next.Decorations().Start = append(left, next.Decorations().Start...)
	sl.take()
	sl.settle()
	return nil
}

// WrapSend makes s the first case of a select statement with the further
// clauses others, which are copied. Comments above s go above the select, the
// comment on its line goes after the colon of its case.
func (d *Decl) WrapSend(s *ast.SendStmt, others ...*dst.CommClause) error {
	return d.wrap(s, others)
}

// WrapRecv is WrapSend for a receive whose value nobody uses.
func (d *Decl) WrapRecv(s *ast.ExprStmt, others ...*dst.CommClause) error {
	if recv, ok := ast.Unparen(s.X).(*ast.UnaryExpr); !ok || recv.Op != token.ARROW {
		return refuse("the statement is not a receive")
	}
	return d.wrap(s, others)
}

func (d *Decl) wrap(s ast.Stmt, others []*dst.CommClause) error {
	sl, err := d.slot(s)
	if err != nil {
		return err
	}
	n, err := d.node(s)
	if err != nil {
		return err
	}
	send, ok := n.(dst.Stmt)
	if _, done := n.(*dst.SelectStmt); done || !ok {
		return refuse("the statement is already wrapped")
	}
	sl.canon()
	own := send.Decorations()
	head, rest := splitEnd(own.End)
	sel := &dst.SelectStmt{Body: &dst.BlockStmt{}}
	sel.Decs.Before, sel.Decs.After, sel.Decs.Start = own.Before, own.After, own.Start
	sel.Decs.End = rest
	bare(send)
	first := CommCase(send)
	first.Decs.Colon = head
	sel.Body.List = append(sel.Body.List, first)
	for _, c := range others {
		c = dst.Clone(c).(*dst.CommClause)
		layOut(c)
		sel.Body.List = append(sel.Body.List, c)
	}
	for _, c := range sel.Body.List {
		c.Decorations().Before, c.Decorations().After = dst.NewLine, dst.NewLine
	}
	d.put(sl, s, send, sel)
	return nil
}

// ReplaceStmt puts new in the place of s. Comments above s stay above, the one
// on its line goes after new.
func (d *Decl) ReplaceStmt(s ast.Stmt, repl dst.Stmt) error {
	sl, err := d.slot(s)
	if err != nil {
		return err
	}
	n, err := d.node(s)
	if err != nil {
		return err
	}
	old, ok := n.(dst.Stmt)
	if !ok {
		return refuse("no statement to replace")
	}
	sl.canon()
	from, to := old.Decorations(), repl.Decorations()
	to.Before, to.After, to.Start, to.End = from.Before, from.After, from.Start, from.End
	d.put(sl, s, old, repl)
	return nil
}

// put makes new what stands in the slot of s instead of old.
func (d *Decl) put(sl *slot, s ast.Stmt, old, repl dst.Stmt) {
	if sl.inner {
		lab := sl.stmt()
		for l, ok := lab.(*dst.LabeledStmt); ok; l, ok = l.Stmt.(*dst.LabeledStmt) {
			if l.Stmt == old {
				l.Stmt = repl
				break
			}
		}
	} else {
		(*sl.list)[sl.i] = repl
	}
	d.nodes[s] = repl
	sl.settle()
}

// copies returns copies of the new statements, each on a line of its own.
func copies(repl []dst.Stmt) []dst.Stmt {
	out := make([]dst.Stmt, len(repl))
	for i, s := range repl {
		s = dst.Clone(s).(dst.Stmt)
		layOut(s)
		decs := s.Decorations()
		decs.Before, decs.After = broken(decs.Before), broken(decs.After)
		out[i] = s
	}
	return out
}

// contains reports whether the tree n holds m.
func contains(n, m dst.Node) bool {
	found := false
	dst.Inspect(n, func(x dst.Node) bool {
		found = found || x == m
		return !found
	})
	return found
}

// holdsClauses reports whether b is the body of a switch or select.
func (d *Decl) holdsClauses(b *dst.BlockStmt) bool {
	switch d.parents()[b].(type) {
	case *dst.SwitchStmt, *dst.TypeSwitchStmt, *dst.SelectStmt:
		return true
	}
	return false
}

// parents maps each node of the tree to its parent.
func (d *Decl) parents() map[dst.Node]dst.Node {
	parents := make(map[dst.Node]dst.Node)
	var stack []dst.Node
	dst.Inspect(d.root, func(n dst.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if len(stack) > 0 {
			parents[n] = stack[len(stack)-1]
		}
		stack = append(stack, n)
		return true
	})
	return parents
}

// slot finds the place of s in its list. A labelled statement stands for the
// label and all.
func (d *Decl) slot(s ast.Stmt) (*slot, error) {
	n, err := d.node(s)
	if err != nil {
		return nil, err
	}
	switch n.(type) {
	case *dst.CaseClause, *dst.CommClause:
		return nil, refuse("a clause is not a statement of a list")
	}
	parents := d.parents()
	sl := &slot{}
	for {
		if _, ok := n.(*dst.LabeledStmt); ok {
			sl.labelled = true
		}
		up := parents[n]
		if up == nil {
			return nil, refuse("%s is no longer in the declaration", kind(s))
		}
		if _, ok := up.(*dst.LabeledStmt); ok {
			n, sl.inner = up, true
			continue
		}
		list := listOf(up)
		if list != nil {
			if i := slices.IndexFunc(*list, func(x dst.Stmt) bool { return dst.Node(x) == n }); i >= 0 {
				sl.owner, sl.list, sl.i = up, list, i
				return sl, nil
			}
		}
		return nil, refuse("%s", role(up, n))
	}
}

// listOf returns the statement list of n, nil if it has none.
func listOf(n dst.Node) *[]dst.Stmt {
	switch n := n.(type) {
	case *dst.BlockStmt:
		return &n.List
	case *dst.CaseClause:
		return &n.Body
	case *dst.CommClause:
		return &n.Body
	}
	return nil
}

// role says why n, a child of up, is not in a list.
func role(up, n dst.Node) string {
	switch up := up.(type) {
	case *dst.IfStmt:
		if up.Init == n {
			return "the statement is the init of an if"
		}
		if up.Else == n {
			return "the statement is the else branch of an if"
		}
	case *dst.ForStmt:
		if up.Init == n || up.Post == n {
			return "the statement is in the header of a for"
		}
	case *dst.SwitchStmt, *dst.TypeSwitchStmt:
		return "the statement is in the header of a switch"
	case *dst.CommClause:
		return "the statement is the communication of a select case"
	}
	return "the statement is not in a list of statements"
}
