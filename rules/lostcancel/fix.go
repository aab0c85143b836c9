package lostcancel

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/dave/dst"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/lifetime"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// afterUse offers to cancel the context after its last use, if the function goes
// on for long after it: a deferred call would keep it as long, and mend nothing.
// cancel is the variable of the cancel function, nil if it is discarded, name
// what it is or will be called.
func (l *cancelLeak) afterUse(m rule.Match, cancel *types.Var, name string, prepare func(*dstedit.Decl) error) (rule.Match, bool) {
	if l.inHead() || l.Wrapper != nil || l.Name == "os/signal.NotifyContext" {
		return m, false
	}
	ctx := types.ExprString(l.lhs[0])
	at, goesOn, why := afterUse(&l.Cancel, cancel, l.events)
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
		return m.Unsafe("Cancel after the last use of "+ctx+" and before each earlier exit: a panic does not cancel", fix), true
	}
	message := "Cancel after the last use of " + ctx + ", because the function goes on for long"
	if doubt := doubted(&l.Cancel, l.doubts, l.events, l.exits); doubt != nil {
		return m.Unsafe(message+", which cuts off what is not over by then: "+doubt.Why, fix), true
	}
	return m.Safe(message, fix), true
}

// perIteration offers to call the cancel function, whose variable is nil if it is
// discarded, on each way out of an iteration of the loop that goes without.
func (l *cancelLeak) perIteration(m rule.Match, cancel *types.Var, name string, prepare func(*dstedit.Decl) error) rule.Match {
	iteration, why := iterationExits(&l.Cancel, cancel, l.events)
	if why != "" {
		return m.None(why)
	}
	message := "Cancel where the iteration ends: one that panics does not cancel, and what it leaves running is cut off"
	return m.Unsafe(message, func(d *dstedit.Decl) error {
		if err := prepare(d); err != nil {
			return err
		}
		return d.InsertEach(iteration.Jumps, iteration.Last, func(ast.Stmt) dst.Stmt { return dstedit.ExprStmt(l.cancelCall(name)) })
	})
}

// piled is "defer cancel()" in a loop.
func (l *cancelLeak) piled(m rule.Match, cancel *types.Var, deferred ast.Stmt) rule.Match {
	l.events = nil // but for the defer there is nothing that calls it
	m = l.perIteration(m, cancel, cancel.Name(), func(d *dstedit.Decl) error { return d.Delete(deferred) })
	m.Message = cancel.Name() + " is deferred in a loop, so the contexts of all iterations and what depends on them stay until the function returns"
	m.Related = []rule.Related{{Pos: deferred.Pos(), End: deferred.End(), Message: "deferred here"}}
	if m.Fix != nil && !callsOnly(&l.Cancel, deferred, cancel) {
		return m.None("the deferred call may do more than to cancel")
	}
	return m
}

// offer returns m with its fix, which is safe unless cancelling does more than
// to end the context.
func (l *cancelLeak) offer(m rule.Match, message string, fix func(*dstedit.Decl) error) rule.Match {
	if l.inHead() {
		return m.Unsafe(message+", before the if, so that the context lasts until the function returns", func(d *dstedit.Decl) error {
			if err := d.HoistInit(l.Def.Parent().Node().(*ast.IfStmt)); err != nil {
				return err
			}
			return fix(d)
		})
	}
	if l.Wrapper != nil {
		return m.Unsafe(message+", which ends what "+l.Wrapper.Name()+" makes when the function returns", fix)
	}
	if doubt := doubted(&l.Cancel, l.doubts, l.events, l.exits); doubt != nil {
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

// obstacle says what stands against a deferred cancel directly after the call,
// or returns "".
func (l *cancelLeak) obstacle() string {
	if _, _, ok := code.StmtList(l.Def); !ok {
		if why := hoistable(&l.Cancel, l.lhs); why != "" {
			return why
		}
	} else if l.InLoop() {
		return "" // see perIteration
	}
	if l.Ctx == nil {
		return "the context is stored, so only its owner knows when to cancel it"
	}
	why, doubts := lifetime.CtxLifetime(l.p, l.Ctx, l.Fn, l.Node())
	l.doubts = append(doubts, served(&l.Cancel)...)
	return why
}

// served lists where a handler gets a request with the context, which is not made from that
// of a request: nobody else ends it when the handler returns, and what it has started may
// go on with it.
func served(c *ctxcancel.Cancel) (out []lifetime.Doubt) {
	if ofRequest(c) {
		return nil
	}
	p := c.Pass
	for at := range c.Fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		call := at.Node().(*ast.CallExpr)
		if len(call.Args) != 2 || code.CalledAs(call) != "ServeHTTP" || !typeis.Named(typeis.Deref(p.TypesInfo.TypeOf(call.Args[1])), "net/http", "Request") {
			continue
		}
		made := p.Mentions(call.Args[1], c.Ctx)
		if v := p.VarOf(call.Args[1]); v != nil {
			made = made || slices.ContainsFunc(p.VarUses(v), func(use inspector.Cursor) bool {
				as, ok := use.Parent().Node().(*ast.AssignStmt)
				return ok && code.OnLeft(as, use) && p.MentionedIn(as.Rhs, c.Ctx)
			})
		}
		if arg, ok := at.FindNode(call.Args[1]); ok && made {
			out = append(out, lifetime.Doubt{At: arg, Why: "what the handler has started may go on with the context of its request"})
		}
	}
	return out
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
