package rules

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

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
//	go func() {
//		wg.Add(1)
//		defer wg.Done()
//		work()
//	}()
//	wg.Wait()
//
// # Use instead
//
//	wg.Add(1)
//	go func() {
//		defer wg.Done()
//		work()
//	}()
//	wg.Wait()
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
// other deferred call.
//
// # See also
//
// go vet's waitgroup and staticcheck's SA2000, which report an Add in a
// goroutine also where it is right.
var waitgroupadd = rule.Rule{Name: "waitgroupadd", Doc: doc("waitgroupadd"), Find: findWaitgroupadd}

func findWaitgroupadd(p *match.Pass) []rule.Match {
	var out []rule.Match
	f := wgFinder{p: p}
	for c := range p.Inspector.Root().Preorder((*ast.GoStmt)(nil)) {
		call := c.Node().(*ast.GoStmt).Call
		decl := c
		for d := range c.Enclosing((*ast.FuncDecl)(nil), (*ast.GenDecl)(nil)) {
			decl = d
		}
		g := wgGo{f: &f, p: p, stmt: c, parent: p.EnclosingFunc(c), decl: decl}
		if g.parent == nil {
			continue
		}
		if _, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
			lit, _ := c.FindNode(ast.Unparen(call.Fun))
			g.lit, g.body = lit, p.FuncOf(lit)
			out = append(out, g.addInside()...)
			out = append(out, g.doneSkipped()...)
			out = append(out, g.byValue()...)
		}
		out = append(out, g.addBehind()...)
	}
	return out
}

// wgFinder knows where in the package WaitGroups are waited for.
type wgFinder struct {
	p     *match.Pass
	waits map[types.Object]bool // fields and package variables with a Wait; nil until asked for
}

func (f *wgFinder) waited(op match.WGOp) bool {
	if f.waits == nil {
		f.waits = map[types.Object]bool{}
		for _, w := range f.p.WaitGroupOps(f.p.Inspector.Root()) {
			if w.Name == "Wait" {
				f.waits[w.Key.Root] = true
				if field := f.p.FieldOf(w.Recv); field != nil {
					f.waits[field] = true
				}
			}
		}
	}
	if field := f.p.FieldOf(op.Recv); field != nil {
		return f.waits[field]
	}
	return f.waits[op.Key.Root] || isParam(op.Key.Root)
}

// isParam reports whether o is a pointer from a caller, who waits.
func isParam(o types.Object) bool {
	v, ok := o.(*types.Var)
	if !ok || v.Kind() != types.ParamVar {
		return false
	}
	_, isPtr := types.Unalias(v.Type()).(*types.Pointer)
	return isPtr
}

// wgGo looks at one go statement.
type wgGo struct {
	f      *wgFinder
	p      *match.Pass
	stmt   inspector.Cursor // the go statement
	parent *match.Func      // the function that it stands in
	decl   inspector.Cursor // the top-level declaration
	lit    inspector.Cursor // the literal that it starts; invalid for a call of something else
	body   *match.Func      // the same
	all    []match.WGOp     // the WaitGroup calls of the declaration
}

func (g *wgGo) ops() []match.WGOp {
	if g.all == nil {
		g.all = g.p.WaitGroupOps(g.decl)
	}
	return g.all
}

// addInside is go func() { wg.Add(1) ... }().
func (g *wgGo) addInside() (out []rule.Match) {
	for _, op := range g.p.WaitGroupOps(g.lit) {
		if op.Name == "Add" && op.Runner == g.lit && g.uncounted(op) {
			out = append(out, g.hoist(op))
		}
	}
	return out
}

// within reports whether an object is declared inside the literal, other than
// as a parameter that stands for something outside.
func (g *wgGo) within(o types.Object) bool {
	return o.Pos() >= g.lit.Node().Pos() && o.Pos() < g.lit.Node().End()
}

