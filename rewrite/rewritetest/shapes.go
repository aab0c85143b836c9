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

// shapes: each row of fixtures/SHAPES.md has functions that are named after it
// and get one of its verdicts, and no function is named after a row that does
// not exist.
func shapes(t *testing.T, fixtures string, found []finding.Finding) {
	table, err := os.ReadFile(filepath.Join(fixtures, "SHAPES.md"))
	if err != nil {
		t.Fatal(err)
	}
	functions := map[string][]function{} // by row
	for _, file := range goFiles(t, fixtures) {
		for _, fn := range declared(t, file) {
			if m := shapeName.FindStringSubmatch(fn.name); m != nil {
				functions[m[1]] = append(functions[m[1]], fn)
			}
		}
	}
	rows := shapeRow.FindAllStringSubmatch(string(table), -1)
	if len(rows) == 0 {
		t.Fatal("fixtures/SHAPES.md has no rows")
	}
	for _, row := range rows {
		want := strings.Split(row[2], ", ")
		shown := 0
		for _, fn := range functions[row[1]] {
			got := fn.verdicts(found)
			if slices.ContainsFunc(got, func(v string) bool { return slices.Contains(want, v) }) {
				shown++
			} else if row[2] == "silent" {
				t.Errorf("%s:%d: %s: found %s, but the shape %s is silent", fn.file, fn.start, fn.name, strings.Join(got, ", "), row[1])
			}
		}
		if shown < spellings {
			t.Errorf("shape %s: %d of %d fixture functions show the verdict %s, want at least %d", row[1], shown, len(functions[row[1]]), row[2], spellings)
		}
		delete(functions, row[1])
	}
	for _, fns := range functions {
		t.Errorf("%s: %s is named after a shape that fixtures/SHAPES.md does not have", fns[0].file, fns[0].name)
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
