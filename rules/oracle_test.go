package rules

import (
	"slices"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/oracle"
)

// known names what the oracle holds against the rules today, by the function of
// the seed: what is mended must be taken out, and nothing may be added.
var known = map[int][]string{
	44: {oracle.FalseAlarm + " bodyclose"},
	45: {oracle.WrongFix + " bodyclose"},
	59: {oracle.WrongFix + " bodyclose+lostcancel"},
}

// TestOracle judges the rules by a few generated functions; the many are for
// scripts/oracle.go, which says how to read what fails here.
func TestOracle(t *testing.T) {
	r, err := oracle.Run(t.Context(), oracle.Config{Rules: All(), Seed: 1, N: 60, SafeOnly: true, Logf: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Broken) > 2 {
		t.Errorf("%d functions were not judged: %s", len(r.Broken), r.Broken)
	}
	seen := map[int][]string{}
	for _, f := range r.Failures {
		seen[f.Function] = append(seen[f.Function], f.Key())
		if !slices.Contains(known[f.Function], f.Key()) {
			t.Error(f)
		}
	}
	for function, keys := range known {
		for _, key := range keys {
			if !slices.Contains(seen[function], key) {
				t.Errorf("function %d: %s is mended: take it out of the list", function, key)
			}
		}
	}
	t.Log(r)
}
