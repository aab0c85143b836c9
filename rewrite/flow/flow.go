// Package flow has the control-flow graph of a function, and walks its paths. Paths
// is the one walk; the questions asked of a graph are built on it.
package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"sync"
)

// Graph is the control-flow graph of one function body. It differs from
// golang.org/x/tools/go/cfg where leaks need more than liveness: conditions
// are split at && and ||, a tagged switch compares tag and case, the
// statement of a select case stands in the block of its own case, a loop
// whose first test is constantly true is entered for certain, and select{}
// has no successor.
type Graph struct {
	Entry  *Block
	blocks []*Block
	at     map[ast.Node]point  // statements and conditions -> where they stand
	bodies map[ast.Stmt]*Block // loops -> where their body begins
	info   *types.Info
	// By Block.index, when asked for: see InCycle, and the blocks that lead to it.
	cyclic func() []bool
	before func() [][]*Block
}

// Block is a run of nodes that are evaluated one after the other.
type Block struct {
	Nodes []ast.Node // statements, conditions, range operands, ValueSpecs
	Cond  ast.Expr   // if not nil, Succs[0] is taken when it is true, Succs[1] when false
	Succs []*Block
	Exit  ExitKind // why there is no successor
	End   token.Pos
	// Select is the statement that chooses among Succs, if there is one.
	Select *ast.SelectStmt
	// Loop is the for or range statement whose next iteration begins here.
	Loop  ast.Stmt
	index int // in Graph.blocks
}

// ExitKind says how control leaves a block without successors.
type ExitKind uint8

const (
	NoExit  ExitKind = iota
	Returns          // a return statement or the end of the body
	Never            // panic, os.Exit, t.Fatal, select{}: nothing after it runs
)

type point struct {
	block *Block
	index int
}

// New builds the graph of body. NeverReturns reports whether a call does
// not come back, such as os.Exit.
func New(body *ast.BlockStmt, info *types.Info, neverReturns func(*ast.CallExpr) bool) *Graph {
	b := &flowBuilder{
		flow:         &Graph{at: map[ast.Node]point{}, bodies: map[ast.Stmt]*Block{}, info: info},
		neverReturns: neverReturns,
		labels:       map[string]*labelTargets{},
	}
	b.flow.cyclic, b.flow.before = sync.OnceValue(b.flow.cycles), sync.OnceValue(b.flow.predecessors)
	b.cur = b.block()
	b.flow.Entry = b.cur
	b.list(body.List)
	if b.cur != nil {
		b.cur.Exit = Returns
		b.cur.End = body.Rbrace
	}
	return b.flow
}

// Has reports whether n is a node of the graph.
func (f *Graph) Has(n ast.Node) bool { _, ok := f.at[n]; return ok }

// InCycle reports whether control can come back to n after leaving it.
func (f *Graph) InCycle(n ast.Node) bool {
	at, ok := f.at[n]
	if !ok {
		return false
	}
	return f.cyclic()[at.block.index]
}

// ComesBack reports whether control comes to the next iteration of loop once
// cond has come out as taken.
func (f *Graph) ComesBack(cond ast.Expr, taken bool, loop ast.Stmt) (back bool) {
	for _, b := range f.blocks {
		if b.Cond != cond {
			continue
		}
		next := b.Succs[1]
		if taken {
			next = b.Succs[0]
		}
		Paths[struct{}]{
			Node: func(_ ast.Node, s struct{}) (struct{}, bool) { return s, true },
			Iteration: func(l ast.Stmt, _ struct{}) bool {
				back = back || l == loop
				return l != loop
			},
		}.run(f, next, 0, struct{}{})
	}
	return back
}

// ReachesReturn reports whether a path leads from the start of the function to a return.
// Edge, which may be nil, decides about conditions as in Paths.
func ReachesReturn(f *Graph, edge func(ast.Expr, bool, struct{}) (struct{}, bool)) bool {
	found := false
	Paths[struct{}]{
		Node: func(ast.Node, struct{}) (struct{}, bool) { return struct{}{}, true },
		Edge: edge,
		Exit: func(*Block, struct{}) { found = true },
	}.FromEntry(f, struct{}{})
	return found
}
