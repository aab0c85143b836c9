package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest"
)

// TestDrivers runs the same fixtures through every driver: what the command
// line finds, go vet -vettool finds, and what it would fix safely, go fix
// -fixtool changes.
func TestDrivers(t *testing.T) {
	// go vet analyses the standard library, too, for a program that it has not
	// seen; the script vettool.txtar runs it on a package.
	rewritetest.OnlyLong(t, "runs the go command over all fixtures three times")
	bin := program(t)
	fixtures, err := filepath.Abs("fixtures")
	if err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) (stdout, stderr string) {
		cmd := exec.Command(name, args...)
		cmd.Dir = fixtures
		var o, e strings.Builder
		cmd.Stdout, cmd.Stderr = &o, &e
		_ = cmd.Run() // all of them fail when they find something
		return o.String(), e.String()
	}

	packages := someFixtures()
	doc, errText := run(bin, slices.Concat([]string{"-generated", "-format=json"}, packages)...)
	for _, jobs := range []string{"-j=1", "-j=7"} {
		if again, _ := run(bin, slices.Concat([]string{jobs, "-generated", "-format=json"}, packages)...); again != doc {
			t.Errorf("the document is another one with %s", jobs)
		}
	}
	var cli struct {
		Findings []struct {
			Path, Message, Status string
			Line, Column          int
		}
	}
	if err := json.Unmarshal([]byte(doc), &cli); err != nil {
		t.Fatalf("read the json document: %v\n%s", err, errText)
	}
	var want []string
	fixable := map[string]bool{}
	for _, f := range cli.Findings {
		want = append(want, fmt.Sprintf("%s:%d:%d: %s", f.Path, f.Line, f.Column, f.Message))
		if f.Status == "fixable" {
			fixable[f.Path] = true
		}
	}
	if least := map[bool]int{false: 60, true: 300}[rewritetest.Long()]; len(want) < least {
		t.Fatalf("the command line finds only %d: %s", len(want), errText)
	}

	_, vet := run("go", slices.Concat([]string{"vet", "-vettool=" + bin}, packages)...)
	var got []string
	for line := range strings.Lines(vet) {
		line = strings.TrimSuffix(strings.TrimPrefix(line, "./"), "\n")
		// Related places are indented behind their position.
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, ": \t") {
			got = append(got, filepath.ToSlash(line))
		}
	}
	compare(t, "go vet -vettool", want, got)

	diff, fixErr := run("go", slices.Concat([]string{"fix", "-fixtool=" + bin, "-diff"}, packages)...)
	var wantFiles, gotFiles []string
	for path := range fixable {
		wantFiles = append(wantFiles, path)
	}
	for _, m := range regexp.MustCompile(`(?m)^\+\+\+ (.*) \(new\)$`).FindAllStringSubmatch(diff, -1) {
		rel, err := filepath.Rel(fixtures, m[1])
		if err != nil {
			t.Fatal(err)
		}
		gotFiles = append(gotFiles, filepath.ToSlash(rel))
	}
	if strings.TrimSpace(fixErr) != "" && !strings.HasPrefix(fixErr, "#") {
		t.Logf("go fix says: %s", fixErr)
	}
	compare(t, "go fix -fixtool", wantFiles, gotFiles)
}

func compare(t *testing.T, driver string, want, got []string) {
	t.Helper()
	slices.Sort(want)
	slices.Sort(got)
	for _, w := range want {
		if _, ok := slices.BinarySearch(got, w); !ok {
			t.Errorf("%s lacks %s", driver, w)
		}
	}
	for _, g := range got {
		if _, ok := slices.BinarySearch(want, g); !ok {
			t.Errorf("%s adds %s", driver, g)
		}
	}
}
