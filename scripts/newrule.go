//go:build ignore

// Newrule makes the five things that a rule consists of: its file, its
// fixture, its golden diff, its line in the registry, and its package for
// drivers that take one for each analyzer.
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
	"path/filepath"
	"regexp"
	"strings"
)

const ruleFile = `package rules

import (
	"github.com/goroutinefix/goroutinefix/rewrite/match"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// NAME in one sentence, which is the first line of the page.
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
var NAME = rule.Rule{Name: "NAME", Doc: doc("NAME"), Find: findTITLE}

func findTITLE(p *match.Pass) []rule.Match {
	var out []rule.Match
	return out
}
`

const passFile = `// Package NAME has the analyzer NAME for drivers that take one package for
// each, such as nogo of Bazel.
package NAME

import "github.com/goroutinefix/goroutinefix/rules"

// Analyzer is the analyzer NAME; all packages here share what they know.
var Analyzer = rules.Analyzer("NAME")
`

const leakFile = `package NAME

// Leak functions are named after what they do. The comment on the line of the
// finding says what is expected: applicability and message.
//
//	// want "^safe: regular expression"
`

const scenarioFile = `package NAME

import (
	"testing"

	"github.com/goroutinefix/goroutinefix/fixtures/internal/probe"
)

// TestScenarios drives the leaking functions, by name, so that their safe
// fixes are proved by running them.
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
	fmt.Printf("made rules/%[1]s.go, rules/passes/%[1]s, fixtures/%[1]s and golden/%[1]s.diff; go test ./rules -update writes the golden diff\n", name)
}

func create(name string) error {
	registry, err := os.ReadFile("rules/rules.go")
	if err != nil {
		return fmt.Errorf("read the registry (run this at the top of the repository): %w", err)
	}
	const last = "\n\t}\n}\n"
	at := bytes.Index(registry, []byte(last))
	if at < 0 {
		return errors.New("find the list of rules in rules/rules.go: not there")
	}
	registry = append(registry[:at:at], append([]byte("\n\t\t"+name+","), registry[at:]...)...)
	if registry, err = format.Source(registry); err != nil {
		return fmt.Errorf("format rules/rules.go: %w", err)
	}
	fill := strings.NewReplacer("NAME", name, "TITLE", strings.ToUpper(name[:1])+name[1:])
	files := map[string]string{
		"rules/" + name + ".go":                     ruleFile,
		"rules/passes/" + name + "/" + name + ".go": passFile,
		"fixtures/" + name + "/leak.go":             leakFile,
		"fixtures/" + name + "/ok.go":               okFile,
		"fixtures/" + name + "/scenario_test.go":    scenarioFile,
		"golden/" + name + ".diff":                  "",
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
