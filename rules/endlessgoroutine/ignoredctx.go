package endlessgoroutine

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// ignoredContext returns the context that the function in which s stays knows
// of and does not listen to: one that it passes on, or, for the literal of the
// go statement at c, one that the function around it waits for. It returns nil
// if there is none that is known to be ended by anything.
func ignoredContext(p *code.Pass, s stuck, c inspector.Cursor) *types.Var {
	for id := range s.Fn.Cursor.Preorder((*ast.Ident)(nil)) {
		if !code.Within(id.Node(), s.Stmt) {
			continue
		}
		v := p.VarOf(id.Node().(*ast.Ident))
		if v == nil || s.Stmt.Pos() <= v.Pos() && v.Pos() < s.Stmt.End() {
			continue // of one iteration: its end is none of the loop
		}
		if !v.IsField() && typeis.Named(v.Type(), "context", "Context") && worksWith(p, id, 0) && ended(p, v) {
			return v
		}
	}
	if !c.Valid() {
		return nil
	}
	fn := p.EnclosingFunc(c)
	for id := range fn.Cursor.Preorder((*ast.Ident)(nil)) {
		sel, ok := id.Parent().Node().(*ast.SelectorExpr)
		if !ok || sel.X != id.Node() || sel.Sel.Name != "Done" || p.GoroutineFunc(id) != fn.Cursor {
			continue
		}
		v := p.VarOf(id.Node().(*ast.Ident))
		if v != nil && !v.IsField() && typeis.Named(v.Type(), "context", "Context") && v.Pos() < c.Node().Pos() && ended(p, v) {
			return v
		}
	}
	return nil
}

// worksWith reports whether the context at c is passed to a function that does
// more with it than to log, to trace or to look up a value.
func worksWith(p *code.Pass, c inspector.Cursor, depth int) bool {
	arg := code.Unparen(c)
	call, ok := arg.Parent().Node().(*ast.CallExpr)
	if !ok || call.Fun == arg.Node() {
		return false
	}
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() == nil {
		return false
	}
	where := strings.ToLower(fn.Pkg().Path() + "." + fn.Name())
	for _, part := range []string{"log", "trace", "tracing", "telemetry", "otel", "metric", "stats", "observ", "opencensus", "fromcontext", "withvalue", "withoutcancel"} {
		if strings.Contains(where, part) {
			return false
		}
	}
	for _, level := range []string{"Debug", "Info", "Warn", "Error", "Print"} {
		if strings.HasPrefix(fn.Name(), level) {
			return false
		}
	}
	if sig := fn.Signature(); fn.Pkg() != p.Pkg && fn.Pkg().Path() != "context" && sig.Recv() == nil && sig.Params().Len() == 1 && sig.Results().Len() == 1 && !typeis.Error(sig.Results().At(0).Type()) {
		return false // looks a value up, most likely
	}
	return depth > 3 || !looksUpOnly(p, fn, call, arg.Node(), depth)
}

// looksUpOnly reports whether fn, a function of this package, uses the context
// that is the argument arg of the call, and no more than worksWith allows.
func looksUpOnly(p *code.Pass, fn *types.Func, call *ast.CallExpr, arg ast.Node, depth int) bool {
	d, i := p.Declaration(fn), slices.IndexFunc(call.Args, func(e ast.Expr) bool { return ast.Unparen(e) == arg })
	if d == nil || i < 0 || i >= fn.Signature().Params().Len() {
		return false
	}
	used := false
	for _, use := range p.Uses(d.Cursor, fn.Signature().Params().At(i)) {
		if _, declares := use.Parent().Node().(*ast.Field); declares {
			continue
		}
		used = true
		if sel, ok := code.Unparen(use).Parent().Node().(*ast.SelectorExpr); ok && sel.Sel.Name == "Value" {
			continue
		}
		if passed, ok := code.Unparen(use).Parent().Node().(*ast.CallExpr); !ok || p.Callee(passed) == nil || worksWith(p, use, depth+1) {
			return false
		}
	}
	return used
}

