package inside

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// UnblockedAfterWait reports whether the goroutine blocks on a channel that
// the parent serves only after its Wait.
func UnblockedAfterWait(g *waitgroup.Goroutine, key code.Path) bool {
	var wait inspector.Cursor
	for _, o := range g.Ops() {
		if o.Name == "Wait" && o.Key == key && !g.Lit.Contains(o.At) && o.GoroutineFunc == g.Pass.GoroutineFunc(g.Stmt) {
			wait = o.At
		}
	}
	if !wait.Valid() && stoppedBeforeWait(g, key) {
		return false
	}
	if g.MayNotEnd() {
		return true
	}
	if !wait.Valid() {
		// Whether it ends before the Wait is decided elsewhere.
		return handsOnContext(g) || callsWaiter(g, false)
	}
	if sharesLock(g, wait) || releasedAfter(g, wait) && callsUnknown(g) || callsWaiter(g, true) {
		return true
	}
	for ch := range channels(g) {
		if unserved(g, ch, wait) {
			return true
		}
		for _, u := range channel.Uses(g.Pass, g.Decl, ch) {
			served := u.Kind == channel.Recv || u.Kind == channel.Range || u.Kind == channel.Send || u.Kind == channel.Close
			if served && runsAfter(u.At, wait) && !g.Lit.Contains(u.At) {
				return true
			}
		}
	}
	return false
}

// stoppedBeforeWait reports whether the goroutine receives from a channel in a
// field that whoever waits for the group closes first, as in
//
//	close(s.quit)
//	s.wg.Wait()
func stoppedBeforeWait(g *waitgroup.Goroutine, key code.Path) bool {
	var group *types.Var
	for _, o := range g.Ops() {
		if o.Key == key && group == nil {
			group = g.Pass.FieldOf(o.Recv)
		}
	}
	if group == nil {
		return false
	}
	received := map[*types.Var]bool{}
	for c := range g.Lit.Preorder((*ast.UnaryExpr)(nil), (*ast.RangeStmt)(nil)) {
		switch n := c.Node().(type) {
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				received[g.Pass.FieldOf(n.X)] = true
			}
		case *ast.RangeStmt:
			received[g.Pass.FieldOf(n.X)] = true
		}
	}
	waits := 0
	for _, w := range waitgroup.OpsOn(g.Pass, group) {
		if w.Name != "Wait" {
			continue
		}
		waits++
		closed := false
		for c := range w.GoroutineFunc.Preorder((*ast.CallExpr)(nil)) {
			call := c.Node().(*ast.CallExpr)
			if g.Pass.IsBuiltin(call, "close") && !runsAfter(c, w.At) {
				if f := g.Pass.FieldOf(call.Args[0]); f != nil && received[f] {
					closed = true
				}
			}
		}
		if !closed {
			return false
		}
	}
	return waits > 0
}

// unserved reports whether the goroutine receives from a channel on which
// nothing in the declaration sends, and which nothing closes, before the Wait:
// who does is not known, such as signal.Notify.
func unserved(g *waitgroup.Goroutine, ch types.Object, wait inspector.Cursor) bool {
	receives, served := false, false
	for _, u := range channel.Uses(g.Pass, g.Decl, ch) {
		switch u.Kind {
		case channel.Recv, channel.Range:
			receives = receives || g.Lit.Contains(u.At)
		case channel.Send, channel.Close:
			served = served || !runsAfter(u.At, wait)
		}
	}
	v, ok := ch.(*types.Var)
	return receives && !served && ok && v.Kind() == types.LocalVar
}

// handsOnContext reports whether the goroutine passes a context to a function,
// which may wait for it to end.
func handsOnContext(g *waitgroup.Goroutine) bool {
	for c := range g.Lit.Preorder((*ast.CallExpr)(nil)) {
		for _, arg := range c.Node().(*ast.CallExpr).Args {
			if typeis.Named(g.Pass.TypesInfo.TypeOf(arg), "context", "Context") {
				return true
			}
		}
	}
	return false
}

// runsAfter reports whether c, in the same function, runs after the call at
// wait: it stands after it, or it is deferred and its turn comes later.
func runsAfter(c, wait inspector.Cursor) bool {
	after := c.Node().Pos() > wait.Node().Pos()
	switch {
	case code.InDefer(wait):
		return code.InDefer(c) && !after
	case code.InDefer(c):
		return true
	}
	return after
}

// releasedAfter reports whether the function around the goroutine does
// something after its Wait, or deferred, that could let the goroutine go on.
func releasedAfter(g *waitgroup.Goroutine, wait inspector.Cursor) bool {
	locked := false // before the Wait, and so perhaps during it
	shared := sharedVars(g)
	for c := range g.Parent.Cursor.Preorder((*ast.CallExpr)(nil), (*ast.UnaryExpr)(nil), (*ast.SendStmt)(nil), (*ast.RangeStmt)(nil)) {
		if g.Lit.Contains(c) {
			continue
		}
		if !runsAfter(c, wait) {
			if call, ok := c.Node().(*ast.CallExpr); ok {
				sel, isSel := ast.Unparen(call.Fun).(*ast.SelectorExpr)
				locked = locked || isSel && (sel.Sel.Name == "Lock" || sel.Sel.Name == "RLock")
			}
			continue
		}
		switch n := c.Node().(type) {
		case *ast.SendStmt:
			return true
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				return true
			}
		case *ast.RangeStmt:
			if _, ok := g.Pass.TypesInfo.TypeOf(n.X).Underlying().(*types.Chan); ok {
				return true
			}
		case *ast.CallExpr:
			name := code.CalledAs(n)
			name, _, _ = strings.Cut(name, "Int") // StoreInt32
			if knowledge.Releases[name] && (locked || !strings.HasSuffix(name, "Unlock")) {
				return true
			}
			if !waits.Quick(g.Pass, n) && mentions(g, n, shared) {
				return true // a helper may do any of these
			}
		}
	}
	return false
}

