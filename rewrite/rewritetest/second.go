package rewritetest

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/write"
	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/trimpath"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// anywhere lets the go command know the copies of a tree again, wherever they
// lie: what it built for the last test run it need not build for this one.
func anywhere(t *testing.T) {
	t.Setenv("GOFLAGS", trimpath.Flags())
}

// fix returns the directory of a copy of dir to which the changes of res are
// written, as -w does it.
func fix(t *testing.T, res *rewrite.Result, dir string) string {
	t.Helper()
	out := copyTree(t, dir)
	changes := make([]finding.FileChange, len(res.Changes))
	for i, c := range res.Changes {
		c.Path = filepath.Join(out, rel(dir, c.Path))
		changes[i] = c
	}
	written, err := write.Files(context.Background(), changes)
	if err != nil || len(written) != len(changes) {
		t.Fatalf("wrote %d of %d files: %v", len(written), len(changes), err)
	}
	return out
}

// silent: what a run with all rules has left, a second one leaves, too: the packages
// in dir compile, and nothing in them is to be fixed.
func silent(t *testing.T, rules []rule.Rule, dir string, unsafe bool, pattern string) {
	t.Helper()
	res := run(t, rules, dir, unsafe, pattern)
	for _, f := range res.Findings {
		if f.Status == finding.Fixed || f.Status == finding.Fixable {
			t.Errorf("a second run (unsafe: %v) still fixes %s:%d: %s: %s: %s %s", unsafe, f.Place.Path, f.Place.Line, f.Function, f.Rule, f.Message, f.Reason)
		}
	}
	for _, c := range res.Changes {
		t.Errorf("a second run (unsafe: %v) changes %s", unsafe, c.Path)
	}
}

// Program is the command line: it returns what it prints for args, and its exit code.
type Program func(args ...string) (stdout, stderr []byte, code int)

// silent is the same of a second -w: it also changes no byte of any file in dir. Flags
// end with the packages to look at.
func (p Program) silent(t *testing.T, dir string, flags ...string) {
	t.Helper()
	before := contents(t, dir)
	args := append([]string{"-C", dir, "-w", "-no-cache", "-format=json"}, flags...)
	stdout, stderr, code := p(args...)
	if code > 1 {
		t.Errorf("goroutinefix %s: exit code %d: %s", strings.Join(args, " "), code, stderr)
	}
	var doc struct {
		Findings []struct {
			Rule, Path, Status, Function, Message, Reason string
			Line                                          int
		}
	}
	if err := json.Unmarshal(stdout, &doc); err != nil {
		t.Fatal(err)
	}
	for _, f := range doc.Findings {
		if s := finding.Status(f.Status); s == finding.Fixed || s == finding.Fixable {
			t.Errorf("a second run (%s) still fixes %s:%d: %s: %s: %s %s", strings.Join(flags, " "), f.Path, f.Line, f.Function, f.Rule, f.Message, f.Reason)
		}
	}
	after := contents(t, dir)
	if len(after) != len(before) {
		t.Errorf("a second run leaves %d files of %d", len(after), len(before))
	}
	for name, text := range before {
		if after[name] != text {
			t.Errorf("a second run (%s) changes %s", strings.Join(flags, " "), name)
		}
	}
}

// contents returns what the files below dir hold, by their paths in it.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[rel(dir, path)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