// ended reports whether somebody ends the context in v, a local variable or a
// parameter: it is derived here by a function of the library that returns
// what ends it, or comes from a caller who does not pass a root context.
func ended(p *code.Pass, v *types.Var) bool {
	at, ok := p.CursorAt(v.Pos())
	if !ok || v.Parent() == p.Pkg.Scope() {
		return false
	}
	var fn *code.Func
	for f := range at.Enclosing((*ast.FuncDecl)(nil), (*ast.FuncLit)(nil)) {
		fn = p.FuncOf(f)
		break
	}
	if fn == nil {
		return false
	}
	for _, use := range p.Uses(fn.Cursor, v) {
		if code.Addressed(use) {
			return false
		}
		var values []ast.Expr
		switch n := use.Parent().Node().(type) {
		case *ast.AssignStmt:
			if !code.OnLeft(n, use) {
				continue
			}
			values = n.Rhs
		case *ast.ValueSpec:
			values = n.Values
		default:
			continue
		}
		if len(values) != 1 || !endedValue(p, values[0], v) {
			return false
		}
	}
	if !p.IsParam(v, fn) {
		return true
	}
	if lit, ok := fn.Cursor.Node().(*ast.FuncLit); ok {
		arg, isVar := p.LitArgument(fn.Cursor, v), false
		if call, isCall := code.Unparen(fn.Cursor).Parent().Node().(*ast.CallExpr); !isCall || ast.Unparen(call.Fun) != ast.Expr(lit) {
			return false // who knows who calls it
		}
		if arg != nil {
			a := p.VarOf(arg)
			isVar = a != nil && a != v && ended(p, a)
		}
		return isVar
	}
	return passedEnded(p, fn, v)
}

func endedValue(p *code.Pass, e ast.Expr, v *types.Var) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	name := p.FullName(call)
	return knowledge.Cancellable[name] || name == "context.WithValue" && len(call.Args) > 0 && p.VarOf(call.Args[0]) == v
}

// passedEnded reports whether the callers of fn may pass a context that ends:
// not if all that are known pass a root context.
func passedEnded(p *code.Pass, fn *code.Func, v *types.Var) bool {
	o, _ := p.TypesInfo.Defs[fn.Cursor.Node().(*ast.FuncDecl).Name].(*types.Func)
	if o == nil {
		return false
	}
	if o.Exported() {
		return true
	}
	i, some := ctxcancel.ParamIndex(o, v), false
	for _, c := range p.Index().Calls[o] {
		call := c.Node().(*ast.CallExpr)
		if i < 0 || i >= len(call.Args) {
			continue
		}
		if !ctxcancel.RootContext(p, call.Args[i]) && !ctxcancel.NeverCancelled(p, call.Args[i], c) {
			some = true
		}
	}
	return some
}

// pause is a statement time.Sleep(d) in a loop.
type pause struct {
	Stmt *ast.ExprStmt
	Call *ast.CallExpr
}

// pausesIn returns the pauses of the loop in which s stays, nil if it has none.
// all says whether a loop that listens in each of them listens at all: it comes to one
// of them in every iteration, and waits for nothing else.
func pausesIn(p *code.Pass, s stuck) (list []pause, all bool) {
	loop, ok := s.Stmt.(*ast.ForStmt)
	at, found := s.Fn.Cursor.FindNode(s.Stmt)
	if !ok || !found {
		return nil, false
	}
	pauses, all := map[ast.Node]bool{}, true
	for c := range at.Preorder((*ast.CallExpr)(nil), (*ast.SendStmt)(nil), (*ast.UnaryExpr)(nil), (*ast.RangeStmt)(nil), (*ast.SelectStmt)(nil)) {
		if p.GoroutineFunc(c) != p.GoroutineFunc(at) {
			continue
		}
		switch n := c.Node().(type) {
		case *ast.CallExpr:
			if p.FullName(n) != "time.Sleep" {
				continue
			}
			es, isStmt := c.Parent().Node().(*ast.ExprStmt)
			if _, _, listed := code.StmtList(c.Parent()); !isStmt || !listed || p.EnclosingFunc(c).Cursor != s.Fn.Cursor {
				all = false
				continue
			}
			list, pauses[es] = append(list, pause{es, n}), true
		case *ast.SendStmt:
			sel, _ := channel.InSelect(c)
			all = all && sel != nil
		case *ast.UnaryExpr:
			sel, _ := channel.InSelect(c)
			all = all && (n.Op != token.ARROW || sel != nil || waits.Ticks(p, n.X))
		case *ast.RangeStmt:
			all = all && !typeis.Chan(p.TypesInfo.TypeOf(n.X))
		case *ast.SelectStmt:
			all = all && slices.ContainsFunc(n.Body.List, func(s ast.Stmt) bool {
				comm := s.(*ast.CommClause).Comm
				return comm == nil || ctxcancel.DoneOf(p, comm) != nil || waits.Ticks(p, channel.Received(comm))
			})
		}
	}
	if len(list) == 0 {
		return nil, false
	}
	flow.Paths[struct{}]{
		Node: func(n ast.Node, st struct{}) (struct{}, bool) { return st, !pauses[n] },
		Iteration: func(l ast.Stmt, _ struct{}) bool {
			all = all && l != s.Stmt
			return l != s.Stmt
		},
	}.FromBody(s.Fn.Flow, loop, struct{}{})
	return list, all
}
