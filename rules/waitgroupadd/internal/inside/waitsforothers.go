package inside

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// callsWaiter reports whether the goroutine calls something that may wait for
// what another goroutine does, or asks again and again whether it has been done.
// Functions of the package are looked into; what is not known may wait, and so may
// a function of the standard library that gets more than data, such as a reader
// or a lock. local says that a mutex which the function around declares is not held
// while somebody waits for the goroutine.
func callsWaiter(g *waitgroup.Goroutine, local bool) bool {
	own := map[*ast.CallExpr]bool{}
	for _, o := range waitgroup.Ops(g.Pass, g.Lit) {
		own[o.Call] = true
	}
	w := waiterWalk{p: g.Pass, own: own, inside: local, seen: map[*types.Func]bool{}, at: g.Body.Body}
	ast.Inspect(g.Lit.Node(), func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ForStmt:
			w.found = w.found || polls(w.p, n)
		case *ast.CallExpr:
			if !local || !locksLocal(g, n) {
				w.call(n)
			}
		}
		return !w.found && !w.apart(n)
	})
	return w.found
}

// locksLocal reports whether call locks a mutex that is a variable of the
// function around the goroutine.
func locksLocal(g *waitgroup.Goroutine, call *ast.CallExpr) bool {
	fn := g.Pass.Callee(call)
	if fn == nil {
		return false
	}
	switch fn.FullName() {
	case "(*sync.Mutex).Lock", "(*sync.RWMutex).Lock", "(*sync.RWMutex).RLock":
		sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
		if !ok {
			return false
		}
		v := g.Pass.VarOf(sel.X)
		return v != nil && v.Kind() == types.LocalVar && g.Pass.DeclaredIn(v, g.Parent)
	}
	return false
}

// polls reports whether a loop may go on until another goroutine does something:
// it counts nothing, and loads what is atomic, or sleeps.
func polls(p *code.Pass, loop *ast.ForStmt) (found bool) {
	if loop.Post != nil {
		return false
	}
	ast.Inspect(loop, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return !found
		}
		if fn := p.Callee(call); fn != nil && fn.Pkg() != nil {
			atomic := fn.Pkg().Path() == "sync/atomic" && (strings.HasPrefix(fn.Name(), "Load") || strings.HasPrefix(fn.Name(), "CompareAndSwap"))
			found = found || atomic || fn.FullName() == "time.Sleep" || fn.FullName() == "runtime.Gosched"
		}
		return !found
	})
	return found
}

type waiterWalk struct {
	p   *code.Pass
	own map[*ast.CallExpr]bool // operations on the group itself
	// inside says that the function around waits for the group itself. What the
	// function does after the Wait is looked at then, so only a reader that comes from
	// elsewhere is a reason to doubt what the standard library does with it.
	inside bool
	at     ast.Node // body of the function that is looked at
	seen   map[*types.Func]bool
	found  bool
}

// apart reports whether n runs in a goroutine of its own.
func (w *waiterWalk) apart(n ast.Node) bool {
	_, ok := n.(*ast.GoStmt)
	return ok
}

func (w *waiterWalk) call(call *ast.CallExpr) {
	if _, isLit := ast.Unparen(call.Fun).(*ast.FuncLit); isLit || w.own[call] || waits.Quick(w.p, call) || w.p.CallsBuiltin(call) {
		return
	}
	fn := w.p.Callee(call)
	switch {
	case fn == nil:
		w.found = true
		return
	case fn.Pkg() == nil: // error.Error
		return
	}
	if body := w.p.Declaration(fn); body != nil {
		if !w.seen[fn] {
			w.seen[fn] = true
			w.body(body.Body)
		}
		return
	}
	w.found = w.found || !knowledge.Std(fn.Pkg().Path()) || !w.onlyData(call, fn)
}

// onlyData reports whether a function of the standard library gets nothing by
// which it could wait for another goroutine.
func (w *waiterWalk) onlyData(call *ast.CallExpr, fn *types.Func) bool {
	switch fn.FullName() {
	case "time.Sleep", "(*sync.Mutex).Unlock", "(*sync.RWMutex).Unlock", "(*sync.RWMutex).RUnlock":
		return true
	}
	if fn.Pkg().Path() == "sync" || waits.Waits(w.p, call) {
		return false
	}
	given := call.Args
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && fn.Signature().Recv() != nil {
		given = append([]ast.Expr{sel.X}, given...)
	}
	return !slices.ContainsFunc(given, func(e ast.Expr) bool { return !w.data(e) })
}

// data reports whether e is nothing by which a callee could wait for another goroutine.
func (w *waiterWalk) data(e ast.Expr) bool {
	t := w.p.TypesInfo.TypeOf(e)
	if t == nil || typeis.DataOnly(t) || !w.inside {
		return t != nil && typeis.DataOnly(t)
	}
	switch t.Underlying().(type) {
	case *types.Chan, *types.Signature:
		return false
	case *types.Interface:
	default:
		if !typeis.Named(t, "bufio", "Scanner") && !typeis.Named(t, "bufio", "Reader") && !typeis.Named(t, "bufio", "ReadWriter") {
			return true
		}
	}
	if typeis.Error(t) || typeis.Named(t, "context", "Context") {
		return true
	}
	v := w.p.VarOf(code.RootExpr(e))
	return v == nil || w.at.Pos() <= v.Pos() && v.Pos() < w.at.End()
}

// body looks at a function that the goroutine calls.
func (w *waiterWalk) body(body *ast.BlockStmt) {
	outer := w.at
	w.at = body
	defer func() { w.at = outer }()
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SendStmt, *ast.SelectStmt:
			w.found = true
		case *ast.UnaryExpr:
			w.found = w.found || n.Op == token.ARROW
		case *ast.ForStmt:
			w.found = w.found || n.Cond == nil || polls(w.p, n)
		case *ast.RangeStmt:
			switch w.p.TypesInfo.TypeOf(n.X).Underlying().(type) {
			case *types.Chan, *types.Signature:
				w.found = true
			}
		case *ast.CallExpr:
			w.call(n)
		}
		return !w.found && !w.apart(n)
	})
}
