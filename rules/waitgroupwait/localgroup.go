package waitgroupwait

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
)

// localGroup is a WaitGroup in a local variable of a function that only the
// function, the literals that it starts as goroutines, and functions of a known
// effect see.
type localGroup struct {
	p      *code.Pass
	Fn     *code.Func
	Var    *types.Var
	Adds   []waitgroup.Op // by the function itself
	Dones  []waitgroup.Op // by the function itself
	Waits  []waitgroup.Op // by the function or one of its goroutines
	Starts []groupStart
}

// groupStart is a go statement whose goroutine counts the group down.
type groupStart struct {
	Stmt inspector.Cursor
	Body *code.Func     // the literal; nil for a function with a name
	Ops  []waitgroup.Op // in the literal
	Most int            // how often it counts down at most, up to Many
}

// localGroups lists the Groups that fn declares and keeps to itself.
func localGroups(p *code.Pass, fn *code.Func) (out []*localGroup) {
	seen := map[types.Object]bool{}
	for _, o := range waitgroup.Ops(p, fn.Cursor) {
		v, ok := o.Key.Root.(*types.Var)
		if !ok || seen[v] || o.Key.Fields != "" || !p.DeclaredIn(v, fn) || v.Kind() != types.LocalVar {
			continue
		}
		seen[v] = true
		g := &localGroup{p: p, Fn: fn, Var: v}
		if g.kept() && g.sort() {
			out = append(out, g)
		}
	}
	return out
}

// kept reports whether nobody unknown has the group.
func (g *localGroup) kept() bool {
	key := code.Path{Root: g.Var}
	known := map[ast.Node]bool{}
	for _, o := range waitgroup.Ops(g.p, g.Fn.Cursor) {
		if o.Key == key {
			ast.Inspect(o.Recv, func(n ast.Node) bool {
				known[n] = true
				return true
			})
		}
	}
	for _, use := range g.p.Uses(g.Fn.Cursor, g.Var) {
		if use.Node().Pos() == g.Var.Pos() {
			if !g.fresh(use) {
				return false
			}
			continue
		}
		if !known[use.Node()] && !g.handed(use, known) {
			return false
		}
	}
	return true
}

// fresh reports whether the declaration at c makes a new group.
func (g *localGroup) fresh(c inspector.Cursor) bool {
	var names, values []ast.Expr
	switch n := c.Parent().Node().(type) {
	case *ast.ValueSpec:
		if values = n.Values; len(values) == 0 {
			return !typeis.Pointer(g.Var.Type())
		}
		for _, name := range n.Names {
			names = append(names, name)
		}
	case *ast.AssignStmt:
		names, values = n.Lhs, n.Rhs
	}
	i := slices.Index(names, c.Node().(ast.Expr))
	if i < 0 || len(names) != len(values) {
		return false
	}
	switch x := ast.Unparen(values[i]).(type) {
	case *ast.CompositeLit:
		return true
	case *ast.UnaryExpr:
		_, isLit := ast.Unparen(x.X).(*ast.CompositeLit)
		return isLit
	case *ast.CallExpr:
		return g.p.IsBuiltin(x, "new")
	}
	return false
}

// handed reports whether the group is the argument of a literal that uses it
// as the function does, or of a function whose whole effect is known.
func (g *localGroup) handed(use inspector.Cursor, known map[ast.Node]bool) bool {
	arg := code.Unparen(use)
	if amp, ok := arg.Parent().Node().(*ast.UnaryExpr); ok && amp.Op == token.AND {
		arg = code.Unparen(arg.Parent())
	}
	call, ok := arg.Parent().Node().(*ast.CallExpr)
	if !ok {
		return false
	}
	if lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
		c, ok := arg.Parent().FindNode(lit)
		param := ctxcancel.ArgumentOf(lit, call, arg.Node(), g.p)
		if !ok || param == nil || !typeis.Pointer(param.Type()) {
			return false
		}
		for _, u := range g.p.Uses(c, param) {
			if u.Node().Pos() != param.Pos() && !known[u.Node()] && !g.handed(u, known) {
				return false
			}
		}
		return true
	}
	for _, e := range waitgroup.Effects(g.p, call) {
		if e.Exhaustive && e.Param < len(call.Args) && ast.Node(call.Args[e.Param]) == arg.Node() {
			return true
		}
	}
	return false
}

