package gen

import (
	"math/rand/v2"
	"slices"
)

// A gen makes the tree of one function.
type gen struct {
	r       *rand.Rand
	id      int
	room    int // how many nodes may still be made
	scope   []scoped
	depth   int
	workers map[int]int // of a WaitGroup or a group
}

// scoped is a declaration that the statements to come may use.
type scoped struct {
	kind string
	id   int
}

// Generate returns function i of a seed: the same each time.
func Generate(seed uint64, i int) *Node {
	g := &gen{r: rand.New(rand.NewPCG(seed, uint64(i))), room: 9, workers: map[int]int{}}
	root := g.node("func", 0, 3, 2, 2)
	if g.chance(2) { // a plain function is as good as any
		root.Opt = [4]int{}
	}
	g.room = 5 + g.r.IntN(9)
	root.Kids = [][]*Node{g.block(1+g.r.IntN(2), 4)}
	return root
}

// chance is true once in n.
func (g *gen) chance(n int) bool { return g.r.IntN(n) == 0 }

// node makes a node whose options are below the given numbers; simple
// spellings are as frequent as all others of an option together.
func (g *gen) node(kind string, ref int, options ...int) *Node {
	g.id++
	g.room--
	n := &Node{Kind: kind, ID: g.id, Ref: ref}
	for i, o := range options {
		if o > 1 && !g.chance(3) {
			n.Opt[i] = g.r.IntN(o)
		}
	}
	return n
}

// block makes from least to most statements.
func (g *gen) block(least, most int) (out []*Node) {
	mark := len(g.scope)
	for range least + g.r.IntN(most-least+1) {
		if g.room <= 0 {
			break
		}
		out = append(out, g.stmts()...)
	}
	g.scope = g.scope[:mark]
	return out
}

// inner makes a block of less weight, within another statement.
func (g *gen) inner(least, most int) []*Node {
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 4 {
		return nil
	}
	return g.block(least, most)
}

// pick returns the ID of a declaration of one kind in scope, or 0.
func (g *gen) pick(kind string) int {
	var ids []int
	for _, s := range g.scope {
		if s.kind == kind {
			ids = append(ids, s.id)
		}
	}
	if len(ids) == 0 {
		return 0
	}
	return ids[g.r.IntN(len(ids))]
}

// stmts makes a statement, or a few that go together.
func (g *gen) stmts() []*Node {
	if len(g.scope) == 0 || g.chance(9) {
		return []*Node{g.resource()}
	}
	if !g.chance(3) {
		s := g.scope[g.r.IntN(len(g.scope))]
		switch s.kind {
		case "resp":
			return []*Node{g.ofResp(s.id)}
		case "ctx":
			return []*Node{g.ofCtx(s.id)}
		case "chan":
			return []*Node{g.ofChan(s.id)}
		case "wg":
			return []*Node{g.ofGroup(s.id)}
		case "svc":
			return []*Node{g.ofSvc(s.id)}
		case "mutex":
			return []*Node{g.ofMutex(s.id)}
		case "group":
			return []*Node{g.ofErrgroup(s.id)}
		}
	}
	return []*Node{g.filler()}
}

// filler is what surrounds the use of a resource.
func (g *gen) filler() *Node {
	switch g.r.IntN(14) {
	case 0:
		return g.node("log", 0, 3)
	case 1:
		return g.node("inc", 0)
	case 2, 3, 4:
		return g.leave()
	case 5, 6:
		n := g.node("if", 0, 4)
		n.Kids = [][]*Node{g.inner(1, 2)}
		if g.chance(3) {
			n.Kids = append(n.Kids, g.inner(1, 2))
		}
		return n
	case 7, 8:
		n := g.node("loop", 0, 6)
		n.Kids = [][]*Node{g.inner(1, 3)}
		return n
	case 9, 10:
		n := g.node("defer", 0, 4)
		n.Kids = [][]*Node{nil}
		if g.chance(2) {
			n.Kids[0] = g.inner(1, 1)
		}
		return n
	case 11:
		n := g.node("go", 0)
		n.Kids = [][]*Node{g.inner(0, 2)}
		return n
	case 12:
		n := g.node([]string{"block", "call"}[g.r.IntN(2)], 0)
		n.Kids = [][]*Node{g.inner(1, 2)}
		return n
	default:
		n := g.node("tick", g.pick("ctx"), 4)
		return n
	}
}

func (g *gen) leave() *Node {
	n := g.node("leave", 0, 5, 2)
	if g.chance(8) {
		n.Opt[0] = 5 + g.r.IntN(3)
	}
	n.Kids = [][]*Node{nil}
	if g.chance(4) {
		n.Kids[0] = g.inner(1, 1)
	}
	return n
}

