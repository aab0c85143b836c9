package missingsignal

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// state is what is known on a path on which the word has not been given.
type state struct {
	err     *types.Var // an error that is set
	part    ast.Node   // where somebody got the channel who has left the word out
	ended   bool       // the error of that call is told by its variable no more
	started bool       // somebody waits
}

// walker says what to look at on the paths on which the word is not given.
type walker struct {
	node func(n ast.Node, st state) (state, bool)
	edge func(cond ast.Expr, taken bool, st state) bool
	exit func(b *flow.Block, st state)
	skip func(b *flow.Block) bool
}

func (s *signal) partOf(n ast.Node) *part {
	if g := s.gives[n]; g != nil {
		return g.part
	}
	return nil
}

// walk goes along the paths on which the word is not given, from a node, or from the
// start of the function if that is nil.
func (s *signal) walk(from ast.Node, w walker) {
	paths := flow.Paths[state]{
		Node: func(n ast.Node, st state) (state, bool) {
			if w.node != nil {
				var on bool
				if st, on = w.node(n, st); !on {
					return st, false
				}
			}
			if assume.FailsTest(s.p, n) {
				return st, false
			}
			if g := s.gives[n]; g != nil {
				if g.part == nil || st.part != nil && st.part != n {
					return st, false // of two, one may give it when the other does not
				}
				st.part = n
			} else if part := s.partOf(st.part); part != nil && part.call.Err != nil && assume.ErrUsesOf(s.p, s.fn, part.call.Err).Set[n] {
				st.ended = true
			}
			if st.err != nil && assume.ErrUsesOf(s.p, s.fn, st.err).Set[n] {
				st.err = nil
			}
			return st, !s.ends(n, st)
		},
		Edge: func(cond ast.Expr, taken bool, st state) (state, bool) {
			x, isNil, ok := s.p.NilTest(cond, taken)
			if ok && s.p.VarOf(x) == s.v {
				return st, !isNil
			}
			if part := s.partOf(st.part); part != nil && !s.missedBy(part, cond, taken, st) {
				return st, false
			}
			if v := errorVar(s.p, x); ok && v != nil {
				if isNil && st.err == v {
					return st, false
				}
				if st.err = nil; !isNil {
					st.err = v
				}
			}
			return st, w.edge == nil || w.edge(cond, taken, st)
		},
		Iteration: func(loop ast.Stmt, _ state) bool {
			return !slices.ContainsFunc(s.giving(), func(n ast.Node) bool { return code.Within(n, loop) })
		},
		Skip: w.skip,
		Exit: func(b *flow.Block, st state) {
			if w.exit != nil {
				w.exit(b, st)
			}
		},
	}
	if from == nil {
		paths.FromEntry(s.fn.Flow, state{})
		return
	}
	paths.After(s.fn.Flow, from, state{})
}

// giving lists the nodes where the word is given, at least on some way.
func (s *signal) giving() (out []ast.Node) {
	for n := range s.gives {
		out = append(out, n)
	}
	return out
}

// errorVar returns the variable that x is, if that is an error.
func errorVar(p *code.Pass, x ast.Expr) *types.Var {
	if x == nil {
		return nil
	}
	if v := p.VarOf(x); v != nil && !v.IsField() && typeis.Error(v.Type()) {
		return v
	}
	return nil
}

// missedBy reports whether cond may come out as taken after a call that left the word out.
func (s *signal) missedBy(g *part, cond ast.Expr, taken bool, st state) bool {
	return g.async || g.call.Failed(s.p, s.fn, cond, taken, st.ended)
}

// ends reports whether a node makes certain that the error is nil of the call that left
// the word out, as in must(err).
func (s *signal) ends(n ast.Node, st state) (ends bool) {
	g := s.partOf(st.part)
	if g == nil || g.call.Err == nil || st.ended {
		return false
	}
	code.EachCall(n, func(call *ast.CallExpr) {
		ends = ends || assume.EndsUnlessNil(s.p, call, g.call.Err)
	})
	return ends
}
