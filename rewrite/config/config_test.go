package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

var ruleNames = []string{"bodyclose", "lostcancel"}

const full = `# Everything that can be said.
rules: [bodyclose]
skip: [lostcancel]
tests: false
tags: [integration, e2e]
unsafe: true
generated: true
exclude: ["**/mocks/**", "legacy"]
baseline: leaks.json
paths:
  - path: cmd/**
    skip: [bodyclose]
  - path: internal
    rules: [all]
`

// documents are files and what is wrong with them: line:column and a part of
// the message.
var documents = []struct {
	text string
	want []string
	// schema is set where the schema does not know better: rule names,
	// patterns, duplicates.
	schemaAccepts bool
}{
	{full, nil, false},
	{"", nil, false},
	{"# only a comment\n", nil, false},
	{"---\n", nil, false},
	{"rules: []\n", nil, false},
	{"ruls: [bodyclose]\n", []string{`1:1: unknown key "ruls"; the keys are baseline, exclude, `}, false},
	{"tests: true\nx: 1\ny: 2\n", []string{`2:1: unknown key "x"`, `3:1: unknown key "y"`}, false},
	{"tests: yes please\n", []string{`1:8: want true or false, not "yes please"`}, false},
	{"rules: bodyclose\n", []string{"1:8: want a list"}, false},
	{"rules:\n  - bodyclose\n  - nothing\n", []string{`3:5: unknown rule "nothing"; the rules are bodyclose, lostcancel`}, true},
	{"rules: [1]\n", []string{`1:9: want the name of a rule, not "1"`}, false},
	{"tags: ['a b']\n", []string{`1:8: want a build tag, not "a b"`}, false},
	{"exclude: ['[']\n", []string{`1:11: want a pattern, not "["`}, true},
	{"exclude: ['']\n", []string{`1:11: want a pattern`}, false},
	{"paths:\n  - skip: [bodyclose]\n", []string{"2:5: path is missing"}, false},
	{"paths:\n  - path: x\n", []string{"2:5: rules and skip are missing"}, false},
	{"paths:\n  - path: x\n    skip: []\n    tests: false\n", []string{`4:5: unknown key "tests"; the keys are path, rules, skip`}, false},
	{"paths:\n  - x\n", []string{"2:5: want keys and values"}, false},
	{"- rules\n", []string{"1:1: want keys and values"}, false},
	{"tests: &a true\nunsafe: *a\n", []string{"2:9: want true or false"}, true},
	{"tests: true\n---\nunsafe: true\n", []string{"1:1: the file holds more than one document"}, true},
	{"tests: true\ntests: true\n", []string{"2:1: the key tests was given twice"}, true},
	{"tests: [\n", []string{"did not find expected node content"}, true},
	{"\ttests: true\n", []string{"1: found character that cannot start any token"}, true},
}

func TestParse(t *testing.T) {
	for _, d := range documents {
		c, errs := parse([]byte(d.text), ruleNames)
		var got []string
		for _, e := range errs {
			got = append(got, e.Error())
		}
		if !slices.EqualFunc(got, d.want, strings.Contains) {
			t.Errorf("%q: got %q, want %q", d.text, got, d.want)
		}
		if len(errs) == 0 && c == nil {
			t.Errorf("%q: no configuration", d.text)
		}
	}
	c, _ := parse([]byte(full), ruleNames)
	if got := fmt.Sprintln(c.Rules, c.Skip, *c.Tests, c.Tags, *c.Unsafe, *c.Generated, c.Exclude, c.Baseline, c.Paths); got !=
		"[bodyclose] [lostcancel] false [integration e2e] true true [**/mocks/** legacy] leaks.json [{cmd/** [] [bodyclose]} {internal [all] []}]\n" {
		t.Errorf("got %s", got)
	}
}

// TestSchema holds the schema to what the program reads.
func TestSchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range documents {
		var value any
		if err := yaml.Unmarshal([]byte(d.text), &value); err != nil || value == nil {
			continue
		}
		err := schema.Validate(value)
		if want := len(d.want) == 0 || d.schemaAccepts; (err == nil) != want {
			t.Errorf("%q: the schema says %v", d.text, err)
		}
	}

	// Both know the same keys: the error for an unknown one lists them.
	keys := func(text string) string {
		_, errs := parse([]byte(text), ruleNames)
		_, list, _ := strings.Cut(errs[0].Error(), "the keys are ")
		return list
	}
	var s struct {
		Properties map[string]struct {
			Items struct{ Properties map[string]any }
		}
	}
	if err := json.Unmarshal(Schema, &s); err != nil {
		t.Fatal(err)
	}
	if want, got := strings.Join(slices.Sorted(maps.Keys(s.Properties)), ", "), keys("x: 1"); got != want {
		t.Errorf("the program reads %s, the schema %s", got, want)
	}
	if want, got := strings.Join(slices.Sorted(maps.Keys(s.Properties["paths"].Items.Properties)), ", "), keys("paths: [{x: 1}]"); got != want {
		t.Errorf("in paths the program reads %s, the schema %s", got, want)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string {
		if name == "" {
			return ""
		}
		return filepath.Join(dir, filepath.FromSlash(name))
	}
	for _, name := range []string{Name, "m/a/b/x", "m/c/" + Name, "m/c/d/x"} {
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ dir, root, want string }{
		{".", "", Name},
		{"m", "m", ""},
		{"m", "", ""},
		{"m/a/b", "m", ""},
		{"m/a/b", ".", Name},
		{"m/c/d", "m", "m/c/" + Name},
		{"m/c", ".", "m/c/" + Name},
	}
	for _, tt := range tests {
		if got := Find(at(tt.dir), at(tt.root)); got != at(tt.want) {
			t.Errorf("Find(%s, %s) = %s, want %s", tt.dir, tt.root, got, tt.want)
		}
	}
}

func TestExcludes(t *testing.T) {
	c, errs := parse([]byte(full), ruleNames)
	if errs != nil {
		t.Fatal(errs)
	}
	c.Path = filepath.Join(string(filepath.Separator), "m", Name)
	for name, want := range map[string]bool{
		"x.go": false, "a/mocks/x.go": true, "mocks/x.go": true, "mocks.go": false, "legacy/a/x.go": true, "a/legacy/x.go": false,
		"cmd/x.go": true, "cmd/a/x.go": true, "internal/x.go": false, "../m2/x.go": false,
	} {
		if got := c.Excludes("bodyclose", filepath.Join(filepath.Dir(c.Path), filepath.FromSlash(name))); got != want {
			t.Errorf("%s: excluded %v, want %v", name, got, want)
		}
	}
	if c.Excludes("lostcancel", filepath.Join(filepath.Dir(c.Path), "cmd", "x.go")) {
		t.Error("a rule that cmd does not skip is excluded there")
	}
}

func FuzzParse(f *testing.F) {
	for _, d := range documents {
		f.Add([]byte(d.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, errs := parse(data, ruleNames)
		for _, e := range errs {
			var line int
			if n, _ := fmt.Sscanf(e.Error(), "%d:", &line); n != 1 || line < 1 || strings.Contains(e.Error(), "\n") {
				t.Errorf("%q: %q", data, e)
			}
		}
		if len(errs) == 0 {
			c.Path = "/m/" + Name
			c.Excludes("bodyclose", "/m/a/x.go")
		}
	})
}
