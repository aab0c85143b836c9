package waitgroupadd

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
)

// copiedGroup is a parameter of a function with a name that is a copy of a
// WaitGroup: its Done counts down for nobody.
type copiedGroup struct {
	*callers.NamedFunc
	Field *ast.Field // the parameter
	Name  *ast.Ident
	Calls []groupCall // with the groups that they copy; Late where somebody waits for one that is counted
	NoFix string      // why the parameter cannot become a pointer; "" if it can
}

// copiedGroups lists the Groups that functions with a name get by value and count down.
func copiedGroups(w *waitgroup.Groups) (out []copiedGroup) {
	if !w.AnyWait() {
		return nil
	}
	for f := range callers.NamedFuncs(w.Pass) {
		i := -1
		for _, field := range f.Type.Params.List {
			for _, name := range field.Names {
				i++
				v, _ := w.Pass.TypesInfo.Defs[name].(*types.Var)
				if v == nil || typeis.Pointer(v.Type()) || !typeis.Named(v.Type(), "sync", "WaitGroup") || !onlyDone(w, f, v) {
					continue
				}
				if c, ok := copiedGroupOf(w, f, v, i); ok {
					c.Field, c.Name = field, name
					if len(field.Names) > 1 && c.NoFix == "" {
						c.NoFix = "the parameter shares its type with another one"
					}
					out = append(out, c)
				}
			}
			if len(field.Names) == 0 {
				i++
			}
		}
	}
	return out
}

// onlyDone reports whether f calls Done on v and does nothing else with it.
func onlyDone(w *waitgroup.Groups, f *callers.NamedFunc, v *types.Var) bool {
	ops := map[ast.Node]bool{}
	for _, o := range waitgroup.Ops(w.Pass, f.Cursor) {
		if o.Name == "Done" && o.Key == (code.Path{Root: v}) {
			ops[ast.Unparen(o.Recv)] = true
		}
	}
	uses := 0
	for _, use := range w.Pass.Uses(f.Cursor, v) {
		if use.Node().Pos() == v.Pos() {
			continue
		}
		if !ops[use.Node()] {
			return false
		}
		uses++
	}
	return uses > 0
}

func copiedGroupOf(w *waitgroup.Groups, f *callers.NamedFunc, v *types.Var, i int) (c copiedGroup, found bool) {
	c = copiedGroup{NamedFunc: f, NoFix: f.Hidden()}
	calls, all := f.Calls()
	if !all && c.NoFix == "" {
		c.NoFix = f.Object.Name() + " is used as a value, too"
	}
	for _, nc := range calls {
		gc := groupCall{NamedCall: nc, Group: f.Argument(nc, v)}
		if gc.Group != nil {
			x := at(gc.Group)
			gc.Key, gc.Known = w.Pass.PathOf(x)
			gc.Known = gc.Known && plainPath(x) && w.Pass.VarOf(x) != v
		}
		if !gc.Known && c.NoFix == "" {
			c.NoFix = "a call of " + f.Object.Name() + " copies a group that is no plain variable"
		}
		gc.Late = gc.Known && owed(w, gc) && !elsewhere(w, gc, at(gc.Group), func(call *ast.CallExpr) bool { return f.CalledBy(call) || keepsCount(w, call) })
		found = found || gc.Late
		c.Calls = append(c.Calls, gc)
	}
	return c, found
}

// at returns what e, perhaps a dereference, copies from.
func at(e ast.Expr) ast.Expr {
	e = ast.Unparen(e)
	if star, ok := e.(*ast.StarExpr); ok {
		return ast.Unparen(star.X)
	}
	return e
}

