// Package complete answers whether a receiver that leaves its loop has got all that is sent,
// so that it leaves no sender behind: it has been signalled that no more comes, by the value
// itself, if the producer ends with such a one, or by counting.
package complete

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// LastValues is what a producer says with the values that it sends last.
type LastValues struct {
	s      *channel.Local
	loop   *ast.RangeStmt
	asked  map[*types.Var]bool // the received value, and what is read from it
	values []ast.Expr          // that end the producer
	flags  map[string]bool     // fields that say by their place that no more comes; "" for the whole value
	any    bool                // it ends with a value that is not seen here
	sent   []constant.Value    // all that it sends, unless other is set
	other  bool                // it sends what is no constant
	counts []constant.Value    // last values of loops that send their count; nil for one that is not constant
}

// NewLastValues asks the producer of a range: the only sender, which no loop starts.
func NewLastValues(s *channel.Local, loop *ast.RangeStmt) *LastValues {
	l := &LastValues{s: s, loop: loop, flags: map[string]bool{}}
	v := (*types.Var)(nil)
	if loop.Key != nil {
		v = s.Pass.VarOf(loop.Key)
	}
	if len(s.Senders) != 1 || s.Senders[0].Loop != nil || v == nil {
		return l
	}
	l.asked = frozen.ReadFrom(s.Pass, loop.Body, map[*types.Var]bool{v: true})
	l.producer(s.Senders[0].Body, s.Senders[0].Sends, 2)
	return l
}

// producer collects what a function sends last.
func (l *LastValues) producer(fn *code.Func, sends []channel.Use, depth int) {
	nodes := map[ast.Node]bool{}
	for _, u := range sends {
		nodes[code.FlowNode(u.Op, fn)] = true
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		comm, ok := n.(*ast.CommClause) // what is sent in a select is not among sends
		if ok {
			_, sends := comm.Comm.(*ast.SendStmt)
			l.other = l.other || sends
		}
		return !l.other
	})
	for _, u := range sends {
		send, ok := u.Op.Node().(*ast.SendStmt)
		if !ok {
			l.other = true
			body := l.s.Pass.Declaration(u.Callee.Callee)
			if body == nil || depth == 0 {
				l.any = true
				continue
			}
			var inner []channel.Use
			for _, in := range channel.Uses(l.s.Pass, body.Cursor, u.Callee.Callee.Signature().Params().At(u.Callee.Index)) {
				if a, isArg := channel.ArgumentOf(l.s.Pass, in); in.Kind == channel.Other && isArg {
					in.Callee, in.Op, in.Kind = a, a.Call, channel.Send
				}
				if in.Kind == channel.Send {
					inner = append(inner, in)
				}
			}
			l.producer(body, inner, depth-1)
			continue
		}
		if v := l.s.Pass.TypesInfo.Types[send.Value].Value; v != nil {
			l.sent = append(l.sent, v)
		} else {
			l.other = true
		}
		seen := frozen.VarsIn(l.s.Pass, send.Value, fn)
		if l.ends(fn, u, nodes, seen) {
			l.values = append(l.values, send.Value)
		}
		l.flag(fn, u.Op, send.Value)
		l.count(fn, u.Op, send.Value, sends)
	}
}

