package flow

import "go/ast"

// Paths walks all paths of a flow that start after a node, once per block
// and state. State is what a rule remembers along a path; it must be small,
// because the cost is blocks times states.
type Paths[S comparable] struct {
	// Node is called for each node on the way. It returns the state after
	// the node and whether the path goes on.
	Node func(n ast.Node, s S) (S, bool)
	// Edge is called when a condition decides the way. It returns false when
	// the path cannot go this way. May be nil.
	Edge func(cond ast.Expr, taken bool, s S) (S, bool)
	// Iteration is called where the next iteration of a loop begins, before it is
	// known whether there is one. It returns false to stop there. May be nil.
	Iteration func(loop ast.Stmt, s S) bool
	// Select is called where a select statement waits. May be nil.
	Select func(sel *ast.SelectStmt, s S)
	// Skip reports whether nothing from the start of a block on is of interest, by
	// what is known when a path comes to it. May be nil.
	Skip func(b *Block) bool
	// Exit is called where a path leaves the function by returning. May be nil.
	Exit func(b *Block, s S)
}

// After explores from the node after n. It does nothing if n is not in the flow.
func (p Paths[S]) After(f *Graph, n ast.Node, s S) {
	at, ok := f.at[n]
	if !ok {
		return
	}
	p.run(f, at.block, at.index+1, s)
}

// FromEntry explores from the start of the function.
func (p Paths[S]) FromEntry(f *Graph, s S) { p.run(f, f.Entry, 0, s) }

// FromBody explores from the start of the body of a loop.
func (p Paths[S]) FromBody(f *Graph, loop ast.Stmt, s S) {
	if b := f.bodies[loop]; b != nil {
		p.run(f, b, 0, s)
	}
}

func (p Paths[S]) run(f *Graph, b *Block, index int, s S) {
	type job struct {
		b     *Block
		s     S
		index int
	}
	seen := newSeen[S](f)
	work := []job{{b, s, index}}
	for len(work) > 0 {
		j := work[len(work)-1]
		work = work[:len(work)-1]
		state, on := j.s, true
		if j.b.Loop != nil && p.Iteration != nil && !p.Iteration(j.b.Loop, state) {
			continue
		}
		if p.Skip != nil && j.index == 0 && p.Skip(j.b) {
			continue
		}
		for _, n := range j.b.Nodes[j.index:] {
			if state, on = p.Node(n, state); !on {
				break
			}
		}
		if !on {
			continue
		}
		if j.b.Select != nil && p.Select != nil {
			p.Select(j.b.Select, state)
		}
		if j.b.Exit == Returns && p.Exit != nil {
			p.Exit(j.b, state)
		}
		// Backwards, so that successors are explored in source order.
		for i := len(j.b.Succs) - 1; i >= 0; i-- {
			next, ok := state, true
			if j.b.Cond != nil && p.Edge != nil {
				next, ok = p.Edge(j.b.Cond, i == 0, state)
			}
			if ok && seen.add(j.b.Succs[i], next) {
				work = append(work, job{j.b.Succs[i], next, 0})
			}
		}
	}
}

// seen holds the states with which a walk has come to each block. There are few for a
// block, and a walk for each candidate of a long function: a map of all would take most of
// the time. A block with many gets one.
type seen[S comparable] struct {
	first  []int32 // by Block.index: where the list of the block begins in states, plus one
	states []seenState[S]
	many   map[int]map[S]bool
}

type seenState[S comparable] struct {
	s    S
	next int32
}

// manyStates is the length of a list from which on a map is faster.
const manyStates = 16

func newSeen[S comparable](f *Graph) *seen[S] { return &seen[S]{first: make([]int32, len(f.blocks))} }

// add adds a state of b. It returns false if it was there.
func (v *seen[S]) add(b *Block, s S) bool {
	if known, ok := v.many[b.index]; ok {
		was := known[s]
		known[s] = true
		return !was
	}
	n := 0
	for i := v.first[b.index]; i > 0; i = v.states[i-1].next {
		if v.states[i-1].s == s {
			return false
		}
		n++
	}
	if n == manyStates {
		known := map[S]bool{s: true}
		for i := v.first[b.index]; i > 0; i = v.states[i-1].next {
			known[v.states[i-1].s] = true
		}
		if v.many == nil {
			v.many = map[int]map[S]bool{}
		}
		v.many[b.index] = known
		return true
	}
	v.states = append(v.states, seenState[S]{s, v.first[b.index]})
	v.first[b.index] = int32(len(v.states))
	return true
}
