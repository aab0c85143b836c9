package missingsignal

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rules/missingsignal/internal/outcome"
)

// miss is a wait for a word that is not given.
type miss struct {
	s    *signal
	wait wait
	via  *part // who leaves it out; nil if nobody has the channel on this way
	// Exits are where the function returns and leaves behind who waits.
	exits []*ast.ReturnStmt
	end   bool // its end is one of them
}

// misses returns the waits for the channel that the call at made makes in fn, to which
// a path leads, or which a path leaves behind, on which nobody gives the word.
func misses(p *code.Pass, made inspector.Cursor, fn *code.Func) (out []miss) {
	local := &channel.Local{Pass: p, Fn: fn, Make: made}
	if !local.Variable() || local.Later {
		return nil
	}
	s := follow(p, fn, local.Var)
	at := code.FlowNode(made, fn)
	if s.lost || at == nil || !s.shared() || len(s.waits) > 0 && launch.OncePerProcess(p, fn.Cursor) {
		return nil
	}
	for _, w := range s.waits {
		if len(channel.Loops(w.stands(), fn, s.v.Pos())) > 0 {
			continue
		}
		m := miss{s: s, wait: w}
		if w.start.Valid() {
			m.leftBehind(at)
		} else {
			m.reached(at)
		}
		if m.via != nil || len(m.exits) > 0 || m.end {
			out = append(out, m)
		}
	}
	return out
}

// stands returns where the function itself begins to wait, or starts who does.
func (w wait) stands() inspector.Cursor {
	switch {
	case w.start.Valid():
		return w.start
	case w.op.Kind == channel.Range:
		return w.op.Op.Parent()
	}
	return w.at
}

// shared reports whether anybody but the function itself gives the word.
func (s *signal) shared() bool {
	for _, g := range s.gives {
		if g.real && !g.own {
			return true
		}
	}
	return false
}

// elsewhere reports whether another rule follows the channel: nobody gives the word
// but the function itself, or functions that do so before they return.
func (s *signal) elsewhere() bool {
	for _, g := range s.gives {
		if g.own || !g.real {
			continue
		}
		if a, ok := channel.ArgumentOf(s.p, channel.UseAt(s.p, g.at)); !ok || a.Go {
			return false
		}
	}
	return true
}

// sole reports whether a literal that the function starts is the only one that gives
// the word, which it does itself: another rule looks at what it leaves out.
func (s *signal) sole(g *part) bool {
	if g.lit == nil || g.keeper != nil {
		return false
	}
	real := 0
	for _, x := range s.gives {
		if x.real {
			real++
		}
	}
	for _, x := range g.lit.gives {
		if !x.own {
			return false
		}
	}
	return real == 1
}

// leftBehind looks for ways out of the function that leave a goroutine waiting, or a
// deferred call of the function itself.
func (m *miss) leftBehind(made ast.Node) {
	s, start := m.s, code.FlowNode(m.wait.start, m.s.fn)
	if start == nil || s.enclosing(start, made) != start {
		return
	}
	flags, assumed := assume.FlagsAt(s.p, m.wait.start), assume.Assumed(s.p, m.wait.start, s.fn)
	elsewhere := s.elsewhere() && !m.wait.deferred
	s.walk(made, walker{
		node: func(n ast.Node, st state) (state, bool) {
			st.started = st.started || n == start
			return st, n != made
		},
		edge: func(cond ast.Expr, taken bool, _ state) bool {
			return flags.Possible(cond, taken) && assumed.Possible(cond, taken)
		},
		exit: func(b *flow.Block, st state) {
			if !st.started || st.part == nil && elsewhere {
				return
			}
			if via := s.partOf(st.part); via != nil {
				m.via = via
				return
			}
			if ret := outcome.Returned(b); ret != nil {
				m.exits = append(m.exits, ret)
			} else {
				m.end = true
			}
		},
	})
}

// reached looks for a path to a wait of the function itself.
func (m *miss) reached(made ast.Node) {
	s, wait := m.s, code.FlowNode(m.wait.at, m.s.fn)
	if wait == nil || s.perhaps(m.wait) {
		return
	}
	assumed := assume.Assumed(s.p, m.wait.at, s.fn)
	d := s.decisions(made, wait)
	if d.decided() {
		return
	}
	s.walk(made, walker{
		node: func(n ast.Node, st state) (state, bool) {
			if n == wait {
				if via := s.partOf(st.part); via == nil {
					m.end = true
				} else if !s.sole(via) {
					m.via = via
				}
			}
			return st, n != wait && n != made && !d.stops[n]
		},
		edge: func(cond ast.Expr, taken bool, st state) bool {
			return assumed.Possible(cond, taken) && d.free(cond, s.partOf(st.part))
		},
		skip: func(b *flow.Block) bool { return b.Select != nil && d.choices[b.Select] },
	})
}

