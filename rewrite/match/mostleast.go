package match

import (
	"go/ast"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// MostAndLeast returns how often one run of fn comes to the nodes: at most,
// and at least if it returns.
func (p *Pass) MostAndLeast(fn *Func, nodes map[ast.Node]int) (most, least int8) {
	if len(nodes) == 0 {
		return 0, 0
	}
	least = Many
	flow.Paths[int]{
		Node: func(n ast.Node, count int) (int, bool) { return min(count+nodes[n], Many), true },
		Exit: func(_ *flow.Block, count int) { least = min(least, int8(count)) },
	}.FromEntry(fn.Flow, 0)
	return int8(MostOn(fn, nodes)), least
}

// Many is more than what is counted exactly.
const Many = 3

// MostOn returns how often at most one run of fn comes to the nodes, up to Many.
func MostOn(fn *Func, nodes map[ast.Node]int) int {
	most := 0
	flow.Paths[int]{Node: func(n ast.Node, count int) (int, bool) {
		count = min(count+nodes[n], Many)
		most = max(most, count)
		return count, most < Many
	}}.FromEntry(fn.Flow, 0)
	return most
}
