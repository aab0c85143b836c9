package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
)

// TestDrivers runs the same fixtures through every driver: what the command
// line finds, go vet -vettool finds, and what it would fix safely, go fix
// -fixtool changes.
func TestDrivers(t *testing.T) {
	longform.Only(t, "each driver runs on all fixtures")
	bin := program(t)
	// go vet analyses the imports, too, for a program that it has not seen: the
	// short form takes a module that imports little.
	fixtures, packages, least := driversModule(t), []string{"./..."}, 3
	if longform.Wanted() {
		dir, err := filepath.Abs(filepath.Join(root, "fixtures"))
		if err != nil {
			t.Fatal(err)
		}
		fixtures, packages, least = dir, someFixtures(), 300
	}
	run := func(name string, args ...string) (stdout, stderr string) {
		cmd := exec.Command(name, args...)
		cmd.Dir = fixtures
		cmd.Env = append(os.Environ(), memo(t, fixtures)...)
		var o, e strings.Builder
		cmd.Stdout, cmd.Stderr = &o, &e
		_ = cmd.Run() // all of them fail when they find something
		return o.String(), e.String()
	}

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
	if len(want) < least {
		t.Fatalf("the command line finds only %d: %s", len(want), errText)
	}

	_, vet := run("go", slices.Concat([]string{"vet", "-vettool=" + bin}, packages)...)
	var got []string
	for line := range strings.Lines(vet) {
		line = strings.TrimSuffix(strings.TrimPrefix(line, "./"), "\n")
		// Related places are indented after their position.
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

// driversModule returns a module with a safe fix, with findings that have none,
// and with a function that is right.
func driversModule(t *testing.T) string {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod": "module drivers.test/m\n\ngo 1.26\n",
		"a/a.go": "package a\n\nimport \"sync\"\n\nfunc Late(x int) {\n\tvar wg sync.WaitGroup\n\tgo func() {\n\t\twg.Add(1)\n\t\tdefer wg.Done()\n\t\tprintln(x)\n\t}()\n\twg.Wait()\n}\n",
		"b/b.go": "package b\n\nfunc Unread() {\n\tch := make(chan int)\n\tgo func() { ch <- 1 }()\n}\n\nfunc Unsent() {\n\tch := make(chan int)\n\tgo func() { <-ch }()\n}\n",
		"b/c.go": "package b\n\nfunc ok() int {\n\tch := make(chan int, 1)\n\tgo func() { ch <- 1 }()\n\treturn <-ch\n}\n",
	} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
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
