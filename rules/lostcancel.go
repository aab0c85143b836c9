package rules

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/dave/dst"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/match"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Contexts whose cancel function is not called on every path.
//
// # What it does
//
// It follows the cancel function of context.WithCancel, WithTimeout,
// WithDeadline, their Cause variants and signal.NotifyContext. It reports one
// that is discarded, and a path on which the function returns before it is
// called or deferred.
//
// # Why it leaks
//
// Until it is cancelled or its time is up, a context keeps its timer and its
// place in the tree below the parent, and so does everything made from it. Below
// a parent that never ends, that is for ever.
//
// # Example
//
//	-ctx, _ := context.WithTimeout(parent, time.Minute)
//	+ctx, cancel := context.WithTimeout(parent, time.Minute)
//	+defer cancel()
//	 return store.Save(ctx, record)
//
// # What is not reported
//
// A cancel function that is returned, stored, passed on or captured by a
// literal that may run later: whoever gets it may call it. Paths behind
// <-ctx.Done(), where the context has ended by itself. Paths that end in a panic,
// os.Exit, log.Fatal or t.Fatal, and the end of main.main.
//
// # Fix safety
//
// A deferred cancel ends the context when the function returns. That is safe
// only if nothing uses the context afterwards, so the fix is offered only if
// neither the context nor anything made from it (a request, its response, rows, a
// stream) is returned, stored, used by a goroutine or by an earlier defer, or
// passed to a function that by its name or its results may go on using it. A
// response whose context is cancelled too early fails with "context canceled"
// when its body is long, and works in tests where it is short. No fix is offered
// in a loop, for a cancel function that is assigned again, and where a comment
// says that it is meant. The fix for signal.NotifyContext is unsafe, because it
// also restores the default action of the signals.
//
// # See also
//
// https://pkg.go.dev/context, go vet's lostcancel, which finds some of these and
// fixes none.
var lostcancel = rule.Rule{Name: "lostcancel", Doc: doc("lostcancel"), Find: findLostcancel}

// cancelMakers are the functions that return a context and what cancels it,
// with the type of the latter in package context; "" where there is no name for it.
var cancelMakers = map[string]string{
	"context.WithCancel": "CancelFunc", "context.WithTimeout": "CancelFunc", "context.WithDeadline": "CancelFunc",
	"context.WithTimeoutCause": "CancelFunc", "context.WithDeadlineCause": "CancelFunc",
	"context.WithCancelCause": "CancelCauseFunc", "os/signal.NotifyContext": "CancelFunc",
}

func findLostcancel(p *match.Pass) []rule.Match {
	var out []rule.Match
	for c := range p.Inspector.Root().Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		name := p.FullName(call)
		typ, ok := cancelMakers[name]
		if !ok {
			continue
		}
		fn := p.EnclosingFunc(c)
		if fn == nil {
			continue
		}
		if p.IsNil(call.Args[0]) {
			continue // panics
		}
		l := cancelLeak{p: p, fn: fn, call: call, callee: name, cancelType: typ, def: match.Unparen(c).Parent()}
		if m, ok := l.match(); ok {
			out = append(out, m)
		}
	}
	return out
}

// cancelLeak looks at one call that returns a cancel function.
type cancelLeak struct {
	p          *match.Pass
	fn         *match.Func
	call       *ast.CallExpr
	callee     string
	cancelType string
	def        inspector.Cursor // the statement or spec that takes the results

	lhs    []ast.Expr
	ctx    *types.Var // nil if it goes elsewhere than to a local variable
	events []match.Event
}