// decisions are the conditions on the way to a wait. One that tells whether the wait
// comes at all may know whether the word is given.
type decisions struct {
	s       *signal
	made    ast.Node
	wait    ast.Node
	related map[*types.Var]bool // what decides whether the word is given
	givers  []ast.Node          // the statements in which it is given, or not
	// Heads of switches on types and selects of which a case leaves, or leads to the wait.
	stops   map[ast.Node]bool
	choices map[*ast.SelectStmt]bool
}

func (s *signal) decisions(made, wait ast.Node) *decisions {
	d := &decisions{s: s, made: made, wait: wait, related: map[*types.Var]bool{}, stops: map[ast.Node]bool{}, choices: map[*ast.SelectStmt]bool{}}
	for n := range s.gives {
		stmt := s.enclosing(n, made, wait)
		d.givers = append(d.givers, stmt)
		for v := range s.related(stmt) {
			d.related[v] = true
		}
	}
	for c := range s.fn.Cursor.Preorder((*ast.SelectStmt)(nil), (*ast.TypeSwitchStmt)(nil)) {
		n := c.Node()
		if n.Pos() < made.Pos() || n.Pos() > wait.Pos() || d.gives(n) || !code.Within(wait, n) && !leaves(n) {
			continue
		}
		switch n := n.(type) {
		case *ast.SelectStmt:
			d.choices[n] = true
		case *ast.TypeSwitchStmt:
			d.stops[n.Assign] = true
		}
	}
	return d
}

// decided reports whether a condition before the channel was made has left only what
// may be the same as that which decides whether the word is given.
func (d *decisions) decided() bool {
	for c := range d.s.fn.Cursor.Preorder((*ast.IfStmt)(nil)) {
		n := c.Node().(*ast.IfStmt)
		if n.Pos() > d.made.Pos() || d.s.p.GoroutineFunc(c) != d.s.fn.Cursor || !leaves(n) && !code.Within(d.made, n) {
			continue
		}
		x, _, _ := d.s.p.NilTest(n.Cond, true)
		v := errorVar(d.s.p, x)
		if !assume.ConstantIn(d.s.p, n.Cond, d.s.fn) && !(v != nil && d.setAgain(v, n.Cond)) && frozen.MentionsAny(d.s.p, n.Cond, d.related) {
			return true
		}
	}
	return false
}

// gives reports whether the word is given within n, or not.
func (d *decisions) gives(n ast.Node) bool {
	for _, g := range d.givers {
		if code.Within(g, n) || code.Within(n, g) {
			return true
		}
	}
	return false
}

// free reports whether cond has nothing to do with whether the word is given.
func (d *decisions) free(cond ast.Expr, via *part) bool {
	s := d.s
	at := cond
	if be, ok := cond.(*ast.BinaryExpr); ok && !s.fn.Flow.Has(cond) {
		at = be.Y // of a switch with a tag
	}
	c, ok := s.p.Find(s.fn.Cursor, at)
	if !ok {
		return false
	}
	var stmt ast.Node
	for e := range c.Enclosing((*ast.IfStmt)(nil), (*ast.ForStmt)(nil), (*ast.SwitchStmt)(nil), (*ast.FuncLit)(nil), (*ast.FuncDecl)(nil)) {
		stmt = e.Node()
		break
	}
	switch {
	case stmt == nil || stmt == s.fn.Cursor.Node():
		return false
	case !code.Within(d.wait, stmt) && !leaves(stmt):
		return true // the wait comes, however it decides
	case via == nil && d.gives(stmt) && !code.Within(d.wait, stmt):
		return true // it decides whether the word is given
	}
	x, _, isNil := s.p.NilTest(cond, true)
	v := errorVar(s.p, x)
	before := via == nil && d.before(cond)
	switch {
	case via != nil && via.async:
		return false
	case via != nil && isNil && (ast.Unparen(x) == ast.Expr(via.call.Expr) || v != nil && v == via.call.Err):
		return true
	case before && assume.ConstantIn(s.p, cond, s.fn):
		return true // what it leaves is known
	case before && v != nil && d.setAgain(v, cond):
		return true
	case via != nil:
		return before || isNil && v != nil
	}
	return (before || isNil && v != nil) && !frozen.MentionsAny(s.p, cond, d.related)
}

// before reports whether cond comes before all that may give the word.
func (d *decisions) before(cond ast.Expr) bool {
	for _, g := range d.givers {
		if cond.Pos() >= g.Pos() {
			return false
		}
	}
	return true
}

// setAgain reports whether v gets another value between cond and what may give the word.
func (d *decisions) setAgain(v *types.Var, cond ast.Expr) bool {
	for n := range assume.ErrUsesOf(d.s.p, d.s.fn, v).Set {
		if n == nil || n.Pos() < cond.End() {
			continue
		}
		for _, g := range d.givers {
			if n.End() <= g.Pos() || code.Within(n, g) {
				return true
			}
		}
	}
	return false
}
