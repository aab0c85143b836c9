package dstedit

import (
	"bytes"
	"errors"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const marker = "_ = 424242"

// scaleCount counts what became of the edits of a run.
type scaleCount struct{ inserted, respaced, oneLine, refused, wrong int }

// TestScale inserts a statement into many functions of the standard library
// and checks that nothing else changes.
func TestScale(t *testing.T) {
	scale(t, []string{
		"bufio", "context", "crypto/tls", "encoding/json", "go/types",
		"net", "net/http", "os/exec", "runtime/pprof", "sync", "testing", "time",
	}, func(src []byte) []byte { return src })
}

// TestScaleForeign does the same with CRLF and an indentation by spaces.
func TestScaleForeign(t *testing.T) {
	scale(t, []string{"bufio", "os/exec", "sync", "testing"}, func(src []byte) []byte {
		inside := insideTokens(string(src))
		lines := splitLines(string(src))
		for i, line := range lines {
			if n := depth(line); !inside[i] {
				lines[i] = strings.Repeat("   ", n) + line[n:]
			}
		}
		return []byte(crlf(strings.Join(lines, "")))
	})
}

func scale(t *testing.T, pkgs []string, mangle func([]byte) []byte) {
	if testing.Short() {
		t.Skip("takes long")
	}
	root := filepath.Join(runtime.GOROOT(), "src")
	if _, err := os.Stat(root); err != nil {
		t.Skip("no source of the standard library")
	}
	var c scaleCount
	for _, pkg := range pkgs {
		names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pkg), "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			// Each edit formats the whole file; bundles take too long.
			if len(src) < 100_000 {
				scaleFile(t, name, mangle(src), &c)
			}
		}
	}
	t.Logf("%d inserted, %d of them opened a one-line function or realigned comments, "+
		"%d refused and %d one-line functions among others, %d wrong",
		c.inserted, c.respaced, c.refused, c.oneLine, c.wrong)
	if c.inserted == 0 {
		t.Error("nothing was inserted")
	}
	if c.refused*50 > c.inserted+c.refused {
		t.Errorf("%d of %d were refused, which is more than 2%%", c.refused, c.inserted+c.refused)
	}
}

// scaleFile edits a sample of the functions of src, one at a time: every other
// one behind its first statement, the rest before a statement further inside.
func scaleFile(t *testing.T, name string, src []byte, c *scaleCount) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return // not all that ends in .go is Go
	}
	step := 1 + len(file.Decls)/6
	for i := 0; i < len(file.Decls); i += step {
		fn, ok := file.Decls[i].(*ast.FuncDecl)
		if !ok || fn.Body == nil || len(fn.Body.List) == 0 {
			continue
		}
		stmts := listed(fn)
		edits, err := Rewrite(fset, file, src, fn, func(d *Decl) error {
			new := Assign(Ident("_"), token.ASSIGN, Int("424242"))
			if i%2 == 0 {
				return d.InsertAfter(fn.Body.List[0], new)
			}
			return d.InsertBefore(stmts[len(stmts)*2/3], new)
		})
		pos := fset.PositionFor(fn.Pos(), false)
		if err != nil {
			if !errors.Is(err, ErrRefused) {
				t.Errorf("%s: %v", pos, err)
			}
			// To open one of several one-line functions whose bodies are
			// aligned would change the others: that refusal is expected.
			if pos.Line == fset.PositionFor(fn.End(), false).Line {
				c.oneLine++
				continue
			}
			t.Logf("%s: refused: %v", pos, err)
			c.refused++
			continue
		}
		c.inserted++
		if reason := scaleWrong(src, Apply(src, edits), c); reason != "" {
			c.wrong++
			t.Errorf("%s: %s\n%v", pos, reason, edits)
		}
	}
}

// listed returns the statements of fn that are in a list of statements.
func listed(fn *ast.FuncDecl) []ast.Stmt {
	var all []ast.Stmt
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			return false // their blocks hold clauses
		case *ast.BlockStmt:
			all = append(all, n.List...)
		}
		return true
	})
	return all
}

// scaleWrong returns what is wrong with got, which should be src and one line.
func scaleWrong(src, got []byte, c *scaleCount) string {
	var rest strings.Builder
	found := 0
	for _, line := range splitLines(string(got)) {
		if strings.TrimSpace(line) == marker {
			found++
			continue
		}
		rest.WriteString(line)
	}
	if found != 1 {
		return "the new statement is not there once"
	}
	if rest.String() != string(src) {
		// It may open a one-line function, or end a run of aligned comments;
		// nothing but spacing may change.
		if spaceless(rest.String()) != spaceless(string(src)) {
			return "more than one line was added"
		}
		c.respaced++
	}
	if out, err := format.Source(got); err != nil || !bytes.Equal(out, got) {
		if out, err := format.Source(src); err == nil && bytes.Equal(out, src) {
			return "the result is not gofmt-clean"
		}
	}
	before, err1 := comments(string(src))
	after, err2 := comments(string(got))
	if err1 != nil || err2 != nil || !maps.Equal(before, after) {
		return "the comments differ"
	}
	return ""
}

// spaceless returns text without white space and the semicolons that a line
// break replaces.
func spaceless(text string) string { return strings.ReplaceAll(squash(text), ";", "") }
