package flow

import "go/ast"

// Many is more than what is counted exactly.
const Many = 3

// MostAndLeast returns how often one run of the function comes to nodes, each with its
// weight: at most, and at least if it returns; both up to [Many].
func (g *Graph) MostAndLeast(nodes map[ast.Node]int) (most, least int8) {
	if len(nodes) == 0 {
		return 0, 0
	}
	least = Many
	Paths[int]{
		Node: func(n ast.Node, count int) (int, bool) { return min(count+nodes[n], Many), true },
		Exit: func(_ *Block, count int) { least = min(least, int8(count)) },
	}.FromEntry(g, 0)
	return int8(g.Most(nodes)), least
}

// Most returns how often at most one run of the function comes to nodes, each with its
// weight, up to [Many].
func (g *Graph) Most(nodes map[ast.Node]int) int {
	most := 0
	Paths[int]{Node: func(n ast.Node, count int) (int, bool) {
		count = min(count+nodes[n], Many)
		most = max(most, count)
		return count, most < Many
	}}.FromEntry(g, 0)
	return most
}
