package rules

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/dave/dst"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/match"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Contexts whose cancel function is not called on every path.
//
// # What it does
//
// It follows the cancel function of context.WithCancel, WithTimeout,
// WithDeadline, their Cause variants, signal.NotifyContext and functions of the
// analysed modules that return what these make. It reports one that is
// discarded, that goes to a function, a function literal or a field where
// nothing ever calls it, that piles up because it is deferred in a loop, and a
// path on which the function returns, or the next round of a loop begins, before
// it is called or deferred.
//
// It also reports the opposite: a response, rows or a transaction that are
// returned to the caller though their context is cancelled by then.
//
// # Why it leaks
//
// Until it is cancelled or its time is up, a context keeps its timer and its
// place in the tree below the parent, and so does everything made from it. Below
// a parent that never ends, that is for ever.
//
// A response whose context is cancelled can be read only as far as it has
// arrived: a short body comes through, mostly, a long one fails with "context
// canceled".
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
// A cancel function that is returned, stored where something reads it, passed on
// or captured by a literal that may run later: whoever gets it may call it. Paths
// after <-ctx.Done(), and those on which ctx.Err() or context.Cause(ctx) says that
// the context has ended by itself. One whose time is up when it is made. One made
// from the Context of a test, which ends with the test, outside of loops. Paths that
// a condition rules out because the context is made under one that says otherwise. Paths that end in a
// panic, os.Exit, log.Fatal or t.Fatal, paths that never end, and main.main but
// for its loops. A context that is made from one that the function, or the one
// around a literal that is called where it stands, has cancelled on each path when
// it returns: it ends with that one. Of several that are lost and made from each
// other, the first is reported, and its fix cancels them all. A deferred cancel in
// a loop that soon ends, or whose contexts are needed when their round is over. A
// response that anything has read, closed or looked into before it is returned.
//
// # Fix safety
//
// A deferred cancel ends the context when the function returns. That is safe
// only if nothing uses the context afterwards, so the fix is offered only if
// neither the context nor anything made from it (a request, its response, rows, a
// stream) is returned, stored, used by a goroutine or by an earlier defer, or
// passed to a function that is known to keep it. No fix
// is offered for a cancel function that is assigned again, and where a comment
// says that it is meant.
//
// The fix is unsafe where it is not known whether a callee is done with the
// context when it returns: a method of an interface that other packages may
// implement, a function value, a function without a body, one of a dependency
// that cannot be looked into. So it is for a request whose body may still be on its
// way, because the server may answer before it has read all of it, unless the body of the
// response is closed on each path; and where a transport of the package goes on
// using requests that it has answered. It is safe where the function cancels
// after that call unless it leaves because of an error.
//
// A deferred cancel that comes too late moves up if it does nothing else and no
// other call is deferred in between, at any depth. Otherwise a second one goes in
// front: it runs last, and to cancel twice is to cancel once. Where the function
// goes on for long after the last use of the context, as in a loop over a channel,
// cancel is called after that use. If a way out lies before, that fix is unsafe.
//
// These fixes are unsafe: in a loop, cancel is called in front of each way out of
// the round, which a panic does not take. A context in the head of an if is moved
// in front of it and then lasts until the function returns. A context that one
// goroutine alone uses ends with the goroutine. What a function of your own
// makes may count on something else to end it. And the fix for
// signal.NotifyContext also restores the default action of the signals.
//
// # See also
//
// https://pkg.go.dev/context, go vet's lostcancel, which finds some of these and
// fixes none.
var lostcancel = rule.Rule{Name: "lostcancel", Doc: doc("lostcancel"), Find: findLostcancel}

func findLostcancel(p *match.Pass) []rule.Match {
	var out []rule.Match
	mended := map[*ast.CallExpr]int{} // calls -> the match whose fix defers their cancel function
	for c := range p.Candidates((*ast.CallExpr)(nil)) {
		made, ok := p.CancelMaker(c)
		if !ok {
			continue
		}
		l := cancelLeak{Cancel: made, p: p}
		first := -1 // of the matches that this one ends with, once that is mended
		ends := l.EndsWithParent(func(call *ast.CallExpr) bool {
			i, ok := mended[call]
			if ok {
				first = i
			}
			return ok
		})
		if _, bare := l.Def.Node().(*ast.ExprStmt); ends && first < 0 && !bare {
			continue
		}
		m, ok := l.match()
		if !ok {
			continue
		}
		// The fix calls cancel(nil).
		if m.Fix != nil && made.Type == "CancelCauseFunc" && p.Redeclared("nil", c) {
			m = m.None("nil has another meaning here")
		}
		if ends && l.owed { // one leak, one fix
			out[first] = join(out[first], m)
			mended[made.Call] = first
			continue
		}
		if m.Applicability == finding.Safe && l.defers {
			mended[made.Call] = len(out)
		}
		out = append(out, m)
	}
	return out
}

