package channel

import (
	"go/ast"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// Counts is how often a function sends at the nodes of its flow.
type Counts struct {
	Most, Least map[ast.Node]int
	// Instead is how often a deferred call sends at most that sends on some of its ways
	// only: when it has recovered, or nothing has been sent. So its sends may be in
	// place of the others, and are not added to them.
	Instead int
}

// Count counts sends of fn. ok is false if they stand in deferred calls that are not
// understood.
func Count(p *code.Pass, fn *code.Func, sends []Use) (c Counts, ok bool) {
	c = Counts{Most: map[ast.Node]int{}, Least: map[ast.Node]int{}}
	deferred := map[*ast.DeferStmt][]Use{}
	for _, u := range sends {
		node := code.FlowNode(u.Op, fn)
		if d, isDefer := node.(*ast.DeferStmt); isDefer {
			deferred[d] = append(deferred[d], u)
			continue
		}
		c.Most[node], c.Least[node] = u.Weight(), u.Sure()
	}
	for d, uses := range deferred {
		most, least, ok := countDeferred(p, fn, d, uses)
		switch {
		case !ok:
			return c, false
		case most == least:
			c.Most[d], c.Least[d] = most, least
		default:
			c.Instead = max(c.Instead, most)
		}
	}
	return c, true
}

// countDeferred counts the sends in the call of one defer statement.
func countDeferred(p *code.Pass, fn *code.Func, d *ast.DeferStmt, uses []Use) (most, least int, ok bool) {
	nodes, sure := map[ast.Node]int{}, map[ast.Node]int{}
	var lit *code.Func
	for _, u := range uses {
		if u.Op.Node() == ast.Node(d.Call) { // defer reply(ch)
			return u.Weight(), u.Sure(), len(uses) == 1
		}
		in := DeferredLiteral(p, u.Op, fn)
		if in == nil {
			return 0, 0, false
		}
		lit = in
		nodes[code.FlowNode(u.Op, lit)], sure[code.FlowNode(u.Op, lit)] = u.Weight(), u.Sure()
	}
	m, _ := lit.Flow.MostAndLeast(nodes)
	_, l := lit.Flow.MostAndLeast(sure)
	return int(m), int(l), m < flow.Many
}

// DeferredLiteral returns the literal that fn defers in whose body the statement at c
// stands, in no further literal or call; nil if it stands elsewhere.
func DeferredLiteral(p *code.Pass, c inspector.Cursor, fn *code.Func) *code.Func {
	d, ok := code.FlowNode(c, fn).(*ast.DeferStmt)
	if !ok {
		return nil
	}
	at, found := fn.Cursor.FindNode(ast.Unparen(d.Call.Fun))
	if _, isLit := ast.Unparen(d.Call.Fun).(*ast.FuncLit); !found || !isLit {
		return nil
	}
	lit := p.FuncOf(at)
	switch n := code.FlowNode(c, lit).(type) {
	case nil:
		return nil
	case *ast.ExprStmt:
		if ast.Node(n) != c.Node() && ast.Unparen(n.X) != c.Node() {
			return nil
		}
	default:
		if n != c.Node() {
			return nil
		}
	}
	return lit
}
