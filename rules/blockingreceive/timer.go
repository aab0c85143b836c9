package blockingreceive

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/godebug"
	"github.com/goroutinefix/goroutinefix/rewrite/locks"
)

// emptyTimer is a receive from a timer after a Stop that says that nothing is
// there to be received.
type emptyTimer struct {
	Recv  *ast.ExprStmt
	Timer ast.Expr
	Stop  *ast.CallExpr
	Got   ast.Node // where the value was received before
}

// emptyTimers returns the receives in "if !t.Stop() { <-t.C }" that never end.
//
// Since Go 1.23 Stop takes back what the timer has sent and nobody received,
// and then says that it stopped it. So after a Stop that says no nothing comes
// any more. The body is entered only if the value was received before, or the
// timer stopped; only the first is looked for: a path from another receive to
// this Stop, on which the timer is not started again. If other functions start it
// again, they may do so while this one waits.
func emptyTimers(p *code.Pass) (out []emptyTimer) {
	for c := range p.Inspector.Root().Preorder((*ast.IfStmt)(nil)) {
		e, ok := drains(p, c.Node().(*ast.IfStmt))
		if !ok || !p.Since(c.Node().Pos(), "go1.23") || godebug.AsyncTimers(p) {
			continue
		}
		fn := p.FuncOf(p.GoroutineFunc(c))
		if fn == nil {
			continue
		}
		if got := receivedBefore(p, e, c, fn); got != nil && !setElsewhere(p, e.Timer, fn) {
			e.Got = got
			out = append(out, e)
		}
	}
	return out
}

// drains recognises "if !t.Stop() { <-t.C }" in its spellings.
func drains(p *code.Pass, ifs *ast.IfStmt) (e emptyTimer, ok bool) {
	not, isNot := ast.Unparen(ifs.Cond).(*ast.UnaryExpr)
	if !isNot || not.Op != token.NOT || ifs.Else != nil || len(ifs.Body.List) != 1 {
		return e, false
	}
	x := ast.Unparen(not.X)
	if as, isAssign := ifs.Init.(*ast.AssignStmt); isAssign && len(as.Lhs) == 1 && len(as.Rhs) == 1 && p.VarOf(x) != nil && p.VarOf(x) == p.VarOf(as.Lhs[0]) {
		x = ast.Unparen(as.Rhs[0])
	} else if ifs.Init != nil {
		return e, false
	}
	e.Stop, ok = x.(*ast.CallExpr)
	if !ok {
		return e, false
	}
	if e.Timer, ok = p.Method(e.Stop, "time", "Timer", "Stop"); !ok {
		return e, false
	}
	if e.Recv, ok = ifs.Body.List[0].(*ast.ExprStmt); !ok {
		return e, false
	}
	recv, ok := ast.Unparen(e.Recv.X).(*ast.UnaryExpr)
	return e, ok && recv.Op == token.ARROW && isTimerC(p, recv.X, e.Timer)
}

// isTimerC reports whether x is the channel of the timer.
func isTimerC(p *code.Pass, x, timer ast.Expr) bool {
	sel, ok := ast.Unparen(x).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "C" {
		return false
	}
	a, ok := locks.PlaceOf(p, sel.X)
	b, ok2 := locks.PlaceOf(p, timer)
	return ok && ok2 && a == b
}

