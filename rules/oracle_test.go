package rules

import (
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/oracle"
)

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
	for _, f := range r.Failures {
		t.Error(f)
	}
	t.Log(r)
}
