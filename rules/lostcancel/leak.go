package lostcancel

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/intent"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/lifetime"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
	"github.com/goroutinefix/goroutinefix/rules/lostcancel/internal/cutoff"
)

// cancelLeak looks at one call that returns a cancel function.
type cancelLeak struct {
	ctxcancel.Cancel
	p      *code.Pass
	lhs    []ast.Expr
	events []usage.Event
	exits  []mustcall.Exit  // where the function leaves without a cancel
	doubts []lifetime.Doubt // set by obstacle
	owed   bool             // the finding is that cancel is not called
	defers bool             // the fix defers it
}

func (l *cancelLeak) match() (m rule.Match, ok bool) {
	m = rule.Match{Pos: l.Call.Pos(), End: l.Call.End()}
	switch n := l.Def.Node().(type) {
	case *ast.ExprStmt:
		m.Message = "the context and the cancel function of " + l.callName() + " are discarded, so " + l.harm("the context")
		return m.None("the call has no effect; delete it"), true
	case *ast.AssignStmt:
		l.lhs = n.Lhs
	case *ast.ValueSpec:
		for _, id := range n.Names {
			l.lhs = append(l.lhs, id)
		}
		l.Def = l.Def.Parent().Parent()
		if _, isStmt := l.Def.Node().(*ast.DeclStmt); !isStmt {
			return m, false // a package variable: whoever uses it is unknown
		}
	}
	if len(l.lhs) != 2 {
		return m, false
	}
	m.Pos, m.End = l.lhs[1].Pos(), l.lhs[1].End()
	l.Ctx = l.p.VarOf(l.lhs[0])
	if code.IsBlank(l.lhs[1]) {
		if l.inMain() {
			return m, false
		}
		if !l.needsCancel() {
			return m, false
		}
		l.owed = true
		m = l.discarded(m)
		return m, l.Wrapper == nil || m.Fix != nil // of a wrapper, only what certainly stays here
	}
	cancel := l.p.VarOf(l.lhs[1])
	local := l.p.DeclaredIn(cancel, l.Fn) && !l.p.IsResult(cancel, l.Fn)
	if local {
		l.events = usage.Track(l.p, cancel, l.Fn, usage.Func)
	}
	if field := keptIn(&l.Cancel, l.lhs[1], l.events); field != nil && !l.inMain() {
		m.Message = "the cancel function is kept in the field " + field.Name() + ", which nothing reads, so " + l.harm("the context")
		return m.None("whoever owns the struct must call " + field.Name() + " when done"), true
	}
	if !local {
		return m, false
	}
	m, ok = l.tracked(m, cancel)
	return m, ok && (l.Wrapper == nil || m.Fix != nil)
}

// needsCancel reports whether the function returns, or comes to the call again, on a
// path on which the discarded cancel function should have been called.
func (l *cancelLeak) needsCancel() bool {
	unmet := mustcall.Check(l.p, mustcall.Obligation{
		Fn: l.Fn, Call: l.Call, Def: l.Def, Over: l.WaitsForDone, Settled: l.Ended,
		Leaves: func(ast.Node) bool { return false },
	})
	return unmet.Again || len(unmet.Exits) > 0
}

// harm says what stays, and until when.
func (l *cancelLeak) harm(ctx string) string {
	switch {
	case l.Timed():
		return ctx + " and its timer stay until the time is up"
	case l.Name == "os/signal.NotifyContext":
		return ctx + " and the notification of signals stay until the parent ends"
	}
	return ctx + " and what depends on it stay until the parent ends"
}

func (l *cancelLeak) callName() string { return types.ExprString(l.Call.Fun) }

