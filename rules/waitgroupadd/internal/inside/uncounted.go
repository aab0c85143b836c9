// Package inside is about an Add in the goroutine that it counts: whether a Wait can miss
// it, and whether it may stand before the go statement.
package inside

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/locks"
	"github.com/goroutinefix/goroutinefix/rewrite/panics"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// Uncounted reports whether op, an Add in the literal, counts the goroutine
// itself while somebody else may already wait.
func Uncounted(g *waitgroup.Goroutine, op waitgroup.Op) bool {
	if g.Within(op.Key.Root) {
		return false // a group of its own
	}
	dones, children, others := 0, 0, 0
	for _, o := range g.Ops() {
		if o.Key != op.Key {
			continue
		}
		inside := g.Lit.Contains(o.At)
		switch {
		case inside && o.Name == "Wait":
			return false // waits for its own children
		case inside && o.Name == "Done" && o.GoroutineFunc != g.Lit:
			children++
		case inside && o.Name == "Done":
			dones++
		case !inside && o.Name == "Add":
			others++
		}
	}
	_, _, direct := g.Direct(op)
	if children > 0 && (dones > 0 || others > 0 || !g.Local(op.Key) || !direct) {
		return false // counts goroutines that it starts, under a count of its own
	}
	if !direct && others > 0 {
		return false // counts something else, such as items of work
	}
	if g.PassedOn(op.Key) {
		return false // somebody else may be the one that is counted
	}
	if dones+children == 0 && (g.Used(op.Key) || frozen.Sign(g.Pass, op.Call.Args[0], 3) == 0) {
		return false // a method may call Done; a number that is not known may be below zero
	}
	if countedBefore(g, op.Key) || !g.Groups.Waited(op) || waitedBefore(g, op.Key) || locks.GuardedByLock(g.Pass, g.Body, op.Call) {
		return false
	}
	return !handshake(g, op.Key)
}

// Guarded returns the if statement of the goroutine in whose body op, an Add,
// is a statement, if the function around the goroutine can ask for its
// condition as well and nothing that matters happens before.
func Guarded(g *waitgroup.Goroutine, op waitgroup.Op) (ifs *ast.IfStmt, add ast.Stmt, ok bool) {
	stmt := op.At.Parent()
	list, at, ok := code.StmtList(stmt)
	if !ok || !DoneInside(g, op) {
		return nil, nil, false
	}
	ifs, ok = stmt.Parent().Parent().Node().(*ast.IfStmt)
	if !ok || ifs.Init != nil || ifs.Body != stmt.Parent().Node() || !asksOutside(g, ifs.Cond) {
		return nil, nil, false
	}
	i := slices.Index(g.Body.Body.List, ast.Stmt(ifs))
	before := append(slices.Clone(list[:at]), g.Body.Body.List[:max(i, 0)]...)
	if i < 0 || slices.ContainsFunc(before, func(s ast.Stmt) bool { return !Harmless(g, s, op.Key) }) {
		return nil, nil, false
	}
	if _, _, ok := code.StmtList(g.Stmt); !ok {
		return nil, nil, false
	}
	for _, e := range []ast.Expr{op.Recv, op.Call.Args[0]} {
		if root, _, ok := Outside(g, e); !ok || root != nil {
			return nil, nil, false
		}
	}
	return ifs, list[at], true
}

// asksOutside reports whether a condition of the literal asks for constants and
// variables of the function around it that do not change.
func asksOutside(g *waitgroup.Goroutine, cond ast.Expr) bool {
	switch x := ast.Unparen(cond).(type) {
	case *ast.UnaryExpr:
		return x.Op == token.NOT && asksOutside(g, x.X)
	case *ast.BinaryExpr:
		return asksOutside(g, x.X) && asksOutside(g, x.Y)
	}
	if g.Pass.IsNil(cond) {
		return true
	}
	root, _, ok := Outside(g, cond)
	return ok && root == nil
}

