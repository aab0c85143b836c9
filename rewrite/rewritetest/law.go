// Package rewritetest is the law that every rule obeys, as one harness that
// needs no code of the rule's author: a fixture directory of leaking files
// with their expectations, files that must stay silent, and a golden diff. Rule
// holds one rule to it in seconds, and runs what its fixes change; Law holds all
// rules to it at once.
package rewritetest

import (
	"context"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

var update = flag.Bool("update", false, "rewrite the golden diffs")

// Law checks all rules at once against the module of fixtures and the golden diffs,
// which are directories: fixtures/<rule> and golden/<rule>. Rule holds each rule
// to the law; here is what only all of them together show: that nothing lies about
// which belongs to no rule, and that the fixes of several rules go together in one
// package. Program is the command line with these rules. The long form, and -update, do
// what Rule does for all fixtures in one run.
func Law(t *testing.T, rules []rule.Rule, program Program, fixtures, golden string) {
	fixtures, err := filepath.Abs(fixtures)
	if err != nil {
		t.Fatal(err)
	}
	anywhere(t)
	orphans(t, rules, fixtures, golden)
	table(t, fixtures)

	pattern := "./" + demonstration + "/..."
	if longform.Wanted() || *update {
		pattern = "./..."
	}
	before, risky := run(t, rules, fixtures, false, pattern), run(t, rules, fixtures, true, pattern)
	fixed, fixedAll := fix(t, before, fixtures), fix(t, risky, fixtures)
	t.Run("demonstration", func(t *testing.T) {
		found := within(before.Findings, filepath.Join(fixtures, demonstration))
		if len(found) < 3 {
			t.Errorf("%d findings", len(found))
		}
		for _, f := range found {
			if f.Applicability != finding.Safe || f.Status != finding.Fixable {
				t.Errorf("%s:%d: %s: %s %s", f.Place.Path, f.Place.Line, f.Message, f.Status, f.Reason)
			}
		}
	})
	vetBefore, vetAfter := vet(t, rules, fixtures, pattern), vet(t, rules, fixed, pattern)
	vetted(t, demonstration, vetBefore, vetAfter)
	t.Run("second", func(t *testing.T) {
		program.silent(t, fixed, pattern)
		program.silent(t, fixedAll, "-unsafe", "-allow-dirty", pattern)
	})
	if pattern != "./..." {
		return
	}
	for _, r := range rules {
		t.Run(r.Name, func(t *testing.T) {
			obeys(t, r, fixtures, golden, before, risky)
			vetted(t, r.Name, vetBefore, vetAfter)
		})
	}
}

// obeys holds what before and risky, runs without and with unsafe fixes, say of
// the fixture of r against its expectations and its goldens.
func obeys(t *testing.T, r rule.Rule, fixtures, golden string, before, risky *rewrite.Result) {
	t.Helper()
	dir := filepath.Join(fixtures, r.Name)
	found := within(before.Findings, dir)
	expectations(t, r, dir, found)
	changes, more := changesIn(before.Changes, dir), changesIn(risky.Changes, dir)
	if len(changes)+len(more) == 0 && slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Applicability != finding.None }) {
		t.Error("no fix of the fixture comes through")
	}
	goldens{filepath.Join(golden, r.Name), safeEnding}.hold(t, dir, changes)
	goldens{filepath.Join(golden, r.Name), unsafeEnding}.hold(t, dir, more)
	for _, c := range changes {
		untouched(t, c)
	}
	applicability(t, found)
	shapes(t, fixtures, dir, found)
}

// demonstration is the fixture of no rule: a small package that the README shows,
// with leaks of several rules, all of which are fixed.
const demonstration = "stock"

func changesIn(all []finding.FileChange, dir string) (in []finding.FileChange) {
	for _, c := range all {
		if inDir(c.Path, dir) {
			in = append(in, c)
		}
	}
	return in
}