// resource makes something that must be released, and what is done with it.
func (g *gen) resource() *Node {
	var n *Node
	switch g.r.IntN(12) {
	case 0, 1, 2:
		n = g.node("resp", 0, 12, 8, 2)
		if n.Opt[0] == 2 || n.Opt[0] == 5 || n.Opt[0] == 7 {
			n.Ref = g.pick("ctx")
		}
	case 3, 4, 5:
		n = g.node("ctx", 0, 6, 2, 2)
		if g.chance(3) {
			n.Ref = g.pick("ctx")
		}
	case 6, 7:
		n = g.node("chan", 0, 6, 3, 9)
		if n.Opt[0] == 5 && !g.chance(4) {
			n.Opt[0] = 0
		}
	case 8:
		n = g.node("svc", 0, 3, 2, 2, 2)
	case 9:
		n = g.node("mutex", 0, 2)
	case 10:
		n = g.node("group", g.pick("ctx"), 2)
	default:
		n = g.node("wg", 0, 2)
	}
	g.scope = append(g.scope, scoped{kind: n.Kind, id: n.ID})
	if g.room < 3 {
		g.room = 3
	}
	var first []*Node
	switch {
	case n.Kind == "chan":
		first = g.talk(n)
	case n.Kind == "wg":
		first = []*Node{g.ofGroup(n.ID)}
	case n.Kind == "group":
		first = []*Node{g.ofErrgroup(n.ID)}
	case n.Kind == "mutex":
		first = []*Node{g.ofMutex(n.ID)}
	case g.chance(4): // as it should be
		first = []*Node{g.node(map[string]string{"resp": "close", "ctx": "cancel", "svc": "stop"}[n.Kind], n.ID, 1)}
	}
	rest := g.block(1, 4)
	n.Kids = [][]*Node{append(first, rest...)}
	if n.Kind == "chan" && !g.chance(3) {
		recv := g.node("recv", n.ID, 1, 12)
		recv.Kids = [][]*Node{nil}
		n.Kids[0] = append(n.Kids[0], recv)
	}
	if n.Kind == "group" && !g.chance(5) {
		n.Kids[0] = append(n.Kids[0], g.node("gather", n.ID, 3))
	}
	if n.Kind == "wg" && !g.chance(5) {
		n.Kids[0] = append(n.Kids[0], g.node("wait", n.ID, 4))
	}
	g.scope = g.scope[:len(g.scope)-1]
	return n
}

func (g *gen) ofResp(id int) *Node {
	if g.chance(3) {
		return g.node("close", id, 14)
	}
	n := g.node("read", id, 10)
	if n.Opt[0] == 3 || n.Opt[0] == 5 {
		n.Kids = [][]*Node{g.inner(0, 1)}
	}
	return n
}

func (g *gen) ofCtx(id int) *Node {
	if g.chance(3) {
		return g.node("cancel", id, 10)
	}
	n := g.node("use", id, 20)
	if n.Opt[0] == 6 {
		n.Kids = [][]*Node{g.inner(0, 1)}
	}
	return n
}

// talk makes the one side of a channel, and perhaps the other.
func (g *gen) talk(ch *Node) []*Node {
	if g.chance(2) {
		fan := g.node("fan", ch.ID, 3, 3, 3)
		if fan.Opt[1] > 1 {
			fan.Opt[1] = 0
		}
		return []*Node{fan}
	}
	switch g.r.IntN(4) {
	case 0:
		n := g.node("recv", ch.ID, 1, 12)
		n.Opt[0] = 1
		n.Kids = [][]*Node{nil}
		return []*Node{n}
	default:
		return []*Node{g.ofSender(ch.ID)}
	}
}

func (g *gen) ofSender(id int) *Node {
	n := g.node("send", id, 3, 9, 5)
	if n.Opt[0] == 1 && g.chance(2) {
		n.Opt[0] = 0
	}
	n.Kids = [][]*Node{nil}
	if g.chance(4) {
		n.Kids[0] = g.inner(1, 1)
	}
	return n
}

func (g *gen) ofChan(id int) *Node {
	switch g.r.IntN(8) {
	case 0:
		return g.ofSender(id)
	case 1:
		return g.node("done", id, 3)
	case 2, 3:
		return g.leave()
	default:
		n := g.node("recv", id, 2, 12)
		n.Kids = [][]*Node{nil}
		if g.chance(2) {
			n.Kids[0] = g.inner(1, 1)
			if g.chance(2) {
				n.Kids[0] = append(n.Kids[0], g.leave())
			}
		}
		return n
	}
}

func (g *gen) ofSvc(id int) *Node {
	if g.chance(3) {
		return g.node("stop", id, 8)
	}
	return g.node("put", id, 4)
}

func (g *gen) ofMutex(id int) *Node {
	n := g.node("lock", id, 4)
	scope := g.scope // it is not locked twice
	g.scope = slices.DeleteFunc(slices.Clone(scope), func(s scoped) bool { return s.id == id })
	n.Kids = [][]*Node{g.inner(1, 2)}
	g.scope = scope
	return n
}

func (g *gen) ofErrgroup(id int) *Node {
	if g.workers[id] > 0 {
		switch g.r.IntN(4) {
		case 0:
			return g.node("gather", id, 3)
		case 1:
			n := g.node("use", id, 20)
			if n.Opt[0] == 6 {
				n.Kids = [][]*Node{g.inner(0, 1)}
			}
			return n
		}
	}
	g.workers[id]++
	n := g.node("member", id, 2)
	scope := g.scope // it does not wait for itself
	g.scope = slices.DeleteFunc(slices.Clone(scope), func(s scoped) bool { return s.id == id })
	n.Kids = [][]*Node{g.inner(0, 2)}
	g.scope = scope
	return n
}

func (g *gen) ofGroup(id int) *Node {
	if g.workers[id] > 0 && g.chance(4) {
		return g.node("wait", id, 4)
	}
	g.workers[id]++
	n := g.node("work", id, 4, 5, 4)
	if g.chance(12) {
		n.Opt[0] = 4
	}
	n.Kids = [][]*Node{nil}
	if g.chance(2) { // it does not wait for itself
		scope := g.scope
		g.scope = slices.DeleteFunc(slices.Clone(scope), func(s scoped) bool { return s.id == id })
		n.Kids[0] = g.inner(1, 2)
		g.scope = scope
	}
	return n
}