// uncounted reports whether op, an Add in the goroutine, counts the goroutine
// itself while somebody else may already wait.
func (g *wgGo) uncounted(op match.WGOp) bool {
	if g.within(op.Key.Root) {
		return false // a group of its own
	}
	dones, children, others := 0, 0, 0
	for _, o := range g.ops() {
		if o.Key != op.Key {
			continue
		}
		inside := g.lit.Contains(o.At)
		switch {
		case inside && o.Name == "Wait":
			return false // waits for its own children
		case inside && o.Name == "Done" && o.Runner != g.lit:
			children++
		case inside && o.Name == "Done":
			dones++
		case !inside && o.Name == "Add":
			others++
		}
	}
	_, _, direct := g.direct(op)
	if children > 0 && (dones > 0 || others > 0 || !g.local(op.Key) || !direct) {
		return false // counts goroutines that it starts, under a count of its own
	}
	if !direct && others > 0 {
		return false // counts something else, such as items of work
	}
	if g.passedOn(op.Key) {
		return false // somebody else may be the one that is counted
	}
	if dones+children == 0 && g.used(op.Key) {
		return false // a method may call Done
	}
	if g.countedBefore(op.Key) || !g.f.waited(op) {
		return false
	}
	return !g.handshake(op.Key)
}

// direct returns the list of the goroutine's statements and the index in it
// of the call of op, if that is a statement there.
func (g *wgGo) direct(op match.WGOp) (list []ast.Stmt, at int, ok bool) {
	list = g.body.Body.List
	at = slices.IndexFunc(list, func(s ast.Stmt) bool {
		es, ok := s.(*ast.ExprStmt)
		return ok && ast.Unparen(es.X) == ast.Expr(op.Call)
	})
	return list, at, at >= 0
}

// local reports whether the group is a variable of the declaration itself.
func (g *wgGo) local(key match.WGKey) bool {
	v, ok := key.Root.(*types.Var)
	return ok && key.Path == "" && v.Kind() == types.LocalVar
}

// used reports whether the goroutine uses the variable that the group is
// reached from for anything else, such as a call of one of its methods.
func (g *wgGo) used(key match.WGKey) bool {
	if key.Path == "" {
		return false
	}
	for _, use := range g.p.Uses(g.lit, key.Root) {
		sel, ok := match.Unparen(use).Parent().Node().(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if s := g.p.TypesInfo.Selections[sel]; s != nil && s.Kind() != types.FieldVal && !g.isOp(sel) {
			return true
		}
	}
	return false
}

// isOp reports whether sel is the method of a call on a WaitGroup.
func (g *wgGo) isOp(sel *ast.SelectorExpr) bool {
	return slices.ContainsFunc(g.p.WaitGroupOps(g.lit), func(o match.WGOp) bool { return ast.Unparen(o.Call.Fun) == ast.Expr(sel) })
}

// passedOn reports whether the goroutine hands the group to another function.
func (g *wgGo) passedOn(key match.WGKey) bool {
	known := map[ast.Node]bool{}
	for _, o := range g.p.WaitGroupOps(g.lit) {
		ast.Inspect(o.Recv, func(n ast.Node) bool {
			if n != nil {
				known[n] = true
			}
			return true
		})
	}
	for c := range g.lit.Preorder((*ast.Ident)(nil), (*ast.SelectorExpr)(nil)) {
		if known[c.Node()] {
			continue
		}
		e := c.Node().(ast.Expr)
		if !match.IsNamed(g.p.TypesInfo.TypeOf(e), "sync", "WaitGroup") {
			continue
		}
		if k, ok := g.p.WaitGroupKey(e); ok && k == key {
			return true
		}
	}
	return false
}

// countedBefore reports whether the statement before the go is already an Add
// for it, or the goroutine starts others and any Add stands before it: then
// it runs under a count of its own and may add to it.
func (g *wgGo) countedBefore(key match.WGKey) bool {
	starts := false
	for c := range g.lit.Preorder((*ast.GoStmt)(nil)) {
		starts = starts || c.Node() != nil
	}
	list, i, ok := match.StmtList(g.stmt)
	for _, o := range g.ops() {
		if o.Name != "Add" || o.Key != key || g.lit.Contains(o.At) || o.At.Node().Pos() > g.stmt.Node().Pos() {
			continue
		}
		if starts {
			return true
		}
		if ok && i > 0 {
			if es, isExpr := list[i-1].(*ast.ExprStmt); isExpr && ast.Unparen(es.X) == ast.Expr(o.Call) {
				return true
			}
		}
	}
	return false
}

// handshake reports whether the parent hears from the goroutine before it
// waits: then the Add has happened by the time of the Wait.
func (g *wgGo) handshake(key match.WGKey) bool {
	wait := g.decl.Node().End()
	for _, o := range g.ops() {
		if o.Name == "Wait" && o.Key == key && o.At.Node().Pos() > g.stmt.Node().End() {
			wait = min(wait, o.At.Node().Pos())
		}
	}
	between := func(c inspector.Cursor) bool {
		return c.Node().Pos() > g.stmt.Node().End() && c.Node().Pos() < wait && !g.lit.Contains(c)
	}
	for _, o := range g.ops() {
		if o.Name == "Wait" && o.Key != key && between(o.At) {
			for _, d := range g.ops() {
				if d.Name == "Done" && d.Key == o.Key && g.lit.Contains(d.At) {
					return true
				}
			}
		}
	}
	for ch := range g.channels() {
		for _, u := range g.p.ChannelUses(g.decl, ch) {
			heard := u.Kind == match.ChanRecv || u.Kind == match.ChanRange || u.Kind == match.ChanSend && g.unbuffered(ch)
			if heard && between(u.At) {
				return true
			}
		}
	}
	// A flag that is polled, a condition that is waited for.
	for c := range g.decl.Preorder((*ast.SelectorExpr)(nil)) {
		switch c.Node().(*ast.SelectorExpr).Sel.Name {
		case "Load", "Gosched", "LoadInt32", "LoadInt64", "LoadUint32":
			if between(c) {
				return true
			}
		case "Wait":
			call, ok := c.Parent().Node().(*ast.CallExpr)
			if ok && between(c) && g.p.FullName(call) == "(*sync.Cond).Wait" {
				return true
			}
		}
	}
	return false
}

// unbuffered reports whether the channel in v is made without a buffer, as far
// as the declaration shows.
func (g *wgGo) unbuffered(v types.Object) bool {
	for c := range g.decl.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if g.p.IsBuiltin(call, "make") && len(call.Args) > 1 && g.p.Mentions(c.Parent().Node(), v) {
			return false
		}
	}
	return true
}

