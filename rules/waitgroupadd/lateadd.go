package waitgroupadd

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
	"github.com/goroutinefix/goroutinefix/rules/waitgroupadd/internal/inside"
)

// groupCall is a call of a function that gets a WaitGroup from its caller.
type groupCall struct {
	callers.NamedCall
	Group ast.Expr  // the argument from which the group is reached; nil for a variable that the function captures
	Key   code.Path // the group, as the caller knows it
	Known bool      // Key and Group say which one it is
	Late  bool      // starts a goroutine that is not counted in time
}

// lateAdd is an Add at the top of a function that go statements start, and
// that counts the goroutine.
type lateAdd struct {
	*callers.NamedFunc
	Op    waitgroup.Op
	Stmt  ast.Stmt // the Add
	Calls []groupCall
	// NoFix says why the Add cannot move to the calls; "" if it can.
	NoFix string
}

// lateAdds lists the functions with a name that count themselves when they run.
func lateAdds(w *waitgroup.Groups) (out []lateAdd) {
	if !w.AnyWait() {
		return nil
	}
	for f := range callers.NamedFuncs(w.Pass) {
		ops := waitgroup.Ops(w.Pass, f.Cursor)
		for _, op := range ops {
			if op.Name != "Add" || op.GoroutineFunc != f.Cursor {
				continue
			}
			if stmt, ok := w.CountsItself(f, op, ops); ok {
				if late, ok := lateAddOf(w, f, op, stmt); ok {
					out = append(out, late)
				}
			}
		}
	}
	return out
}

// lateAddOf looks at the calls of f: is one of them a go statement for which the
// Add comes late, and can all of them do it themselves?
func lateAddOf(w *waitgroup.Groups, f *callers.NamedFunc, op waitgroup.Op, stmt ast.Stmt) (lateAdd, bool) {
	late := lateAdd{NamedFunc: f, Op: op, Stmt: stmt, NoFix: f.Hidden()}
	calls, all := f.Calls()
	stuck := func(reason string) {
		if late.NoFix == "" {
			late.NoFix = reason
		}
	}
	if !all {
		stuck(f.Object.Name() + " is used as a value, too")
	}
	found := false
	for _, nc := range calls {
		c := groupCallOf(w, f, op, nc)
		if c.Known && nc.Go() {
			c.Late = isLate(w, c, op, f)
			found = found || c.Late
			if !c.Late {
				stuck("another call of " + f.Object.Name() + " is counted differently")
			}
		}
		switch {
		case !c.Known:
			stuck("the group that a call of " + f.Object.Name() + " passes is no plain variable")
		case !nc.Stmt.Valid():
			stuck("no statement can be inserted before a call of " + f.Object.Name())
		default:
			if _, _, ok := code.StmtList(nc.Stmt); !ok {
				stuck("a call of " + f.Object.Name() + " carries a label")
			}
		}
		late.Calls = append(late.Calls, c)
	}
	g := &waitgroup.Goroutine{Pass: w.Pass, Groups: w, Lit: f.Cursor, Decl: f.Cursor, Body: f.Func}
	for _, s := range f.Body.List {
		if s == stmt {
			break
		}
		if !inside.Harmless(g, s, op.Key) {
			stuck("what stands before the Add may block, branch or end the goroutine")
		}
	}
	return late, found
}

// groupCallOf says which group a call of f means by the one of op.
func groupCallOf(w *waitgroup.Groups, f *callers.NamedFunc, op waitgroup.Op, nc callers.NamedCall) groupCall {
	c := groupCall{NamedCall: nc, Key: op.Key, Known: true}
	root := op.Key.Root
	if !f.IsParam(root) {
		// A captured variable must mean itself at the call, too.
		c.Known = naming.Visible(w.Pass, root, nc.At.Node().Pos()) && (op.Key.Fields == "" || root.Parent() != w.Pass.Pkg.Scope())
		return c
	}
	arg := f.Argument(nc, root)
	if arg == nil {
		c.Known = false
		return c
	}
	key, ok := w.Pass.PathOf(arg)
	c.Group, c.Key, c.Known = arg, code.Path{Root: key.Root, Fields: key.Fields + op.Key.Fields}, ok && plainPath(arg)
	return c
}

