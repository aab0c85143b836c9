package rewritetest

import (
	"os"
	"testing"
)

// LongVar is the environment variable that asks for the long forms of tests: all
// fixtures, all steps and all kills where the short form takes a few of each.
const LongVar = "GOROUTINEFIX_LONG"

// Long reports whether the long forms of tests are wanted. The short ones still
// assert the essence, and are what "go test ./..." runs.
func Long() bool { return os.Getenv(LongVar) != "" }

// OnlyLong skips a test that has no short form.
func OnlyLong(t *testing.T, why string) {
	t.Helper()
	if !Long() {
		t.Skipf("%s; set %s=1", why, LongVar)
	}
}
