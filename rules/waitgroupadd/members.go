package waitgroupadd

import (
	"go/ast"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
)

// moreThanCounted reports whether the function that starts the goroutine starts more
// goroutines that count the group down than its Adds, all of constants, count: then not
// each of them is to call Done.
func moreThanCounted(g *waitgroup.Goroutine, key code.Path) bool {
	counted, members := int64(0), map[ast.Node]int{}
	for _, o := range g.Ops() {
		if o.Key != key {
			continue
		}
		switch {
		case o.Name == "Done" && launch.Started(o.GoroutineFunc):
			members[code.FlowNode(code.Unparen(o.GoroutineFunc).Parent().Parent(), g.Parent)] = 1
		case o.Name == "Add":
			n, constant := typeis.SmallInt(g.Pass.TypesInfo.Types[o.Call.Args[0]].Value)
			if !constant {
				return false
			}
			counted += n
		}
	}
	for c := range g.Parent.Cursor.Preorder((*ast.GoStmt)(nil)) {
		for _, e := range waitgroup.Effects(g.Pass, c.Node().(*ast.GoStmt).Call) {
			if e.Key == key && e.Dones > 0 {
				members[code.FlowNode(c, g.Parent)] = 1
			}
		}
	}
	delete(members, nil) // of another function
	most := g.Parent.Flow.Most(members)
	if most >= flow.Many { // in a loop, which may hold the Adds, too
		most = len(members)
	}
	return int64(most) > counted
}
