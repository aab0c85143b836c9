package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the program does is tested in rewrite/cli/e2e; here is how it knows who calls it.

func TestCalledByGo(t *testing.T) {
	tests := []struct {
		args string
		want bool
	}{
		{"", false},
		{"-V=full", true},
		{"-flags", true},
		{"unit.cfg", true},
		{"-fix -diff -json /tmp/b001/vet.cfg", true},
		{"-w ./...", false},
		{"-v", false},
		{"version", false},
	}
	for _, tt := range tests {
		if got := calledByGo(strings.Fields(tt.args)); got != tt.want {
			t.Errorf("calledByGo(%s) = %v, want %v", tt.args, got, tt.want)
		}
	}
}

// TestWithoutFacts wants only the dependencies of the standard library to be spared:
// of all others the facts are used, and what was named is analysed.
func TestWithoutFacts(t *testing.T) {
	tests := []struct {
		unit string
		want bool
	}{
		{`{"ImportPath":"net/http","VetxOnly":true}`, true},
		{`{"ImportPath":"internal/poll","VetxOnly":true}`, true},
		{`{"ImportPath":"vendor/golang.org/x/net/idna","VetxOnly":true}`, true},
		{`{"ImportPath":"net/http"}`, false},
		{`{"ImportPath":"net/http","VetxOnly":true,"ModulePath":"std"}`, false}, // in the Go tree
		{`{"ImportPath":"example.com/m","VetxOnly":true,"ModulePath":"example.com/m"}`, false},
		{`{"ImportPath":"shop/net","VetxOnly":true,"ModulePath":"shop"}`, false},
		{`{"ImportPath":"shop/net","VetxOnly":true}`, false}, // in a GOPATH
		{`no JSON`, false},
	}
	for _, tt := range tests {
		name := filepath.Join(t.TempDir(), "vet.cfg")
		if err := os.WriteFile(name, []byte(tt.unit), 0o666); err != nil {
			t.Fatal(err)
		}
		if got := withoutFacts(name); got != tt.want {
			t.Errorf("withoutFacts(%s) = %v, want %v", tt.unit, got, tt.want)
		}
	}
	if withoutFacts("none.cfg") {
		t.Error("a file that is not there needs no facts")
	}
}
