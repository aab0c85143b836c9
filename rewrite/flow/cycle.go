package flow

import (
	"go/ast"
	"slices"
)

// cycles returns for each block, by its index, whether control can come back to it: the
// strongly connected components of the graph, by Tarjan's algorithm. A search for each
// block that is asked about would be quadratic in a long function.
func (f *Graph) cycles() []bool {
	cyclic := make([]bool, len(f.blocks))
	number := make([]int, len(f.blocks)) // the order of discovery, from one
	low := make([]int, len(f.blocks))    // the lowest number on the stack that the block comes to
	done := make([]bool, len(f.blocks))  // the component is complete
	var stack []*Block
	count := 0
	var visit func(b *Block)
	visit = func(b *Block) {
		count++
		number[b.index], low[b.index] = count, count
		stack = append(stack, b)
		for _, s := range b.Succs {
			switch {
			case s == b:
				cyclic[b.index] = true
			case number[s.index] == 0:
				visit(s)
				low[b.index] = min(low[b.index], low[s.index])
			case !done[s.index]:
				low[b.index] = min(low[b.index], number[s.index])
			}
		}
		if low[b.index] < number[b.index] {
			return
		}
		for several := stack[len(stack)-1] != b; ; {
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			done[top.index] = true
			cyclic[top.index] = cyclic[top.index] || several
			if top == b {
				return
			}
		}
	}
	for _, b := range f.blocks {
		if number[b.index] == 0 {
			visit(b)
		}
	}
	return cyclic
}

// predecessors returns for each block, by its index, those that lead to it.
func (f *Graph) predecessors() [][]*Block {
	before := make([][]*Block, len(f.blocks))
	for _, b := range f.blocks {
		for _, s := range b.Succs {
			before[s.index] = append(before[s.index], b)
		}
	}
	return before
}

// LeadTo returns for each block, by its index, whether it is one of to or control comes
// from it to one of them.
func (f *Graph) LeadTo(to []*Block) []bool {
	before, leads := f.before(), make([]bool, len(f.blocks))
	work := slices.Clone(to)
	for len(work) > 0 {
		b := work[len(work)-1]
		work = work[:len(work)-1]
		if !leads[b.index] {
			leads[b.index] = true
			work = append(work, before[b.index]...)
		}
	}
	return leads
}

// Blocks returns the blocks of the graph, each at its index.
func (f *Graph) Blocks() []*Block { return f.blocks }

// BlockOf returns the block that holds the node n; nil if n is not in the graph.
func (f *Graph) BlockOf(n ast.Node) *Block { return f.at[n].block }

// Index returns the place of the block among those of its graph.
func (b *Block) Index() int { return b.index }
