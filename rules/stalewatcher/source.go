package stalewatcher

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// life says how long what a watcher waits for may stay away.
type life uint8

const (
	unknown    life = iota // it may come when the function ends at the latest
	withCaller             // a parameter: the caller has it
	longer                 // a field or a variable of the package
)

// depth bounds how many names of the same thing are followed.
const depth = 6

// lasts says how long the channel e, which the goroutine receives from, may stay open.
func (w *watcher) lasts(e ast.Expr) life { return w.life(e, token.NoPos, depth) }

// life is lasts for an expression that is evaluated at pos, or later if that is none.
func (w *watcher) life(e ast.Expr, pos token.Pos, depth int) life {
	if depth == 0 {
		return unknown
	}
	if ctx, ok := ctxcancel.DoneCall(w.p, e); ok {
		return w.life(ctx, pos, depth-1)
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return w.variable(e, pos, depth)
	case *ast.SelectorExpr:
		if w.p.Selected(e) == nil {
			if v, ok := w.p.TypesInfo.Uses[e.Sel].(*types.Var); ok && !v.IsField() {
				return longer // of another package
			}
			return unknown
		}
		if t := w.p.TypesInfo.TypeOf(e.X); typeis.Named(t, "time", "Timer") || typeis.Named(t, "time", "Ticker") {
			return unknown
		}
		return w.holder(e.X, pos, depth-1)
	case *ast.CallExpr:
		if w.p.FullName(e) == "context.WithValue" {
			return w.life(e.Args[0], pos, depth-1)
		}
		// A method without arguments gives a part of its receiver, unless that is of one call.
		sel, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr)
		if !ok || len(e.Args) > 0 || w.p.TypesInfo.Selections[sel] == nil || perCall(w.p.TypesInfo.TypeOf(sel.X)) {
			return unknown
		}
		if v := w.outer(w.p.VarOf(sel.X)); v != nil && !w.receiver(v) && w.param(v) != nil {
			return unknown // as the context of a stream
		}
		return w.holder(sel.X, pos, depth-1)
	}
	return unknown
}

// perCall reports whether values of a type belong to one call of a function or one test.
func perCall(t types.Type) bool {
	if typeis.Named(t, "net/http", "Request") {
		return true
	}
	for _, name := range []string{"T", "B", "F", "TB"} {
		if typeis.Named(t, "testing", name) {
			return true
		}
	}
	return false
}

// variable is life for a channel or a context in a variable.
func (w *watcher) variable(id *ast.Ident, pos token.Pos, depth int) life {
	v := w.p.VarOf(id)
	if arg := w.argument(v); arg != nil {
		return w.life(arg, w.call.Pos(), depth-1)
	}
	switch {
	case v == nil:
		return unknown
	case v.Parent() == w.p.Pkg.Scope():
		return longer
	case w.param(v) != nil:
		if w.changed(v, pos) {
			return unknown
		}
		return withCaller
	}
	if value := w.p.OnlyValue(v); value != nil {
		return w.life(value, value.Pos(), depth-1)
	}
	return unknown
}

// holder says how long a value that holds a channel or a context lives.
func (w *watcher) holder(e ast.Expr, pos token.Pos, depth int) life {
	if depth == 0 || perCall(w.p.TypesInfo.TypeOf(e)) {
		return unknown
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.StarExpr:
		return w.holder(e.X, pos, depth-1)
	case *ast.SelectorExpr:
		if w.p.Selected(e) == nil {
			_, isVar := w.p.TypesInfo.Uses[e.Sel].(*types.Var)
			if isVar {
				return longer
			}
			return unknown
		}
		return w.holder(e.X, pos, depth-1)
	case *ast.Ident:
		v := w.p.VarOf(e)
		if arg := w.argument(v); arg != nil {
			return w.holder(arg, w.call.Pos(), depth-1)
		}
		switch {
		case v == nil:
			return unknown
		case v.Parent() == w.p.Pkg.Scope():
			return longer
		case w.param(v) != nil:
			if w.changed(v, pos) {
				return unknown
			}
			return longer
		}
		if value := w.p.OnlyValue(v); value != nil {
			return w.holder(value, value.Pos(), depth-1)
		}
	}
	return unknown
}

// param returns the function of which v is a parameter or the receiver: the one that
// starts the goroutine, or one around it; nil if there is none.
func (w *watcher) param(v *types.Var) *code.Func {
	for fn := w.made.Fn; fn != nil; fn = w.around(fn) {
		if w.p.IsParam(v, fn) || w.isReceiver(v, fn) {
			return fn
		}
	}
	return nil
}

func (w *watcher) around(fn *code.Func) *code.Func {
	if _, ok := fn.Cursor.Node().(*ast.FuncLit); !ok {
		return nil
	}
	return w.p.EnclosingFunc(fn.Cursor)
}

// receiver reports whether v is the receiver of a function around the goroutine.
func (w *watcher) receiver(v *types.Var) bool {
	fn := w.param(v)
	return fn != nil && w.isReceiver(v, fn)
}

func (w *watcher) isReceiver(v *types.Var, fn *code.Func) bool {
	id := code.Params(fn)[0]
	return id != nil && w.p.TypesInfo.Defs[id] == types.Object(v)
}