// receivedBefore returns another receive from the timer in fn from which a path
// leads to the Stop without anything that could start the timer again; nil if
// there is none.
func receivedBefore(p *code.Pass, e emptyTimer, ifs inspector.Cursor, fn *code.Func) ast.Node {
	at, _ := locks.PlaceOf(p, e.Timer)
	stop, _ := fn.Cursor.FindNode(e.Stop)
	target := code.FlowNode(stop, fn)
	for c := range fn.Cursor.Preorder((*ast.UnaryExpr)(nil)) {
		recv := c.Node().(*ast.UnaryExpr)
		if recv.Op != token.ARROW || !isTimerC(p, recv.X, e.Timer) || p.GoroutineFunc(c) != fn.Cursor || ifs.Contains(c) {
			continue
		}
		node, found := code.FlowNode(c, fn), false
		if node == nil || code.InDefer(c) || flagged(p, ifs, c) {
			continue
		}
		flow.Paths[struct{}]{
			Node: func(n ast.Node, s struct{}) (struct{}, bool) {
				if n == target {
					found = true
					return s, false
				}
				return s, !restarts(p, n, at)
			},
			// A variable may remember that the value was received.
			Edge: func(cond ast.Expr, _ bool, s struct{}) (struct{}, bool) { return s, !testsFlag(p, cond) },
		}.After(fn.Flow, node, struct{}{})
		if found {
			return recv
		}
	}
	return nil
}

// setElsewhere reports whether a function that fn does not call itself, and it
// alone, starts the timer again.
func setElsewhere(p *code.Pass, timer ast.Expr, fn *code.Func) bool {
	v := p.LastVar(timer)
	if v == nil {
		return false
	}
	for _, c := range p.Index().Resets[v] {
		if p.GoroutineFunc(c) == fn.Cursor {
			continue
		}
		d, ok := p.GoroutineFunc(c).Node().(*ast.FuncDecl)
		if !ok {
			return true
		}
		obj, _ := p.TypesInfo.Defs[d.Name].(*types.Func)
		calls, ok := callers.CallSites(p, obj)
		for _, call := range calls {
			_, isGo := call.Parent().Node().(*ast.GoStmt)
			ok = ok && !isGo && p.GoroutineFunc(call) == fn.Cursor
		}
		if !ok {
			return true
		}
	}
	return false
}

// flagged reports whether an if stands around ifs, but not around c.
func flagged(p *code.Pass, ifs, c inspector.Cursor) bool {
	for outer := range ifs.Parent().Enclosing((*ast.IfStmt)(nil), (*ast.FuncLit)(nil), (*ast.FuncDecl)(nil)) {
		if _, isIf := outer.Node().(*ast.IfStmt); !isIf {
			return false
		}
		if !outer.Contains(c) {
			return true
		}
	}
	return false
}

func testsFlag(p *code.Pass, cond ast.Expr) (found bool) {
	ast.Inspect(cond, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok {
			_, isVar := locks.PlaceOf(p, e)
			b, basic := p.TypesInfo.TypeOf(e).(*types.Basic)
			found = found || isVar && basic && b.Info()&types.IsBoolean != 0
		}
		_, isCall := n.(*ast.CallExpr)
		return !found && !isCall
	})
	return found
}

// restarts reports whether n may start the timer at a place again, or put
// another one there: anything that mentions it but to stop it or to receive.
func restarts(p *code.Pass, n ast.Node, at locks.Path) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.GoStmt:
			found = found || p.Mentions(n, at.Root)
			return false
		case *ast.CallExpr:
			if recv, ok := p.Method(n, "time", "Timer", "Stop"); ok {
				if here, ok := locks.PlaceOf(p, recv); ok && here == at {
					return false
				}
			}
			if at.Path != "" { // a method may do it
				found = found || p.MentionedIn(n.Args, at.Root) || receives(p, n, at)
			}
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				return false
			}
		case *ast.Ident:
			found = found || at.Path == "" && p.TypesInfo.ObjectOf(n) == types.Object(at.Root)
		case *ast.SelectorExpr:
			here, ok := locks.PlaceOf(p, n)
			found = found || ok && here == at
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				here, ok := locks.PlaceOf(p, l)
				found = found || ok && here.Root == at.Root && len(here.Path) <= len(at.Path)
			}
		}
		return !found
	})
	return found
}

// receives reports whether call is of a method of what holds the timer.
func receives(p *code.Pass, call *ast.CallExpr, at locks.Path) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	here, ok := locks.PlaceOf(p, sel.X)
	return ok && here.Root == at.Root && len(here.Path) < len(at.Path)
}
