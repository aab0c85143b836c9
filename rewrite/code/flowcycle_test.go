package code_test

import (
	"go/ast"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/code/codetest"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// loops has functions with cycles of all kinds, and with none.
const loops = `
func b() bool
func straight() { b(); if b() { b() } else { return }; b() }
func loop() { b(); for b() { if b() { continue }; b() }; b() }
func nested() { for { for b() { b() }; if b() { break }; b() }; b() }
func back() { b()
again:
	b()
	if b() { goto again }
	b()
}
func crossed() {
	if b() { goto two }
one:
	b()
two:
	b()
	if b() { goto one }
	if b() { goto end }
	b()
end:
	b()
}
func waits(ch chan int) { for { select { case <-ch: b(); case ch <- 1: return } } }
func ranges(ch chan int) { for range ch { switch { case b(): b(); return; default: b() } }; b() }
func dead() { return; for { b() } }
`

// TestInCycle compares the answer for each node with a search of its own.
func TestInCycle(t *testing.T) {
	p := codetest.Load(t, loops)
	yes, no := 0, 0
	for c := range p.Inspector.Root().Preorder((*ast.FuncDecl)(nil)) {
		f := p.FuncOf(c)
		if f == nil {
			continue
		}
		for _, at := range f.Flow.Blocks() {
			want := false
			for _, s := range at.Succs {
				want = want || comesTo(s, at, map[*flow.Block]bool{})
			}
			for _, n := range at.Nodes {
				if want {
					yes++
				} else {
					no++
				}
				if got := f.Flow.InCycle(n); got != want {
					t.Errorf("%s: InCycle(%T at %v) = %v", f.Name(), n, p.Fset.Position(n.Pos()), got)
				}
			}
		}
	}
	if yes < 10 || no < 10 {
		t.Errorf("%d nodes in cycles and %d in none: too few to show anything", yes, no)
	}
}

// TestLeadTo compares what leads to each block with a search from each other one.
func TestLeadTo(t *testing.T) {
	p := codetest.Load(t, loops)
	for c := range p.Inspector.Root().Preorder((*ast.FuncDecl)(nil)) {
		f := p.FuncOf(c)
		if f == nil {
			continue
		}
		for _, to := range f.Flow.Blocks() {
			leads := f.Flow.LeadTo([]*flow.Block{to})
			for _, from := range f.Flow.Blocks() {
				if want := comesTo(from, to, map[*flow.Block]bool{}); leads[from.Index()] != want {
					t.Errorf("%s: from block %d to block %d: %v", f.Name(), from.Index(), to.Index(), !want)
				}
			}
		}
	}
}

func comesTo(from, to *flow.Block, seen map[*flow.Block]bool) bool {
	if from == to {
		return true
	}
	if seen[from] {
		return false
	}
	seen[from] = true
	for _, s := range from.Succs {
		if comesTo(s, to, seen) {
			return true
		}
	}
	return false
}

// TestFindInLongBody looks for nodes of a function with more statements than are searched
// one by one, also for those that are in none of them.
func TestFindInLongBody(t *testing.T) {
	src := "\nfunc b(int) bool\nfunc long(x int) (y int) {\n"
	for range 2 * code.LongBody {
		src += "\tif v := x; b(v) { func(z int) { b(z) }(x) }\n"
	}
	p := codetest.Load(t, src+"\treturn x }\n")
	long := codetest.Function(t, p, "long")
	nodes, vars := 0, 0
	for c := range long.Cursor.Preorder() {
		nodes++
		if got, ok := p.Find(long.Cursor, c.Node()); !ok || got != c {
			t.Fatalf("find(%T at %v) = %v, %v", c.Node(), p.Fset.Position(c.Node().Pos()), got, ok)
		}
		id, ok := c.Node().(*ast.Ident)
		if !ok || p.TypesInfo.Defs[id] == nil || p.VarOf(id) == nil {
			continue
		}
		vars++
		want := c
		for want = range c.Enclosing((*ast.FuncLit)(nil), (*ast.FuncDecl)(nil)) {
			break
		}
		if got, ok := p.FunctionAround(p.VarOf(id)); !ok || got != want {
			t.Errorf("functionAround(%s at %v) = %v, %v", id.Name, p.Fset.Position(id.Pos()), got, ok)
		}
	}
	if nodes < 20*code.LongBody || vars != 2+4*code.LongBody {
		t.Errorf("looked for %d nodes and %d variables", nodes, vars)
	}
}