// join returns m with the fix of made, a context that is made from that of m,
// if that is safe: without, it ends with the other one.
func join(m, made rule.Match) rule.Match {
	m.Related = append(slices.Clip(m.Related), rule.Related{Pos: made.Pos, End: made.End, Message: "made from it and lost, too"})
	if made.Applicability != finding.Safe {
		return m
	}
	fix := m.Fix
	return m.Safe(m.FixMessage, func(d *dstedit.Decl) error {
		if err := fix(d); err != nil {
			return err
		}
		return made.Fix(d)
	})
}

// cancelLeak looks at one call that returns a cancel function.
type cancelLeak struct {
	match.Cancel
	p      *match.Pass
	lhs    []ast.Expr
	events []match.Event
	exits  []match.Exit  // where the function leaves without a cancel
	doubts []match.Doubt // set by obstacle
	owed   bool          // the finding is that cancel is not called
	defers bool          // the fix defers it
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
	if match.IsBlank(l.lhs[1]) {
		if l.inMain() {
			return m, false
		}
		if !l.owes() {
			return m, false
		}
		l.owed = true
		m = l.discarded(m)
		return m, l.Wrapper == nil || m.Fix != nil // of a wrapper, only what certainly stays here
	}
	cancel := l.p.VarOf(l.lhs[1])
	local := l.p.DeclaredIn(cancel, l.Fn) && !l.p.IsResult(cancel, l.Fn)
	if local {
		l.events = l.p.TrackCancel(cancel, l.Fn)
	}
	if field := l.KeptIn(l.lhs[1], l.events); field != nil && !l.inMain() {
		m.Message = "the cancel function is kept in the field " + field.Name() + ", which nothing reads, so " + l.harm("the context")
		return m.None("whoever owns the struct must call " + field.Name() + " when done"), true
	}
	if !local {
		return m, false
	}
	m, ok = l.tracked(m, cancel)
	return m, ok && (l.Wrapper == nil || m.Fix != nil)
}