// changed reports whether the parameter v may have got another value at pos, or at any
// time if that is none.
func (w *watcher) changed(v *types.Var, pos token.Pos) bool {
	fn := w.param(v)
	return slices.ContainsFunc(w.p.Uses(fn.Cursor, v), func(use inspector.Cursor) bool {
		if code.Addressed(use) {
			return true
		}
		if !code.IsAssigned(use) || use.Node().Pos() == v.Pos() {
			return false
		}
		if !pos.IsValid() || use.Node().Pos() < pos || w.p.EnclosingFunc(use).Cursor != fn.Cursor {
			return true
		}
		node := code.FlowNode(use, fn)
		return node == nil || fn.Flow.InCycle(node)
	})
}

// repeats reports whether one call of the function that has what the goroutine waits for
// starts the goroutine again and again: in a loop, or in a literal that handles requests.
func (w *watcher) repeats() bool {
	at, fn := w.start, w.made.Fn
	for {
		if node := code.FlowNode(at, fn); node != nil && fn.Flow.InCycle(node) {
			return true
		}
		lit, ok := fn.Cursor.Node().(*ast.FuncLit)
		if !ok {
			return false
		}
		if handles(w.p, fn) {
			return true
		}
		at = code.Unparen(fn.Cursor).Parent()
		if call, ok := at.Node().(*ast.CallExpr); !ok || ast.Unparen(call.Fun) != ast.Expr(lit) {
			return false
		}
		if fn = w.p.EnclosingFunc(fn.Cursor); fn == nil {
			return false
		}
	}
}

// handles reports whether a function gets a request and what to write the response to.
func handles(p *code.Pass, fn *code.Func) bool {
	sig := p.Signature(fn)
	return sig != nil && sig.Params().Len() == 2 && typeis.Named(sig.Params().At(0).Type(), "net/http", "ResponseWriter") && typeis.Named(sig.Params().At(1).Type(), "net/http", "Request")
}

// oncePerValue reports whether the function is a method that runs only as a goroutine
// which is started where its receiver is made: the watcher lasts no longer than that value.
func (w *watcher) oncePerValue() bool {
	d, ok := w.made.Fn.Cursor.Node().(*ast.FuncDecl)
	if !ok || d.Recv == nil {
		return false
	}
	fn, _ := w.p.TypesInfo.Defs[d.Name].(*types.Func)
	if fn == nil {
		return false
	}
	calls, known := callers.CallSites(w.p, fn)
	if !known {
		return false
	}
	return !slices.ContainsFunc(calls, func(c inspector.Cursor) bool {
		_, isGo := c.Parent().Node().(*ast.GoStmt)
		sel, isSel := ast.Unparen(c.Node().(*ast.CallExpr).Fun).(*ast.SelectorExpr)
		if !isGo || !isSel {
			return true
		}
		caller, v := w.p.EnclosingFunc(c), w.p.VarOf(sel.X)
		return caller == nil || v == nil || !w.p.DeclaredIn(v, caller) || w.p.IsParam(v, caller) || w.isReceiver(v, caller)
	})
}

// onlyClosed reports whether no value is ever sent on the channel e.
func (w *watcher) onlyClosed(e ast.Expr, depth int) bool {
	p := w.p
	if depth == 0 {
		return false
	}
	if _, ok := ctxcancel.DoneCall(p, e); ok {
		return true
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		field := p.Selected(e)
		return field != nil && slices.ContainsFunc(channel.Fields(p), func(f *channel.Field) bool {
			return f.Field == field && len(f.Sends) == 0 && !f.Sendable
		})
	case *ast.CallExpr:
		fn := p.Callee(e)
		if fn == nil || p.Declaration(fn) == nil {
			return false
		}
		list := p.Declaration(fn).Body.List
		ret, ok := list[len(list)-1].(*ast.ReturnStmt)
		return len(list) == 1 && ok && len(ret.Results) == 1 && w.onlyClosed(ret.Results[0], depth-1)
	case *ast.Ident:
		v := p.VarOf(e)
		switch arg := w.argument(v); {
		case v == nil:
			return false
		case arg != nil:
			return w.onlyClosed(arg, depth-1)
		case v.Parent() == p.Pkg.Scope():
			return !v.Exported() && !slices.ContainsFunc(p.VarUses(v), func(use inspector.Cursor) bool {
				k := channel.UseAt(p, use).Kind
				return k == channel.Send || k == channel.Other && !code.IsAssigned(use)
			})
		}
		if fn := w.param(v); fn != nil {
			return w.passedOnlyClosed(fn, v, depth-1)
		}
		value := p.OnlyValue(v)
		return value != nil && w.onlyClosed(value, depth-1)
	}
	return false
}

// passedOnlyClosed is onlyClosed for what all callers of fn pass for its parameter v.
func (w *watcher) passedOnlyClosed(fn *code.Func, v *types.Var, depth int) bool {
	d, ok := fn.Cursor.Node().(*ast.FuncDecl)
	if !ok {
		return false
	}
	o, _ := w.p.TypesInfo.Defs[d.Name].(*types.Func)
	if o == nil {
		return false
	}
	calls, known := callers.CallSites(w.p, o)
	i := ctxcancel.ParamIndex(o, v)
	return known && i >= 0 && !slices.ContainsFunc(calls, func(c inspector.Cursor) bool {
		call := c.Node().(*ast.CallExpr)
		return i >= len(call.Args) || call.Ellipsis.IsValid() || !w.onlyClosed(call.Args[i], depth)
	})
}