// owed reports whether the function around a call adds to the group that the
// call copies, waits for it, and leaves counting down to the call.
func owed(w *waitgroup.Groups, c groupCall) bool {
	decl := c.At
	for d := range c.At.Enclosing((*ast.FuncDecl)(nil), (*ast.GenDecl)(nil)) {
		decl = d
	}
	adds, waits := false, false
	for _, o := range waitgroup.Ops(w.Pass, decl) {
		if o.Key != c.Key {
			continue
		}
		switch o.Name {
		case "Done", "Go":
			return false
		case "Add":
			adds = true
		case "Wait":
			waits = true
		}
	}
	local := false
	if v, ok := c.Key.Root.(*types.Var); ok {
		local = v.Kind() == types.LocalVar
	}
	return adds && (waits || !local && waitedAs(w, c))
}

// copiedParam is a parameter of a literal that is a copy of a WaitGroup.
type copiedParam struct {
	Name  *ast.Ident
	Param *types.Var
	Arg   ast.Expr // what is copied
	Index int
}

// copiedParams lists the groups that the literal gets by value and counts down.
func copiedParams(g *waitgroup.Goroutine) (out []copiedParam) {
	call := g.Stmt.Node().(*ast.GoStmt).Call
	i := -1
	for _, field := range g.Lit.Node().(*ast.FuncLit).Type.Params.List {
		for _, name := range field.Names {
			i++
			v, _ := g.Pass.TypesInfo.Defs[name].(*types.Var)
			if v == nil || i >= len(call.Args) || !typeis.Named(v.Type(), "sync", "WaitGroup") || typeis.Pointer(v.Type()) || ownGroup(g, v) {
				continue
			}
			switch ast.Unparen(call.Args[i]).(type) {
			case *ast.Ident, *ast.SelectorExpr, *ast.StarExpr: // a fresh value has nobody else to wait for it
				out = append(out, copiedParam{name, v, call.Args[i], i})
			}
		}
		if len(field.Names) == 0 {
			i++
		}
	}
	return out
}

// ownGroup reports whether the goroutine adds to its copy or waits for it.
func ownGroup(g *waitgroup.Goroutine, v *types.Var) bool {
	for c := range g.Lit.Preorder((*ast.SelectorExpr)(nil)) {
		sel := c.Node().(*ast.SelectorExpr)
		if g.Pass.VarOf(sel.X) == v && sel.Sel.Name != "Done" {
			return true
		}
	}
	return false
}

// unshareable says why the literal cannot use the group itself in the place of
// its copy; "" if it can.
func unshareable(g *waitgroup.Goroutine, c copiedParam) string {
	arg, ok := ast.Unparen(c.Arg).(*ast.Ident)
	if !ok {
		return "the group is copied from an expression, not from a variable"
	}
	// The outer variable must mean itself inside of the literal.
	for use := range g.Lit.Preorder((*ast.Ident)(nil)) {
		id := use.Node().(*ast.Ident)
		o := g.Pass.TypesInfo.ObjectOf(id)
		if id.Name == arg.Name && o != types.Object(c.Param) && o != g.Pass.TypesInfo.ObjectOf(arg) {
			return "the name " + arg.Name + " is shadowed in the goroutine"
		}
	}
	if o, ok := g.Pass.TypesInfo.ObjectOf(arg).(*types.Var); !ok || !frozen.Stable(g.Pass, arg, g.Parent) {
		return "the group " + arg.Name + " may be another one when the goroutine is done with it"
	} else if o.Parent() == g.Pass.Pkg.Scope() {
		return "the group is a package variable"
	}
	return ""
}

// keepsCount reports whether call passes groups only to a literal that is called
// in place, where their uses are seen, or to a function of which it is known
// that it does not count down.
func keepsCount(w *waitgroup.Groups, call *ast.CallExpr) bool {
	if _, isLit := ast.Unparen(call.Fun).(*ast.FuncLit); isLit {
		return true
	}
	effects := waitgroup.Effects(w.Pass, call)
	for _, e := range effects {
		if !e.Exhaustive || e.Dones > 0 {
			return false
		}
	}
	return len(effects) > 0
}