// channels lists the channel variables from outside that the goroutine uses.
func (g *wgGo) channels() map[types.Object]bool {
	out := map[types.Object]bool{}
	for c := range g.lit.Preorder((*ast.Ident)(nil)) {
		v := g.p.VarOf(c.Node().(*ast.Ident))
		if v == nil || v.IsField() {
			continue
		}
		if _, ok := v.Type().Underlying().(*types.Chan); !ok {
			continue
		}
		if !g.within(v) {
			out[v] = true
		} else if arg := g.p.LitArgument(g.lit, v); arg != nil {
			if a := g.p.VarOf(arg); a != nil {
				out[a] = true
			}
		}
	}
	return out
}

// hoist offers to move the Add in front of the go statement.
func (g *wgGo) hoist(op match.WGOp) rule.Match {
	recv := types.ExprString(op.Recv)
	m := rule.Match{
		Pos: op.Call.Pos(), End: op.Call.End(),
		Message: recv + ".Add runs inside the goroutine it counts, so " + recv + ".Wait can return before it",
		Related: []rule.Related{{Pos: g.stmt.Node().Pos(), End: g.stmt.Node().Pos() + 2, Message: "the goroutine starts here"}},
	}
	list, at, ok := g.direct(op)
	if !ok {
		return m.None("the Add does not run on every path of the goroutine, so moving it would change the count")
	}
	for _, s := range list[:at] {
		if !g.harmless(s, op.Key) {
			return m.None("what stands before the Add may block, branch or end the goroutine")
		}
	}
	if !slices.ContainsFunc(g.ops(), func(o match.WGOp) bool {
		return o.Name == "Done" && o.Key == op.Key && g.lit.Contains(o.At)
	}) {
		return m.None("the goroutine never calls Done, so counting it in time would make the hang certain")
	}
	if _, _, ok := match.StmtList(g.stmt); !ok {
		return m.None("the go statement carries a label")
	}
	recvRoot, recvNew, ok1 := g.outside(op.Recv)
	argRoot, argNew, ok2 := g.outside(op.Call.Args[0])
	if !ok1 || !ok2 {
		return m.None("the group or the number may be another one in front of the go statement")
	}
	add, gostmt := list[at], g.stmt.Node().(*ast.GoStmt)
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
	if g.unblockedAfterWait(op.Key) {
		return m.Unsafe("Move "+recv+".Add in front of the go statement; the Wait then always comes before what the goroutine waits for", fix)
	}
	return m.Safe("Move "+recv+".Add in front of the go statement", fix)
}

