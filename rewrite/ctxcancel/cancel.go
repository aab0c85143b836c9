// Package ctxcancel answers what makes a cancel function, who calls it, and what ends a
// context otherwise.
package ctxcancel

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// Cancel is a context in a function, made by a call that also returns what
// cancels it.
type Cancel struct {
	Pass *code.Pass
	Fn   *code.Func
	Call *ast.CallExpr
	Def  inspector.Cursor // the statement or spec that takes the results
	Name string           // the function of the standard library that makes it, such as "context.WithTimeout"
	Type string           // the type of what cancels it, in package context
	Ctx  *types.Var       // nil if the context goes elsewhere than to a local variable
	// Wrapper is the loaded function that is called and hands on what Name
	// makes; nil if Name itself is called.
	Wrapper *types.Func
}

// CancelMaker returns the context that the call at c makes; ok is false for
// other calls, for one that panics, and for a context that has ended at once.
func CancelMaker(p *code.Pass, c inspector.Cursor) (cc Cancel, ok bool) {
	call := c.Node().(*ast.CallExpr)
	cc = Cancel{Pass: p, Call: call, Def: code.Unparen(c).Parent(), Name: maker(p, call)}
	if cc.Name == "" {
		return cc, false
	}
	cc.Type = knowledge.CancelMakers[cc.Name]
	if fn := p.Callee(call); fn.FullName() != cc.Name {
		cc.Wrapper = fn
	}
	if parent := cc.Parent(); parent != nil && p.IsNil(parent) {
		return cc, false
	}
	cc.Fn = p.EnclosingFunc(c)
	return cc, cc.Fn != nil && !cc.endedAtOnce()
}

// Parent returns the parent of the context, as far as it is an argument.
func (c *Cancel) Parent() ast.Expr {
	for _, arg := range c.Call.Args {
		if typeis.Named(c.Pass.TypesInfo.TypeOf(arg), "context", "Context") {
			return arg
		}
	}
	if c.Wrapper == nil {
		return c.Call.Args[0]
	}
	return nil
}

// Timed reports whether the context ends by itself when its time is up.
func (c *Cancel) Timed() bool {
	switch c.Name {
	case "context.WithTimeout", "context.WithDeadline", "context.WithTimeoutCause", "context.WithDeadlineCause":
		return true
	}
	return false
}

// Node returns the node of the function's flow that makes the context.
func (c *Cancel) Node() ast.Node {
	at, _ := c.Pass.Find(c.Fn.Cursor, c.Call)
	return code.FlowNode(at, c.Fn)
}

// InLoop reports whether the call can run more than once in one run of the function.
func (c *Cancel) InLoop() bool { return c.Fn.Flow.InCycle(c.Node()) }

// WaitsForDone reports whether n receives from the Done channel of the context
// or its parent: after it the context has ended and holds nothing any more. A
// literal that is called where it stands, or deferred, does so if nothing before
// may leave it.
func (c *Cancel) WaitsForDone(n ast.Node) bool {
	done := func(e ast.Expr) bool {
		ctx, isDone := DoneCall(c.Pass, e)
		return isDone && c.its(ctx)
	}
	if e, ok := n.(ast.Expr); ok && done(e) {
		return true // the head of a range, which ends with it
	}
	waits := func(call *ast.CallExpr) bool {
		lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit)
		if !ok {
			return false
		}
		for _, s := range lit.Body.List {
			switch s := s.(type) {
			case *ast.ExprStmt:
				if wait, ok := ast.Unparen(s.X).(*ast.UnaryExpr); ok && wait.Op == token.ARROW && done(wait.X) {
					return true
				}
			case *ast.AssignStmt, *ast.IncDecStmt, *ast.DeclStmt:
			default:
				return false
			}
		}
		return false
	}
	if d, ok := n.(*ast.DeferStmt); ok && c.Timed() {
		return waits(d.Call)
	}
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.GoStmt:
			return false
		case *ast.CallExpr:
			found = found || waits(n)
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW && done(n.X)
		}
		return !found
	})
	return found
}

// its reports whether e is the context or its parent, which the variable holds
// unless it gets another one later.
func (c *Cancel) its(e ast.Expr) bool {
	v := c.Pass.VarOf(e)
	if v == nil {
		return false
	}
	if parent := c.Parent(); v != c.Ctx && (parent == nil || v != c.Pass.VarOf(parent)) {
		return false
	}
	return !slices.ContainsFunc(c.Pass.Uses(c.Fn.Cursor, v), func(use inspector.Cursor) bool {
		return code.IsAssigned(use) && use.Node().Pos() > c.Call.End()
	})
}

// InDeadLiteral reports whether a function literal calls the cancel function
// that itself is never called.
func (c *Cancel) InDeadLiteral(events []usage.Event) bool {
	for _, e := range events {
		if e.Kind == usage.Reads && usage.InDeadLiteral(c.Pass, e.At, c.Fn) {
			return true
		}
	}
	return false
}