// discarded is "ctx, _ := context.WithTimeout(...)".
func (l *cancelLeak) discarded(m rule.Match) rule.Match {
	if code.IsBlank(l.lhs[0]) {
		m.Message = "the context and the cancel function of " + l.callName() + " are discarded, so " + l.harm("the context")
		return m.None("the call has no effect; delete it")
	}
	name := types.ExprString(l.lhs[0])
	m.Message = "the cancel function of " + name + " is discarded, so " + l.harm(name)
	if l.Ctx == nil || !l.p.DeclaredIn(l.Ctx, l.Fn) {
		return m.None(name + " lives outside the function, so only its owner knows when to cancel it")
	}
	if intent.Intentional(l.p, l.Def.Node()) {
		return m.None("a comment beside the discarded cancel function suggests that this is intentional")
	}
	worker := soleGoroutine(&l.Cancel)
	if why := l.obstacle(); why != "" && worker == nil {
		return m.None(why)
	}
	at := l.Def
	if l.inHead() {
		at = l.Def.Parent()
	}
	stop := naming.FreshName(l.p, at, "cancel", "cancelCtx", "stop")
	if stop == "" {
		return m.None("no free name for the cancel function")
	}
	blank := l.lhs[1].(*ast.Ident)
	as, isAssign := l.Def.Node().(*ast.AssignStmt)
	def := l.Def.Node().(ast.Stmt)
	declare := false // cancel needs a var of its own
	if isAssign && as.Tok == token.ASSIGN {
		declare = !naming.InScopeOf(l.p, l.Ctx, l.Def, l.Fn)
	}
	bind := func(d *dstedit.Decl) error {
		if err := d.Rename(blank, stop); err != nil {
			return err
		}
		if declare {
			typ, err := l.typeName(d)
			if err != nil {
				return err
			}
			return d.InsertBefore(def, dstedit.VarDecl(stop, typ))
		} else if isAssign && as.Tok == token.ASSIGN {
			return d.Define(as)
		}
		return nil
	}
	if l.InLoop() && !l.inHead() {
		return l.perIteration(m, nil, stop, bind)
	}
	if worker != nil {
		message := "Defer the cancel function in the goroutine that alone uses " + name + ": what it leaves running is cut off"
		return m.Unsafe(message, func(d *dstedit.Decl) error {
			if err := bind(d); err != nil {
				return err
			}
			return d.InsertFirst(worker.Body, dstedit.Defer(l.cancelCall(stop)))
		})
	}
	if m, ok := l.afterUse(m, nil, stop, bind); ok {
		return m
	}
	return l.offer(m, "Name the cancel function and defer it", func(d *dstedit.Decl) error {
		if err := bind(d); err != nil {
			return err
		}
		return d.InsertAfter(def, dstedit.Defer(l.cancelCall(stop)))
	})
}

// ctxName is what a message calls the context.
func (l *cancelLeak) ctxName() string {
	if code.IsBlank(l.lhs[0]) {
		return "the context"
	}
	return types.ExprString(l.lhs[0])
}

// inHead reports whether the call stands in the head of an if.
func (l *cancelLeak) inHead() bool {
	_, ok := l.Def.Parent().Node().(*ast.IfStmt)
	return ok
}

