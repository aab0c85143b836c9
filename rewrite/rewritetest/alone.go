package rewritetest

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// mixed is a rule whose unsafe fixes are at odds with other fixes, and proven one whose
// scenarios are quick: the short form runs the program on the tree with the unsafe
// fixes, and the scenarios, for these alone.
const mixed, proven = "waitgroupadd", "waitgroupwait"

// Rule checks the fixture and the goldens of the one rule with the given name in
// seconds. In the long form it also runs the scenarios of the fixture, and go vet. Rules are all rules: none of the
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
		if longform.Wanted() {
			vetted(t, r.Name, vet(t, rules, fixtures, pattern), vet(t, rules, fixed, pattern))
		}
	})
	t.Run("second", func(t *testing.T) {
		silent(t, rules, fixed, false, pattern)
		if longform.Wanted() || name == mixed {
			silent(t, rules, fix(t, risky, fixtures), true, pattern)
		}
	})
	if longform.Wanted() || name == proven {
		t.Run("proof", func(t *testing.T) { prove(t, r, fixtures, fixed, before.Findings) })
	}
}