// settled reports whether the declaration gives the fields that e reads no other
// value from the go statement on, nor in another iteration of a loop around it.
func settled(g *waitgroup.Goroutine, e ast.Expr) bool {
	start := g.Stmt.Node().Pos()
	for loop := range g.Stmt.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil)) {
		start = loop.Node().Pos()
	}
	read := map[*types.Var]bool{}
	ast.Inspect(e, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			read[g.Pass.FieldOf(sel)] = true
		}
		return true
	})
	for c := range g.Decl.Preorder((*ast.AssignStmt)(nil), (*ast.IncDecStmt)(nil)) {
		var lhs []ast.Expr
		switch n := c.Node().(type) {
		case *ast.AssignStmt:
			lhs = n.Lhs
		case *ast.IncDecStmt:
			lhs = []ast.Expr{n.X}
		}
		for _, l := range lhs {
			if f := g.Pass.FieldOf(l); f != nil && read[f] && l.Pos() > start {
				return false
			}
		}
	}
	return true
}

// ArgsMayWait reports whether evaluating the arguments of the go statement may
// take long, for all one knows until the count of the goroutine is zero.
func ArgsMayWait(g *waitgroup.Goroutine) bool {
	return mayWait(g.Pass, g.Stmt.Node().(*ast.GoStmt).Call, true)
}

// ArgsMayPanic reports whether evaluating the arguments of the go statement may
// panic where that could be noticed: an Add before it then stays without
// its Done, and whoever waits for the group waits for ever. That is nobody if
// the group is a variable of the function that the panic leaves, and only that
// function itself waits for it, not in a deferred call: one around it may recover.
func ArgsMayPanic(g *waitgroup.Goroutine, key code.Path) bool {
	// Without what the group is reached from, the Add itself panics.
	if call := g.Stmt.Node().(*ast.GoStmt).Call; !panics.MayPanic(g.Pass, call, key.Root) {
		return false
	}
	if v, _ := key.Root.(*types.Var); !g.Local(key) || !g.Pass.DeclaredIn(v, g.Parent) {
		return true
	}
	harmless := map[ast.Node]bool{}
	for _, o := range g.Ops() {
		if o.Key == key && (o.Name != "Wait" || g.Pass.EnclosingFunc(o.At).Cursor == g.Parent.Cursor && !code.InDefer(o.At)) {
			harmless[ast.Unparen(o.Recv)] = true
		}
	}
	return slices.ContainsFunc(g.Pass.Uses(g.Decl, key.Root), func(use inspector.Cursor) bool {
		return !harmless[use.Node()] && use.Node().Pos() != key.Root.Pos()
	})
}

// mayWait reports whether n receives, or calls something that is not known to be
// quick. At the top, n itself is a call that is not made yet, and the functions
// of the package are looked into.
func mayWait(p *code.Pass, n ast.Node, top bool) (may bool) {
	ast.Inspect(n, func(c ast.Node) bool {
		switch c := c.(type) {
		case *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			may = may || c.Op == token.ARROW
		case *ast.SendStmt, *ast.SelectStmt, *ast.GoStmt, *ast.DeferStmt, *ast.ForStmt, *ast.RangeStmt:
			may = true
		case *ast.CallExpr:
			if top && c == n || waits.Quick(p, c) {
				break
			}
			body := p.Declaration(p.Callee(c))
			may = may || !top || body == nil || mayWait(p, body.Body, false)
		}
		return !may
	})
	return may
}

// DoneInside reports whether the literal counts the group of op down.
func DoneInside(g *waitgroup.Goroutine, op waitgroup.Op) bool {
	return slices.ContainsFunc(g.Ops(), func(o waitgroup.Op) bool {
		return o.Name == "Done" && o.Key == op.Key && g.Lit.Contains(o.At)
	})
}