// tracked decides on a cancel function in a local variable.
func (l *cancelLeak) tracked(m rule.Match, cancel *types.Var) (rule.Match, bool) {
	name := cancel.Name()
	if cut, ok := cutoff.Find(&l.Cancel, l.events); ok {
		return l.cutOff(m, name, cut), true
	}
	helped := false
	if helped = onlySometimes(l.events); helped {
		l.events = lentOnly(l.events)
	}
	o := mustcall.Obligation{Fn: l.Fn, Call: l.Call, Def: l.Def, Var: cancel, Events: l.events, Over: l.WaitsForDone, Settled: l.Ended, Returns: true}
	handed := o.HandedOn()
	kept := slices.ContainsFunc(l.events, func(e usage.Event) bool { return e.Kind == usage.Stores })
	if handed && mustcall.HandedOnBefore(l.p, o) || (handed || helped) && launch.OncePerProcess(l.p, l.Fn.Cursor) || (handed || helped || kept) && ofRequest(&l.Cancel) {
		return m, false
	}
	unmet := mustcall.Check(l.p, o)
	if handed { // what the variable gets then may be what is handed on: another one, or a literal around this one
		unmet.Exits = slices.DeleteFunc(unmet.Exits, func(e mustcall.Exit) bool { return e.Assigns })
	}
	if deferred := deferredInLoop(&l.Cancel, l.events); deferred != nil {
		return l.piled(m, cancel, deferred), true
	}
	if handed && len(unmet.Exits) == 0 && l.Wrapper == nil {
		if ret, err := l.besideError(); ret != nil {
			return l.beside(m, cancel, ret, err), true
		}
	}
	if len(unmet.Exits) == 0 || l.inMain() || unmet.Met && outlivesIteration(&l.Cancel, cancel) {
		return m, false
	}
	l.exits = unmet.Exits
	l.owed = true
	ctx := l.ctxName()
	m.Message = name + " is not called on every path, so " + l.harm(ctx)
	switch {
	case helped:
		m.Message = name + " is called on some paths of what gets it only, so " + l.harm(ctx)
	case handed:
		m.Message = name + " is neither called nor handed on on every path, so " + l.harm(ctx)
	case !unmet.Met:
		m.Message = name + " is never called, so " + l.harm(ctx)
	}
	exit := unmet.Exits[0]
	m.Related = []rule.Related{{Pos: exit.Pos, End: exit.Pos, Message: "returns here without calling " + name}}
	if helped {
		m.Related = append(m.Related, sometimesCalled(l.events, name)...)
	}
	if exit.Assigns {
		m.Related[0].Message = name + " is assigned again here before it is called"
	}
	if !unmet.Met && isIgnored(l.events) {
		return m.None(name + " is assigned to _, which suggests that this is intentional"), true
	}
	if unmet.Overwritten && !l.InLoop() {
		return m.None(name + " is assigned again before it is called"), true
	}
	if l.InDeadLiteral(l.events) {
		return m.None("the function literal that calls " + name + " is never called"), true
	}
	if callee := givenTo(&l.Cancel, l.events); callee != "" && !unmet.Met && !helped {
		return m.None(callee + " gets " + name + ", but does not call it"), true
	}
	if handed && !l.InLoop() {
		return l.beforeExits(m, o), true
	}
	if why := l.obstacle(); why != "" {
		return m.None(why), true
	}
	if l.InLoop() {
		return l.perIteration(m, cancel, name, func(*dstedit.Decl) error { return nil }), true
	}
	if m, ok := l.afterUse(m, cancel, name, func(*dstedit.Decl) error { return nil }); ok {
		return m, true
	}
	def := l.Def.Node().(ast.Stmt)
	message, fix := "Defer the cancel function", func(d *dstedit.Decl) error { return d.InsertAfter(def, dstedit.Defer(l.cancelCall(name))) }
	if s := movable(&l.Cancel, cancel); s != nil {
		message, fix = "Move the deferred cancel up, before the first return", func(d *dstedit.Decl) error { return d.MoveAfter(s, def) }
	}
	return l.offer(m, message, fix), true
}

// cutOff is "defer cancel()" in a function that returns a response.
func (l *cancelLeak) cutOff(m rule.Match, name string, cut cutoff.Cut) rule.Match {
	m.Pos, m.End = cut.Cancel.Pos(), cut.Cancel.End()
	m.Message = cut.What + " is returned, but " + name + " has ended its context by then, so " + cut.Harm
	m.Related = []rule.Related{{Pos: cut.Return.Pos(), End: cut.Return.End(), Message: "returned here"}}
	return m.None("whoever gets it must cancel when done with it, for example where its body is closed")
}

// inMain reports whether the end of the function is that of the process, and
// the call is not one of many before it.
func (l *cancelLeak) inMain() bool {
	return l.p.Pkg.Name() == "main" && l.Fn.Name() == "main" && !l.InLoop()
}
