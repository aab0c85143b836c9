// Goroutines that a WaitGroup does not count in time, or for ever.
//
// # What it does
//
// It reports Add called inside the goroutine that it counts or directly after the
// go statement, Done that an early return or a recovered panic skips, and a
// WaitGroup that is passed to the goroutine by value. The goroutine may be a
// function literal, or a function, a method or a function variable of the package.
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
// An Add in a goroutine that runs under a count of its own and adds for its children. A
// group that is declared and waited for inside the goroutine. A goroutine from which the
// function hears over a channel, by the end of a context or by another lock or flag,
// before it waits. An Add of a number below zero, which counts down, or of one that may
// be below zero in a goroutine without a Done. An Add under a lock, after a test that
// ends the goroutine if the Wait has begun. A group that nobody in the package waits for,
// or a local one for which each Wait comes before the goroutine starts.
//
// # Fix safety
//
// The Add moves directly before the go statement, in the same list of
// statements, so it runs exactly as often. It moves only from the top of the
// goroutine, past statements that neither branch nor block, and only if group
// and number are the same there.
//
// The fix is unsafe where the goroutine may wait for something that the function or
// its caller does after the Wait, because then the early Wait hid a deadlock. Such
// a wait is a receive, a lock that is no variable of the function, a loop that asks
// a flag again and again, a function value, a method of an interface, and any call
// that is not known. It is unsafe, too, where an argument of the go statement
// receives or calls something that may wait for the group, or may panic and leave
// the Add without its Done.
//
// A skipped Done becomes a deferred one if it is the last statement and there is no
// other deferred call. It then also runs when the goroutine panics, and Wait may
// return before the program has ended by that: with exit code 0, or with a result
// that was never computed. So the fix is safe only where nothing before the Done
// may panic: it neither divides, indexes, sends nor follows a pointer that may be
// nil, and it calls only functions of which that is known.
//
// Where a goroutine waits for the group on behalf of the function, which may go on
// without it after some time, the deferred Done is unsafe: the function then takes the
// way of those who have seen the Wait end.
//
// A function with a name that adds for itself, or gets a group by value, is
// changed together with all its calls, all or none, and so the fix is unsafe:
// it is offered only if all calls are known, and an Add also goes before
// those that start no goroutine. An Add under a condition is unsafe to move, too.
//
// # See also
//
// waitgroupwait, for counts that never come back to zero. go vet's waitgroup and
// staticcheck's SA2000 report an Add in a goroutine also where it is right.
package waitgroupadd

