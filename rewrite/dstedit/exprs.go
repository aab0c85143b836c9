package dstedit

import (
	"go/ast"
	"go/token"
	"slices"

	"github.com/dave/dst"
	"github.com/dave/dst/dstutil"
)

// Expr returns a copy of the dst form of e, without comments and without the
// line breaks around it, for use in new nodes. If e is not in the declaration
// the result is the blank identifier and Rewrite fails.
func (d *Decl) Expr(e ast.Expr) dst.Expr {
	n, err := d.node(e)
	x, ok := n.(dst.Expr)
	if err != nil || !ok {
		if d.err == nil {
			d.err = refuse("%s is not in the declaration", kind(e))
		}
		return Ident("_")
	}
	x = dst.Clone(x).(dst.Expr)
	bare(x)
	stripComments(x)
	return x
}

// Replace puts a copy of new in the place of old, with the line breaks and
// comments around old. Comments inside old make the rewrite fail. Parentheses
// around old stay.
func (d *Decl) Replace(old ast.Expr, repl dst.Expr) error {
	n, err := d.node(old)
	if err != nil {
		return err
	}
	repl = dst.Clone(repl).(dst.Expr)
	layOut(repl)
	from, to := n.Decorations(), repl.Decorations()
	to.Before, to.After = from.Before, from.After
	to.Start, to.End = clip(from.Start), clip(from.End)
	done := false
	replaced, err := apply(d.root, func(c *dstutil.Cursor) bool {
		if !done && c.Node() == n {
			c.Replace(repl)
			done = true
		}
		return !done
	})
	if err != nil {
		return err
	}
	if !done {
		return refuse("%s is no longer in the declaration", kind(old))
	}
	d.root = replaced.(dst.Decl)
	d.nodes[ast.Unparen(old)] = repl
	return nil
}

// apply is dstutil.Apply; a node of a kind that does not fit is a refusal.
func apply(root dst.Node, pre dstutil.ApplyFunc) (out dst.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, refuse("the expression cannot be replaced: %s", oneLine(r))
		}
	}()
	return dstutil.Apply(root, pre, nil), nil
}

// call returns the dst form of c.
func (d *Decl) call(c *ast.CallExpr) (*dst.CallExpr, error) {
	n, err := d.node(c)
	if err != nil {
		return nil, err
	}
	out, ok := n.(*dst.CallExpr)
	if !ok {
		return nil, refuse("the call was replaced")
	}
	return out, nil
}

// AppendArg adds a copy of arg to the arguments of call. A call whose last
// argument is followed by "..." is refused.
func (d *Decl) AppendArg(call *ast.CallExpr, arg dst.Expr) error {
	c, err := d.call(call)
	if err != nil {
		return err
	}
	if c.Ellipsis {
		return refuse("the call passes a slice with ...")
	}
	arg = dst.Clone(arg).(dst.Expr)
	layOut(arg)
	if n := len(c.Args); n > 0 {
		last, decs := c.Args[n-1].Decorations(), arg.Decorations()
		// One argument a line stays one argument a line.
		if last.After != dst.None || endsLine(last.End) {
			decs.Before, decs.After = dst.NewLine, broken(last.After)
			last.After = dst.NewLine
		}
	}
	c.Args = append(c.Args, arg)
	return nil
}

// RemoveArg removes the argument with index i of call. It refuses an argument
// that holds a comment.
func (d *Decl) RemoveArg(call *ast.CallExpr, i int) error {
	c, err := d.call(call)
	if err != nil {
		return err
	}
	if i < 0 || i >= len(c.Args) {
		return refuse("the call has no argument %d", i)
	}
	gone := c.Args[i]
	if holdsComment(gone) {
		return refuse("a comment would be lost")
	}
	last := i == len(c.Args)-1
	c.Args = slices.Delete(c.Args, i, i+1)
	if last {
		c.Ellipsis = false
	}
	if n := len(c.Args); n > 0 {
		closeGap(gone, i, n, func(k int) dst.Node { return c.Args[k] })
	}
	return nil
}

// closeGap hands the line breaks of gone, which was at index i of a list that
// now has n > 0 elements, on to its neighbours at the ends of the list.
func closeGap(gone dst.Node, i, n int, at func(int) dst.Node) {
	g := gone.Decorations()
	switch i {
	case 0:
		at(0).Decorations().Before = g.Before
	case n:
		at(n - 1).Decorations().After = g.After
	}
}

// RemoveParam removes the parameter name from ft, and its field if name was
// the only name in it. It refuses a field that holds a comment.
func (d *Decl) RemoveParam(ft *ast.FuncType, name *ast.Ident) error {
	n, err := d.node(ft)
	if err != nil {
		return err
	}
	id, err := d.node(name)
	if err != nil {
		return err
	}
	params := n.(*dst.FuncType).Params
	for i, f := range params.List {
		k := slices.IndexFunc(f.Names, func(x *dst.Ident) bool { return x == id })
		if k < 0 {
			continue
		}
		if len(f.Names) > 1 {
			if holdsComment(id) {
				return refuse("a comment would be lost")
			}
			f.Names = slices.Delete(f.Names, k, k+1)
			closeGap(id, k, len(f.Names), func(k int) dst.Node { return f.Names[k] })
			return nil
		}
		if holdsComment(f) {
			return refuse("a comment would be lost")
		}
		params.List = slices.Delete(params.List, i, i+1)
		if len(params.List) > 0 {
			closeGap(f, i, len(params.List), func(k int) dst.Node { return params.List[k] })
		}
		return nil
	}
	return refuse("%s is not a parameter of the function", name.Name)
}

// Rename gives the one identifier id the name name.
func (d *Decl) Rename(id *ast.Ident, name string) error {
	n, err := d.node(id)
	if err != nil {
		return err
	}
	x, ok := n.(*dst.Ident)
	if !ok {
		return refuse("the name %s was replaced", id.Name)
	}
	if !token.IsIdentifier(name) {
		return refuse("%q is not an identifier", name)
	}
	x.Name = name
	return nil
}