// plainPath reports whether e is made of variables and fields alone.
func plainPath(e ast.Expr) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		return true
	case *ast.SelectorExpr:
		return plainPath(x.X)
	case *ast.UnaryExpr:
		return x.Op == token.AND && plainPath(x.X)
	}
	return false
}

// isLate reports whether the goroutine that c starts is not counted before it
// runs, and somebody may come to a Wait until then.
func isLate(w *waitgroup.Groups, c groupCall, op waitgroup.Op, f *callers.NamedFunc) bool {
	if !w.Waited(waitgroup.Op{Key: c.Key, Recv: op.Recv}) && !waitedAs(w, c) {
		return false
	}
	return uncountedCall(w, c, f.Object, f.Cursor.Contains) && !heardBeforeWait(w, op, f)
}

// uncountedCall reports whether nothing in the declaration around c can have
// counted the goroutine that c starts, by a call of fn, before a Wait. within
// says what belongs to fn.
func uncountedCall(w *waitgroup.Groups, c groupCall, fn types.Object, within func(inspector.Cursor) bool) bool {
	g := w.Goroutine(c.Stmt)
	if g == nil {
		return false
	}
	runner, wait, waits := w.Pass.GoroutineFunc(c.Stmt), g.Decl.Node().End(), 0
	for _, o := range g.Ops() {
		if o.Key != c.Key || within(o.At) {
			continue
		}
		switch pos := o.At.Node().Pos(); o.Name {
		case "Wait":
			waits++
			if pos > c.Stmt.Node().Pos() && o.GoroutineFunc == runner && !code.InDefer(o.At) {
				wait = min(wait, pos)
			}
		case "Add", "Go":
			return false // that may be the one that counts it
		}
	}
	for call := range g.Decl.Preorder((*ast.CallExpr)(nil)) {
		for _, e := range waitgroup.Effects(w.Pass, call.Node().(*ast.CallExpr)) {
			if e.Key == c.Key && e.Adds > 0 && w.Pass.Callee(call.Node().(*ast.CallExpr)) != fn {
				return false
			}
		}
	}
	if v, ok := c.Key.Root.(*types.Var); ok && c.Key.Fields == "" && v.Kind() == types.LocalVar && waits == 0 {
		return false
	}
	return !hears(w, g.Decl, c.Stmt.Node().End(), wait)
}

// waitedAs reports whether somebody waits for the group by the name it has at the call.
func waitedAs(w *waitgroup.Groups, c groupCall) bool {
	if c.Group == nil {
		return false
	}
	arg := ast.Unparen(c.Group)
	if amp, ok := arg.(*ast.UnaryExpr); ok {
		arg = amp.X
	}
	return w.Waited(waitgroup.Op{Key: c.Key, Recv: arg})
}