// count notes the last value of a loop that sends what counts its iterations,
// if no other send follows the loop.
func (l *LastValues) count(fn *code.Func, send inspector.Cursor, value ast.Expr, sends []channel.Use) {
	loops, v := channel.Loops(send, fn, token.NoPos), l.s.Pass.VarOf(value)
	if len(loops) != 1 || v == nil || slices.ContainsFunc(sends, func(u channel.Use) bool { return u.Op.Node().Pos() > loops[0].End() }) {
		return
	}
	var bound ast.Expr
	last := token.SUB // the last value is one below the bound
	switch n := loops[0].(type) {
	case *ast.RangeStmt:
		if n.Key == nil || l.s.Pass.VarOf(n.Key) != v || typeis.Map(l.s.Pass.TypesInfo.TypeOf(n.X)) || typeis.Chan(l.s.Pass.TypesInfo.TypeOf(n.X)) {
			return
		}
		if basic, ok := l.s.Pass.TypesInfo.TypeOf(n.X).Underlying().(*types.Basic); ok && basic.Info()&types.IsInteger != 0 {
			bound = n.X
		}
	case *ast.ForStmt:
		be, ok := n.Cond.(*ast.BinaryExpr)
		inc, isInc := n.Post.(*ast.IncDecStmt)
		if !ok || !isInc || inc.Tok != token.INC || l.s.Pass.VarOf(inc.X) != v || l.s.Pass.VarOf(be.X) != v {
			return
		}
		switch be.Op {
		case token.LSS, token.NEQ:
		case token.LEQ:
			last = token.ADD
		default:
			return
		}
		bound = be.Y
	}
	if bound == nil || l.s.Pass.TypesInfo.Types[bound].Value == nil {
		l.counts = append(l.counts, nil)
		return
	}
	c := l.s.Pass.TypesInfo.Types[bound].Value
	if last == token.SUB {
		c = constant.BinaryOp(c, token.SUB, constant.MakeInt64(1))
	}
	l.counts = append(l.counts, c)
}

// ends reports whether the producer may end after a send because of what it has
// sent: no other send follows at all, or a condition about the value decides that
// none does.
func (l *LastValues) ends(fn *code.Func, u channel.Use, sends map[ast.Node]bool, seen map[*types.Var]bool) bool {
	start := code.FlowNode(u.Op, fn)
	if _, deferred := start.(*ast.DeferStmt); deferred {
		return true
	}
	around := channel.Loops(u.Op, fn, token.NoPos)
	last, follows := false, false
	flow.Paths[bool]{
		Node: func(n ast.Node, isLast bool) (bool, bool) {
			follows = follows || sends[n]
			return isLast, !sends[n]
		},
		Iteration: func(loop ast.Stmt, _ bool) bool {
			follows = follows || slices.Contains(around, loop)
			return !slices.Contains(around, loop)
		},
		Edge: func(cond ast.Expr, _ bool, isLast bool) (bool, bool) {
			return isLast || frozen.MentionsAny(l.s.Pass, cond, seen), true
		},
		Exit: func(_ *flow.Block, isLast bool) { last = last || isLast },
	}.After(fn.Flow, start, false)
	return last || !follows
}

// flag notes the parts of a value that say by their place that it is the last: a
// comparison of what counts the iterations of the loop around the send, or what
// the head of that loop tests.
func (l *LastValues) flag(fn *code.Func, send inspector.Cursor, value ast.Expr) {
	loops := channel.Loops(send, fn, token.NoPos)
	if len(loops) == 0 {
		return
	}
	counts, tests := map[*types.Var]bool{}, map[*types.Var]bool{}
	for _, loop := range loops {
		switch n := loop.(type) {
		case *ast.RangeStmt:
			if n.Key != nil && !typeis.Map(l.s.Pass.TypesInfo.TypeOf(n.X)) && !typeis.Chan(l.s.Pass.TypesInfo.TypeOf(n.X)) {
				counts[l.s.Pass.VarOf(n.Key)] = true
			}
		case *ast.ForStmt:
			if v := l.s.Pass.VarOf(tested(l.s.Pass, n.Cond)); v != nil {
				tests[v] = true
			}
		}
		ast.Inspect(loop, func(n ast.Node) bool {
			if inc, ok := n.(*ast.IncDecStmt); ok {
				if v := l.s.Pass.VarOf(inc.X); v != nil {
					counts[v] = true
				}
			}
			return true
		})
	}
	delete(counts, nil)
	// What a comparison of them sets says the same.
	place := map[*types.Var]bool{}
	says := func(e ast.Expr) bool {
		return l.compares(e, counts) || frozen.MentionsAny(l.s.Pass, e, place) || frozen.MentionsAny(l.s.Pass, e, tests)
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, r := range n.Rhs {
				if v := l.s.Pass.VarOf(n.Lhs[min(i, len(n.Lhs)-1)]); v != nil && says(r) {
					place[v] = true
				}
			}
		case *ast.IfStmt:
			if says(n.Cond) {
				ast.Inspect(n.Body, func(n ast.Node) bool {
					if as, ok := n.(*ast.AssignStmt); ok {
						for _, x := range as.Lhs {
							if v := l.s.Pass.VarOf(code.RootExpr(x)); v != nil {
								place[v] = true
							}
						}
					}
					return true
				})
			}
		}
		return true
	})
	for name, e := range l.fields(value) {
		if says(e) {
			l.flags[name] = true
		}
	}
}

