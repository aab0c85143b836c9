package rewrite_test

import (
	"go/ast"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// calledIn returns the calls of each function by the name of what they call.
func calledIn(p *code.Pass) (all []map[string]*ast.ExprStmt) {
	for c := range p.Inspector.Root().Preorder((*ast.FuncDecl)(nil)) {
		calls := map[string]*ast.ExprStmt{}
		ast.Inspect(c.Node(), func(n ast.Node) bool {
			if s, ok := n.(*ast.ExprStmt); ok {
				calls[s.X.(*ast.CallExpr).Fun.(*ast.Ident).Name] = s
			}
			return true
		})
		all = append(all, calls)
	}
	return all
}

// unless returns a rule that finds calls of one function, and renames them to
// good, where the other one was called until it was fixed: without the latter
// there is nothing to find.
func unless(name, other string) rule.Rule {
	return rule.Rule{Name: "find" + name, Doc: "Calls of " + name + ".", Find: func(p *code.Pass) (out []rule.Match) {
		for _, calls := range calledIn(p) {
			s := calls[name]
			if s == nil || other != "" && calls[other] == nil {
				continue
			}
			m := rule.Match{Pos: s.Pos(), End: s.End(), Message: name + " is called"}
			out = append(out, m.Safe("Mend the call of "+name, func(d *dstedit.Decl) error {
				return d.Rename(s.X.(*ast.CallExpr).Fun.(*ast.Ident), "good")
			}))
		}
		return out
	}}
}

const chain = `package m

func a()    {}
func b()    {}
func c()    {}
func good() {}

func f() {
	a()
	b()
	c()
}
`

// TestFixThatHidesIsTriedAgain has findings that are only there as long as the
// one before them is: each is fixed, the last one first.
func TestFixThatHidesIsTriedAgain(t *testing.T) {
	rules := []rule.Rule{unless("a", ""), unless("b", "a"), unless("c", "b")}
	res := run(t, rewrite.Config{Rules: rules}, map[string]string{"m.go": chain})
	if got, want := statuses(res), "finda:fixable findb:fixable findc:fixable"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want := strings.NewReplacer("\ta()", "\tgood()", "\tb()", "\tgood()", "\tc()", "\tgood()").Replace(chain)
	if len(res.Changes) != 1 || string(res.Changes[0].New) != want {
		t.Errorf("changes: %+v", res.Changes)
	}
}

// TestFixThatHidesForGoodIsNotTriedForEver has two findings, each of which is
// there only as long as the other one is.
func TestFixThatHidesForGoodIsNotTriedForEver(t *testing.T) {
	rules := []rule.Rule{unless("a", "b"), unless("b", "a"), unless("c", "")}
	res := run(t, rewrite.Config{Rules: rules}, map[string]string{"m.go": chain})
	if got, want := statuses(res), "finda:conflict findb:conflict findc:fixable"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestGoodFixesBesideBadOnes has so many findings in a function that several of
// them are tried at a time: one that does not work is no fault of the others.
func TestGoodFixesBesideBadOnes(t *testing.T) {
	src, _ := many(1, 40)
	src = strings.Replace(src, "bad() // 30", "worse() // 30", 1) + "\nfunc worse() {}\n"
	idle := callRule("worse", func(d *dstedit.Decl, s *ast.ExprStmt) error {
		return d.InsertAfter(s, dstedit.ExprStmt(dstedit.Call(dstedit.Ident("good"))))
	})
	res := run(t, rewrite.Config{Rules: []rule.Rule{callRule("bad", rename("good")), idle}}, map[string]string{"m.go": src})
	got := statuses(res)
	if strings.Count(got, "findbad:fixable") != 39 || strings.Count(got, "findworse:conflict") != 1 {
		t.Errorf("got %s", got)
	}
}