func run(t *testing.T, rules []rule.Rule, dir string, unsafe bool, pattern string) *rewrite.Result {
	t.Helper()
	res, err := rewrite.Run(context.Background(), rewrite.Config{Dir: dir, Patterns: []string{pattern}, Rules: rules, Tests: true, Unsafe: unsafe})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range res.Skipped {
		t.Errorf("skipped %s: %s", s.Package, s.Reason)
	}
	for _, err := range res.Internal {
		t.Error(err)
	}
	return res
}

// orphans: every rule has a fixture and a page, and nothing lies beside that
// belongs to no rule. That each fixture file with a fix has a golden is for goldens to say.
func orphans(t *testing.T, rules []rule.Rule, fixtures, golden string) {
	names := map[string]bool{}
	for _, r := range rules {
		names[r.Name] = true
		if _, err := os.Stat(filepath.Join(fixtures, r.Name)); err != nil {
			t.Errorf("rule %s has no fixture: %v", r.Name, err)
		}
		if r.Doc == "" {
			t.Errorf("rule %s has no page", r.Name)
		}
	}
	for _, dir := range []string{fixtures, golden} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			beside := dir == fixtures && (!e.IsDir() || e.Name() == "internal" || e.Name() == demonstration)
			if !names[e.Name()] && !beside {
				t.Errorf("%s belongs to no rule", filepath.Join(dir, e.Name()))
			}
		}
	}
}