// tested returns what a condition is about that asks a flag, or whether something
// is nil; nil for any other.
func tested(p *code.Pass, cond ast.Expr) ast.Expr {
	if cond == nil {
		return nil
	}
	if x, _, ok := p.NilTest(cond, true); ok {
		return x
	}
	if not, ok := ast.Unparen(cond).(*ast.UnaryExpr); ok && not.Op == token.NOT {
		return not.X
	}
	return cond
}

// compares reports whether e compares one of the variables with anything.
func (l *LastValues) compares(e ast.Expr, counts map[*types.Var]bool) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		if be, ok := n.(*ast.BinaryExpr); ok {
			switch be.Op {
			case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
				found = found || frozen.MentionsAny(l.s.Pass, be, counts)
			}
		}
		return !found
	})
	return found
}

// fields returns the values of the fields of a literal by their names, or the
// whole value under the name "". What is zero says nothing.
func (l *LastValues) fields(value ast.Expr) map[string]ast.Expr {
	value = ast.Unparen(value)
	if amp, ok := value.(*ast.UnaryExpr); ok && amp.Op == token.AND {
		value = ast.Unparen(amp.X)
	}
	lit, ok := value.(*ast.CompositeLit)
	if !ok {
		return map[string]ast.Expr{"": value}
	}
	st, ok := l.s.Pass.TypesInfo.TypeOf(lit).Underlying().(*types.Struct)
	if !ok {
		return map[string]ast.Expr{"": value}
	}
	out := map[string]ast.Expr{}
	for i, elt := range lit.Elts {
		name := ""
		if kv, keyed := elt.(*ast.KeyValueExpr); keyed {
			name, elt = kv.Key.(*ast.Ident).Name, kv.Value
		} else if i < st.NumFields() {
			name = st.Field(i).Name()
		}
		if !frozen.IsZero(l.s.Pass, elt) {
			out[name] = elt
		}
	}
	return out
}

// Tells reports whether a condition about the received value may come out so
// because the value is the last.
func (l *LastValues) Tells(cond ast.Expr) bool {
	if l.asked == nil || !frozen.MentionsAny(l.s.Pass, cond, l.asked) || !frozen.LooksOnly(l.s.Pass, cond, l.asked) {
		return false
	}
	if l.any || l.never(cond) {
		return true
	}
	names := l.names(cond)
	for _, name := range names {
		if l.flags[name] || l.flags[""] {
			return true
		}
	}
	for _, last := range l.counts {
		if slices.Contains(names, "") && (last != nil || !l.asksConstant(cond)) && l.mayBe(cond, last, false) {
			return true
		}
	}
	for _, value := range l.values {
		fields := l.fields(value)
		whole, isWhole := fields[""]
		if isWhole {
			if l.mayEqual(cond, whole) {
				return true
			}
			continue
		}
		for _, name := range names {
			if e, set := fields[name]; name == "" || set && l.mayEqual(cond, e) {
				return true
			}
		}
	}
	return false
}

