package rules

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/match"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Goroutines that a WaitGroup does not count in time, or for ever.
//
// # What it does
//
// It reports Add called inside the goroutine that it counts or right behind the
// go statement, Done that an early return skips, and a WaitGroup that is passed
// to the goroutine by value.
//
// # Why it leaks
//
// Wait returns when the counter is zero, and it is zero until the goroutine has
// come to its Add: the function goes on without the goroutine, or Done comes
// before Add and panics. A Done that is skipped, or that counts down a copy,
// leaves Wait blocked for ever.
//
// # Example
//
//	+wg.Add(1)
//	 go func() {
//	-	wg.Add(1)
//	 	defer wg.Done()
//	 	work()
//	 }()
//	 wg.Wait()
//
// # What is not reported
//
// An Add in a goroutine that runs under a count of its own and adds for its
// children. A group that is declared and waited for inside the goroutine. A
// goroutine from which the function hears over a channel before it waits. A
// group that nobody in the package waits for.
//
// # Fix safety
//
// The Add moves directly in front of the go statement, in the same list of
// statements, so it runs exactly as often. It moves only from the top of the
// goroutine, past statements that neither branch nor block, and only if group
// and number are the same there. Where the goroutine waits for something that the
// function does after its Wait, the early Wait hid a deadlock: that fix is unsafe.
// A skipped Done becomes a deferred one if it is the last statement and there is no
// other deferred call; it then also runs when the goroutine panics, on the way to
// the crash of the program.
//
// # See also
//
// go vet's waitgroup and staticcheck's SA2000, which report an Add in a
// goroutine also where it is right.
var waitgroupadd = rule.Rule{Name: "waitgroupadd", Doc: doc("waitgroupadd"), Find: findWaitgroupadd}

func findWaitgroupadd(p *match.Pass) []rule.Match {
	var out []rule.Match
	groups := match.NewWaitGroups(p)
	for c := range p.Inspector.Root().Preorder((*ast.GoStmt)(nil)) {
		gr := groups.Goroutine(c)
		if gr == nil {
			continue
		}
		g := wgGo{p, gr}
		if g.Lit.Valid() {
			out = append(out, g.addInside()...)
			out = append(out, g.doneSkipped()...)
			out = append(out, g.byValue()...)
		}
		out = append(out, g.addBehind()...)
	}
	return out
}

// wgGo decides on one go statement.
type wgGo struct {
	p *match.Pass
	*match.Goroutine
}

// addInside is go func() { wg.Add(1) ... }().
func (g *wgGo) addInside() (out []rule.Match) {
	for _, op := range g.p.WaitGroupOps(g.Lit) {
		if op.Name == "Add" && op.Runner == g.Lit && g.uncounted(op) {
			out = append(out, g.hoist(op))
		}
	}
	return out
}

// uncounted reports whether op, an Add in the goroutine, counts the goroutine
// itself while somebody else may already wait.
func (g *wgGo) uncounted(op match.WGOp) bool {
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
		case inside && o.Name == "Done" && o.Runner != g.Lit:
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
	if dones+children == 0 && g.Used(op.Key) {
		return false // a method may call Done
	}
	if g.CountedBefore(op.Key) || !g.Groups.Waited(op) {
		return false
	}
	return !g.Handshake(op.Key)
}

// hoist offers to move the Add in front of the go statement.
func (g *wgGo) hoist(op match.WGOp) rule.Match {
	recv := types.ExprString(op.Recv)
	m := rule.Match{
		Pos: op.Call.Pos(), End: op.Call.End(),
		Message: recv + ".Add runs inside the goroutine it counts, so " + recv + ".Wait can return before it",
		Related: []rule.Related{{Pos: g.Stmt.Node().Pos(), End: g.Stmt.Node().Pos() + 2, Message: "the goroutine starts here"}},
	}
	list, at, ok := g.Direct(op)
	if !ok {
		return m.None("the Add does not run on every path of the goroutine, so moving it would change the count")
	}
	for _, s := range list[:at] {
		if !g.Harmless(s, op.Key) {
			return m.None("what stands before the Add may block, branch or end the goroutine")
		}
	}
	if !slices.ContainsFunc(g.Ops(), func(o match.WGOp) bool {
		return o.Name == "Done" && o.Key == op.Key && g.Lit.Contains(o.At)
	}) {
		return m.None("the goroutine never calls Done, so counting it in time would make the hang certain")
	}
	if _, _, ok := match.StmtList(g.Stmt); !ok {
		return m.None("the go statement carries a label")
	}
	recvRoot, recvNew, ok1 := g.Outside(op.Recv)
	argRoot, argNew, ok2 := g.Outside(op.Call.Args[0])
	if !ok1 || !ok2 {
		return m.None("the group or the number may be another one in front of the go statement")
	}
	add, gostmt := list[at], g.Stmt.Node().(*ast.GoStmt)
	fix := func(d *dstedit.Decl) error {
		for _, r := range []struct{ old, new ast.Expr }{{recvRoot, recvNew}, {argRoot, argNew}} {
			if r.new != nil {
				if err := d.Replace(r.old, d.Expr(r.new)); err != nil {
					return err
				}
			}
		}
		return d.MoveBefore(add, gostmt)
	}
	if g.UnblockedAfterWait(op.Key) {
		return m.Unsafe("Move "+recv+".Add in front of the go statement; the Wait then always comes before what the goroutine waits for", fix)
	}
	return m.Safe("Move "+recv+".Add in front of the go statement", fix)
}