// owes reports whether the function returns, or comes to the call again, on a
// path on which the discarded cancel function should have been called.
func (l *cancelLeak) owes() bool {
	unmet := l.p.Unmet(match.Obligation{
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
	if match.IsBlank(l.lhs[0]) {
		m.Message = "the context and the cancel function of " + l.callName() + " are discarded, so " + l.harm("the context")
		return m.None("the call has no effect; delete it")
	}
	name := types.ExprString(l.lhs[0])
	m.Message = "the cancel function of " + name + " is discarded, so " + l.harm(name)
	if l.Ctx == nil || !l.p.DeclaredIn(l.Ctx, l.Fn) {
		return m.None(name + " lives outside the function, so only its owner knows when to cancel it")
	}
	if l.p.Meant(l.Def.Node()) {
		return m.None("a comment beside the discarded cancel function suggests that it is meant")
	}
	worker := l.SoleGoroutine()
	if why := l.obstacle(); why != "" && worker == nil {
		return m.None(why)
	}
	at := l.Def
	if l.inHead() {
		at = l.Def.Parent()
	}
	stop := l.p.FreshName(at, "cancel", "cancelCtx", "stop")
	if stop == "" {
		return m.None("no free name for the cancel function")
	}
	blank := l.lhs[1].(*ast.Ident)
	as, isAssign := l.Def.Node().(*ast.AssignStmt)
	def := l.Def.Node().(ast.Stmt)
	declare := false // cancel needs a var of its own
	if isAssign && as.Tok == token.ASSIGN {
		declare = !l.p.InScopeOf(l.Ctx, l.Def, l.Fn)
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
		return l.perRound(m, nil, stop, bind)
	}
	if worker != nil {
		message := "Defer the cancel function in the goroutine that alone uses " + name + ": what goes on behind its back is cut off"
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

// afterUse offers to cancel the context after its last use, if the function goes
// on for long after it: a deferred call would keep it as long, and mend nothing.
// cancel is the variable of the cancel function, nil if it is discarded, name
// what it is or will be called.
func (l *cancelLeak) afterUse(m rule.Match, cancel *types.Var, name string, prepare func(*dstedit.Decl) error) (rule.Match, bool) {
	if l.inHead() || l.Wrapper != nil || l.Name == "os/signal.NotifyContext" {
		return m, false
	}
	ctx := types.ExprString(l.lhs[0])
	at, goesOn, why := l.AfterUse(cancel, l.events)
	switch {
	case !goesOn:
		return m, false
	case why != "":
		def := l.Def.Node().(ast.Stmt)
		return m.Unsafe("Defer the cancel function: the function goes on for long after the last use of "+ctx+", which stays until then", func(d *dstedit.Decl) error {
			if err := prepare(d); err != nil {
				return err
			}
			return d.InsertAfter(def, dstedit.Defer(l.cancelCall(name)))
		}), true
	}
	fix := func(d *dstedit.Decl) error {
		if err := prepare(d); err != nil {
			return err
		}
		return d.InsertEach(at.Jumps, at.Last, func(ast.Stmt) dst.Stmt { return dstedit.ExprStmt(l.cancelCall(name)) })
	}
	if len(at.Jumps) > 0 {
		return m.Unsafe("Cancel after the last use of "+ctx+" and in front of each way out before: a panic does not take these", fix), true
	}
	message := "Cancel after the last use of " + ctx + ", because the function goes on for long"
	if doubt := l.Doubted(l.doubts, l.events, l.exits); doubt != nil {
		return m.Unsafe(message+", which cuts off what is not over by then: "+doubt.Why, fix), true
	}
	return m.Safe(message, fix), true
}

// inHead reports whether the call stands in the head of an if.
func (l *cancelLeak) inHead() bool {
	_, ok := l.Def.Parent().Node().(*ast.IfStmt)
	return ok
}

// perRound offers to call the cancel function, whose variable is nil if it is
// discarded, on each way out of a round of the loop that goes without.
func (l *cancelLeak) perRound(m rule.Match, cancel *types.Var, name string, prepare func(*dstedit.Decl) error) rule.Match {
	round, why := l.Round(cancel, l.events)
	if why != "" {
		return m.None(why)
	}
	message := "Cancel where the round ends: a round that panics does not, and what goes on behind its back is cut off"
	return m.Unsafe(message, func(d *dstedit.Decl) error {
		if err := prepare(d); err != nil {
			return err
		}
		return d.InsertEach(round.Jumps, round.Last, func(ast.Stmt) dst.Stmt { return dstedit.ExprStmt(l.cancelCall(name)) })
	})
}

// piled is "defer cancel()" in a loop.
func (l *cancelLeak) piled(m rule.Match, cancel *types.Var, deferred ast.Stmt) rule.Match {
	l.events = nil // but for the defer there is nothing that calls it
	m = l.perRound(m, cancel, cancel.Name(), func(d *dstedit.Decl) error { return d.Delete(deferred) })
	m.Message = cancel.Name() + " is deferred in a loop, so the contexts of all rounds and what depends on them stay until the function returns"
	m.Related = []rule.Related{{Pos: deferred.Pos(), End: deferred.End(), Message: "deferred here"}}
	if m.Fix != nil && !l.CallsOnly(deferred, cancel) {
		return m.None("the deferred call may do more than to cancel")
	}
	return m
}

// offer returns m with its fix, which is safe unless cancelling does more than
// to end the context.
func (l *cancelLeak) offer(m rule.Match, message string, fix func(*dstedit.Decl) error) rule.Match {
	if l.inHead() {
		return m.Unsafe(message+", in front of the if, so that the context lasts until the function returns", func(d *dstedit.Decl) error {
			if err := d.HoistInit(l.Def.Parent().Node().(*ast.IfStmt)); err != nil {
				return err
			}
			return fix(d)
		})
	}
	if l.Wrapper != nil {
		return m.Unsafe(message+", which ends what "+l.Wrapper.Name()+" makes when the function returns", fix)
	}
	if doubt := l.Doubted(l.doubts, l.events, l.exits); doubt != nil {
		return m.Unsafe(message+", which cuts off what is not over by then: "+doubt.Why, fix)
	}
	if l.Name == "os/signal.NotifyContext" {
		return m.Unsafe("Stop the signal notification when the function returns, which restores the default action of the signals", fix)
	}
	l.defers = true
	return m.Safe(message, fix)
}

func (l *cancelLeak) cancelCall(name string) *dst.CallExpr {
	call := dstedit.Call(dstedit.Ident(name))
	if l.Type == "CancelCauseFunc" {
		call.Args = append(call.Args, dstedit.Ident("nil")) // context.Canceled, unless there was a cause before
	}
	return call
}

// obstacle says what stands against a deferred cancel right behind the call,
// or returns "".
func (l *cancelLeak) obstacle() string {
	if _, _, ok := match.StmtList(l.Def); !ok {
		if why := l.Hoistable(l.lhs); why != "" {
			return why
		}
	} else if l.InLoop() {
		return "" // see perRound
	}
	if l.Ctx == nil {
		return "the context is stored, so only its owner knows when to cancel it"
	}
	why, doubts := l.p.CtxLifetime(l.Ctx, l.Fn, l.Node())
	l.doubts = doubts
	return why
}

// typeName returns the type of the cancel function as it is written here.
func (l *cancelLeak) typeName(d *dstedit.Decl) (dst.Expr, error) {
	for _, imp := range l.p.FileOf(l.Call.Pos()).Imports {
		if imp.Name != nil && imp.Name.Name == "." && imp.Path.Value == `"context"` {
			return dstedit.Ident(l.Type), nil
		}
	}
	pkg, err := d.Import("context")
	return dstedit.Sel(pkg, l.Type), err
}

// tracked decides on a cancel function in a local variable.
func (l *cancelLeak) tracked(m rule.Match, cancel *types.Var) (rule.Match, bool) {
	name := cancel.Name()
	if cut, ok := l.CutOff(l.events); ok {
		return l.cutOff(m, name, cut), true
	}
	for _, e := range l.events {
		if e.Kind == match.Escapes {
			return m, false
		}
	}
	unmet := l.p.Unmet(match.Obligation{Fn: l.Fn, Call: l.Call, Def: l.Def, Var: cancel, Events: l.events, Over: l.WaitsForDone, Settled: l.Ended, Returns: true})
	if deferred := l.Piles(l.events); deferred != nil {
		return l.piled(m, cancel, deferred), true
	}
	if len(unmet.Exits) == 0 || l.inMain() || unmet.Met && l.OutlivesRound(cancel) {
		return m, false
	}
	l.exits = unmet.Exits
	l.owed = true
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
	if !unmet.Met && match.Ignored(l.events) {
		return m.None(name + " is assigned to _, which suggests that it is meant"), true
	}
	if unmet.Overwritten && !l.InLoop() {
		return m.None(name + " is assigned again before it is called"), true
	}
	if l.InDeadLiteral(l.events) {
		return m.None("the function literal that calls " + name + " is never called"), true
	}
	if callee := l.GivenTo(l.events); callee != "" && !unmet.Met {
		return m.None(callee + " gets " + name + ", but does not call it"), true
	}
	if why := l.obstacle(); why != "" {
		return m.None(why), true
	}
	if l.InLoop() {
		return l.perRound(m, cancel, name, func(*dstedit.Decl) error { return nil }), true
	}
	if m, ok := l.afterUse(m, cancel, name, func(*dstedit.Decl) error { return nil }); ok {
		return m, true
	}
	def := l.Def.Node().(ast.Stmt)
	message, fix := "Defer the cancel function", func(d *dstedit.Decl) error { return d.InsertAfter(def, dstedit.Defer(l.cancelCall(name))) }
	if s := l.Movable(cancel); s != nil {
		message, fix = "Move the deferred cancel up, before the first return", func(d *dstedit.Decl) error { return d.MoveAfter(s, def) }
	}
	return l.offer(m, message, fix), true
}

// cutOff is "defer cancel()" in a function that returns a response.
func (l *cancelLeak) cutOff(m rule.Match, name string, cut match.CutOff) rule.Match {
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
