package code_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/code/codetest"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// outcomes lists the ways through f: the calls of a, b, c, ... on each path to
// a return, in order, each path once. Edges to conditions that decide decides
// are followed only as it says.
func outcomes(p *code.Pass, f *code.Func) []string {
	var out []string
	flow.Paths[string]{
		Node: func(n ast.Node, s string) (string, bool) {
			ast.Inspect(n, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if id, ok := call.Fun.(*ast.Ident); ok && len(id.Name) == 1 {
						s += id.Name
					}
				}
				_, isLit := n.(*ast.FuncLit)
				return !isLit
			})
			return s, len(s) < 6
		},
		Exit: func(_ *flow.Block, s string) {
			if !slices.Contains(out, s) {
				out = append(out, s)
			}
		},
	}.FromEntry(f.Flow, "")
	slices.Sort(out)
	return out
}

const calls = `
import "os"
func a() {}
func b() {}
func c() {}
func p() bool { return false }
func q() bool { return false }
var ch, ch2 chan int
var xs []int
var _ = os.Args
`

func TestFlow(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"sequence", "a(); b()", "ab"},
		{"if", "if p() { a() }; b()", "pab pb"},
		{"else", "if p() { a() } else { b() }; c()", "pac pbc"},
		{"and", "if p() && q() { a() }", "p pq pqa"},
		{"or", "if p() || q() { a() }", "pa pq pqa"},
		{"not", "if !(p() && q()) { a() }", "pa pq pqa"},
		{"return", "if p() { return }; a()", "p pa"},
		{"panic is no way out", "if p() { panic(1) }; a()", "pa"},
		{"exit is no way out", "if p() { os.Exit(1) }; a()", "pa"},
		{"empty select is no way out", "if p() { select {} }; a()", "pa"},
		{"endless loop", "for { if p() { break } }; a()", "pa ppa pppa ppppa"},
		{"loop with condition may be skipped", "for p() { a(); break }; b()", "pab pb"},
		{"counted loop is entered", "for i := 0; i < 2; i++ { a(); return }; b()", "a"},
		{"counted loop with no iteration", "for i := 0; i < 0; i++ { a(); return }; b()", "a b"},
		{"range over constant is entered", "for range 2 { a(); return }; b()", "a"},
		{"range over literal is entered", "for range []int{1} { a(); return }; b()", "a"},
		{"range over slice may be empty", "for range xs { a(); return }; b()", "a b"},
		{"break with label", "outer: for { for range xs { a(); break outer }; return }; c()", " ac"},
		{"goto", "if p() { goto end }; a()\nend: b()", "pab pb"},
		{"switch", "switch { case p(): a(); case q(): b(); default: c() }", "pa pqb pqc"},
		{"switch without default", "switch { case p(): a() }; b()", "pab pb"},
		{"fallthrough", "switch { case p(): a(); fallthrough; case q(): b() }", "pab pq pqb"},
		{"tagged switch", "switch len(xs) { case 0: a(); case 1, 2: b() }; c()", "ac bc c"},
		{"type switch", "switch any(xs).(type) { case int: a(); case string: b() }", " a b"},
		{"select takes one case", "select { case <-ch: a(); case <-ch2: b() }; c()", "ac bc"},
		{"break in select leaves the select", "select { case <-ch: if p() { break }; a() }; b()", "pab pb"},
		{"constant condition", "if false { a() }; for true { b(); break }", "b"},
		{"literal is not run here", "f := func() { a() }; _ = f; b()", "b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := codetest.Load(t, calls+"func f() {\n"+tt.body+"\n}")
			want := strings.Fields(tt.want)
			if strings.HasPrefix(tt.want, " ") { // and a path without calls
				want = append(want, "")
			}
			slices.Sort(want)
			if got := outcomes(p, codetest.Function(t, p, "f")); !slices.Equal(got, want) {
				t.Errorf("paths %q, want %q", got, want)
			}
		})
	}
}

func TestTypes(t *testing.T) {
	p := codetest.Load(t, `
import ("os"; "sync"; "time")
type Plain struct { Name string; Tags []string; At time.Time; Err error; Next *Plain }
type Holder struct { Plain; File *os.File }
type Func struct { F func() }
type Locked struct { mu sync.Mutex; n int }
type Any struct { V any }
`)
	for name, want := range map[string][2]bool{ // data only, owns a resource
		"Plain": {true, false}, "Holder": {false, true}, "Func": {false, true}, "Any": {false, true},
	} {
		typ := p.Pkg.Scope().Lookup(name).Type()
		if got := [2]bool{typeis.DataOnly(typ), typeis.OwnsResource(typ)}; got != want {
			t.Errorf("%s: data only %v, owns a resource %v, want %v", name, got[0], got[1], want)
		}
	}
}