// sort records the operations. It returns false for what is not understood.
func (g *localGroup) sort() bool {
	key := code.Path{Root: g.Var}
	starts := map[ast.Node]*groupStart{}
	at := func(gs inspector.Cursor) *groupStart {
		if starts[gs.Node()] == nil {
			starts[gs.Node()] = &groupStart{Stmt: gs}
		}
		return starts[gs.Node()]
	}
	counts := map[*groupStart]map[ast.Node]int{}
	record := func(runner, c inspector.Cursor, n int) bool {
		gs := launch.StartedBy(g.p, runner, g.Fn)
		if !gs.Valid() {
			return false
		}
		s := at(gs)
		s.Body = g.p.FuncOf(runner)
		if counts[s] == nil {
			counts[s] = map[ast.Node]int{}
		}
		counts[s][code.FlowNode(c, s.Body)] += n
		return true
	}
	for _, o := range waitgroup.Ops(g.p, g.Fn.Cursor) {
		if o.Key != key {
			continue
		}
		own := o.GoroutineFunc == g.Fn.Cursor
		switch {
		case o.Name == "Wait":
			if !own && !launch.StartedBy(g.p, o.GoroutineFunc, g.Fn).Valid() {
				return false
			}
			g.Waits = append(g.Waits, o)
		case o.Name == "Go" && own:
		case o.Name == "Add" && own:
			g.Adds = append(g.Adds, o)
		case o.Name == "Done" && own:
			g.Dones = append(g.Dones, o)
		case o.Name == "Done" && len(o.Call.Args) == 0:
			if !record(o.GoroutineFunc, o.At, 1) {
				return false
			}
			s := at(launch.StartedBy(g.p, o.GoroutineFunc, g.Fn))
			s.Ops = append(s.Ops, o)
		default:
			return false
		}
	}
	for _, use := range groupUses(g.p, g.Fn) {
		c, e := use.at, use.GroupUse
		if e.Key != key {
			continue
		}
		_, isGo := c.Parent().Node().(*ast.GoStmt)
		runner := g.p.GoroutineFunc(c)
		switch {
		case e.Adds > 0 || e.Waits:
			return false
		case isGo && runner == g.Fn.Cursor:
			at(c.Parent()).Most += int(e.Dones)
		case isGo || !record(runner, c, int(e.Dones)):
			return false
		}
	}
	for c := range g.Fn.Cursor.Preorder((*ast.GoStmt)(nil)) {
		s := starts[c.Node()]
		if s == nil {
			continue
		}
		if s.Body != nil {
			s.Most = s.Body.Flow.Most(counts[s])
		}
		g.Starts = append(g.Starts, *s)
	}
	return len(g.Waits) > 0
}

// groupUse is a call that touches a WaitGroup through the function that it calls.
type groupUse struct {
	waitgroup.GroupUse
	at inspector.Cursor
}

// knownUses is what groupUses has found, by function.
type knownUses struct {
	in map[inspector.Cursor][]groupUse
}

// groupUses lists the calls in fn that change or await a WaitGroup of fn's, for all of its groups.
func groupUses(p *code.Pass, fn *code.Func) []groupUse {
	known := code.State[knownUses](p)
	uses, ok := known.in[fn.Cursor]
	if ok {
		return uses
	}
	for c := range fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		for _, e := range waitgroup.Effects(p, c.Node().(*ast.CallExpr)) {
			if e.Key = p.ArgumentFor(e.Key, c); e.Adds+e.Dones > 0 || e.Waits {
				uses = append(uses, groupUse{e, c})
			}
		}
	}
	if known.in == nil {
		known.in = map[inspector.Cursor][]groupUse{}
	}
	known.in[fn.Cursor] = uses
	return uses
}

