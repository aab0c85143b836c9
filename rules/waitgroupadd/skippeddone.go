package waitgroupadd

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/panics"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// skippedDone is a Done at the top of a goroutine, not deferred, that the
// goroutine may end without.
type skippedDone struct {
	Done waitgroup.Op
	Body *code.Func
	At   int // the index of the Done in the statements of Body
	// Return is where the goroutine leaves without it; not valid where it is
	// a panic that the goroutine recovers from.
	Return token.Pos
	// NoFix says why others than the goroutine may rely on the Done where it is.
	NoFix string
	// Waiter is the go statement of a goroutine that waits for the group on behalf of the
	// function, which may go on without it; not valid if the function itself waits.
	Waiter token.Pos
	// Another is set if at the start of the goroutine the group may be another one.
	Another bool
	// MayPanic is set if something before the Done may panic: a deferred
	// one then comes before the end of the process.
	MayPanic bool
}

// skippedDoneOf looks at the literal that the go statement starts.
func skippedDoneOf(g *waitgroup.Goroutine) (s skippedDone, ok bool) {
	var done waitgroup.Op
	n := 0
	for _, o := range g.Ops() {
		if o.Name == "Done" && g.Lit.Contains(o.At) && !g.Within(o.Key.Root) {
			done = o
			n++
		}
	}
	if n != 1 || g.Used(done.Key) || sharesDone(g, done) || !g.Counted(done.Key) || moreThanCounted(g, done.Key) {
		return s, false
	}
	waiter, waited := waitedAlways(g, done.Key)
	if !waited || done.GoroutineFunc != g.Lit || !g.Groups.Waited(done) || g.PassedOn(done.Key) {
		return s, false
	}
	s, ok = skips(g.Pass, done, g.Body)
	s.Waiter = waiter
	return s, ok
}

// skippedDones looks at the functions with a name that go statements start.
func skippedDones(w *waitgroup.Groups) (out []skippedDone) {
	if !w.AnyWait() {
		return nil
	}
	for f := range callers.NamedFuncs(w.Pass) {
		ops := waitgroup.Ops(w.Pass, f.Cursor)
		if len(ops) != 1 || ops[0].Name != "Done" || ops[0].GoroutineFunc != f.Cursor || w.HandsOn(f, ops[0].Key) {
			continue
		}
		done := ops[0]
		s, ok := skips(w.Pass, done, f.Func)
		g := &waitgroup.Goroutine{Pass: w.Pass, Groups: w, Lit: f.Cursor, Decl: f.Cursor, Body: f.Func}
		if !ok || sends(g) || otherDones(w, done, f) {
			continue
		}
		calls, all := f.Calls()
		if s.NoFix = f.Hidden(); !all && s.NoFix == "" {
			s.NoFix = f.Object.Name() + " is used as a value, too"
		}
		found := false
		for _, nc := range calls {
			c := groupCallOf(w, f, done, nc)
			waiter, one := owedByOne(w, c, f)
			owed := nc.Go() && c.Known && one &&
				!elsewhere(w, c, c.groupExpr(done.Recv), func(call *ast.CallExpr) bool { return f.CalledBy(call) || keepsCount(w, call) })
			if found = found || owed; owed && waiter.IsValid() {
				s.Waiter = waiter
			}
			if !owed && s.NoFix == "" {
				s.NoFix = "not every call of " + f.Object.Name() + " is known to be counted"
			}
		}
		if found {
			out = append(out, s)
		}
	}
	return out
}

// owedByOne reports whether the go statement of c is counted before it,
// is waited for, and nobody else can count down for it. The waiter is that of
// [waitedAlways].
func owedByOne(w *waitgroup.Groups, c groupCall, f *callers.NamedFunc) (waiter token.Pos, ok bool) {
	g := w.Goroutine(c.Stmt)
	if g == nil || !g.Counted(c.Key) || moreThanCounted(g, c.Key) || !waitedAs(w, c) && !w.Waited(waitgroup.Op{Key: c.Key}) {
		return waiter, false
	}
	for _, o := range g.Ops() {
		if o.Name == "Done" && o.Key == c.Key && !f.Cursor.Contains(o.At) && !launch.Started(o.GoroutineFunc) {
			return waiter, false
		}
	}
	return waitedAlways(g, c.Key)
}

