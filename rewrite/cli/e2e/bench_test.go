package e2e_test

import (
	"path/filepath"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/internal/analyze"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rules"
)

// BenchmarkRules analyses all fixtures with no rule, with each and with all;
// what "none" takes goes to types and summaries.
func BenchmarkRules(b *testing.B) {
	fixtures, err := filepath.Abs("../../../fixtures")
	if err != nil {
		b.Fatal(err)
	}
	prog, err := load.Load(b.Context(), load.Config{Dir: fixtures, Patterns: []string{"./..."}, Tests: true})
	if err != nil {
		b.Fatal(err)
	}
	bench := func(name string, list []rule.Rule) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				a, err := analyze.Packages(b.Context(), analyze.Job{
					Program: prog, Packages: prog.Packages, Rules: list,
					Options: rule.Options{ReadFile: prog.Source, NoFix: true},
				})
				if err != nil || len(a.Skipped) > 0 || len(a.Internal) > 0 || len(list) > 0 && len(a.Findings) == 0 {
					b.Fatal(err, a)
				}
			}
		})
	}
	bench("none", nil)
	for _, r := range rules.All() {
		bench(r.Name, []rule.Rule{r})
	}
	bench("all", rules.All())
}