func (l *cancelLeak) match() (m rule.Match, ok bool) {
	m = rule.Match{Pos: l.call.Pos(), End: l.call.End()}
	switch n := l.def.Node().(type) {
	case *ast.ExprStmt:
		m.Message = "the context and the cancel function of " + l.callName() + " are discarded, so " + l.harm("the context")
		return m.None("the call has no effect; delete it"), true
	case *ast.AssignStmt:
		l.lhs = n.Lhs
	case *ast.ValueSpec:
		for _, id := range n.Names {
			l.lhs = append(l.lhs, id)
		}
		l.def = l.def.Parent().Parent()
		if _, isStmt := l.def.Node().(*ast.DeclStmt); !isStmt {
			return m, false // a package variable: whoever uses it is unknown
		}
	}
	if len(l.lhs) != 2 || l.endsWithParent() {
		return m, false
	}
	m.Pos, m.End = l.lhs[1].Pos(), l.lhs[1].End()
	l.ctx = l.p.VarOf(l.lhs[0])
	if match.IsBlank(l.lhs[1]) {
		return l.discarded(m), true
	}
	cancel := l.p.VarOf(l.lhs[1])
	if !l.p.DeclaredIn(cancel, l.fn) || l.p.IsResult(cancel, l.fn) {
		return m, false
	}
	l.events = l.p.TrackCancel(cancel, l.fn)
	return l.tracked(m, cancel)
}

// harm says what stays, and until when.
func (l *cancelLeak) harm(ctx string) string {
	switch l.callee {
	case "context.WithTimeout", "context.WithDeadline", "context.WithTimeoutCause", "context.WithDeadlineCause":
		return ctx + " and its timer stay until the time is up"
	case "os/signal.NotifyContext":
		return ctx + " and the notification of signals stay until the parent ends"
	}
	return ctx + " and what depends on it stay until the parent ends"
}

func (l *cancelLeak) callName() string { return types.ExprString(l.call.Fun) }

// discarded is "ctx, _ := context.WithTimeout(...)".
func (l *cancelLeak) discarded(m rule.Match) rule.Match {
	if match.IsBlank(l.lhs[0]) {
		m.Message = "the context and the cancel function of " + l.callName() + " are discarded, so " + l.harm("the context")
		return m.None("the call has no effect; delete it")
	}
	name := types.ExprString(l.lhs[0])
	m.Message = "the cancel function of " + name + " is discarded, so " + l.harm(name)
	if l.ctx == nil || !l.p.DeclaredIn(l.ctx, l.fn) {
		return m.None(name + " lives outside the function, so only its owner knows when to cancel it")
	}
	if l.inMain() {
		return m.None("main returns and the process ends, which frees it")
	}
	if l.p.Meant(l.def.Node()) {
		return m.None("a comment beside the discarded cancel function suggests that it is meant")
	}
	if why := l.obstacle(); why != "" {
		return m.None(why)
	}
	stop := l.p.FreshName(l.def, "cancel", "cancelCtx", "stop")
	if stop == "" {
		return m.None("no free name for the cancel function")
	}
	blank := l.lhs[1].(*ast.Ident)
	as, isAssign := l.def.Node().(*ast.AssignStmt)
	def := l.def.Node().(ast.Stmt)
	declare := false // cancel needs a var of its own
	if isAssign && as.Tok == token.ASSIGN {
		declare = !l.p.InScopeOf(l.ctx, l.def, l.fn)
	}
	fix := func(d *dstedit.Decl) error {
		if err := d.Rename(blank, stop); err != nil {
			return err
		}
		if declare {
			typ, err := l.typeName(d)
			if err != nil {
				return err
			}
			if err := d.InsertBefore(def, dstedit.VarDecl(stop, typ)); err != nil {
				return err
			}
		} else if isAssign && as.Tok == token.ASSIGN {
			if err := d.Define(as); err != nil {
				return err
			}
		}
		return d.InsertAfter(def, l.deferCancel(stop))
	}
	return l.offer(m, "Name the cancel function and defer it", fix)
}

// offer returns m with its fix, which is safe unless cancelling does more than
// to end the context.
func (l *cancelLeak) offer(m rule.Match, message string, fix func(*dstedit.Decl) error) rule.Match {
	if l.callee == "os/signal.NotifyContext" {
		return m.Unsafe("Stop the signal notification when the function returns, which restores the default action of the signals", fix)
	}
	return m.Safe(message, fix)
}

