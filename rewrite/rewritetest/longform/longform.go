// Package longform says whether the long forms of tests are wanted.
package longform

import (
	"os"
	"testing"
)

// Var is the environment variable that asks for the long forms of tests: all
// fixtures, all steps and all kills where the short form takes a few of each.
const Var = "GOROUTINEFIX_LONG"

// Wanted reports whether the long forms of tests are wanted. The short ones still
// assert the essence, and are what "go test ./..." runs.
func Wanted() bool { return os.Getenv(Var) != "" }

// Only skips a test that has no short form.
func Only(t *testing.T, why string) {
	t.Helper()
	if !Wanted() {
		t.Skipf("%s; set %s=1", why, Var)
	}
}
