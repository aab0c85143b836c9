package stalewatcher

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
)

// wait is a statement of a watcher that waits.
type wait struct {
	recv  *ast.ExprStmt   // a plain receive, or
	sel   *ast.SelectStmt // a select
	chans []ast.Expr
	// leaves is set if a new case must return: control would come back to the select.
	leaves bool
}

// runs returns what the goroutine runs: a literal, a local variable that holds one, or a
// declared function of the package; nil if that is not known.
func (w *watcher) runs() *code.Func {
	fun := ast.Unparen(w.call.Fun)
	if _, isLit := fun.(*ast.FuncLit); isLit {
		at, ok := w.start.FindNode(fun)
		if !ok {
			return nil
		}
		return w.p.FuncOf(at)
	}
	if v := w.p.VarOf(fun); v != nil {
		if !frozen.Fixed(w.p, v) {
			return nil
		}
		return w.p.LiteralOf(v)
	}
	fn := w.p.Callee(w.call)
	if fn == nil {
		return nil
	}
	return w.p.Declaration(fn)
}

// onlyWatches reports whether the goroutine does nothing but to wait, to call the cancel
// function and to return, and notes its waits.
func (w *watcher) onlyWatches() bool {
	calls := false
	return w.list(w.body.Body.List, false, &calls) && calls && len(w.waits) > 0
}

// list goes through statements of the goroutine, which stand in an endless loop if again
// is set; false if one of them does anything else.
func (w *watcher) list(stmts []ast.Stmt, again bool, calls *bool) bool {
	for _, s := range stmts {
		switch s := s.(type) {
		case *ast.EmptyStmt:
		case *ast.ReturnStmt:
			if len(s.Results) > 0 {
				return false
			}
		case *ast.DeferStmt:
			if !w.cancels(s.Call) {
				return false
			}
			*calls = true
		case *ast.ExprStmt:
			if ch := received(s); ch != nil {
				w.waits = append(w.waits, wait{recv: s, chans: []ast.Expr{ch}})
				continue
			}
			call, ok := ast.Unparen(s.X).(*ast.CallExpr)
			if !ok || !w.cancels(call) {
				return false
			}
			w.caused = w.caused || len(call.Args) > 0 && !w.p.IsNil(call.Args[0])
			*calls = true
		case *ast.SelectStmt:
			if !w.choice(s, again, calls) {
				return false
			}
		case *ast.ForStmt:
			if again || s.Init != nil || s.Cond != nil || s.Post != nil || !w.list(s.Body.List, true, calls) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// choice is list for a select: each of its cases receives, and in a loop each leaves it.
func (w *watcher) choice(s *ast.SelectStmt, again bool, calls *bool) bool {
	at := wait{sel: s, leaves: again}
	for _, c := range s.Body.List {
		clause := c.(*ast.CommClause)
		ch := received(clause.Comm)
		body := clause.Body
		if ch == nil {
			return false // it sends, keeps what it receives, or does not wait
		}
		if n := len(body); n > 0 {
			if br, ok := body[n-1].(*ast.BranchStmt); ok && br.Tok == token.BREAK && br.Label == nil && !again {
				body = body[:n-1]
			}
		}
		if again {
			if n := len(body); n == 0 {
				return false
			} else if _, ok := body[n-1].(*ast.ReturnStmt); !ok {
				return false
			}
		}
		waits := len(w.waits)
		if !w.list(body, again, calls) || len(w.waits) > waits {
			return false
		}
		at.chans = append(at.chans, ch)
	}
	w.waits = append(w.waits, at)
	return len(at.chans) > 0
}

// received returns the channel that s receives from, if it drops what it receives.
func received(s ast.Stmt) ast.Expr {
	var x ast.Expr
	switch s := s.(type) {
	case *ast.ExprStmt:
		x = s.X
	case *ast.AssignStmt:
		if len(s.Rhs) != 1 || slices.ContainsFunc(s.Lhs, func(l ast.Expr) bool { return !code.IsBlank(l) }) {
			return nil
		}
		x = s.Rhs[0]
	}
	if recv, ok := ast.Unparen(x).(*ast.UnaryExpr); ok && recv.Op == token.ARROW {
		return recv.X
	}
	return nil
}

// cancels reports whether a call of the goroutine is one of the cancel function, and
// evaluates nothing that could be seen from outside.
func (w *watcher) cancels(call *ast.CallExpr) bool {
	return w.outer(w.p.VarOf(call.Fun)) == w.cancel && !slices.ContainsFunc(call.Args, w.effect)
}

// effect reports whether to evaluate e may do more than to read.
func (w *watcher) effect(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.FuncLit:
			found = true
		case *ast.CallExpr:
			_, isErr := w.p.Method(n, "context", "Context", "Err")
			switch w.p.FullName(n) {
			case "context.Cause", "errors.New", "fmt.Errorf":
				isErr = true
			}
			found = found || !isErr
		}
		return !found
	})
	return found
}

// outer returns the variable of the function that a parameter of the goroutine is given;
// v itself if it is none.
func (w *watcher) outer(v *types.Var) *types.Var {
	if arg := w.argument(v); arg != nil {
		return w.p.VarOf(arg)
	}
	return v
}

// argument returns what the go statement passes for v; nil if v is no parameter of the
// goroutine.
func (w *watcher) argument(v *types.Var) ast.Expr {
	if v == nil {
		return nil
	}
	for i, id := range code.Params(w.body) {
		if id != nil && w.p.TypesInfo.Defs[id] == types.Object(v) && frozen.Fixed(w.p, v) {
			return code.Argument(w.call, w.body, i)
		}
	}
	return nil
}
