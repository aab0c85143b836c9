package match

import (
	"go/ast"
	"go/token"
	"go/types"
)

// callsWaiter reports whether the goroutine calls something that may wait for
// what another goroutine does. Functions of the package are looked into; what is
// not known may wait, and so may a function of the standard library that gets
// more than data, such as a reader or a lock.
func (g *Goroutine) callsWaiter() bool {
	own := map[*ast.CallExpr]bool{}
	for _, o := range g.p.WaitGroupOps(g.Lit) {
		own[o.Call] = true
	}
	w := waiterWalk{p: g.p, own: own, seen: map[*types.Func]bool{}}
	ast.Inspect(g.Lit.Node(), func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			w.call(call)
		}
		return !w.found && !w.apart(n)
	})
	return w.found
}

type waiterWalk struct {
	p     *Pass
	own   map[*ast.CallExpr]bool // operations on the group itself
	seen  map[*types.Func]bool
	found bool
}

// apart reports whether n runs in a goroutine of its own.
func (w *waiterWalk) apart(n ast.Node) bool {
	_, ok := n.(*ast.GoStmt)
	return ok
}

func (w *waiterWalk) call(call *ast.CallExpr) {
	if _, isLit := ast.Unparen(call.Fun).(*ast.FuncLit); isLit || w.own[call] || w.p.Quick(call) || w.p.isBuiltin(call) {
		return
	}
	fn := w.p.Callee(call)
	if fn == nil || fn.Pkg() == nil {
		w.found = true
		return
	}
	if body := w.p.Declaration(fn); body != nil {
		if !w.seen[fn] {
			w.seen[fn] = true
			w.body(body.Body)
		}
		return
	}
	w.found = w.found || !isStd(fn.Pkg().Path()) || !w.onlyData(call, fn)
}

// onlyData reports whether a function of the standard library gets nothing by
// which it could wait for another goroutine.
func (w *waiterWalk) onlyData(call *ast.CallExpr, fn *types.Func) bool {
	switch fn.FullName() {
	case "time.Sleep", "(*sync.Mutex).Unlock", "(*sync.RWMutex).Unlock", "(*sync.RWMutex).RUnlock":
		return true
	}
	if fn.Pkg().Path() == "sync" || w.p.Waits(call) {
		return false
	}
	if recv := fn.Signature().Recv(); recv != nil && !DataOnly(recv.Type()) {
		return false
	}
	for _, arg := range call.Args {
		if !DataOnly(w.p.TypesInfo.TypeOf(arg)) {
			return false
		}
	}
	return true
}

// body looks at a function that the goroutine calls.
func (w *waiterWalk) body(body *ast.BlockStmt) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SendStmt, *ast.SelectStmt:
			w.found = true
		case *ast.UnaryExpr:
			w.found = w.found || n.Op == token.ARROW
		case *ast.ForStmt:
			w.found = w.found || n.Cond == nil
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