// addBehind is go work(&wg); wg.Add(1).
func (g *wgGo) addBehind() []rule.Match {
	at := g.Stmt
	_, labelled := at.Parent().Node().(*ast.LabeledStmt)
	if labelled {
		at = at.Parent()
	}
	list, i, ok := match.StmtList(at)
	if !ok || i+1 >= len(list) {
		return nil
	}
	add, ok := g.OpOf(list[i+1])
	if !ok || add.Name != "Add" || !g.IsOne(add) || !g.Counts(g.Stmt.Node().(*ast.GoStmt), add.Key) || !g.Groups.Waited(add) {
		return nil
	}
	if g.Lit.Valid() && g.Gated() {
		return nil // held back until the Add has happened, as far as one can tell
	}
	// Every Add pays for one goroutine; is one left over for this one?
	count := 0
	for _, s := range list[:i] {
		if op, ok := g.OpOf(s); ok && op.Name == "Add" && op.Key == add.Key {
			if !g.IsOne(op) {
				return nil
			}
			count++
		} else if g.Counts(s, add.Key) {
			count--
		}
	}
	if count > 0 {
		return nil
	}
	for _, o := range g.Ops() { // an Add elsewhere may have paid for all
		inList := slices.ContainsFunc(list, func(s ast.Stmt) bool { return s.Pos() <= o.Call.Pos() && o.Call.End() <= s.End() })
		if o.Name == "Add" && o.Key == add.Key && (!inList && o.At.Node().Pos() < g.Stmt.Node().Pos() || g.Stmt.Contains(o.At)) {
			return nil
		}
	}
	if i+2 < len(list) && g.Counts(list[i+2], add.Key) {
		return nil // the Add pays for the next one
	}
	recv := types.ExprString(add.Recv)
	m := rule.Match{
		Pos: add.Call.Pos(), End: add.Call.End(),
		Message: recv + ".Add runs after the goroutine it counts has started, so Done may come first and panic",
		Related: []rule.Related{{Pos: g.Stmt.Node().Pos(), End: g.Stmt.Node().Pos() + 2, Message: "the goroutine starts here"}},
	}
	if labelled {
		return []rule.Match{m.None("the go statement carries a label")}
	}
	return []rule.Match{m.Safe("Move "+recv+".Add in front of the go statement", func(d *dstedit.Decl) error {
		return d.MoveBefore(list[i+1], list[i])
	})}
}

// doneSkipped is go func() { if x { return }; wg.Done() }().
func (g *wgGo) doneSkipped() []rule.Match {
	var done match.WGOp
	n := 0
	for _, o := range g.Ops() {
		if o.Name == "Done" && g.Lit.Contains(o.At) && !g.Within(o.Key.Root) {
			done = o
			n++
		}
	}
	if n != 1 || g.Used(done.Key) || g.Shared(done) || !g.Counted(done.Key) || !g.WaitedAlways(done.Key) {
		return nil
	}
	list := g.Body.Body.List
	if done.Runner != g.Lit || !g.Groups.Waited(done) {
		return nil
	}
	at := slices.IndexFunc(list, func(s ast.Stmt) bool {
		es, ok := s.(*ast.ExprStmt)
		return ok && ast.Unparen(es.X) == ast.Expr(done.Call)
	})
	if at < 0 || g.PassedOn(done.Key) {
		return nil
	}
	var skipped []rule.Related
	match.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) { return s, n != ast.Node(list[at]) },
		Exit: func(b *match.Block, _ struct{}) {
			skipped = append(skipped, rule.Related{Pos: b.End, End: b.End, Message: "returns here without it"})
		},
	}.FromEntry(g.Body.Flow, struct{}{})
	if len(skipped) == 0 {
		return nil
	}
	recv := types.ExprString(done.Recv)
	m := rule.Match{
		Pos: done.Call.Pos(), End: done.Call.End(), Category: "EarlyReturn",
		Message: recv + ".Done is skipped when the goroutine returns early, so " + recv + ".Wait blocks forever",
		Related: skipped[:1],
	}
	if at != len(list)-1 {
		return []rule.Match{m.None("a deferred Done would come after the statements that follow it now")}
	}
	for c := range g.Lit.Preorder((*ast.DeferStmt)(nil)) {
		if g.p.Runner(c) == g.Lit {
			return []rule.Match{m.None("the other deferred calls would then run before Done")}
		}
	}
	if at == 0 {
		return nil
	}
	return []rule.Match{m.Safe("Defer "+recv+".Done at the start of the goroutine", func(d *dstedit.Decl) error {
		if err := d.MoveBefore(list[at], list[0]); err != nil {
			return err
		}
		return d.ToDefer(list[at].(*ast.ExprStmt))
	})}
}