// sharedVars returns the variables of the declaration around the goroutine that it
// uses, too, and by which one side may reach what the other waits for.
func sharedVars(g *waitgroup.Goroutine) map[*types.Var]bool {
	vars := map[*types.Var]bool{}
	for c := range g.Lit.Preorder((*ast.Ident)(nil)) {
		v := g.Pass.VarOf(c.Node().(*ast.Ident))
		if v != nil && !v.IsField() && !g.Within(v) && !typeis.DataOnly(v.Type()) && !typeis.Named(v.Type(), "sync", "WaitGroup") {
			vars[v] = true
		}
	}
	return vars
}

func mentions(g *waitgroup.Goroutine, n ast.Node, vars map[*types.Var]bool) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && vars[g.Pass.VarOf(id)] {
			found = true
		}
		return !found
	})
	return found
}

// callsUnknown reports whether the goroutine calls anything that may wait for
// the function around it.
func callsUnknown(g *waitgroup.Goroutine) bool {
	own := map[*ast.CallExpr]bool{}
	for _, o := range waitgroup.Ops(g.Pass, g.Lit) {
		own[o.Call] = true
	}
	for c := range g.Lit.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if _, isLit := ast.Unparen(call.Fun).(*ast.FuncLit); !own[call] && !isLit && !waits.Quick(g.Pass, call) {
			return true
		}
	}
	return false
}

// sharesLock reports whether the goroutine takes a lock that the function
// around it takes, too, and may hold while it waits.
func sharesLock(g *waitgroup.Goroutine, wait inspector.Cursor) bool {
	inside := locksIn(g.Pass, g.Lit, nil) // first, because most goroutines take none
	if len(inside) == 0 {
		return false
	}
	outside := locksIn(g.Pass, g.Parent.Cursor, func(c inspector.Cursor) bool { return g.Lit.Contains(c) || runsAfter(c, wait) })
	for key := range inside {
		if outside[key] {
			return true
		}
	}
	return false
}

// locksIn returns the locks that are taken below root, but for calls that skip holds for.
func locksIn(p *code.Pass, root inspector.Cursor, skip func(inspector.Cursor) bool) map[code.Path]bool {
	locked := map[code.Path]bool{}
	for c := range root.Preorder((*ast.CallExpr)(nil)) {
		for _, typ := range []string{"Mutex", "RWMutex"} {
			recv, ok := p.Method(c.Node().(*ast.CallExpr), "sync", typ, "Lock")
			if !ok {
				continue
			}
			if key, ok := waitgroup.Key(p, recv); ok && (skip == nil || !skip(c)) {
				locked[key] = true
			}
		}
	}
	return locked
}

// Harmless reports whether s, before the Add, neither branches nor
// blocks nor touches the group, so that the Add can pass it.
func Harmless(g *waitgroup.Goroutine, s ast.Stmt, key code.Path) bool {
	if d, ok := s.(*ast.DeferStmt); ok {
		for _, o := range g.Ops() {
			if o.Call == d.Call && o.Key == key && o.Name == "Done" {
				return true
			}
		}
		return false
	}
	switch s.(type) {
	case *ast.AssignStmt, *ast.DeclStmt, *ast.IncDecStmt, *ast.ExprStmt, *ast.EmptyStmt:
	default:
		return false
	}
	ok := true
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			ok = ok && n.Op != token.ARROW
		case *ast.CallExpr:
			ok = ok && waits.Quick(g.Pass, n)
		}
		return ok
	})
	return ok
}

// Outside says how e reads before the go statement: as it is, or with
// root, a parameter of the literal, replaced by arg, what is passed for it.
// ok is false if its value there may be another.
func Outside(g *waitgroup.Goroutine, e ast.Expr) (root *ast.Ident, arg ast.Expr, ok bool) {
	if ok = settled(g, e); !ok {
		return nil, nil, false
	}
	ast.Inspect(e, func(n ast.Node) bool {
		id, isIdent := n.(*ast.Ident)
		if !isIdent {
			return ok
		}
		v := g.Pass.VarOf(id)
		if v == nil || v.IsField() || !g.Within(v) {
			return ok
		}
		arg = g.Pass.LitArgument(g.Lit, v)
		if root != nil || arg == nil || !frozen.Stable(g.Pass, arg, g.Parent) || !frozen.Stable(g.Pass, id, g.Body) {
			ok = false
			return false
		}
		if amp, isAmp := ast.Unparen(arg).(*ast.UnaryExpr); isAmp && amp.Op == token.AND {
			arg = amp.X
		}
		root = id
		return true
	})
	if !ok || root != nil {
		return root, arg, ok
	}
	// A WaitGroup in a package variable is always the same one.
	if v := g.Pass.VarOf(e); v != nil && typeis.Named(v.Type(), "sync", "WaitGroup") {
		if _, isPtr := v.Type().(*types.Pointer); !isPtr {
			return nil, nil, true
		}
	}
	return nil, nil, frozen.Stable(g.Pass, e, g.Parent)
}
