// Package mustcall follows obligations: whoever gets a value must make a call on it. It
// answers on which ways out of a function an obligation is not met, and where the
// missing call can be put. It knows no resource: see packages response and ctxcancel.
package mustcall

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// Obligation is something that a function must do with the value that a call
// has put into a local variable: close it, or call it.
type Obligation struct {
	Fn     *code.Func
	Call   *ast.CallExpr
	Def    inspector.Cursor // the statement that takes the results of Call
	Var    *types.Var       // nil if the value is discarded
	Err    *types.Var       // the error beside it, if there is one: while it is set, there is nothing to do
	Events []usage.Event    // of Var
	// Over reports whether after a node nothing needs to be done any more. May be nil.
	Over func(ast.Node) bool
	// Leaves reports whether a node takes the obligation out of its scope: a
	// path ends there, and Unmet.Leaves lists it. May be nil.
	Leaves func(ast.Node) bool
	// Settled reports whether nothing needs to be done where a condition came
	// out as taken. May be nil.
	Settled func(cond ast.Expr, taken bool) bool
	// Returns is set if only a function that returns owes it, not one that
	// waits for ever.
	Returns bool
	// First is set if of the ways out only the first ones are asked for, up to one that
	// returns: in a long function there are as many as it has tests.
	First bool
}

// Exit is a way out on which an obligation is not met.
type Exit struct {
	Pos     token.Pos
	Assigns bool // not a return: the variable gets another value
}

// Unmet is what the paths from the call to the exits show.
type Unmet struct {
	Exits           []Exit
	Met             bool // on some path it is met
	Overwritten     bool // on some path the variable gets another value first
	OverwrittenLate bool // and a deferred literal would close that one instead
	Again           bool // on some path control comes back to the call first
	Leaves          []ast.Node
}

// metState is what a path remembers: whether Err still belongs to the call,
// whether a deferred literal will close what the variable holds at the end,
// and whether a test of something derived from Err decided the way.
type metState struct {
	errLive, late, tainted bool
	flag                   *types.Var // a bool variable that was tested, and how it came out
	set                    bool
	narrowed               assume.Narrowed // what comparisons with constants left of a number or a string
}

// maxNarrowings bounds how much the paths of a function may learn from comparisons:
// each value makes paths of its own.
const maxNarrowings = 50

// Check follows all paths from the call.
//
// Precision: a path is not believed if a test decided it that is derived from
// the error in a way that is not understood, unless nothing meets the
// obligation anywhere.
func Check(p *code.Pass, o Obligation) Unmet {
	w := newUnmetWalk(p, o)
	w.here = p.Evaluates(o.Fn, o.Call)
	start := metState{errLive: o.Err != nil}
	for _, assigns := range []bool{false, true} { // a statement uses its values before it assigns them
		for _, e := range o.Events {
			if assigns == (e.Kind == usage.Assigns) {
				w.at[e.Node] = append(w.at[e.Node], e)
			}
		}
	}
	for _, e := range o.Events {
		if v := p.VarOf(e.At.Node().(*ast.Ident)); v != o.Var && !e.Lent {
			w.aliases[v] = true
		}
		start.late = start.late || e.Kind == usage.ClosesLate && e.At.Node().Pos() < o.Call.Pos()
	}
	assumed := assume.Assumed(p, o.Def, o.Fn)
	flow.Paths[metState]{
		Node: w.node,
		Edge: func(cond ast.Expr, taken bool, s metState) (metState, bool) {
			s, ok := w.edge(cond, taken, s)
			if !ok || !assumed.Possible(cond, taken) {
				return s, false
			}
			narrowed, ok := assumed.Narrow(s.narrowed, cond, taken, o.Fn)
			if narrowed != s.narrowed && w.narrowings < maxNarrowings {
				w.narrowings++
				s.narrowed = narrowed
			}
			return s, ok
		},
		Iteration: func(l ast.Stmt, _ metState) bool {
			loop, isFor := l.(*ast.ForStmt)
			w.waits = w.waits || isFor && loop.Cond == nil && loop.Pos() > o.Call.Pos()
			return true
		},
		Select: func(*ast.SelectStmt, metState) { w.waits = true },
		Exit: func(b *flow.Block, s metState) {
			w.returns = true
			if !s.late {
				w.report(s, Exit{Pos: b.End})
			}
		},
		Skip: w.skip,
	}.After(o.Fn.Flow, w.here, start)
	w.out.Exits = w.sure
	if !w.out.Met {
		w.out.Exits = append(w.out.Exits, w.tainted...)
		if !w.returns && w.waits && o.Leaves == nil && !o.Returns {
			w.out.Exits = append(w.out.Exits, Exit{Pos: o.Fn.Body.Rbrace})
		}
	}
	return w.out
}