var wantComment = regexp.MustCompile("// want ((?:(?:\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`)\\s*)+)")
var wantString = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`")

type lineOf struct {
	file string
	line int
}

// expectations: the findings are those of the // want comments, matched
// against "<applicability>: <message>" and of this rule alone; files named
// ok*.go have none.
func expectations(t *testing.T, r rule.Rule, dir string, found []finding.Finding) {
	wants := map[lineOf][]*regexp.Regexp{}
	for _, name := range goFiles(t, dir) {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(src), "\n") {
			m := wantComment.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			if strings.HasPrefix(filepath.Base(name), "ok") {
				t.Errorf("%s:%d: an ok file expects a finding", name, i+1)
			}
			for _, q := range wantString.FindAllString(m[1], -1) {
				s, err := strconv.Unquote(q)
				if err != nil {
					t.Fatalf("%s:%d: unquote %s: %v", name, i+1, q, err)
				}
				re, err := regexp.Compile("^(?:" + s + ")") // "safe: " must not match "unsafe: "
				if err != nil {
					t.Fatalf("%s:%d: %v", name, i+1, err)
				}
				wants[lineOf{name, i + 1}] = append(wants[lineOf{name, i + 1}], re)
			}
		}
	}
	if len(wants) == 0 {
		t.Errorf("%s expects nothing", dir)
	}
	there := map[lineOf][]string{}
	for _, f := range found {
		at := lineOf{f.Place.Path, f.Place.Line}
		there[at] = append(there[at], fmt.Sprintf("%s %s: %s", f.Rule, f.Applicability, f.Message))
		text := fmt.Sprintf("%s: %s", f.Applicability, f.Message)
		i := slices.IndexFunc(wants[at], func(re *regexp.Regexp) bool { return re.MatchString(text) })
		if f.Rule != r.Name || i < 0 {
			t.Errorf("%s:%d: %s: unexpected %s: %s (%s) %s; if it is right, expect it: // want %q", f.Place.Path, f.Place.Line, f.Function, f.Rule, text, f.Status, f.Reason, "^"+regexp.QuoteMeta(text))
			continue
		}
		wants[at] = slices.Delete(wants[at], i, i+1)
	}
	for at, list := range wants {
		for _, re := range list {
			t.Errorf("%s:%d: nothing found that matches %q; found on this line: %q", at.file, at.line, re, there[at])
		}
	}
}

// untouched: declarations without a finding keep their bytes, and every
// comment survives.
func untouched(t *testing.T, c finding.FileChange) {
	oldDecls, oldComments := declarations(t, c.Old)
	newDecls, newComments := declarations(t, c.New)
	if len(oldDecls) != len(newDecls) {
		t.Errorf("%s: %d declarations became %d", c.Path, len(oldDecls), len(newDecls))
		return
	}
	for i, d := range oldDecls {
		changed := slices.ContainsFunc(c.Findings, func(f finding.Finding) bool {
			return f.Place.Offset >= d.start && f.Place.Offset < d.end
		})
		if !changed && !d.imports && d.text != newDecls[i].text {
			t.Errorf("%s: a declaration without a finding has changed:\n%s", c.Path, newDecls[i].text)
		}
	}
	slices.Sort(oldComments)
	slices.Sort(newComments)
	if !slices.Equal(oldComments, newComments) {
		t.Errorf("%s: the comments are not the same as before", c.Path)
	}
}

type decl struct {
	start, end int
	text       string
	imports    bool
}

func declarations(t *testing.T, src []byte) (decls []decl, comments []string) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	tf, last := fset.File(file.FileStart), 0
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		end := tf.Offset(d.End())
		decls = append(decls, decl{tf.Offset(d.Pos()), end, string(src[last:end]), ok && g.Tok == token.IMPORT})
		last = end
	}
	for _, g := range file.Comments {
		for _, c := range g.List {
			comments = append(comments, c.Text)
		}
	}
	return decls, comments
}

// applicability: what a finding declares is what happens.
func applicability(t *testing.T, found []finding.Finding) {
	for _, f := range found {
		at := fmt.Sprintf("%s:%d", f.Place.Path, f.Place.Line)
		switch f.Applicability {
		case finding.Safe:
			if f.Status != finding.Fixable || f.Fix == nil {
				t.Errorf("%s: safe, but %s: %s", at, f.Status, f.Reason)
			}
		case finding.Unsafe:
			if f.Status != finding.UnsafeHidden || f.Fix == nil {
				t.Errorf("%s: unsafe, but %s: %s", at, f.Status, f.Reason)
			}
		default:
			if f.Fix != nil || f.Reason == "" {
				t.Errorf("%s: no fix is offered and no reason given (%s)", at, f.Status)
			}
		}
	}
}

// vet type-checks and vets a tree and counts what it says, without line
// numbers and with paths from the directory of a rule on: where the text is the
// same, the go command says it of the tree that it saw first. A tree that does
// not compile fails the test.
func vet(t *testing.T, rules []rule.Rule, dir, pattern string) map[string]int {
	t.Helper()
	cmd := exec.Command("go", "vet", pattern)
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput() // it fails when it finds something
	position := regexp.MustCompile(`:\d+:\d+:`)
	lines := map[string]int{}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "vet: ") || strings.HasPrefix(line, "go: ") {
			t.Fatalf("go vet in %s: %s", dir, line)
		}
		if !position.MatchString(line) {
			continue // a heading, or the source text that a message quotes
		}
		line = position.ReplaceAllString(strings.TrimSpace(line), ":")
		for _, name := range append(namesOf(rules), demonstration) {
			if at := string(filepath.Separator) + name + string(filepath.Separator); strings.Contains(line, at) {
				line = line[strings.LastIndex(line, at)+1:]
				break
			}
		}
		lines[line]++
	}
	return lines
}

// namesOf returns the names of rules.
func namesOf(rules []rule.Rule) (names []string) {
	for _, r := range rules {
		names = append(names, r.Name)
	}
	return names
}

// vetted: go vet says nothing of the package with the given name in the fixed tree
// that it does not say of it in the fixtures.
func vetted(t *testing.T, name string, before, after map[string]int) {
	t.Helper()
	for line := range after {
		if strings.HasPrefix(line, name+string(filepath.Separator)) && after[line] > before[line] {
			t.Errorf("go vet says of the fixed tree, and did not before: %s", line)
		}
	}
}
