//go:build ignore

// Newrule makes what a rule consists of: its package with a test, its fixture, its
// line in the registry and its row in the README. All tests but those of the
// fixture, which is yours to write, pass.
//
//	go run scripts/newrule.go tickerstop
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const ruleFile = `// NAME in one sentence, which is the first line of the page.
//
// # What it does
//
// # Why it leaks
//
// # Example
//
// # What is not reported
//
// # Fix safety
//
// # See also
package NAME

import (
	_ "embed"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "NAME", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed NAME.go
var source string

func find(p *code.Pass) []rule.Match {
	var out []rule.Match
	return out
}
`

const testFile = `package NAME_test

import (
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest"
	"github.com/goroutinefix/goroutinefix/rules"
)

func TestRule(t *testing.T) { rewritetest.Rule(t, rules.All(), "NAME") }
`

const leakFile = `package NAME

// Leak functions are named after their row in SHAPES.md and what they do. A comment on the
// line of the finding says what is expected: the word want, then in quotes the applicability
// and a regular expression for the message, as in "^safe: never closed".
`

const scenarioFile = `package NAME

import (
	"testing"

	"github.com/goroutinefix/goroutinefix/fixtures/internal/probe"
)

// TestScenarios drives the leaking functions, by name, so that their safe
// fixes are proved by running them. Without a safe fix there is nothing to drive: remove it.
func TestScenarios(t *testing.T) {
	probe.Run(t, map[string]probe.Scenario{})
}
`

const okFile = `package NAME

// Nothing in files named ok*.go may be reported.
`

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 || !regexp.MustCompile(`^[a-z][a-z0-9]*$`).MatchString(os.Args[1]) {
		log.Fatal("usage: go run scripts/newrule.go name (lower-case letters and digits)")
	}
	name := os.Args[1]
	if err := create(name); err != nil {
		log.Fatal(err)
	}
	readme := exec.Command("go", "run", "scripts/readme.go")
	readme.Stdout, readme.Stderr = os.Stdout, os.Stderr
	if err := readme.Run(); err != nil {
		log.Fatalf("write the table of rules in README.md: %v", err)
	}
	fmt.Printf("made rules/%[1]s and fixtures/%[1]s; the tests fail until the fixture expects a finding.\n"+
		"go test ./rules/%[1]s runs the fixture, and with -update it writes the golden diffs\n", name)
}

func create(name string) error {
	registry, err := os.ReadFile("rules/rules.go")
	if err != nil {
		return fmt.Errorf("read the registry (run this at the top of the repository): %w", err)
	}
	for _, line := range []struct{ before, add string }{
		{"\n}\n\n// All returns", "\n\t{" + name + ".Rule, " + name + ".Analyzer},"},
		{"\n)\n", "\n\t\"github.com/goroutinefix/goroutinefix/rules/" + name + "\""},
	} {
		at := bytes.Index(registry, []byte(line.before))
		if at < 0 {
			return fmt.Errorf("rules/rules.go has no %q", line.before)
		}
		registry = slices.Concat(registry[:at], []byte(line.add), registry[at:])
	}
	if registry, err = format.Source(registry); err != nil {
		return fmt.Errorf("format rules/rules.go: %w", err)
	}
	fill := strings.NewReplacer("NAME", name)
	files := map[string]string{
		"rules/" + name + "/" + name + ".go":      ruleFile,
		"rules/" + name + "/" + name + "_test.go": testFile,
		"fixtures/" + name + "/leak_plain.go":     leakFile,
		"fixtures/" + name + "/ok_plain.go":       okFile,
		"fixtures/" + name + "/scenario_test.go":  scenarioFile,
	}
	for path := range files {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("create %s: it is there already", path)
		}
	}
	for path, text := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(fill.Replace(text)), 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile("rules/rules.go", registry, 0o666)
}