// harmless reports whether s, in front of the Add, neither branches nor
// blocks nor touches the group, so that the Add can pass it.
func (g *wgGo) harmless(s ast.Stmt, key match.WGKey) bool {
	if d, ok := s.(*ast.DeferStmt); ok {
		for _, o := range g.ops() {
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
			ok = ok && g.p.Quick(n)
		}
		return ok
	})
	return ok
}

// outside says how e reads in front of the go statement: as it is, or with
// root, a parameter of the literal, replaced by arg, what is passed for it.
// ok is false if its value there may be another.
func (g *wgGo) outside(e ast.Expr) (root *ast.Ident, arg ast.Expr, ok bool) {
	ok = true
	ast.Inspect(e, func(n ast.Node) bool {
		id, isIdent := n.(*ast.Ident)
		if !isIdent {
			return ok
		}
		v := g.p.VarOf(id)
		if v == nil || v.IsField() || !g.within(v) {
			return ok
		}
		arg = g.p.LitArgument(g.lit, v)
		if root != nil || arg == nil || !g.p.Stable(arg, g.parent) || !g.p.Stable(id, g.body) {
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
	if v := g.p.VarOf(e); v != nil && match.IsNamed(v.Type(), "sync", "WaitGroup") {
		if _, isPtr := v.Type().(*types.Pointer); !isPtr {
			return nil, nil, true
		}
	}
	return nil, nil, g.p.Stable(e, g.parent)
}

// unblockedAfterWait reports whether the goroutine blocks on a channel that
// the parent serves only behind its Wait.
func (g *wgGo) unblockedAfterWait(key match.WGKey) bool {
	var wait inspector.Cursor
	for _, o := range g.ops() {
		if o.Name == "Wait" && o.Key == key && !g.lit.Contains(o.At) && o.Runner == g.p.Runner(g.stmt) {
			wait = o.At
		}
	}
	if !wait.Valid() {
		return false
	}
	if g.mayNotEnd() || g.sharesLock(wait) || g.releasedAfter(wait) && g.callsUnknown() {
		return true
	}
	for ch := range g.channels() {
		for _, u := range g.p.ChannelUses(g.decl, ch) {
			served := u.Kind == match.ChanRecv || u.Kind == match.ChanRange || u.Kind == match.ChanSend || u.Kind == match.ChanClose
			if served && runsAfter(u.At, wait) && !g.lit.Contains(u.At) {
				return true
			}
		}
	}
	return false
}

// runsAfter reports whether c, in the same function, runs behind the call at
// wait: it stands behind it, or it is deferred and its turn comes later.
func runsAfter(c, wait inspector.Cursor) bool {
	deferred := func(c inspector.Cursor) bool {
		for range c.Enclosing((*ast.DeferStmt)(nil)) {
			return true
		}
		return false
	}
	behind := c.Node().Pos() > wait.Node().Pos()
	switch {
	case deferred(wait):
		return deferred(c) && !behind
	case deferred(c):
		return true
	}
	return behind
}

// mayNotEnd reports whether the goroutine goes on until somebody stops it: an
// endless loop, a wait for a context, a condition, another group or a server.
func (g *wgGo) mayNotEnd() bool {
	for c := range g.lit.Preorder((*ast.ForStmt)(nil), (*ast.SelectStmt)(nil), (*ast.UnaryExpr)(nil), (*ast.CallExpr)(nil)) {
		switch n := c.Node().(type) {
		case *ast.ForStmt:
			if n.Cond == nil {
				return true
			}
		case *ast.SelectStmt:
			if len(n.Body.List) == 0 {
				return true
			}
		case *ast.UnaryExpr:
			// <-ctx.Done(), <-ticker.C, <-c.ready: who serves it is not known.
			if _, isVar := ast.Unparen(n.X).(*ast.Ident); n.Op == token.ARROW && !isVar {
				return true
			}
		case *ast.CallExpr:
			if g.p.Waits(n) && g.p.FullName(n) != "time.Sleep" {
				return true
			}
		}
	}
	return false
}

// releases are the names of functions and methods by which one goroutine lets
// another one go on.
var releases = map[string]bool{
	"close": true, "cancel": true, "stop": true, "Broadcast": true, "Signal": true, "Unlock": true, "RUnlock": true, "Store": true,
	"Done": true, "Close": true, "Stop": true, "Shutdown": true, "Cancel": true, "Add": true,
}

// releasedAfter reports whether the function around the goroutine does
// something behind its Wait, or deferred, that could let the goroutine go on.
func (g *wgGo) releasedAfter(wait inspector.Cursor) bool {
	locked := false // before the Wait, and so perhaps during it
	for c := range g.parent.Cursor.Preorder((*ast.CallExpr)(nil), (*ast.UnaryExpr)(nil), (*ast.SendStmt)(nil), (*ast.RangeStmt)(nil)) {
		if g.lit.Contains(c) {
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
			if _, ok := g.p.TypesInfo.TypeOf(n.X).Underlying().(*types.Chan); ok {
				return true
			}
		case *ast.CallExpr:
			name := ""
			switch fun := ast.Unparen(n.Fun).(type) {
			case *ast.Ident:
				name = fun.Name
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			}
			if releases[name] && (locked || !strings.HasSuffix(name, "Unlock")) {
				return true
			}
		}
	}
	return false
}

// callsUnknown reports whether the goroutine calls anything that may wait for
// the function around it.
func (g *wgGo) callsUnknown() bool {
	own := map[*ast.CallExpr]bool{}
	for _, o := range g.p.WaitGroupOps(g.lit) {
		own[o.Call] = true
	}
	for c := range g.lit.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if _, isLit := ast.Unparen(call.Fun).(*ast.FuncLit); !own[call] && !isLit && !g.p.Quick(call) {
			return true
		}
	}
	return false
}

// sharesLock reports whether the goroutine takes a lock that the function
// around it takes, too, and may hold while it waits.
func (g *wgGo) sharesLock(wait inspector.Cursor) bool {
	locked := map[match.WGKey]bool{}
	for _, inside := range []bool{false, true} {
		for c := range g.parent.Cursor.Preorder((*ast.CallExpr)(nil)) {
			call := c.Node().(*ast.CallExpr)
			if g.lit.Contains(c) != inside || !inside && runsAfter(c, wait) {
				continue
			}
			for _, typ := range []string{"Mutex", "RWMutex"} {
				recv, ok := g.p.Method(call, "sync", typ, "Lock")
				if !ok {
					continue
				}
				key, ok := g.p.WaitGroupKey(recv)
				if ok && inside && locked[key] {
					return true
				}
				locked[key] = locked[key] || !inside
			}
		}
	}
	return false
}

// addBehind is go work(&wg); wg.Add(1).
func (g *wgGo) addBehind() []rule.Match {
	at := g.stmt
	_, labelled := at.Parent().Node().(*ast.LabeledStmt)
	if labelled {
		at = at.Parent()
	}
	list, i, ok := match.StmtList(at)
	if !ok || i+1 >= len(list) {
		return nil
	}
	add, ok := g.opOf(list[i+1])
	if !ok || add.Name != "Add" || !g.isOne(add) || !g.counts(g.stmt.Node().(*ast.GoStmt), add.Key) || !g.f.waited(add) {
		return nil
	}
	if g.lit.Valid() && g.gated() {
		return nil // held back until the Add has happened, as far as one can tell
	}
	// Every Add pays for one goroutine; is one left over for this one?
	count := 0
	for _, s := range list[:i] {
		if op, ok := g.opOf(s); ok && op.Name == "Add" && op.Key == add.Key {
			if !g.isOne(op) {
				return nil
			}
			count++
		} else if g.counts(s, add.Key) {
			count--
		}
	}
	if count > 0 {
		return nil
	}
	for _, o := range g.ops() { // an Add elsewhere may have paid for all
		inList := slices.ContainsFunc(list, func(s ast.Stmt) bool { return s.Pos() <= o.Call.Pos() && o.Call.End() <= s.End() })
		if o.Name == "Add" && o.Key == add.Key && (!inList && o.At.Node().Pos() < g.stmt.Node().Pos() || g.stmt.Contains(o.At)) {
			return nil
		}
	}
	if i+2 < len(list) && g.counts(list[i+2], add.Key) {
		return nil // the Add pays for the next one
	}
	recv := types.ExprString(add.Recv)
	m := rule.Match{
		Pos: add.Call.Pos(), End: add.Call.End(),
		Message: recv + ".Add runs after the goroutine it counts has started, so Done may come first and panic",
		Related: []rule.Related{{Pos: g.stmt.Node().Pos(), End: g.stmt.Node().Pos() + 2, Message: "the goroutine starts here"}},
	}
	if labelled {
		return []rule.Match{m.None("the go statement carries a label")}
	}
	return []rule.Match{m.Safe("Move "+recv+".Add in front of the go statement", func(d *dstedit.Decl) error {
		return d.MoveBefore(list[i+1], list[i])
	})}
}

// gated reports whether the goroutine begins by waiting for a channel or a lock.
func (g *wgGo) gated() bool {
	for _, s := range g.body.Body.List[:min(2, len(g.body.Body.List))] {
		gate := false
		ast.Inspect(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit, *ast.DeferStmt:
				return false
			case *ast.UnaryExpr:
				gate = gate || n.Op == token.ARROW
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

func (g *wgGo) opOf(s ast.Stmt) (match.WGOp, bool) {
	es, ok := s.(*ast.ExprStmt)
	if !ok {
		return match.WGOp{}, false
	}
	for _, o := range g.ops() {
		if ast.Expr(o.Call) == ast.Unparen(es.X) {
			return o, true
		}
	}
	return match.WGOp{}, false
}

func (g *wgGo) isOne(op match.WGOp) bool {
	v := g.p.TypesInfo.Types[op.Call.Args[0]].Value
	return v != nil && constant.Compare(v, token.EQL, constant.MakeInt64(1))
}

// counts reports whether s starts a goroutine that calls Done on the group.
func (g *wgGo) counts(s ast.Stmt, key match.WGKey) bool {
	gs, ok := s.(*ast.GoStmt)
	if !ok {
		return false
	}
	for _, o := range g.ops() {
		if o.Name == "Done" && o.Key == key && gs.Pos() <= o.Call.Pos() && o.Call.End() <= gs.End() {
			return true
		}
	}
	for _, arg := range gs.Call.Args {
		if amp, ok := ast.Unparen(arg).(*ast.UnaryExpr); ok && amp.Op == token.AND {
			if k, ok := g.p.WaitGroupKey(arg); ok && k == key {
				return true
			}
		}
	}
	return g.f.calleeCounts(gs.Call, key)
}

// calleeCounts reports whether call is of a method of this package that
// calls Done on the group, reached from its receiver.
func (f *wgFinder) calleeCounts(call *ast.CallExpr, key match.WGKey) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	fn := f.p.Callee(call)
	if !ok || fn == nil || fn.Pkg() != f.p.Pkg || fn.Signature().Recv() == nil {
		return false
	}
	from, ok := f.p.WaitGroupKey(sel.X)
	if !ok {
		return false
	}
	from.Path = strings.TrimSuffix(from.Path, ".~") // the receiver is no WaitGroup
	for c := range f.p.Inspector.Root().Preorder((*ast.FuncDecl)(nil)) {
		d := c.Node().(*ast.FuncDecl)
		if f.p.TypesInfo.Defs[d.Name] != types.Object(fn) || d.Recv == nil || len(d.Recv.List[0].Names) == 0 {
			continue
		}
		recv := f.p.TypesInfo.Defs[d.Recv.List[0].Names[0]]
		for _, o := range f.p.WaitGroupOps(c) {
			if o.Name == "Done" && o.Key.Root == recv && (match.WGKey{Root: from.Root, Path: from.Path + o.Key.Path}) == key {
				return true
			}
		}
	}
	return false
}

// doneSkipped is go func() { if x { return }; wg.Done() }().
func (g *wgGo) doneSkipped() []rule.Match {
	var done match.WGOp
	n := 0
	for _, o := range g.ops() {
		if o.Name == "Done" && g.lit.Contains(o.At) && !g.within(o.Key.Root) {
			done = o
			n++
		}
	}
	if n != 1 || g.used(done.Key) || g.shared(done) || !g.counted(done.Key) || !g.waitedAlways(done.Key) {
		return nil
	}
	list := g.body.Body.List
	if done.Runner != g.lit || !g.f.waited(done) {
		return nil
	}
	at := slices.IndexFunc(list, func(s ast.Stmt) bool {
		es, ok := s.(*ast.ExprStmt)
		return ok && ast.Unparen(es.X) == ast.Expr(done.Call)
	})
	if at < 0 || g.passedOn(done.Key) {
		return nil
	}
	var skipped []rule.Related
	match.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) { return s, n != ast.Node(list[at]) },
		Exit: func(b *match.Block, _ struct{}) {
			skipped = append(skipped, rule.Related{Pos: b.End, End: b.End, Message: "returns here without it"})
		},
	}.FromEntry(g.body.Flow, struct{}{})
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
	for c := range g.lit.Preorder((*ast.DeferStmt)(nil)) {
		if g.p.Runner(c) == g.lit {
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

// shared reports whether anything but this goroutine may call Done for it:
// another function, a literal that is not a goroutine of its own, or an alias.
func (g *wgGo) shared(done match.WGOp) bool {
	ops := map[ast.Node]bool{}
	for _, o := range g.ops() {
		if o.Key == done.Key {
			ops[o.Recv] = true
			if o.Name == "Done" && !g.lit.Contains(o.At) && !started(o.Runner) {
				return true
			}
		}
	}
	if field := g.p.FieldOf(done.Recv); field != nil {
		for _, o := range g.p.WaitGroupOps(g.p.Inspector.Root()) {
			if o.Name == "Done" && g.p.FieldOf(o.Recv) == field && !g.lit.Contains(o.At) {
				// Then whatever is sent may be the duty to call it.
				for range g.lit.Preorder((*ast.SendStmt)(nil)) {
					return true
				}
			}
		}
		return false
	}
	for _, use := range g.p.Uses(g.decl, done.Key.Root) {
		if amp, ok := use.Parent().Node().(*ast.UnaryExpr); ok && amp.Op == token.AND && !ops[amp] {
			return true
		}
		if sel, ok := use.Parent().Node().(*ast.SelectorExpr); ok && !ops[use.Node()] && sel.X == use.Node() {
			return true // a method value
		}
	}
	return false
}

// counted reports whether an Add for the goroutine stands in front of it
// unconditionally: in a list of statements that also holds, at some depth,
// the go statement.
func (g *wgGo) counted(key match.WGKey) bool {
	for c := g.stmt; c.Valid() && c != g.parent.Cursor; c = c.Parent() {
		list, i, ok := match.StmtList(c)
		if !ok {
			continue
		}
		for _, s := range list[:i] {
			if op, ok := g.opOf(s); ok && op.Name == "Add" && op.Key == key {
				return true
			}
		}
	}
	return false
}

// waitedAlways reports whether the function that starts the goroutine comes to
// a Wait on every path, unless somebody else is the one that waits.
func (g *wgGo) waitedAlways(key match.WGKey) bool {
	waits, elsewhere := map[ast.Node]bool{}, true
	for _, o := range g.ops() {
		if o.Name == "Wait" && o.Key == key {
			elsewhere = false
			if n := match.FlowNode(o.At, g.parent); n != nil && o.Runner == g.p.Runner(g.stmt) {
				waits[n] = true
			}
		}
	}
	if elsewhere {
		return true
	}
	always := true
	match.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) { return s, !waits[n] },
		Exit: func(*match.Block, struct{}) { always = false },
	}.After(g.parent.Flow, match.FlowNode(g.stmt, g.parent), struct{}{})
	return always
}

// started reports whether a function is a literal that a go statement starts.
func started(fn inspector.Cursor) bool {
	if _, ok := fn.Node().(*ast.FuncLit); !ok {
		return false
	}
	_, ok := match.Unparen(fn).Parent().Parent().Node().(*ast.GoStmt)
	return ok
}

// byValue is go func(wg sync.WaitGroup) { wg.Done() }(wg).
func (g *wgGo) byValue() (out []rule.Match) {
	call := g.stmt.Node().(*ast.GoStmt).Call
	ft := g.lit.Node().(*ast.FuncLit).Type
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
	for c := range g.lit.Preorder((*ast.SelectorExpr)(nil)) {
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
	for c := range g.lit.Preorder((*ast.Ident)(nil)) {
		id := c.Node().(*ast.Ident)
		o := g.p.TypesInfo.ObjectOf(id)
		if id.Name == arg.Name && o != types.Object(v) && o != g.p.TypesInfo.ObjectOf(arg) {
			return m.None("the name " + arg.Name + " means something else in the goroutine")
		}
	}
	if o, ok := g.p.TypesInfo.ObjectOf(arg).(*types.Var); !ok || !g.p.Stable(arg, g.parent) {
		return m.None("the group " + arg.Name + " may be another one when the goroutine is done with it")
	} else if o.Parent() == g.p.Pkg.Scope() {
		return m.None("the group is a package variable")
	}
	uses := g.p.Uses(g.lit, v)
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