// byValue is go func(wg sync.WaitGroup) { wg.Done() }(wg).
func (g *wgGo) byValue() (out []rule.Match) {
	call := g.Stmt.Node().(*ast.GoStmt).Call
	ft := g.Lit.Node().(*ast.FuncLit).Type
	i := -1
	for _, field := range ft.Params.List {
		for _, name := range field.Names {
			i++
			v, _ := g.p.TypesInfo.Defs[name].(*types.Var)
			if v == nil || i >= len(call.Args) || !match.IsNamed(v.Type(), "sync", "WaitGroup") {
				continue
			}
			if _, isPtr := types.Unalias(v.Type()).(*types.Pointer); isPtr {
				continue
			}
			if g.ownGroup(v) {
				continue
			}
			switch ast.Unparen(call.Args[i]).(type) {
			case *ast.Ident, *ast.SelectorExpr, *ast.StarExpr: // a fresh value has nobody else to wait for it
				out = append(out, g.share(name, v, call, i, ft))
			}
		}
		if len(field.Names) == 0 {
			i++
		}
	}
	return out
}

// ownGroup reports whether the goroutine adds to its copy or waits for it.
func (g *wgGo) ownGroup(v *types.Var) bool {
	for c := range g.Lit.Preorder((*ast.SelectorExpr)(nil)) {
		sel := c.Node().(*ast.SelectorExpr)
		if g.p.VarOf(sel.X) == v && sel.Sel.Name != "Done" {
			return true
		}
	}
	return false
}

func (g *wgGo) share(name *ast.Ident, v *types.Var, call *ast.CallExpr, i int, ft *ast.FuncType) rule.Match {
	m := rule.Match{
		Pos: name.Pos(), End: name.End(),
		Message: name.Name + " is passed by value, so Done counts down a copy and Wait blocks forever",
		Related: []rule.Related{{Pos: call.Args[i].Pos(), End: call.Args[i].End(), Message: "copied here"}},
	}
	arg, ok := ast.Unparen(call.Args[i]).(*ast.Ident)
	if !ok {
		return m.None("the group is copied from an expression, not from a variable")
	}
	// The outer variable must mean itself inside of the literal.
	for c := range g.Lit.Preorder((*ast.Ident)(nil)) {
		id := c.Node().(*ast.Ident)
		o := g.p.TypesInfo.ObjectOf(id)
		if id.Name == arg.Name && o != types.Object(v) && o != g.p.TypesInfo.ObjectOf(arg) {
			return m.None("the name " + arg.Name + " means something else in the goroutine")
		}
	}
	if o, ok := g.p.TypesInfo.ObjectOf(arg).(*types.Var); !ok || !g.p.Stable(arg, g.Parent) {
		return m.None("the group " + arg.Name + " may be another one when the goroutine is done with it")
	} else if o.Parent() == g.p.Pkg.Scope() {
		return m.None("the group is a package variable")
	}
	uses := g.p.Uses(g.Lit, v)
	return m.Safe("Let the goroutine share "+arg.Name, func(d *dstedit.Decl) error {
		for _, u := range uses {
			if id := u.Node().(*ast.Ident); id != name && id.Name != arg.Name {
				if err := d.Rename(id, arg.Name); err != nil {
					return err
				}
			}
		}
		if err := d.RemoveParam(ft, name); err != nil {
			return err
		}
		return d.RemoveArg(call, i)
	})
}