// excess is an Add after which too few goroutines count down.
type excess struct {
	Add   waitgroup.Op
	Count int64 // what it adds
	Dones int   // how often the goroutines after it count down at most
}

// Excesses compares each Add with the goroutines that are started after it in
// the same list of statements, up to the next Add or Wait. It says nothing if a
// goroutine cannot be put down to one Add, or counts down in a loop.
func (g *localGroup) Excesses() (out []excess) {
	if len(g.Dones) > 0 || g.jumps() {
		return nil
	}
	paid := map[ast.Node]bool{}
	for _, add := range g.Adds {
		stmt := add.At.Parent()
		list, i, ok := code.StmtList(stmt)
		n, constant := typeis.SmallInt(g.p.TypesInfo.Types[add.Call.Args[0]].Value)
		if _, isStmt := stmt.Node().(*ast.ExprStmt); !ok || !isStmt || !constant && len(g.Starts) > 0 {
			return nil
		}
		dones, more := 0, false // how often a loop counts down is not known
		for _, s := range list[i+1:] {
			if g.isOwn(s, "Add") || g.isOwn(s, "Wait") {
				break
			}
			for _, start := range g.Starts {
				gs := start.Stmt.Node()
				if gs.Pos() < s.Pos() || gs.End() > s.End() {
					continue
				}
				paid[gs] = true
				most, known := g.mostAfter(add, start)
				dones, more = dones+most, more || !known
			}
		}
		if dones == 0 && !more && !g.forgotten(list, i) {
			continue // blocks on purpose, for all one knows
		}
		if constant && int64(dones) < n && !more || !constant {
			out = append(out, excess{add, n, dones})
		}
	}
	for _, s := range g.Starts {
		if !paid[s.Stmt.Node()] && s.Most > 0 {
			return nil
		}
	}
	return out
}

// mostAfter returns how often the goroutines of a go statement after an Add
// count down at most; ok is false if that is not known.
func (g *localGroup) mostAfter(add waitgroup.Op, start groupStart) (n int, ok bool) {
	loops := channel.Loops(start.Stmt, g.Fn, add.Call.Pos())
	if start.Most >= flow.Many || len(loops) > 1 {
		return start.Most, false
	}
	if len(loops) == 0 {
		return start.Most, true
	}
	bound, ok := frozen.LoopBound(g.p, loops[0])
	return start.Most * int(bound.Const), ok && bound.Of == nil
}

// forgotten reports whether the statement after the Add starts a goroutine
// that ends, and does so without a Done. An Add and a Wait alone are a way to
// block for ever, in a main function and elsewhere.
func (g *localGroup) forgotten(list []ast.Stmt, i int) bool {
	if i+1 >= len(list) || g.Fn.Name() == "main" {
		return false
	}
	gs, ok := list[i+1].(*ast.GoStmt)
	if !ok {
		return false
	}
	var body *code.Func
	if lit, isLit := ast.Unparen(gs.Call.Fun).(*ast.FuncLit); isLit {
		c, found := g.Fn.Cursor.FindNode(lit)
		if !found {
			return false
		}
		body = g.p.FuncOf(c)
	} else {
		body = g.p.Declaration(g.p.Callee(gs.Call))
	}
	return body != nil && flow.ReachesReturn(body.Flow, nil) && !(&waitgroup.Goroutine{Pass: g.p, Lit: body.Cursor}).MayNotEnd()
}

// jumps reports whether the function has a goto.
func (g *localGroup) jumps() bool {
	for c := range g.Fn.Cursor.Preorder((*ast.BranchStmt)(nil)) {
		if c.Node().(*ast.BranchStmt).Tok == token.GOTO {
			return true
		}
	}
	return false
}

// isOwn reports whether s holds a call of the method name by the function itself.
func (g *localGroup) isOwn(s ast.Stmt, name string) bool {
	for _, list := range [][]waitgroup.Op{g.Adds, g.Waits} {
		for _, o := range list {
			if o.Name == name && s.Pos() <= o.Call.Pos() && o.Call.End() <= s.End() {
				return true
			}
		}
	}
	return false
}