// otherDones reports whether a function other than f counts down the field
// that done does.
func otherDones(w *waitgroup.Groups, done waitgroup.Op, f *callers.NamedFunc) bool {
	field := w.Pass.FieldOf(done.Recv)
	if field == nil {
		return false
	}
	return slices.ContainsFunc(waitgroup.OpsOn(w.Pass, field), func(o waitgroup.Op) bool {
		return o.Name == "Done" && !f.Cursor.Contains(o.At)
	})
}

// skips finds out how fn can end without coming to done, a statement of its
// own: by an early return, or by a panic that it recovers from.
func skips(p *code.Pass, done waitgroup.Op, fn *code.Func) (s skippedDone, ok bool) {
	list := fn.Body.List
	at := slices.IndexFunc(list, func(s ast.Stmt) bool {
		es, ok := s.(*ast.ExprStmt)
		return ok && ast.Unparen(es.X) == ast.Expr(done.Call)
	})
	if at <= 0 {
		return s, false
	}
	s = skippedDone{Done: done, Body: fn, At: at}
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) { return s, n != ast.Node(list[at]) },
		Exit: func(b *flow.Block, _ struct{}) {
			if !s.Return.IsValid() {
				s.Return = b.End
			}
		},
	}.FromEntry(fn.Flow, struct{}{})
	s.Another = !sameGroup(p, done.Recv, fn)
	there := rootOf(p, done.Recv) // without it, the Done itself would panic, there as here
	s.MayPanic = slices.ContainsFunc(list[:at], func(s ast.Stmt) bool { return panics.MayPanic(p, s, there) })
	return s, s.Return.IsValid() || recoversAbove(p, fn, at)
}

// sameGroup reports whether recv, the receiver of a call in fn, is the same
// group at the start of fn: it is reached from a variable around it, over fields
// that hold no pointer and variables that get no other value.
func sameGroup(p *code.Pass, recv ast.Expr, fn *code.Func) bool {
	switch x := ast.Unparen(recv).(type) {
	case *ast.Ident:
		v := p.VarOf(x)
		if v == nil || v.Pos() >= fn.Body.Pos() && v.Pos() < fn.Body.End() {
			return false
		}
		if _, isPtr := v.Type().Underlying().(*types.Pointer); !isPtr {
			return true // a variable stays where it is
		}
		return frozen.Stable(p, x, fn)
	case *ast.SelectorExpr:
		sel := p.TypesInfo.Selections[x]
		if sel == nil { // of a package
			_, isPtr := p.TypesInfo.TypeOf(x).Underlying().(*types.Pointer)
			return !isPtr
		}
		if sel.Kind() != types.FieldVal {
			return false
		}
		if _, isPtr := p.TypesInfo.TypeOf(x).Underlying().(*types.Pointer); isPtr && !neverAssigned(p, sel.Obj()) {
			return false
		}
		return sameGroup(p, x.X, fn)
	case *ast.StarExpr:
		return sameGroup(p, x.X, fn)
	}
	return false
}

// rootOf returns the variable that an expression begins with.
func rootOf(p *code.Pass, e ast.Expr) types.Object {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			if v := p.VarOf(x); v != nil {
				return v
			}
			return nil
		}
	}
}

// neverAssigned reports whether nothing in the package assigns the field.
func neverAssigned(p *code.Pass, field types.Object) bool {
	for c := range p.Inspector.Root().Preorder((*ast.SelectorExpr)(nil)) {
		sel := c.Node().(*ast.SelectorExpr)
		if p.TypesInfo.Uses[sel.Sel] == field && (code.IsAssigned(code.Unparen(c)) || code.Addressed(c)) {
			return false
		}
	}
	return true
}

// recoversAbove reports whether fn defers a recovery that lets it end, and
// then calls something that may panic, before its statement with index at.
func recoversAbove(p *code.Pass, fn *code.Func, at int) bool {
	recovers := false
	for _, s := range fn.Body.List[:at] {
		c, ok := fn.Cursor.FindNode(s)
		if !ok {
			return false
		}
		if recovers && callsUnknownAt(p, c, fn) {
			return true
		}
		d, ok := s.(*ast.DeferStmt)
		if !ok {
			continue
		}
		if lit, ok := ast.Unparen(d.Call.Fun).(*ast.FuncLit); ok && swallows(p, lit, fn) {
			recovers = true
		}
	}
	return false
}

