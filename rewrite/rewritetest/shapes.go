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
	verdicts := map[string][]string{} // "file:function" -> what was found in it
	for _, f := range found {
		name := f.Function[strings.LastIndex(f.Function, ".")+1:]
		key := f.Place.Path + ":" + name
		verdicts[key] = append(verdicts[key], string(f.Applicability))
	}
	functions := map[string][]string{} // row -> "file:function"
	for _, file := range goFiles(t, fixtures) {
		for _, name := range declared(t, file) {
			if m := shapeName.FindStringSubmatch(name); m != nil {
				functions[m[1]] = append(functions[m[1]], file+":"+name)
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
		for _, key := range functions[row[1]] {
			got := verdicts[key]
			if len(got) == 0 {
				got = []string{"silent"}
			}
			if slices.ContainsFunc(got, func(v string) bool { return slices.Contains(want, v) }) {
				shown++
			} else if row[2] == "silent" {
				t.Errorf("%s: found %s, but the shape %s is silent", key, strings.Join(got, ", "), row[1])
			}
		}
		if shown < spellings {
			t.Errorf("shape %s: %d of %d fixture functions show the verdict %s, want at least %d", row[1], shown, len(functions[row[1]]), row[2], spellings)
		}
		delete(functions, row[1])
	}
	for row, names := range functions {
		t.Errorf("%s is named after a shape %s, which fixtures/SHAPES.md does not have", names[0], row)
	}
}

// declared returns the names of the functions and methods of a file.
func declared(t *testing.T, file string) (names []string) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		if fd, ok := d.(*ast.FuncDecl); ok {
			names = append(names, fd.Name.Name)
		}
	}
	return names
}
