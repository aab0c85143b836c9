package rewritetest

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Rule checks the fixture and the goldens of the one rule with the given name, and
// runs the scenarios of the fixture, in seconds. Rules are all rules: none of the
// others may find anything in the fixture, before a fix or after it. Call it from
// a test in the package of the rule, two directories below the one that holds
// fixtures and golden.
func Rule(t *testing.T, rules []rule.Rule, name string) {
	i := slices.IndexFunc(rules, func(r rule.Rule) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no rule is named %s", name)
	}
	fixtures, err := filepath.Abs(filepath.Join("..", "..", "fixtures"))
	if err != nil {
		t.Fatal(err)
	}
	anywhere(t)
	r, pattern := rules[i], "./"+name+"/..."
	before, risky := run(t, rules, fixtures, false, pattern), run(t, rules, fixtures, true, pattern)
	fixed := fix(t, before, fixtures)
	t.Run("law", func(t *testing.T) {
		obeys(t, r, fixtures, filepath.Join("..", "..", "golden"), before, risky)
		vetted(t, r.Name, vet(t, rules, fixtures, pattern), vet(t, rules, fixed, pattern))
	})
	t.Run("second", func(t *testing.T) {
		silent(t, rules, fixed, pattern)
		silent(t, rules, fix(t, risky, fixtures), "-unsafe", "-allow-dirty", pattern)
	})
	t.Run("proof", func(t *testing.T) { prove(t, r, fixtures, fixed, before.Findings) })
}