type unmetWalk struct {
	p             *code.Pass
	o             Obligation
	here          ast.Node
	at            map[ast.Node][]usage.Event
	errSet        map[ast.Node]bool   // nodes that give Err another value
	derived       map[*types.Var]bool // variables whose value depends on Err
	aliases       map[*types.Var]bool // variables that hold the value or its body, too
	uses          *assume.ErrUses
	sure, tainted []Exit
	settled       bool   // sure holds a way out that returns
	eventful      []bool // by Block.index: something happens to the value there or after it
	returns       bool   // some path comes to an exit
	waits         bool   // some path comes to something that may wait for ever
	narrowings    int    // how often a path has learnt something of a value
	out           Unmet
}

func newUnmetWalk(p *code.Pass, o Obligation) *unmetWalk {
	w := &unmetWalk{p: p, o: o, at: map[ast.Node][]usage.Event{}, errSet: map[ast.Node]bool{}, derived: map[*types.Var]bool{}, aliases: map[*types.Var]bool{}}
	if o.Err != nil {
		w.followErr()
	}
	w.uses = assume.ErrUsesOf(p, o.Fn, o.Err)
	return w
}

func (w *unmetWalk) report(s metState, e Exit) {
	if s.tainted {
		w.tainted = append(w.tainted, e)
	} else {
		w.sure = append(w.sure, e)
		w.settled = w.settled || !e.Assigns
	}
}

func (w *unmetWalk) node(n ast.Node, s metState) (metState, bool) {
	for _, e := range w.at[n] {
		switch e.Kind {
		case usage.Closes, usage.DefersClose, usage.Escapes: // whoever has it now must close it
			w.out.Met = true
			return s, false
		case usage.ClosesLate:
			w.out.Met, s.late = true, true
		case usage.Assigns:
			if s.late && w.anew(e) {
				w.out.Met = true
				return s, false
			}
			w.out.Overwritten, w.returns = true, true
			w.out.OverwrittenLate = w.out.OverwrittenLate || s.late
			w.report(s, Exit{Pos: e.At.Node().Pos(), Assigns: true})
			return s, false
		}
	}
	if w.o.Leaves != nil && n == w.here {
		w.out.Again = true
		return s, false
	}
	if w.o.Over != nil && w.o.Leaves != nil && w.o.Over(n) {
		return s, false
	}
	if w.o.Leaves != nil && w.o.Leaves(n) {
		if _, isReturn := n.(*ast.ReturnStmt); isReturn && s.late {
			return s, false
		}
		if !slices.Contains(w.out.Leaves, n) {
			w.out.Leaves = append(w.out.Leaves, n)
		}
		return s, false
	}
	w.waits = w.waits || n != w.here && waits.MayWait(w.p, n)
	if n != w.here && w.errSet[n] {
		s.errLive = false
	}
	if s.errLive && w.switchesOnErr(n) {
		s.tainted = true
	}
	if s.errLive && (assume.ExpectsError(w.p, n, w.o.Err) || w.asksErr(n)) || assume.FailsTest(w.p, n) {
		return s, false
	}
	over := w.o.Over != nil && w.o.Over(n)
	w.returns = w.returns || over // the function does not wait for ever
	return s, !over
}

// skip reports whether nothing happens to the value from b on, and a way out that comes
// first is known: what is left could only add others.
func (w *unmetWalk) skip(b *flow.Block) bool {
	if !w.settled || !w.o.First || w.o.Leaves != nil {
		return false
	}
	if w.eventful == nil {
		var at []*flow.Block
		for n := range w.at {
			if b := w.o.Fn.Flow.BlockOf(n); b != nil {
				at = append(at, b)
			}
		}
		w.eventful = w.o.Fn.Flow.LeadTo(at)
	}
	return !w.eventful[b.Index()]
}

