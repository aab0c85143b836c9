package lockedwait

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/locks"
)

// signals returns the statements by which a goroutine gives a signal that whoever
// starts it waits for, on every path, before it returns or waits for anything else
// under the mutex: a send, a close, a Done, the end of a context. What the goroutine has locked before is
// over by the time that anybody else comes to it.
func (n *needing) signals(fn *code.Func) map[ast.Node]bool {
	p := n.t.p
	out := map[ast.Node]bool{}
	starts := startsOf(p, fn)
	if len(starts) == 0 {
		return out
	}
	for c := range fn.Cursor.Preorder((*ast.SendStmt)(nil), (*ast.ExprStmt)(nil)) {
		node := code.FlowNode(c, fn)
		if node != c.Node() || p.GoroutineFunc(c) != fn.Cursor {
			continue
		}
		var e ast.Expr
		switch s := c.Node().(type) {
		case *ast.SendStmt:
			if sel, _ := channel.InSelect(c); sel == nil {
				e = s.Chan
			}
		case *ast.ExprStmt:
			call, ok := ast.Unparen(s.X).(*ast.CallExpr)
			if !ok {
				continue
			}
			if p.IsBuiltin(call, "close") {
				e = call.Args[0]
			} else if cancel, ends := ctxcancel.Cancels(p, call); ends {
				e = cancel
			} else if recv, isDone := p.Method(call, "sync", "WaitGroup", "Done"); isDone {
				e = recv
			}
		}
		if e == nil {
			continue
		}
		heard := true
		for _, start := range starts {
			heard = heard && n.waitsForSignal(start, fn, e)
		}
		if heard {
			out[node] = true
		}
	}
	return out
}

// startsOf lists the go statements that run fn; nil if it may run otherwise.
func startsOf(p *code.Pass, fn *code.Func) (out []inspector.Cursor) {
	switch d := fn.Cursor.Node().(type) {
	case *ast.FuncLit:
		if launch.Started(fn.Cursor) {
			out = append(out, code.Unparen(fn.Cursor).Parent().Parent())
		}
	case *ast.FuncDecl:
		obj, ok := p.TypesInfo.Defs[d.Name].(*types.Func)
		if !ok {
			return nil
		}
		calls, known := callers.CallSites(p, obj)
		for _, c := range calls {
			if _, isGo := c.Parent().Node().(*ast.GoStmt); !isGo || !known {
				return nil
			}
			out = append(out, c.Parent())
		}
	}
	return out
}

// waitsForSignal reports whether the function that starts fn certainly waits for the signal
// that fn gives by e.
func (n *needing) waitsForSignal(start inspector.Cursor, fn *code.Func, e ast.Expr) bool {
	p := n.t.p
	caller := p.FuncOf(p.GoroutineFunc(start))
	call := start.Node().(*ast.GoStmt).Call
	word, ok := locks.PlaceOf(p, e)
	if caller == nil || !ok {
		return false
	}
	if paramOf(p, fn, word.Root) {
		if word, ok = outOf(p, word, call, fn); !ok {
			return false
		}
	}
	cancel := p.LastVar(e) // if it is one
	if word.Path == "" {
		cancel = word.Root
	}
	heard := func(at ast.Node) (found bool) {
		ast.Inspect(at, func(x ast.Node) bool {
			var on ast.Expr
			switch x := x.(type) {
			case *ast.FuncLit, *ast.GoStmt, *ast.DeferStmt:
				return false
			case *ast.UnaryExpr:
				if x.Op == token.ARROW {
					on = x.X
				}
			case *ast.CallExpr:
				if recv, isWait := p.Method(x, "sync", "WaitGroup", "Wait"); isWait {
					on = recv
				}
			}
			if on != nil {
				here, isPlace := locks.PlaceOf(p, on)
				found = found || isPlace && here == word
				if ctx, isDone := ctxcancel.DoneCall(p, on); isDone {
					at, known := locks.PlaceOf(p, ctx)
					found = found || known && (word.Path == "" || at.Root == word.Root) && ctxcancel.EndsBy(p, ctx, cancel)
				}
			}
			return !found
		})
		return found
	}
	wait := code.FlowNode(n.wait, caller)
	missed := false
	flow.Paths[struct{}]{
		Node: func(at ast.Node, s struct{}) (struct{}, bool) {
			if heard(at) {
				return s, false
			}
			missed = missed || at == wait
			return s, !missed
		},
		Exit: func(*flow.Block, struct{}) { missed = true },
	}.After(caller.Flow, start.Node(), struct{}{})
	return !missed
}

// paramOf reports whether v is the receiver or a parameter of fn.
func paramOf(p *code.Pass, fn *code.Func, v *types.Var) bool {
	for _, id := range code.Params(fn) {
		if id != nil && v != nil && p.TypesInfo.Defs[id] == types.Object(v) {
			return true
		}
	}
	return false
}
