package dstedit

import (
	"slices"

	"github.com/dave/dst"
)

// slot is the place of a statement in the list of a block or clause.
type slot struct {
	owner    dst.Node // *dst.BlockStmt, *dst.CaseClause or *dst.CommClause
	list     *[]dst.Stmt
	i        int
	labelled bool // the statement has a label
	inner    bool // the statement was named from inside its label
}

func (sl *slot) stmt() dst.Stmt { return (*sl.list)[sl.i] }

// neighbour returns the statement at index i, nil outside the list.
func (sl *slot) neighbour(i int) dst.Stmt {
	if i < 0 || i >= len(*sl.list) {
		return nil
	}
	return (*sl.list)[i]
}

// clauseEnd returns the End decorations of a clause, nil for a block.
func (sl *slot) clauseEnd() *dst.Decorations {
	switch n := sl.owner.(type) {
	case *dst.CaseClause:
		return &n.Decs.End
	case *dst.CommClause:
		return &n.Decs.End
	}
	return nil
}

// canon gives the last statement of a clause the comment on its line, which
// the decorator hangs on the clause. What remains at the end of the clause
// begins with "\n" until settle. Changes of a list go between canon and settle.
func (sl *slot) canon() {
	end := sl.clauseEnd()
	if end == nil || len(*end) == 0 || len(*sl.list) == 0 {
		return
	}
	last := (*sl.list)[len(*sl.list)-1].Decorations()
	head, rest := splitEnd(*end)
	if lastHead, lastRest := splitEnd(last.End); len(lastRest) > 0 || endsLine(lastHead) {
		// The statement has comments below it: all of the clause's are lower.
		if len(head) > 0 && (endsLine(last.End) || last.After != dst.None) {
			*end = append(dst.Decorations{"\n"}, *end...)
		}
		return
	}
	last.End = append(clip(last.End), head...)
	*end = rest
}

// settle undoes the form of canon: the "\n" that a line comment before it
// already implies is dropped.
func (sl *slot) settle() {
	end := sl.clauseEnd()
	if end == nil || len(*end) == 0 || (*end)[0] != "\n" || len(*sl.list) == 0 {
		return
	}
	last := (*sl.list)[len(*sl.list)-1].Decorations()
	last.After = dst.None
	if endsLine(last.End) {
		*end = clip((*end)[1:])
	}
}

// putAfter inserts stmts after the statement of the slot. The comments below
// that statement, which end the list or stand before a blank line, go below
// the last new one.
func (sl *slot) putAfter(stmts []dst.Stmt) {
	if len(stmts) == 0 {
		return
	}
	p := sl.stmt().Decorations()
	head, rest := splitEnd(p.End)
	space := p.After
	if next := sl.neighbour(sl.i + 1); next != nil {
		n := next.Decorations()
		space = broken(max(space, n.Before))
		n.Before = space
	}
	p.End, p.After = head, dst.NewLine
	first, last := stmts[0].Decorations(), stmts[len(stmts)-1].Decorations()
	first.Before = dst.NewLine
	last.After = space
	last.End = joinEnd(last.End, rest)
	*sl.list = slices.Insert(*sl.list, sl.i+1, stmts...)
}

// putBefore inserts stmts before the statement of the slot and the comments
// directly above it; comments that a blank line separates from it stay above.
func (sl *slot) putBefore(stmts []dst.Stmt) {
	if len(stmts) == 0 {
		return
	}
	n := sl.stmt().Decorations()
	detached, attached := splitStart(n.Start)
	first, last := stmts[0].Decorations(), stmts[len(stmts)-1].Decorations()
	first.Before = broken(n.Before)
	first.Start = append(detached, first.Start...)
	last.After = dst.NewLine
	n.Before, n.Start = dst.NewLine, attached
	*sl.list = slices.Insert(*sl.list, sl.i, stmts...)
}

// losesComment reports whether the statement holds a comment that take would
// not leave behind.
func (sl *slot) losesComment() bool {
	s := sl.stmt()
	decs := s.Decorations()
	start, end := decs.Start, decs.End
	defer func() { decs.Start, decs.End = start, end }()
	_, decs.Start = splitStart(start)
	decs.End, _ = splitEnd(end)
	return holdsComment(s)
}

// take removes the statement from its list and returns it with the comments
// directly above it and on its line. Comments that a blank line separates from
// it, or that stand below it, stay where they are.
func (sl *slot) take() dst.Stmt {
	s := sl.stmt()
	decs := s.Decorations()
	above, start := splitStart(decs.Start)
	head, below := splitEnd(decs.End)
	prev, next := sl.neighbour(sl.i-1), sl.neighbour(sl.i+1)
	before, after := decs.Before, decs.After
	if prev != nil {
		before = max(before, prev.Decorations().After)
	}
	if next != nil {
		after = max(after, next.Decorations().Before)
	}
	decs.Start, decs.End = start, head
	*sl.list = slices.Delete(*sl.list, sl.i, sl.i+1)

	switch {
	case next == nil && prev == nil:
		sl.leaveInEmpty(above, below)
	case next == nil:
		p := prev.Decorations()
		p.After = after
		p.End = leaveBelow(p.End, before, above, below)
	case prev == nil:
		n := next.Decorations()
		n.Before = before
		n.Start = append(leaveAbove(above, below), n.Start...)
	case len(above) > 0:
		n := next.Decorations()
		prev.Decorations().After = before
		n.Before = before
		n.Start = append(leaveAbove(above, below), n.Start...)
	default:
		p, n := prev.Decorations(), next.Decorations()
		space := max(before, after)
		if len(below) > 0 {
			p.End, space = leaveBelow(p.End, before, nil, below), after
		}
		p.After, n.Before = space, space
	}
	return s
}

// leaveBelow adds comments that a taken statement leaves to the End
// decorations of the statement before it; space is what was between the two.
func leaveBelow(end dst.Decorations, space dst.SpaceType, above, below dst.Decorations) dst.Decorations {
	left := append(clip(above), below...)
	if !hasComment(left) {
		return end
	}
	for len(left) > 0 && left[len(left)-1] == "\n" {
		left = left[:len(left)-1]
	}
	if len(above) > 0 {
		left = append(dst.Decorations{"\n"}, left...)
	}
	if space == dst.EmptyLine {
		left = append(dst.Decorations{"\n"}, left...)
	}
	return joinEnd(end, left)
}

// leaveAbove returns the Start decorations that a taken statement leaves to
// the statement after it.
func leaveAbove(above, below dst.Decorations) dst.Decorations {
	for len(below) > 0 && below[0] == "\n" {
		below = below[1:]
	}
	if !hasComment(below) {
		return above
	}
	out := append(clip(above), below...)
	for len(out) > 0 && out[len(out)-1] == "\n" {
		out = out[:len(out)-1]
	}
	if !endsLine(out) {
		out = append(out, "\n")
	}
	return append(out, "\n")
}

// leaveInEmpty keeps comments in a list that has become empty.
func (sl *slot) leaveInEmpty(above, below dst.Decorations) {
	left := leaveBelow(nil, dst.NewLine, above, below)
	if !hasComment(left) {
		return
	}
	switch n := sl.owner.(type) {
	case *dst.BlockStmt:
		n.Decs.Lbrace = joinEnd(n.Decs.Lbrace, left)
	case *dst.CaseClause:
		n.Decs.End = joinEnd(left, n.Decs.End)
	case *dst.CommClause:
		n.Decs.End = joinEnd(left, n.Decs.End)
	}
}