// hears reports whether root does anything between from and to by which
// another goroutine can tell it that it has come to its Add.
func hears(w *waitgroup.Groups, root inspector.Cursor, from, to token.Pos) bool {
	for c := range root.Preorder((*ast.UnaryExpr)(nil), (*ast.RangeStmt)(nil), (*ast.SendStmt)(nil), (*ast.SelectStmt)(nil), (*ast.CallExpr)(nil)) {
		if c.Node().Pos() < from || c.Node().Pos() >= to {
			continue
		}
		switch n := c.Node().(type) {
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				return true
			}
		case *ast.RangeStmt:
			if typeis.Chan(w.Pass.TypesInfo.TypeOf(n.X)) {
				return true
			}
		case *ast.CallExpr:
			name := code.CalledAs(n)
			if name == "Wait" || name == "Lock" || name == "Gosched" || strings.HasPrefix(name, "Load") || strings.HasPrefix(name, "Eventually") {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// heardBeforeWait reports whether whoever waits for the group, in a field,
// first receives from a channel in a field that f sends on or closes.
func heardBeforeWait(w *waitgroup.Groups, op waitgroup.Op, f *callers.NamedFunc) bool {
	group := w.Pass.FieldOf(op.Recv)
	if group == nil {
		return false
	}
	signalled := map[*types.Var]bool{}
	for c := range f.Cursor.Preorder((*ast.SendStmt)(nil), (*ast.CallExpr)(nil)) {
		switch n := c.Node().(type) {
		case *ast.SendStmt:
			signalled[w.Pass.FieldOf(n.Chan)] = true
		case *ast.CallExpr:
			if w.Pass.IsBuiltin(n, "close") {
				signalled[w.Pass.FieldOf(n.Args[0])] = true
			}
		}
	}
	for _, o := range waitgroup.OpsOn(w.Pass, group) {
		if o.Name != "Wait" {
			continue
		}
		for c := range o.GoroutineFunc.Preorder((*ast.UnaryExpr)(nil)) {
			n := c.Node().(*ast.UnaryExpr)
			if field := w.Pass.FieldOf(n.X); n.Op == token.ARROW && field != nil && signalled[field] && n.Pos() < o.At.Node().Pos() {
				return true
			}
		}
	}
	return false
}

// elsewhere reports whether anything but calls of its methods and the
// arguments of calls that except accepts has to do with the group: an alias, a
// method value, another function. For a group in a field the whole package counts.
func elsewhere(w *waitgroup.Groups, c groupCall, recv ast.Expr, except func(*ast.CallExpr) bool) bool {
	root, field := c.At, w.Pass.FieldOf(recv)
	for d := range c.At.Enclosing((*ast.FuncDecl)(nil), (*ast.GenDecl)(nil)) {
		root = d
	}
	if field != nil || c.Key.Root.Parent() == w.Pass.Pkg.Scope() {
		root = w.Pass.Inspector.Root()
	}
	known := map[ast.Node]bool{}
	for _, o := range waitgroup.Ops(w.Pass, root) {
		known[ast.Unparen(o.Recv)] = true
	}
	for _, e := range waitgroup.Exprs(w.Pass, root) {
		x := e.Node().(ast.Expr)
		if known[x] || !typeis.Named(w.Pass.TypesInfo.TypeOf(x), "sync", "WaitGroup") || x.Pos() == c.Key.Root.Pos() {
			continue
		}
		if field == nil {
			if key, ok := waitgroup.Key(w.Pass, x); !ok || key != c.Key {
				continue
			}
		} else if w.Pass.FieldOf(x) != field {
			continue
		}
		up := code.Unparen(e).Parent()
		switch up.Node().(type) {
		case *ast.UnaryExpr, *ast.StarExpr:
			up = code.Unparen(up).Parent()
		}
		if call, ok := up.Node().(*ast.CallExpr); !ok || !except(call) {
			return true
		}
	}
	return false
}

// groupExpr returns the expression that names the group of c for FieldOf.
func (c groupCall) groupExpr(recv ast.Expr) ast.Expr {
	if c.Group == nil || c.Key.Fields == "" {
		return recv
	}
	arg := ast.Unparen(c.Group)
	if amp, ok := arg.(*ast.UnaryExpr); ok {
		arg = ast.Unparen(amp.X)
	}
	if _, ok := arg.(*ast.SelectorExpr); ok {
		return arg
	}
	return recv
}

// lateElsewhere returns the group that a go statement passes to a function of
// another package which adds to it when it runs, for itself.
func lateElsewhere(g *waitgroup.Goroutine) (c groupCall, fn *types.Func, ok bool) {
	call := g.Stmt.Node().(*ast.GoStmt).Call
	fn = g.Pass.Callee(call)
	at, found := g.Stmt.FindNode(call)
	if fn == nil || fn.Pkg() == g.Pass.Pkg || !found {
		return c, nil, false
	}
	for _, e := range waitgroup.Effects(g.Pass, call) {
		if !e.Itself || e.Param < 0 || e.Path != "" || !plainPath(call.Args[e.Param]) {
			continue
		}
		c = groupCall{NamedCall: callers.NamedCall{At: at, Stmt: g.Stmt}, Group: call.Args[e.Param], Key: e.Key, Known: true}
		if waitedAs(g.Groups, c) && uncountedCall(g.Groups, c, fn, func(inspector.Cursor) bool { return false }) {
			return c, fn, true
		}
	}
	return c, nil, false
}
