package e2e_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
)

// TestThirdParty builds a program of another module, with a rule that is made of a row of
// its own, and lets it fix what that and the rules of this module find.
func TestThirdParty(t *testing.T) {
	longform.Only(t, "a program of another module")
	module, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "third"))); err != nil {
		t.Fatal(err)
	}
	mod := strings.Replace(string(read(t, filepath.Join(root, "go.mod"))), "module github.com/goroutinefix/goroutinefix", "module example.com/third", 1)
	mod += "\nrequire github.com/goroutinefix/goroutinefix v0.0.0\n\nreplace github.com/goroutinefix/goroutinefix => " + module + "\n"
	for name, text := range map[string]string{"go.mod": mod, "go.sum": string(read(t, filepath.Join(root, "go.sum")))} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cache := goEnv(t, "GOCACHE", "GOMODCACHE") // that of the user moves with XDG_CACHE_HOME
	run := func(name string, args ...string) (stdout, stderr string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(append(os.Environ(), cache...), "GOFLAGS=", "GOWORK=off", "XDG_CACHE_HOME="+dir)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return out.String(), errs.String()
	}
	bin := filepath.Join(t.TempDir(), "third.exe")
	if _, stderr := run("go", "build", "-o", bin, "."); stderr != "" {
		t.Fatal(stderr)
	}
	diff, stderr := run(bin, "./leak")
	for _, want := range []string{"+\tdefer w.Stop()", "+\tdefer cancel()"} {
		if !strings.Contains(diff, want) {
			t.Errorf("no %q in the diff:\n%s\n%s", want, diff, stderr)
		}
	}
	if page, _ := run(bin, "explain", "watcherstop"); !strings.Contains(page, "Watchers that are not stopped on every path.") {
		t.Errorf("explain watcherstop: %q", page)
	}
}