// anew reports whether e declares Var: in each iteration of a loop that is
// another variable, and a literal of the one before holds the one before.
func (w *unmetWalk) anew(e usage.Event) bool {
	id := e.At.Node().(*ast.Ident)
	return w.p.TypesInfo.Defs[id] != nil && w.p.VarOf(id) == w.o.Var
}

func (w *unmetWalk) edge(cond ast.Expr, taken bool, s metState) (metState, bool) {
	if v := w.p.VarOf(cond); v != nil {
		if s.flag == v && s.set != taken {
			return s, false
		}
		s.flag, s.set = v, taken
	}
	if w.o.Settled != nil && w.o.Settled(cond, taken) {
		return s, false
	}
	if x, isNil, ok := w.p.NilTest(cond, taken); ok {
		switch v := w.p.VarOf(x); {
		case v == nil:
		case v == w.o.Var || w.aliases[v]:
			return s, !isNil
		case v == w.o.Err && s.errLive:
			return s, isNil
		}
	}
	if s.errLive && w.uses.Mention[cond] {
		if assume.ErrorMatch(w.p, cond, w.o.Err) {
			return s, !taken
		}
		s.tainted = true
	}
	for v := range w.derived {
		if w.p.Mentions(cond, v) {
			s.tainted = true
		}
	}
	return s, true
}

// asksErr reports whether n calls a method of Err, which panics unless it is set.
func (w *unmetWalk) asksErr(n ast.Node) bool { return w.uses.Ask[n] }

// ComesBack reports whether control can come back to the call without its
// error being set: then whatever is deferred after it piles up.
func ComesBack(p *code.Pass, o Obligation) bool {
	here, back := p.Evaluates(o.Fn, o.Call), false
	if !o.Fn.Flow.InCycle(here) {
		return false
	}
	w := &unmetWalk{p: p, o: o, errSet: map[ast.Node]bool{}, derived: map[*types.Var]bool{}}
	if o.Err != nil {
		w.followErr()
	}
	w.uses = assume.ErrUsesOf(p, o.Fn, o.Err)
	flow.Paths[metState]{
		Node: func(n ast.Node, s metState) (metState, bool) {
			back = back || n == here
			s.errLive = s.errLive && !w.errSet[n]
			return s, !back
		},
		Edge: w.edge,
	}.After(o.Fn.Flow, here, metState{errLive: o.Err != nil})
	return back
}

// followErr notes where Err gets another value and what depends on it.
func (w *unmetWalk) followErr() {
	uses := assume.ErrUsesOf(w.p, w.o.Fn, w.o.Err)
	w.errSet = uses.Set
	for v := range uses.Derived {
		if v != w.o.Var {
			w.derived[v] = true
		}
	}
	if w.o.Var == nil {
		return
	}
	for v := range assume.TestedInto(w.p, w.o.Fn, w.o.Var) {
		if v != w.o.Err && v != w.o.Var {
			w.derived[v] = true
		}
	}
}

// switchesOnErr reports whether n is the head of a type switch on Err.
func (w *unmetWalk) switchesOnErr(n ast.Node) bool { return w.uses.Sw[n] }

// ErrorSets returns the nodes that give the error of o another value.
func ErrorSets(p *code.Pass, o Obligation) map[ast.Node]bool {
	w := &unmetWalk{p: p, o: o, errSet: map[ast.Node]bool{}, derived: map[*types.Var]bool{}}
	w.followErr()
	return w.errSet
}

// MayMeet reports whether a path from the call of o comes to a node that meets it, or
// to a way out after a node that meets it there. at says of a node whether it meets o
// at once, whether it does at the way out, and whether the path is followed no further.
func MayMeet(p *code.Pass, o Obligation, at func(ast.Node) (now, late, stop bool)) (found bool) {
	here, w := p.Evaluates(o.Fn, o.Call), newUnmetWalk(p, o)
	flow.Paths[metState]{
		Node: func(n ast.Node, s metState) (metState, bool) {
			now, late, stop := at(n)
			if n == here || stop {
				return s, false
			}
			found = found || now
			s.late = s.late || late
			s.errLive = s.errLive && !w.errSet[n]
			return s, !found
		},
		Edge: w.edge,
		Exit: func(_ *flow.Block, s metState) { found = found || s.late },
	}.After(o.Fn.Flow, here, metState{errLive: o.Err != nil})
	return found
}
