// Package trimpath lets tests that load packages from temporary directories reuse
// what the go command has built for an earlier run of the same test.
package trimpath

import (
	"os"
	"strings"
	"testing"
)

// Main runs the tests of a package with -trimpath in GOFLAGS. The path of the
// directory is then no part of what the go command builds, so that the same
// sources in another temporary directory come from its cache. Call it from TestMain.
func Main(m *testing.M) {
	if err := os.Setenv("GOFLAGS", Flags()); err != nil {
		panic(err)
	}
	m.Run()
}

// Flags returns the value of GOFLAGS with -trimpath.
func Flags() string { return strings.TrimSpace(os.Getenv("GOFLAGS") + " -trimpath") }
