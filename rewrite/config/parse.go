package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"go.yaml.in/yaml/v3"
)

// mistake is an error with its place in the file.
type mistake struct {
	line, column int
	text         string
}

func (m *mistake) Error() string {
	if m.column == 0 {
		return fmt.Sprintf("%d: %s", m.line, m.text)
	}
	return fmt.Sprintf("%d:%d: %s", m.line, m.column, m.text)
}

// parse reads the content of a file.
func parse(data []byte, rules []string) (*Config, []error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return &Config{}, nil // nothing but comments
	} else if err != nil {
		return nil, []error{syntax(err)}
	}
	if root := doc.Content[0]; root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return &Config{}, nil
	}
	r := reader{rules: rules}
	var c Config
	r.object(doc.Content[0], map[string]func(*yaml.Node){
		"rules":     func(n *yaml.Node) { c.Rules = r.ruleNames(n) },
		"skip":      func(n *yaml.Node) { c.Skip = r.ruleNames(n) },
		"tests":     func(n *yaml.Node) { c.Tests = r.boolean(n) },
		"tags":      func(n *yaml.Node) { c.Tags = r.texts(n, "a build tag", validTag) },
		"unsafe":    func(n *yaml.Node) { c.Unsafe = r.boolean(n) },
		"generated": func(n *yaml.Node) { c.Generated = r.boolean(n) },
		"exclude":   func(n *yaml.Node) { c.Exclude = r.texts(n, "a pattern", validPattern) },
		"baseline":  func(n *yaml.Node) { c.Baseline = r.text(n, "a path", func(s string) bool { return s != "" }) },
		"paths": func(n *yaml.Node) {
			for _, item := range r.list(n) {
				if p := (Path{}); r.path(item, &p) {
					c.Paths = append(c.Paths, p)
				}
			}
		},
	})
	if err := dec.Decode(&yaml.Node{}); err == nil {
		r.fail(&doc, "the file holds more than one document")
	} else if !errors.Is(err, io.EOF) {
		r.errs = append(r.errs, syntax(err))
	}
	return &c, r.errs
}

// validPattern reports whether s is a pattern of files.
func validPattern(s string) bool { return s != "" && doublestar.ValidatePattern(s) }

// validTag reports whether s is a build tag.
func validTag(s string) bool { return s != "" && !strings.ContainsAny(s, " \t,!&|()") }

var yamlLine = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?`)

// syntax gives an error of the YAML parser our form; it knows lines only.
func syntax(err error) error {
	first, _, _ := strings.Cut(err.Error(), "\n")
	m := yamlLine.FindStringSubmatch(first)
	line, _ := strconv.Atoi(m[1])
	return &mistake{line: max(line, 1), text: strings.TrimPrefix(first, m[0])}
}

// reader checks the nodes of a document against what the file may hold, and
// collects what is wrong.
type reader struct {
	rules []string
	errs  []error
}

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	r.errs = append(r.errs, &mistake{n.Line, n.Column, fmt.Sprintf(format, args...)})
}

// object calls the function of each key with its value.
func (r *reader) object(n *yaml.Node, keys map[string]func(*yaml.Node)) bool {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "want keys and values, such as \"%s: ...\"", sortedKeys(keys)[0])
		return false
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		read := keys[key.Value]
		switch {
		case read == nil:
			r.fail(key, "unknown key %q; the keys are %s", key.Value, strings.Join(sortedKeys(keys), ", "))
		case seen[key.Value]:
			r.fail(key, "the key %s was given twice", key.Value)
		default:
			read(value)
		}
		seen[key.Value] = true
	}
	return true
}

func sortedKeys(m map[string]func(*yaml.Node)) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (r *reader) path(n *yaml.Node, p *Path) bool {
	ok := r.object(n, map[string]func(*yaml.Node){
		"path":  func(n *yaml.Node) { p.Path = r.text(n, "a pattern", validPattern) },
		"rules": func(n *yaml.Node) { p.Rules = r.ruleNames(n) },
		"skip":  func(n *yaml.Node) { p.Skip = r.ruleNames(n) },
	})
	switch {
	case !ok:
	case p.Path == "":
		r.fail(n, "path is missing")
	case p.Rules == nil && p.Skip == nil:
		r.fail(n, "rules and skip are missing; one of them says what is wanted in %s", p.Path)
	}
	return ok
}

func (r *reader) list(n *yaml.Node) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "want a list")
		return nil
	}
	return n.Content
}

func (r *reader) texts(n *yaml.Node, what string, valid func(string) bool) []string {
	list := []string{}
	for _, item := range r.list(n) {
		list = append(list, r.text(item, what, valid))
	}
	return list
}

func (r *reader) text(n *yaml.Node, what string, valid func(string) bool) string {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!str" || !valid(n.Value) {
		r.fail(n, "want %s%s", what, got(n))
		return ""
	}
	return n.Value
}

func (r *reader) boolean(n *yaml.Node) *bool {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" || n.Value != "true" && n.Value != "false" {
		r.fail(n, "want true or false%s", got(n))
		return nil
	}
	b := n.Value == "true"
	return &b
}

func (r *reader) ruleNames(n *yaml.Node) []string {
	names := r.texts(n, "the name of a rule", func(s string) bool { return s != "" })
	for i, item := range n.Content {
		if i < len(names) && names[i] != "" && names[i] != "all" && !slices.Contains(r.rules, names[i]) {
			r.fail(item, "unknown rule %q; the rules are %s", names[i], strings.Join(r.rules, ", "))
		}
	}
	return names
}

func got(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		return ""
	}
	return fmt.Sprintf(", not %q", n.Value)
}
