package e2e_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
)

// TestShards runs fixtures in one run and in parts: the parts together
// print the same diff, byte for byte, and find the same.
func TestShards(t *testing.T) {
	longform.Only(t, "runs in parts")
	bin := program(t)
	fixtures, err := filepath.Abs(filepath.Join(root, "fixtures"))
	if err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (diff string, findings []string) {
		out := filepath.Join(t.TempDir(), "out.json")
		cmd := exec.Command(bin, slices.Concat(args, []string{"-C=fixtures", "-o=json=" + out, "-q"}, someFixtures())...)
		cmd.Dir = root
		cmd.Env = append(os.Environ(), memo(t, fixtures)...)
		stdout, _ := cmd.Output() // fails because it finds something
		data, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct{ Findings []json.RawMessage }
		if err := json.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		for _, f := range doc.Findings {
			findings = append(findings, string(f))
		}
		return string(stdout), findings
	}
	want, wantFindings := run()
	parts := []int{2}
	if longform.Wanted() {
		parts = []int{2, 3}
	}
	for _, n := range parts {
		var files, findings []string
		for i := range n {
			diff, found := run("-shard=" + strconv.Itoa(i+1) + "/" + strconv.Itoa(n))
			part := perFile(diff)
			files, findings = append(files, part...), append(findings, found...)
		}
		byPath := func(a, b string) int { return strings.Compare(pathOf(a), pathOf(b)) }
		slices.SortFunc(files, byPath)
		if strings.Join(files, "") != want {
			t.Errorf("the diff of %d parts is another one than that of one run", n)
		}
		slices.Sort(findings)
		slices.Sort(wantFindings)
		if !slices.Equal(findings, wantFindings) {
			t.Errorf("%d parts find %d, one run finds %d", n, len(findings), len(wantFindings))
		}
	}
}

// someFixtures returns the packages of the fixtures that tests of the program
// look at: small ones of four rules, or all of them in the long form.
func someFixtures() []string {
	if longform.Wanted() {
		return []string{"./..."}
	}
	return []string{"./lockedwait/...", "./missingstop/...", "./stock/...", "./waitgroupwait/..."}
}

// perFile splits a diff into its files, with the comments above each.
func perFile(diff string) []string {
	var files []string
	inFile := true
	for line := range strings.Lines(diff) {
		if strings.HasPrefix(line, "# ") && inFile {
			files, inFile = append(files, ""), false
		}
		inFile = inFile || strings.HasPrefix(line, "diff --git ")
		files[len(files)-1] += line
	}
	return files
}

func pathOf(file string) string {
	_, rest, _ := strings.Cut(file, "\n+++ b/")
	path, _, _ := strings.Cut(rest, "\n")
	return path
}
