package rewritetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// spellings is how many functions must show what is expected of a shape.
const spellings = 2

var (
	shapeRow  = regexp.MustCompile(`(?m)^\| ([A-Z]\d+[a-z]?) \| ([a-z, ]+) \|`)
	shapeName = regexp.MustCompile(`^(?:[Tt]est)?([A-Z]\d+[a-z]?)(?:[A-Z_]|$)`)
)

// rows returns the verdicts of each row of fixtures/SHAPES.md.
func rows(t *testing.T, fixtures string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(fixtures, "SHAPES.md"))
	if err != nil {
		t.Fatal(err)
	}
	verdicts := map[string]string{}
	for _, row := range shapeRow.FindAllStringSubmatch(string(text), -1) {
		verdicts[row[1]] = row[2]
	}
	if len(verdicts) == 0 {
		t.Fatal("fixtures/SHAPES.md has no rows")
	}
	return verdicts
}

// named returns the functions below dir that are named after a row, by row.
func named(t *testing.T, dir string) map[string][]function {
	t.Helper()
	functions := map[string][]function{}
	for _, file := range goFiles(t, dir) {
		for _, fn := range declared(t, file) {
			if m := shapeName.FindStringSubmatch(fn.name); m != nil {
				functions[m[1]] = append(functions[m[1]], fn)
			}
		}
	}
	return functions
}

// table: each row of fixtures/SHAPES.md has functions that are named after it, and no
// function is named after a row that does not exist. What is found in them is for
// shapes to judge.
func table(t *testing.T, fixtures string) {
	t.Helper()
	verdicts, functions := rows(t, fixtures), named(t, fixtures)
	for row := range verdicts {
		if n := len(functions[row]); n < spellings {
			t.Errorf("shape %s: %d fixture functions are named after it, want at least %d", row, n, spellings)
		}
	}
	for row, fns := range functions {
		if verdicts[row] == "" {
			t.Errorf("%s: %s is named after a shape that fixtures/SHAPES.md does not have", fns[0].file, fns[0].name)
		}
	}
}

// shapes: of the functions in dir, the fixture of one rule, that are named after a row
// of fixtures/SHAPES.md, at least two get one of its verdicts, or all if there are
// fewer; of a silent row all do. Found is what was found in dir.
func shapes(t *testing.T, fixtures, dir string, found []finding.Finding) {
	t.Helper()
	verdicts := rows(t, fixtures)
	for row, fns := range named(t, dir) {
		want, shown := strings.Split(verdicts[row], ", "), 0
		for _, fn := range fns {
			got := fn.verdicts(found)
			if slices.ContainsFunc(got, func(v string) bool { return slices.Contains(want, v) }) {
				shown++
			} else if verdicts[row] == "silent" {
				t.Errorf("%s:%d: %s: found %s, but the shape %s is silent", fn.file, fn.start, fn.name, strings.Join(got, ", "), row)
			}
		}
		if shown < min(spellings, len(fns)) {
			t.Errorf("shape %s: %d of %d functions in %s show the verdict %s, want at least %d", row, shown, len(fns), dir, verdicts[row], spellings)
		}
	}
}

// function is a declared function of a fixture and the lines that it takes.
type function struct {
	file, name string
	start, end int
}

// verdicts returns what was found in fn; where that is nothing, what was found
// elsewhere because of something in it, such as an Add in a function that it
// starts. The verdict on nothing at all is "silent".
func (fn function) verdicts(found []finding.Finding) (got []string) {
	within := func(p finding.Place) bool { return p.Path == fn.file && fn.start <= p.Line && p.Line <= fn.end }
	for _, f := range found {
		if within(f.Place) {
			got = append(got, string(f.Applicability))
		}
	}
	if len(got) > 0 {
		return got
	}
	for _, f := range found {
		if slices.ContainsFunc(f.Related, func(r finding.Related) bool { return within(r.Place) }) {
			got = append(got, string(f.Applicability))
		}
	}
	if len(got) == 0 {
		return []string{"silent"}
	}
	return got
}

// declared returns the functions and methods of a file.
func declared(t *testing.T, file string) (fns []function) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		if fd, ok := d.(*ast.FuncDecl); ok {
			fns = append(fns, function{file, fd.Name.Name, fset.Position(fd.Pos()).Line, fset.Position(fd.End()).Line})
		}
	}
	return fns
}
