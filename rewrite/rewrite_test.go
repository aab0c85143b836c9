package rewrite_test

import (
	"context"
	"go/ast"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// callRule is a rule that finds the statements that call a function of the
// given name, and offers fix for them.
func callRule(name string, fix func(d *dstedit.Decl, s *ast.ExprStmt) error) rule.Rule {
	return rule.Rule{Name: "find" + name, Doc: "Calls of " + name + ".", Find: func(p *code.Pass) (out []rule.Match) {
		for c := range p.Inspector.Root().Preorder((*ast.ExprStmt)(nil)) {
			s := c.Node().(*ast.ExprStmt)
			call, ok := s.X.(*ast.CallExpr)
			if !ok {
				continue
			}
			if id, ok := call.Fun.(*ast.Ident); ok && id.Name == name {
				m := rule.Match{Pos: s.Pos(), End: s.End(), Message: name + " is called"}
				out = append(out, m.Safe("Mend the call of "+name, func(d *dstedit.Decl) error { return fix(d, s) }))
			}
		}
		return out
	}}
}

func rename(to string) func(*dstedit.Decl, *ast.ExprStmt) error {
	return func(d *dstedit.Decl, s *ast.ExprStmt) error {
		return d.Rename(s.X.(*ast.CallExpr).Fun.(*ast.Ident), to)
	}
}

const source = `package m

func bad()   {}
func good()  {}
func other() {}

func one() {
	bad()
}

func two() {
	bad() // with a comment
	other()
	bad()
}
`

func run(t *testing.T, cfg rewrite.Config, files map[string]string) *rewrite.Result {
	t.Helper()
	dir := t.TempDir()
	if _, ok := files["go.mod"]; !ok {
		files["go.mod"] = "module example.com/m\n\ngo 1.26\n"
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Dir, cfg.Tests = dir, true
	res, err := rewrite.Run(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// statuses returns the status of each finding, in order.
func statuses(res *rewrite.Result) string {
	var out []string
	for _, f := range res.Findings {
		out = append(out, f.Rule+":"+string(f.Status))
	}
	return strings.Join(out, " ")
}

func TestFixesInOneFunctionAreAppliedInTurn(t *testing.T) {
	res := run(t, rewrite.Config{Rules: []rule.Rule{callRule("bad", rename("good"))}}, map[string]string{"m.go": source})
	if got, want := statuses(res), "findbad:fixable findbad:fixable findbad:fixable"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want := strings.NewReplacer("\tbad()", "\tgood()").Replace(source)
	if len(res.Changes) != 1 || string(res.Changes[0].New) != want {
		t.Errorf("changes: %+v", res.Changes)
	}
}

func TestFixThatDoesNotCompileIsDroppedAlone(t *testing.T) {
	broken := callRule("other", rename("missing"))
	res := run(t, rewrite.Config{Rules: []rule.Rule{broken, callRule("bad", rename("good"))}}, map[string]string{"m.go": source})
	if got, want := statuses(res), "findbad:fixable findbad:fixable findother:would-not-compile findbad:fixable"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, f := range res.Findings {
		if f.Status == finding.WouldNotCompile && !strings.Contains(f.Reason, "missing") {
			t.Errorf("the reason does not say what is wrong: %s", f.Reason)
		}
	}
	if len(res.Changes) != 1 || strings.Contains(string(res.Changes[0].New), "missing") {
		t.Errorf("changes: %+v", res.Changes)
	}
}

func TestFixThatMendsNothingIsDropped(t *testing.T) {
	idle := callRule("bad", func(d *dstedit.Decl, s *ast.ExprStmt) error {
		return d.InsertAfter(s, dstedit.ExprStmt(dstedit.Call(dstedit.Ident("good"))))
	})
	res := run(t, rewrite.Config{Rules: []rule.Rule{idle}}, map[string]string{"m.go": source})
	if got, want := statuses(res), "findbad:conflict findbad:conflict findbad:conflict"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(res.Changes) != 0 {
		t.Errorf("changes: %+v", res.Changes)
	}
}

func TestFixThatCausesAnotherFindingIsDropped(t *testing.T) {
	rules := []rule.Rule{callRule("bad", rename("other")), callRule("other", rename("good"))}
	res := run(t, rewrite.Config{Rules: rules}, map[string]string{"m.go": source})
	// other is mended; what would turn bad into it is not.
	if got, want := statuses(res), "findbad:conflict findbad:conflict findother:fixable findbad:conflict"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPanicOfARuleCostsOnlyItsFindings(t *testing.T) {
	panics := rule.Rule{Name: "panics", Doc: "Panics.", Find: func(p *code.Pass) []rule.Match {
		if p.Pkg.Name() == "m" {
			panic("oh")
		}
		return nil
	}}
	res := run(t, rewrite.Config{Rules: []rule.Rule{panics, callRule("bad", rename("good"))}},
		map[string]string{"m.go": source, "n/n.go": strings.Replace(source, "package m", "package n", 1)})
	if len(res.Internal) != 1 || !strings.Contains(res.Internal[0].Error(), "rule panics panicked on package example.com/m: oh") {
		t.Errorf("internal errors: %v", res.Internal)
	}
	if len(res.Findings) != 6 {
		t.Errorf("the findings of the other rule are lost: %s", statuses(res))
	}
}

func TestBrokenPackageBesideHealthyOne(t *testing.T) {
	res := run(t, rewrite.Config{Rules: []rule.Rule{callRule("bad", rename("good"))}, Patterns: []string{"./..."}},
		map[string]string{"m.go": source, "syntax/x.go": "package syntax\n\nfunc {\n", "types/x.go": "package types\n\nvar x int = \"\"\n"})
	if len(res.Skipped) != 2 || res.Packages != 1 || len(res.Changes) != 1 {
		t.Fatalf("skipped %v, %d packages, %d changes", res.Skipped, res.Packages, len(res.Changes))
	}
	for _, s := range res.Skipped {
		if !strings.Contains(s.Reason, "x.go:3:") || strings.Contains(s.Reason, "\n") {
			t.Errorf("%s: %s", s.Package, s.Reason)
		}
	}
}

func TestGeneratedFilesAreNotEdited(t *testing.T) {
	res := run(t, rewrite.Config{Rules: []rule.Rule{callRule("bad", rename("good"))}},
		map[string]string{"m.go": "// Code generated by hand. DO NOT EDIT.\n\n" + source})
	if got, want := statuses(res), "findbad:generated findbad:generated findbad:generated"; got != want || len(res.Changes) != 0 {
		t.Errorf("got %s with %d changes, want %s", got, len(res.Changes), want)
	}
}

func TestFileArguments(t *testing.T) {
	res := run(t, rewrite.Config{Rules: []rule.Rule{callRule("bad", rename("good"))}, Patterns: []string{"a.go", "sub/b.go"}},
		map[string]string{
			"a.go": source, "c.go": "package m\n\nfunc three() {\n\tbad()\n}\n",
			"sub/go.mod": "module example.com/sub\n\ngo 1.26\n", "sub/b.go": strings.Replace(source, "package m", "package sub", 1),
		})
	var files []string
	for _, c := range res.Changes {
		files = append(files, filepath.Base(c.Path))
	}
	if got := strings.Join(files, " "); got != "a.go b.go" || len(res.Findings) != 6 {
		t.Errorf("changed %s, %d findings", got, len(res.Findings))
	}
}

func TestFixThatHidesAnotherFindingIsDropped(t *testing.T) {
	// other is found only as long as bad is called in the same function.
	other := rule.Rule{Name: "findother", Doc: "Calls of other beside bad.", Find: func(p *code.Pass) (out []rule.Match) {
		for c := range p.Inspector.Root().Preorder((*ast.FuncDecl)(nil)) {
			calls := map[string]*ast.CallExpr{}
			ast.Inspect(c.Node(), func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					calls[call.Fun.(*ast.Ident).Name] = call
				}
				return true
			})
			if calls["bad"] != nil && calls["other"] != nil {
				m := rule.Match{Pos: calls["other"].Pos(), End: calls["other"].End(), Message: "other is called"}
				out = append(out, m.None("nobody knows"))
			}
		}
		return out
	}}
	once := strings.Replace(source, "\tother()\n\tbad()\n", "\tother()\n", 1)
	res := run(t, rewrite.Config{Rules: []rule.Rule{callRule("bad", rename("good")), other}}, map[string]string{"m.go": once})
	if got, want := statuses(res), "findbad:fixable findbad:conflict findother:no-fix"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