func (l *cancelLeak) deferCancel(name string) dst.Stmt {
	call := dstedit.Call(dstedit.Ident(name))
	if l.cancelType == "CancelCauseFunc" {
		call.Args = append(call.Args, dstedit.Ident("nil")) // context.Canceled, unless there was a cause before
	}
	return dstedit.Defer(call)
}

// obstacle says what stands against a deferred cancel right behind the call,
// or returns "".
func (l *cancelLeak) obstacle() string {
	if _, _, ok := match.StmtList(l.def); !ok {
		return "the call stands in the head of another statement"
	}
	node := l.flowNode()
	if l.fn.Flow.InCycle(node) {
		return "in a loop a deferred cancel would wait for the end of the function"
	}
	if l.ctx == nil {
		return "the context is stored, so only its owner knows when to cancel it"
	}
	if why := l.p.CtxLifetime(l.ctx, l.fn, node); why != "" {
		return why
	}
	return ""
}

func (l *cancelLeak) flowNode() ast.Node {
	c, _ := l.fn.Cursor.FindNode(l.call)
	return match.FlowNode(c, l.fn)
}

// typeName returns the type of the cancel function as it is written here.
func (l *cancelLeak) typeName(d *dstedit.Decl) (dst.Expr, error) {
	for _, imp := range l.p.FileOf(l.call.Pos()).Imports {
		if imp.Name != nil && imp.Name.Name == "." && imp.Path.Value == `"context"` {
			return dstedit.Ident(l.cancelType), nil
		}
	}
	pkg, err := d.Import("context")
	return dstedit.Sel(pkg, l.cancelType), err
}

// tracked decides on a cancel function in a local variable.
func (l *cancelLeak) tracked(m rule.Match, cancel *types.Var) (rule.Match, bool) {
	name := cancel.Name()
	for _, e := range l.events {
		if e.Kind == match.Escapes {
			return m, false
		}
	}
	unmet := l.p.Unmet(match.Obligation{Fn: l.fn, Call: l.call, Def: l.def, Var: cancel, Events: l.events, Over: l.waitsForDone, Settled: l.ended})
	if len(unmet.Exits) == 0 || l.inMain() {
		return m, false
	}
	ctx := types.ExprString(l.lhs[0])
	m.Message = name + " is not called on every path, so " + l.harm(ctx)
	if !unmet.Met {
		m.Message = name + " is never called, so " + l.harm(ctx)
	}
	exit := unmet.Exits[0]
	m.Related = []rule.Related{{Pos: exit.Pos, End: exit.Pos, Message: "returns here without calling " + name}}
	if exit.Assigns {
		m.Related[0].Message = name + " is assigned again here before it is called"
	}
	if !unmet.Met && l.explicitlyIgnored() {
		return m.None(name + " is assigned to _, which suggests that it is meant"), true
	}
	if unmet.Overwritten && !l.fn.Flow.InCycle(l.flowNode()) {
		return m.None(name + " is assigned again before it is called"), true
	}
	if why := l.obstacle(); why != "" {
		return m.None(why), true
	}
	def := l.def.Node().(ast.Stmt)
	message, fix := "Defer the cancel function", func(d *dstedit.Decl) error { return d.InsertAfter(def, l.deferCancel(name)) }
	if s := l.movable(); s != nil {
		message, fix = "Move the deferred cancel up, before the first return", func(d *dstedit.Decl) error { return d.MoveAfter(s, def) }
	}
	return l.offer(m, message, fix), true
}

// endsWithParent reports whether the parent is a context of the same function
// whose cancel function is deferred: it takes this one with it.
func (l *cancelLeak) endsWithParent() bool {
	if l.fn.Flow.InCycle(l.flowNode()) {
		return false // until then, each round adds one
	}
	return l.endsWith(l.call.Args[0], 3)
}