// swallows reports whether a deferred literal recovers and returns: it does
// not panic again or end the program.
func swallows(p *code.Pass, lit *ast.FuncLit, fn *code.Func) bool {
	recovers, ends := false, false
	c, ok := fn.Cursor.FindNode(lit)
	if !ok {
		return false
	}
	for call := range c.Preorder((*ast.CallExpr)(nil)) {
		n := call.Node().(*ast.CallExpr)
		recovers = recovers || p.IsBuiltin(n, "recover")
		// Anything it calls with what it has recovered may do so.
		ends = ends || !waits.Quick(p, n) && !p.IsBuiltin(n, "recover") || p.NeverReturns(n)
	}
	return recovers && !ends
}

// callsUnknownAt reports whether the statement at c calls something of which it
// is not known that it returns: where the author expects a panic, it is
// there, and not in an operation that [panics.MayPanic] counts, too.
func callsUnknownAt(p *code.Pass, c inspector.Cursor, fn *code.Func) bool {
	for call := range c.Preorder((*ast.CallExpr)(nil)) {
		n := call.Node().(*ast.CallExpr)
		if p.GoroutineFunc(call) == fn.Cursor && !code.InDefer(call) && (!waits.Quick(p, n) || p.IsBuiltin(n, "panic")) {
			return true
		}
	}
	return false
}

// sharesDone reports whether anything but this goroutine may call Done for it:
// another function, a literal that is not a goroutine of its own, or an alias.
func sharesDone(g *waitgroup.Goroutine, done waitgroup.Op) bool {
	ops := map[ast.Node]bool{}
	for _, o := range g.Ops() {
		if o.Key == done.Key {
			ops[o.Recv] = true
			if o.Name == "Done" && !g.Lit.Contains(o.At) && (!launch.Started(o.GoroutineFunc) || sends(g)) {
				return true
			}
		}
	}
	if field := g.Pass.FieldOf(done.Recv); field != nil {
		for _, o := range waitgroup.OpsOn(g.Pass, field) {
			if o.Name == "Done" && !g.Lit.Contains(o.At) {
				return sends(g) // what is sent may be the duty to call it
			}
		}
		return false
	}
	for _, use := range g.Pass.Uses(g.Decl, done.Key.Root) {
		if amp, ok := use.Parent().Node().(*ast.UnaryExpr); ok && amp.Op == token.AND && !ops[amp] {
			return true
		}
		if sel, ok := use.Parent().Node().(*ast.SelectorExpr); ok && !ops[use.Node()] && sel.X == use.Node() {
			return true // a method value
		}
	}
	return false
}

// sends reports whether the goroutine sends on a channel.
func sends(g *waitgroup.Goroutine) bool {
	for range g.Lit.Preorder((*ast.SendStmt)(nil)) {
		return true
	}
	return false
}

// waitedAlways reports whether the function that starts the goroutine comes to
// a Wait on every path, or starts a goroutine that waits, unless somebody else is the
// one that waits. It returns the go statement of such a goroutine.
func waitedAlways(g *waitgroup.Goroutine, key code.Path) (waiter token.Pos, always bool) {
	waits, elsewhere := map[ast.Node]bool{}, true
	for _, o := range g.Ops() {
		if o.Name == "Wait" && o.Key == key {
			elsewhere = false
			at := o.At
			if start, ok := startOfWaiter(g, o); ok {
				at, waiter = start, start.Node().Pos()
			}
			if n := code.FlowNode(at, g.Parent); n != nil && g.Pass.GoroutineFunc(at) == g.Pass.GoroutineFunc(g.Stmt) {
				waits[n] = true
			}
		}
	}
	if elsewhere {
		return waiter, true
	}
	always = true
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) { return s, !waits[n] },
		Exit: func(*flow.Block, struct{}) { always = false },
	}.After(g.Parent.Flow, code.FlowNode(g.Stmt, g.Parent), struct{}{})
	return waiter, always
}

// startOfWaiter returns the go statement whose literal does wait at once, after nothing
// but defer statements.
func startOfWaiter(g *waitgroup.Goroutine, wait waitgroup.Op) (start inspector.Cursor, ok bool) {
	lit, isLit := wait.GoroutineFunc.Node().(*ast.FuncLit)
	if !isLit || !launch.Started(wait.GoroutineFunc) {
		return start, false
	}
	for _, s := range lit.Body.List {
		if _, isDefer := s.(*ast.DeferStmt); !isDefer {
			es, isExpr := s.(*ast.ExprStmt)
			return code.Unparen(wait.GoroutineFunc).Parent().Parent(), isExpr && ast.Unparen(es.X) == ast.Expr(wait.Call)
		}
	}
	return start, false
}
