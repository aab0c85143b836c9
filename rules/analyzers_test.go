package rules_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
	"github.com/goroutinefix/goroutinefix/rules"
)

var analyzers = rules.Analyzers()

// TestPackages checks that each analyzer has a package of its name.
func TestPackages(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var dirs, names []string
	for _, e := range entries {
		if e.IsDir() && e.Name() != "golangci" && e.Name() != "internal" {
			dirs = append(dirs, e.Name())
		}
	}
	for _, a := range analyzers {
		names = append(names, a.Name)
		src, err := os.ReadFile(filepath.Join(a.Name, a.Name+".go"))
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.Contains(string(src), "\npackage "+a.Name+"\n") || !regexp.MustCompile(`(?m)^(var|\t)\s*Analyzer\s+= `).Match(src) {
			t.Errorf("the package %s lacks its name or its Analyzer", a.Name)
		}
	}
	slices.Sort(names)
	if !slices.Equal(dirs, names) {
		t.Errorf("packages %v for analyzers %v", dirs, names)
	}
	if err := analysis.Validate(analyzers); err != nil {
		t.Error(err)
	}
}

// TestNogo runs the analyzers once as the go command does, and once with as
// little as nogo tells: nothing of modules, no function to read files.
func TestNogo(t *testing.T) {
	longform.Only(t, "packages with the syntax of all that they import")
	named, least := []string{"./bodyclose/...", "./missingstop/...", "./waitgroupadd/..."}, 100
	pkgs, err := packages.Load(&packages.Config{Mode: packages.LoadAllSyntax | packages.NeedModule, Dir: "../fixtures"}, named...)
	if err != nil || packages.PrintErrors(pkgs) > 0 {
		t.Fatal("the fixtures do not load: ", err)
	}
	want := diagnostics(t, pkgs)
	if len(want) < least || !slices.ContainsFunc(want, func(s string) bool { return strings.Contains(s, " fix: ") }) {
		t.Fatalf("only %d findings, or none with a fix", len(want))
	}
	forget(analyzers, map[*analysis.Analyzer]bool{})
	got := diagnostics(t, pkgs)
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("lacks %s", w)
		}
	}
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("adds %s", g)
		}
	}
}

func diagnostics(t *testing.T, pkgs []*packages.Package) []string {
	t.Helper()
	graph, err := checker.Analyze(analyzers, pkgs, nil)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, act := range graph.Roots {
		if act.Err != nil {
			t.Errorf("%s: %v", act, act.Err)
		}
		for _, d := range act.Diagnostics {
			s := fmt.Sprintf("%s: %s: %s", act.Package.Fset.Position(d.Pos), act.Analyzer.Name, d.Message)
			for _, f := range d.SuggestedFixes {
				s += " fix: " + f.Message
			}
			list = append(list, s)
		}
	}
	return list
}

// forget takes from analyzers what nogo does not tell them.
func forget(list []*analysis.Analyzer, seen map[*analysis.Analyzer]bool) {
	for _, a := range list {
		if seen[a] {
			continue
		}
		seen[a] = true
		forget(a.Requires, seen)
		run := a.Run
		a.Run = func(pass *analysis.Pass) (any, error) {
			p := *pass
			p.Module, p.ReadFile = nil, nil
			return run(&p)
		}
	}
}
