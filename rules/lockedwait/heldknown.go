package lockedwait

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
)

// knowsLockNeeded reports whether the goroutine that waits may know that the other side needs the
// mutex no more: on the way to the wait it asks a condition about what the
// others assign, or receives a signal that they give.
func (t *heldTable) knowsLockNeeded(op heldOp, held heldLock, way []step, enders []channel.Use) bool {
	given := map[*types.Var]bool{}
	for _, e := range enders {
		t.gives(t.p.FuncOf(e.GoroutineFunc), given, 1)
	}
	if ch := t.p.LastVar(op.use.At.Node().(ast.Expr)); ch != nil && !op.ch.group {
		delete(given, ch)
	}
	c, ok := t.p.FindAnywhere(held.call)
	if !ok {
		return false
	}
	fn := t.p.FuncOf(t.p.GoroutineFunc(c))
	for _, s := range way {
		if t.asks(fn, s.call.Pos(), given) {
			return true
		}
		fn = s.callee
	}
	return t.asks(fn, op.use.Op.Node().Pos(), given)
}

// gives notes the variables and fields that fn assigns, and the channels that
// it sends on or closes, and the cancel functions that it calls.
func (t *heldTable) gives(fn *code.Func, given map[*types.Var]bool, depth int) {
	if fn == nil {
		return
	}
	add := func(e ast.Expr) {
		if v := t.p.LastVar(e); v != nil {
			given[v] = true
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				add(l)
			}
		case *ast.IncDecStmt:
			add(n.X)
		case *ast.SendStmt:
			add(n.Chan)
		case *ast.CallExpr:
			if t.p.IsBuiltin(n, "close") {
				add(n.Args[0])
			} else if cancel, ends := ctxcancel.Cancels(t.p, n); ends {
				add(cancel)
			} else if word := word(t.p, n); word != nil {
				add(word)
			} else if callee := t.funcs(t.p.Callee(n)); callee != nil && depth > 0 {
				t.gives(callee, given, depth-1)
			}
		}
		return true
	})
}

// word returns what a call changes that others ask or wait for: an atomic, or a
// WaitGroup that it counts down; nil for other calls.
func word(p *code.Pass, call *ast.CallExpr) ast.Expr {
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() == nil {
		return nil
	}
	if recv, ok := p.Method(call, "sync", "WaitGroup", "Done"); ok {
		return recv
	}
	if fn.Pkg().Path() != "sync/atomic" || fn.Name() == "Load" {
		return nil
	}
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && fn.Signature().Recv() != nil {
		return sel.X
	}
	if len(call.Args) == 0 {
		return nil
	}
	amp, ok := ast.Unparen(call.Args[0]).(*ast.UnaryExpr)
	if !ok || amp.Op != token.AND {
		return call.Args[0]
	}
	return amp.X
}

// asks reports whether a condition, a receive or a wait for a group before pos
// mentions one of the given variables.
func (t *heldTable) asks(fn *code.Func, pos token.Pos, given map[*types.Var]bool) (found bool) {
	mentions := func(e ast.Expr) {
		if e == nil {
			return
		}
		ast.Inspect(e, func(n ast.Node) bool {
			if x, ok := n.(ast.Expr); ok {
				v := t.p.LastVar(x)
				found = found || v != nil && given[v]
			}
			return !found
		})
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if n == nil || n.Pos() >= pos || found {
			return false
		}
		switch n := n.(type) {
		case *ast.IfStmt:
			mentions(n.Cond)
		case *ast.ForStmt:
			mentions(n.Cond)
		case *ast.SwitchStmt:
			mentions(n.Tag)
		case *ast.CaseClause:
			for _, e := range n.List {
				mentions(e)
			}
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				mentions(n.X)
			}
			if ctx, ok := ctxcancel.DoneCall(t.p, n.X); ok && n.Op == token.ARROW {
				for v := range given {
					found = found || ctxcancel.EndsBy(t.p, ctx, v)
				}
			}
		case *ast.RangeStmt:
			mentions(n.X)
		case *ast.CallExpr:
			if recv, ok := t.p.Method(n, "sync", "WaitGroup", "Wait"); ok {
				mentions(recv)
			}
		}
		return true
	})
	return found
}

// toldBy reports whether the other side takes the mutex, at other, under a condition on what
// the one who holds it assigns before the wait at pos: it may say that it need not.
func (t *heldTable) toldBy(held heldLock, pos, other token.Pos) bool {
	assigned := map[*types.Var]bool{}
	if c, ok := t.p.FindAnywhere(held.call); ok {
		for as := range t.p.FuncOf(t.p.GoroutineFunc(c)).Cursor.Preorder((*ast.AssignStmt)(nil), (*ast.IncDecStmt)(nil)) {
			if n := as.Node(); n.Pos() < held.call.End() || n.Pos() > pos {
				continue
			}
			switch n := as.Node().(type) {
			case *ast.AssignStmt:
				for _, l := range n.Lhs {
					assigned[t.p.LastVar(l)] = true
				}
			case *ast.IncDecStmt:
				assigned[t.p.LastVar(n.X)] = true
			}
		}
	}
	delete(assigned, nil)
	at, ok := t.p.CursorAt(other)
	if !ok || len(assigned) == 0 {
		return false
	}
	for i := range at.Enclosing((*ast.IfStmt)(nil), (*ast.CaseClause)(nil), (*ast.FuncDecl)(nil)) {
		var conds []ast.Expr
		switch n := i.Node().(type) {
		case *ast.IfStmt:
			conds = []ast.Expr{n.Cond}
		case *ast.CaseClause:
			conds = n.List
		}
		for v := range assigned {
			if t.p.MentionedIn(conds, v) {
				return true
			}
		}
	}
	return false
}