// endsWith reports whether a context ends when the function returns; depth
// bounds how many contexts in between are looked through.
func (l *cancelLeak) endsWith(ctx ast.Expr, depth int) bool {
	if call, ok := ast.Unparen(ctx).(*ast.CallExpr); ok && depth > 0 && l.p.FullName(call) == "context.WithValue" {
		return l.endsWith(call.Args[0], depth-1)
	}
	parent := l.p.VarOf(ctx)
	if parent == nil || depth == 0 || !l.p.DeclaredIn(parent, l.fn) {
		return false
	}
	for _, use := range l.p.Uses(l.fn.Cursor, parent) {
		as, ok := use.Parent().Node().(*ast.AssignStmt)
		if !ok || as.Lhs[0] != use.Node() || len(as.Rhs) != 1 || as.Pos() > l.call.Pos() {
			continue
		}
		call, ok := ast.Unparen(as.Rhs[0]).(*ast.CallExpr)
		if ok && len(as.Lhs) == 1 && l.endsWith(call, depth) {
			return true
		}
		if !ok || len(as.Lhs) != 2 || call == l.call || cancelMakers[l.p.FullName(call)] == "" {
			continue
		}
		if cancel := l.p.VarOf(as.Lhs[1]); cancel != nil {
			for _, e := range l.p.TrackCancel(cancel, l.fn) {
				if e.Kind != match.DefersClose && e.Kind != match.ClosesLate {
					continue
				}
				if l.beside(as) && l.beside(e.Node) {
					return true
				}
			}
		}
	}
	return false
}

// beside reports whether a statement stands in a list of statements that also
// holds the call, at any depth: then it is not in another branch.
func (l *cancelLeak) beside(n ast.Node) bool {
	for c := l.def; c.Valid() && c != l.fn.Cursor; c = c.Parent() {
		list, _, _ := match.StmtList(c)
		for _, s := range list {
			if ast.Node(s) == n {
				return true
			}
		}
	}
	return false
}

func (l *cancelLeak) inMain() bool { return l.p.Pkg.Name() == "main" && l.fn.Name() == "main" }

// explicitlyIgnored reports whether the cancel function is assigned to _.
func (l *cancelLeak) explicitlyIgnored() bool {
	for _, e := range l.events {
		if as, ok := match.Unparen(e.At).Parent().Node().(*ast.AssignStmt); ok && e.Kind == match.Reads && match.IsBlank(as.Lhs[0]) {
			return true
		}
	}
	return false
}

// movable returns the "defer cancel()" in the list of the call that can go up
// directly behind it: no other defer may change places with it, because a
// deferred Wait needs the cancel before it.
func (l *cancelLeak) movable() ast.Stmt {
	list, i, ok := match.StmtList(l.def)
	if !ok {
		return nil
	}
	for _, s := range list[i+1:] {
		d, isDefer := s.(*ast.DeferStmt)
		if !isDefer {
			continue
		}
		for _, e := range l.events {
			if e.Kind == match.DefersClose && e.Via.Node() == ast.Node(d) {
				return s
			}
		}
		return nil
	}
	return nil
}

// ended reports whether a condition that came out as taken says that the
// context or its parent has ended: ctx.Err() != nil.
func (l *cancelLeak) ended(cond ast.Expr, taken bool) bool {
	x, isNil, ok := l.p.NilTest(cond, taken)
	if !ok || isNil {
		return false
	}
	call, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok {
		return false
	}
	recv, isErr := l.p.Method(call, "context", "Context", "Err")
	v := l.p.VarOf(recv)
	return isErr && v != nil && (v == l.ctx || v == l.p.VarOf(l.call.Args[0]))
}

// waitsForDone reports whether n receives from the Done channel of the context
// or its parent: behind it the context has ended and holds nothing any more.
func (l *cancelLeak) waitsForDone(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			if call, ok := ast.Unparen(n.X).(*ast.CallExpr); ok && n.Op == token.ARROW {
				recv, isDone := l.p.Method(call, "context", "Context", "Done")
				v := l.p.VarOf(recv)
				found = found || isDone && v != nil && (v == l.ctx || v == l.p.VarOf(l.call.Args[0]))
			}
		}
		return !found
	})
	return found
}