import (
	_ "embed"
	"go/ast"
	"go/types"

	"github.com/dave/dst"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
	"github.com/goroutinefix/goroutinefix/rules/waitgroupadd/internal/inside"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "waitgroupadd", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed waitgroupadd.go
var source string

func find(p *code.Pass) []rule.Match {
	var out []rule.Match
	groups := waitgroup.NewGroups(p)
	for c := range p.Candidates((*ast.GoStmt)(nil)) {
		gr := groups.Goroutine(c)
		if gr == nil {
			continue
		}
		g := wgGo{p, gr}
		if g.Lit.Valid() {
			out = append(out, g.addInside()...)
			if s, ok := skippedDoneOf(g.Goroutine); ok {
				out = append(out, doneSkipped(p, s))
			}
			out = append(out, g.byValue()...)
		}
		out = append(out, g.addAfter()...)
		if c, fn, ok := lateElsewhere(g.Goroutine); ok {
			m := rule.Match{
				Pos: c.Group.Pos(), End: c.Group.End(),
				Message: fn.Name() + " calls Add on it only when the goroutine runs, so Wait can return before it",
			}
			out = append(out, m.None(fn.Name()+" is in another package"))
		}
	}
	for _, late := range lateAdds(groups) {
		out = append(out, ownAdd(late))
	}
	for _, s := range skippedDones(groups) {
		out = append(out, doneSkipped(p, s))
	}
	for _, c := range copiedGroups(groups) {
		out = append(out, copied(c))
	}
	return out
}

// wgGo decides on one go statement.
type wgGo struct {
	p *code.Pass
	*waitgroup.Goroutine
}

// addInside is go func() { wg.Add(1) ... }().
func (g *wgGo) addInside() (out []rule.Match) {
	for _, op := range waitgroup.Ops(g.p, g.Lit) {
		if op.Name == "Add" && op.GoroutineFunc == g.Lit && inside.Uncounted(g.Goroutine, op) {
			out = append(out, g.hoist(op))
		}
	}
	return out
}

// hoist offers to move the Add before the go statement.
func (g *wgGo) hoist(op waitgroup.Op) rule.Match {
	recv := types.ExprString(op.Recv)
	m := rule.Match{
		Pos: op.Call.Pos(), End: op.Call.End(),
		Message: recv + ".Add runs inside the goroutine it counts, so " + recv + ".Wait can return before it",
		Related: []rule.Related{rule.GoroutineStart(g.Stmt)},
	}
	list, at, ok := g.Direct(op)
	if ifs, add, guarded := inside.Guarded(g.Goroutine, op); !ok && guarded {
		gostmt := g.Stmt.Node().(*ast.GoStmt)
		return m.Unsafe("Add under the same condition before the go statement", func(d *dstedit.Decl) error {
			if err := d.InsertBefore(gostmt, dstedit.If(d.Expr(ifs.Cond), dstedit.ExprStmt(d.Expr(op.Call)))); err != nil {
				return err
			}
			return d.DeleteLeavingComments(add)
		})
	}
	if !ok {
		return m.None("the Add does not run on every path of the goroutine, so moving it would change the count")
	}
	for _, s := range list[:at] {
		if !inside.Harmless(g.Goroutine, s, op.Key) {
			return m.None("what stands before the Add may block, branch or end the goroutine")
		}
	}
	if !inside.DoneInside(g.Goroutine, op) {
		return m.None("the goroutine never calls Done, so counting it in time would make the hang certain")
	}
	if _, _, ok := code.StmtList(g.Stmt); !ok {
		return m.None("the go statement carries a label")
	}
	recvRoot, recvNew, ok1 := inside.Outside(g.Goroutine, op.Recv)
	argRoot, argNew, ok2 := inside.Outside(g.Goroutine, op.Call.Args[0])
	if !ok1 || !ok2 {
		return m.None("the group or the number may differ before the go statement")
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
	if inside.UnblockedAfterWait(g.Goroutine, op.Key) {
		return m.Unsafe("Move "+recv+".Add before the go statement; the Wait then always comes before what the goroutine waits for", fix)
	}
	if inside.ArgsMayWait(g.Goroutine) {
		return m.Unsafe("Move "+recv+".Add before the go statement, and so before what its arguments call", fix)
	}
	if inside.ArgsMayPanic(g.Goroutine, op.Key) {
		return m.Unsafe("Move "+recv+".Add before the go statement; if one of its arguments panics, nobody calls Done", fix)
	}
	return m.Safe("Move "+recv+".Add before the go statement", fix)
}

// AddAfter is go work(&wg); wg.Add(1).
func (g *wgGo) addAfter() []rule.Match {
	add, list, i, ok := inside.AddAfter(g.Goroutine)
	if !ok {
		return nil
	}
	recv := types.ExprString(add.Recv)
	m := rule.Match{
		Pos: add.Call.Pos(), End: add.Call.End(),
		Message: recv + ".Add runs after the goroutine it counts has started, so Done may come first and panic",
		Related: []rule.Related{rule.GoroutineStart(g.Stmt)},
	}
	if inside.Labelled(g.Goroutine) {
		return []rule.Match{m.None("the go statement carries a label")}
	}
	fix := func(d *dstedit.Decl) error { return d.MoveBefore(list[i+1], list[i]) }
	if inside.ArgsMayWait(g.Goroutine) {
		return []rule.Match{m.Unsafe("Move "+recv+".Add before the go statement, and so before what its arguments call", fix)}
	}
	if inside.ArgsMayPanic(g.Goroutine, add.Key) {
		return []rule.Match{m.Unsafe("Move "+recv+".Add before the go statement; if one of its arguments panics, nobody calls Done", fix)}
	}
	return []rule.Match{m.Safe("Move "+recv+".Add before the go statement", fix)}
}

// doneSkipped is go func() { if x { return }; wg.Done() }().
func doneSkipped(p *code.Pass, s skippedDone) rule.Match {
	recv, list := types.ExprString(s.Done.Recv), s.Body.Body.List
	harm := ", so " + recv + ".Wait blocks forever"
	if s.Waiter.IsValid() {
		harm = ", so the goroutine that waits for " + recv + " leaks"
	}
	m := rule.Match{
		Pos: s.Done.Call.Pos(), End: s.Done.Call.End(), Category: "EarlyReturn",
		Message: recv + ".Done is skipped when the goroutine returns early" + harm,
	}
	if !s.Return.IsValid() {
		m.Category = ""
		m.Message = recv + ".Done is skipped when the goroutine recovers from a panic" + harm
		return m.None("whether a deferred Done may come after the recovery depends on what the recovery is for")
	}
	m.Related = []rule.Related{{Pos: s.Return, End: s.Return, Message: "returns here without it"}}
	if s.Waiter.IsValid() {
		m.Related = append(m.Related, rule.Related{Pos: s.Waiter, End: s.Waiter, Message: "the goroutine that waits starts here"})
	}
	if s.NoFix != "" {
		return m.None(s.NoFix)
	}
	if s.At != len(list)-1 {
		return m.None("a deferred Done would come after the statements that follow it now")
	}
	for c := range s.Body.Cursor.Preorder((*ast.DeferStmt)(nil)) {
		if p.GoroutineFunc(c) == s.Body.Cursor {
			return m.None("the other deferred calls would then run before Done")
		}
	}
	if s.Another {
		return m.None("at the start of the goroutine the group may be another one")
	}
	fix := func(d *dstedit.Decl) error {
		if err := d.MoveBefore(list[s.At], list[0]); err != nil {
			return err
		}
		return d.ToDefer(list[s.At].(*ast.ExprStmt))
	}
	if s.MayPanic {
		return m.Unsafe("Defer "+recv+".Done at the start of the goroutine; if the goroutine panics, Wait may return before the process has ended by that", fix)
	}
	if s.Waiter.IsValid() {
		return m.Unsafe("Defer "+recv+".Done at the start of the goroutine; the function then sees the Wait end also after an early return, and no time limit run out", fix)
	}
	return m.Safe("Defer "+recv+".Done at the start of the goroutine", fix)
}

// ownAdd is func work(wg *sync.WaitGroup) { wg.Add(1) ... } after go work(&wg).
func ownAdd(late lateAdd) rule.Match {
	recv := types.ExprString(late.Op.Recv)
	m := rule.Match{
		Pos: late.Op.Call.Pos(), End: late.Op.Call.End(),
		Message: recv + ".Add runs inside the goroutine it counts, so " + recv + ".Wait can return before it",
	}
	for _, c := range late.Calls {
		if c.Late {
			m.Related = append(m.Related, rule.GoroutineStart(c.Stmt))
		}
	}
	if late.NoFix != "" {
		return m.None(late.NoFix)
	}
	m = m.Unsafe("Let the callers of "+late.Object.Name()+" call "+recv+".Add", func(d *dstedit.Decl) error { return d.DeleteLeavingComments(late.Stmt) })
	for _, c := range late.Calls {
		stmt := c.Stmt.Node().(ast.Stmt)
		m = m.With(rule.Part{Pos: stmt.Pos(), Edit: func(d *dstedit.Decl) error {
			return d.InsertBefore(stmt, dstedit.ExprStmt(dstedit.Call(dstedit.SelectorPath(groupAt(d, c, late.Op.Recv), "Add"), dstedit.Int("1"))))
		}})
	}
	return m
}

// groupAt returns the group at a call as it reads there: recv, with what the
// call passes in the place of the parameter that it begins with.
func groupAt(d *dstedit.Decl, c groupCall, recv ast.Expr) dst.Expr {
	switch x := ast.Unparen(recv).(type) {
	case *ast.SelectorExpr:
		return dstedit.SelectorPath(groupAt(d, c, x.X), x.Sel.Name)
	case *ast.Ident:
		if c.Group == nil {
			return dstedit.Ident(x.Name)
		}
	}
	arg := ast.Unparen(c.Group)
	if amp, ok := arg.(*ast.UnaryExpr); ok {
		arg = amp.X
	}
	return d.Expr(arg)
}

// copied is func work(wg sync.WaitGroup) { wg.Done() } after go work(wg).
func copied(c copiedGroup) rule.Match {
	m := rule.Match{
		Pos: c.Name.Pos(), End: c.Name.End(),
		Message: c.Name.Name + " is passed by value, so Done counts down a copy and Wait blocks forever",
	}
	for _, call := range c.Calls {
		if call.Late {
			m.Related = append(m.Related, rule.Related{Pos: call.Group.Pos(), End: call.Group.End(), Message: "copied here"})
		}
	}
	if c.NoFix != "" {
		return m.None(c.NoFix)
	}
	m = m.Unsafe("Pass a pointer to the group to "+c.Object.Name(), func(d *dstedit.Decl) error {
		return d.Replace(c.Field.Type, dstedit.Star(d.Expr(c.Field.Type)))
	})
	for _, call := range c.Calls {
		m = m.With(rule.Part{Pos: call.Group.Pos(), Edit: func(d *dstedit.Decl) error {
			if star, ok := ast.Unparen(call.Group).(*ast.StarExpr); ok {
				return d.Replace(call.Group, d.Expr(star.X))
			}
			return d.Replace(call.Group, dstedit.Addr(d.Expr(call.Group)))
		}})
	}
	return m
}

// byValue is go func(wg sync.WaitGroup) { wg.Done() }(wg).
func (g *wgGo) byValue() (out []rule.Match) {
	for _, c := range copiedParams(g.Goroutine) {
		m := rule.Match{
			Pos: c.Name.Pos(), End: c.Name.End(),
			Message: c.Name.Name + " is passed by value, so Done counts down a copy and Wait blocks forever",
			Related: []rule.Related{{Pos: c.Arg.Pos(), End: c.Arg.End(), Message: "copied here"}},
		}
		if reason := unshareable(g.Goroutine, c); reason != "" {
			out = append(out, m.None(reason))
			continue
		}
		name, uses := ast.Unparen(c.Arg).(*ast.Ident).Name, g.p.Uses(g.Lit, c.Param)
		out = append(out, m.Safe("Let the goroutine share "+name, func(d *dstedit.Decl) error {
			for _, u := range uses {
				if id := u.Node().(*ast.Ident); id != c.Name && id.Name != name {
					if err := d.Rename(id, name); err != nil {
						return err
					}
				}
			}
			if err := d.RemoveParam(g.Lit.Node().(*ast.FuncLit).Type, c.Name); err != nil {
				return err
			}
			return d.RemoveArg(g.Stmt.Node().(*ast.GoStmt).Call, c.Index)
		}))
	}
	return out
}