// InCase follows a path through a type switch about the value: isLast is true in
// the cases of one, and from there on out of the loop.
func (l *LastValues) InCase(n ast.Node, isLast bool) bool {
	if len(l.values) == 0 && !l.any || n.Pos() < l.loop.Body.Pos() || n.Pos() >= l.loop.Body.End() {
		return isLast
	}
	in := false
	ast.Inspect(l.loop.Body, func(at ast.Node) bool {
		sw, ok := at.(*ast.TypeSwitchStmt)
		if !ok || !frozen.MentionsAny(l.s.Pass, sw.Assign, l.asked) {
			return true
		}
		for _, c := range sw.Body.List {
			cc := c.(*ast.CaseClause)
			in = in || cc.List != nil && cc.Pos() <= n.Pos() && n.End() <= cc.End()
		}
		return true
	})
	return in
}

// names returns the fields of the received value that cond asks for; "" for the
// value as a whole, or what was read from it.
func (l *LastValues) names(cond ast.Expr) (names []string) {
	ast.Inspect(cond, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if v := l.s.Pass.VarOf(n.X); v != nil && l.asked[v] && l.s.Pass.Selected(n) != nil {
				names = append(names, n.Sel.Name)
				return false
			}
		case *ast.Ident:
			if v := l.s.Pass.VarOf(n); v != nil && l.asked[v] {
				names = append(names, "")
			}
		}
		return true
	})
	return names
}

// never reports whether a condition compares the received value with a constant that
// the producer, which sends nothing but constants, does not send.
func (l *LastValues) never(cond ast.Expr) bool {
	be, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if l.other || !ok || be.Op != token.EQL {
		return false
	}
	x, k := be.X, l.s.Pass.TypesInfo.Types[be.Y].Value
	if k == nil {
		x, k = be.Y, l.s.Pass.TypesInfo.Types[be.X].Value
	}
	if v := l.s.Pass.VarOf(x); k == nil || v == nil || !l.asked[v] {
		return false
	}
	return !slices.ContainsFunc(l.sent, func(c constant.Value) bool {
		return c.Kind() != k.Kind() || constant.Compare(c, token.EQL, k)
	})
}

// asksConstant reports whether a condition compares with a constant.
func (l *LastValues) asksConstant(cond ast.Expr) bool {
	be, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	return ok && (l.s.Pass.TypesInfo.Types[be.X].Value != nil || l.s.Pass.TypesInfo.Types[be.Y].Value != nil)
}

// mayEqual reports whether a condition may be about a value that is e: if both
// are constants they must be the same.
func (l *LastValues) mayEqual(cond, e ast.Expr) bool {
	return l.mayBe(cond, l.s.Pass.TypesInfo.Types[e].Value, l.s.Pass.IsNil(e))
}

// mayBe is mayEqual for a constant, or nil for a value that is none.
func (l *LastValues) mayBe(cond ast.Expr, w constant.Value, isNil bool) bool {
	be, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok || be.Op != token.EQL && be.Op != token.NEQ {
		return true
	}
	for _, side := range []ast.Expr{be.X, be.Y} {
		if frozen.MentionsAny(l.s.Pass, side, l.asked) && l.s.Pass.VarOf(side) == nil {
			if _, isField := ast.Unparen(side).(*ast.SelectorExpr); !isField {
				return true // len(v), v[0]: something about the value
			}
		}
	}
	for _, side := range []ast.Expr{be.X, be.Y} {
		switch v := l.s.Pass.TypesInfo.Types[side].Value; {
		case v != nil && w != nil:
			return v.Kind() == w.Kind() && constant.Compare(v, token.EQL, w)
		case w != nil && !frozen.MentionsAny(l.s.Pass, side, l.asked):
			return false // a constant that the receiver does not ask for
		case isNil && !frozen.MentionsAny(l.s.Pass, side, l.asked):
			return l.s.Pass.IsNil(side)
		}
	}
	return true
}
