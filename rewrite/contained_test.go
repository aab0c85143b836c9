package rewrite_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// fragile is a rule that finds calls of bad, to rename them, and panics on
// functions that call one of others.
func fragile(others ...string) rule.Rule {
	return rule.Rule{Name: "fragile", Doc: "Calls of bad.", Find: func(p *code.Pass) (out []rule.Match) {
		for c := range p.Candidates((*ast.CallExpr)(nil)) {
			id, ok := c.Node().(*ast.CallExpr).Fun.(*ast.Ident)
			if !ok {
				continue
			}
			name := id.Name
			if slices.Contains(others, name) {
				panic("what is " + name + "?")
			}
			s, ok := c.Parent().Node().(*ast.ExprStmt)
			if name != "bad" || !ok {
				continue
			}
			m := rule.Match{Pos: s.Pos(), End: s.End(), Message: "bad is called"}
			out = append(out, m.Safe("Mend the call", func(d *dstedit.Decl) error {
				return d.Rename(s.X.(*ast.CallExpr).Fun.(*ast.Ident), "good")
			}))
		}
		return out
	}}
}

const odd = `package m

func bad()   {}
func good()  {}
func other() {}

func one() { bad() }

type t struct{}

func (*t) two() {
	other()
}

var three = func() int { other(); return 1 }()

func four() { bad() }
`

// TestPanicOnOneFunction has a rule that panics on a method and on a variable:
// what it finds elsewhere stands and is fixed, and the panics are named.
func TestPanicOnOneFunction(t *testing.T) {
	res := run(t, rewrite.Config{Rules: []rule.Rule{fragile("other"), callRule("other", rename("good"))}}, map[string]string{"m.go": odd})
	if got, want := statuses(res), "fragile:fixable findother:fixable findother:fixable fragile:fixable"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var panics []string
	for _, err := range res.Internal {
		panics = append(panics, strings.SplitN(err.Error(), "\n", 2)[0])
	}
	want := []string{
		"internal error: rule fragile panicked on (*t).two in package example.com/m: what is other?",
		"internal error: rule fragile panicked on three in package example.com/m: what is other?",
	}
	if slices.Sort(panics); !slices.Equal(panics, want) {
		t.Errorf("internal errors:\n%s", strings.Join(panics, "\n"))
	}
	if res.Complete["example.com/m"] {
		t.Error("what was not found counts as not there")
	}
}

// TestPanicBehindAFix has a rule that panics only on what its fix makes: the fix
// is dropped, because the rule cannot say what has become of the function.
func TestPanicBehindAFix(t *testing.T) {
	res := run(t, rewrite.Config{Rules: []rule.Rule{fragile("good")}}, map[string]string{"m.go": odd})
	if got, want := statuses(res), "fragile:conflict fragile:conflict"; got != want || len(res.Changes) > 0 {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPanicOnEveryFunction has more panics than a rule may have on one package.
func TestPanicOnEveryFunction(t *testing.T) {
	src, _ := many(40, 1)
	res := run(t, rewrite.Config{Rules: []rule.Rule{fragile("bad"), callRule("bad", rename("good"))}}, map[string]string{"m.go": src})
	if len(res.Findings) != 40 || len(res.Changes) != 1 {
		t.Errorf("%d findings, %d changes", len(res.Findings), len(res.Changes))
	}
	if len(res.Internal) != 1 || !strings.Contains(res.Internal[0].Error(), "rule fragile panicked on package example.com/m") {
		t.Errorf("internal errors: %v", res.Internal)
	}
}