// AddAfter returns the Add directly after the go statement, if it counts the
// goroutine: it is then the statement with index i+1 of list.
func AddAfter(g *waitgroup.Goroutine) (add waitgroup.Op, list []ast.Stmt, i int, ok bool) {
	at := g.Stmt
	if Labelled(g) {
		at = at.Parent()
	}
	list, i, ok = code.StmtList(at)
	if !ok || i+1 >= len(list) {
		return add, nil, 0, false
	}
	add, ok = g.OpOf(list[i+1])
	if !ok || add.Name != "Add" || !waitgroup.IsOne(g.Pass, add) || !counts(g, g.Stmt.Node().(*ast.GoStmt), add.Key) || !g.Groups.Waited(add) {
		return add, nil, 0, false
	}
	if g.Lit.Valid() && gated(g) {
		return add, nil, 0, false // held back until the Add has happened, as far as one can tell
	}
	// Every Add pays for one goroutine; is one left over for this one?
	count := 0
	for _, s := range list[:i] {
		if op, ok := g.OpOf(s); ok && op.Name == "Add" && op.Key == add.Key {
			if !waitgroup.IsOne(g.Pass, op) {
				return add, nil, 0, false
			}
			count++
		} else if counts(g, s, add.Key) {
			count--
		}
	}
	if count > 0 {
		return add, nil, 0, false
	}
	for _, o := range g.Ops() { // an Add elsewhere may have paid for all
		inList := slices.ContainsFunc(list, func(s ast.Stmt) bool { return s.Pos() <= o.Call.Pos() && o.Call.End() <= s.End() })
		if o.Name == "Add" && o.Key == add.Key && (!inList && o.At.Node().Pos() < g.Stmt.Node().Pos() || g.Stmt.Contains(o.At)) {
			return add, nil, 0, false
		}
	}
	if i+2 < len(list) && counts(g, list[i+2], add.Key) {
		return add, nil, 0, false // the Add pays for the next one
	}
	return add, list, i, true
}

// Labelled reports whether the go statement carries a label.
func Labelled(g *waitgroup.Goroutine) bool {
	_, ok := g.Stmt.Parent().Node().(*ast.LabeledStmt)
	return ok
}

// counts reports whether s starts a goroutine that calls Done on the group.
func counts(g *waitgroup.Goroutine, s ast.Stmt, key code.Path) bool {
	gs, ok := s.(*ast.GoStmt)
	if !ok {
		return false
	}
	for _, o := range g.Ops() {
		if o.Name == "Done" && o.Key == key && gs.Pos() <= o.Call.Pos() && o.Call.End() <= gs.End() {
			return true
		}
	}
	for _, use := range waitgroup.Effects(g.Pass, gs.Call) {
		if use.Key == key && (use.Dones > 0 || use.Exhaustive) {
			return use.Dones > 0
		}
	}
	for _, arg := range gs.Call.Args {
		if amp, ok := ast.Unparen(arg).(*ast.UnaryExpr); ok && amp.Op == token.AND {
			if k, ok := waitgroup.Key(g.Pass, arg); ok && k == key {
				return true
			}
		}
	}
	return false
}

// gated reports whether the goroutine begins by waiting for a channel or a lock:
// what it counts down is then a job that it gets, and not itself.
func gated(g *waitgroup.Goroutine) bool {
	for _, s := range g.Body.Body.List[:min(2, len(g.Body.Body.List))] {
		gate := false
		ast.Inspect(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit, *ast.DeferStmt:
				return false
			case *ast.UnaryExpr:
				gate = gate || n.Op == token.ARROW
			case *ast.RangeStmt:
				gate = gate || typeis.Chan(g.Pass.TypesInfo.TypeOf(n.X))
			case *ast.CallExpr:
				if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
					gate = gate || sel.Sel.Name == "Lock" || sel.Sel.Name == "RLock" || sel.Sel.Name == "Wait"
				}
			}
			return !gate
		})
		if gate {
			return true
		}
	}
	return false
}
