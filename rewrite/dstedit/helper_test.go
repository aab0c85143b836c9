package dstedit

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"

	"github.com/dave/dst"
)

// tree finds the nodes of a test source by their text.
type tree struct {
	t    *testing.T
	fset *token.FileSet
	file *ast.File
	src  string
	decl ast.Decl // the last declaration
}

func parse(t *testing.T, src string) *tree {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "x.go", src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("parse the test source: %v", err)
	}
	return &tree{t, fset, file, src, file.Decls[len(file.Decls)-1]}
}

// find returns the first node of type T whose source begins with text.
func find[T ast.Node](tr *tree, text string) T {
	tr.t.Helper()
	var found T
	ok := false
	ast.Inspect(tr.file, func(n ast.Node) bool {
		if n == nil || ok {
			return false
		}
		if x, is := n.(T); is {
			at := tr.fset.File(n.Pos()).Offset(n.Pos())
			if strings.HasPrefix(tr.src[at:], text) {
				found, ok = x, true
			}
		}
		return !ok
	})
	if !ok {
		tr.t.Fatalf("no %v %q in the test source", reflect.TypeFor[T](), text)
	}
	return found
}

func (tr *tree) stmt(text string) ast.Stmt { tr.t.Helper(); return find[ast.Stmt](tr, text) }
func (tr *tree) expr(text string) ast.Expr { tr.t.Helper(); return find[ast.Expr](tr, text) }

// rewrite runs edit on the declaration of tr and returns the edited source.
func (tr *tree) rewrite(edit func(*Decl) error, opts ...Option) (string, []Edit, error) {
	edits, err := Rewrite(tr.fset, tr.file, []byte(tr.src), tr.decl, edit, opts...)
	if err != nil {
		return "", nil, err
	}
	return string(Apply([]byte(tr.src), edits)), edits, nil
}

// layoutTest is an edit of the last declaration of src. Exactly one of want
// and refused is set; refused is a part of the reason.
type layoutTest struct {
	name    string
	src     string
	edit    func(*tree, *Decl) error
	want    string
	refused string
}

func runLayout(t *testing.T, tests []layoutTest) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sameInWindow(t, tt)
			tr := parse(t, tt.src)
			got, _, err := tr.rewrite(func(d *Decl) error { return tt.edit(tr, d) })
			if tt.refused != "" {
				if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), tt.refused) {
					t.Fatalf("error = %v, want a refusal with %q\n%s", err, tt.refused, got)
				}
				return
			}
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if got != tt.want {
				t.Errorf("got:\n%s\nwant:\n%s\nquoted got:  %q\nquoted want: %q", got, tt.want, got, tt.want)
			}
		})
	}
}

// body returns a file with a function of the given body. Lines that begin with
// a line break are a raw string, whose margin is replaced by one tab.
func body(lines string) string {
	if !strings.HasPrefix(lines, "\n") {
		return "package p\n\nfunc f() {\n" + lines + "}\n"
	}
	return "package p\n\nfunc f() {\n" + dedent(lines, 1) + "}\n"
}

// dedent removes the common indentation of lines and indents them by n tabs.
func dedent(text string, n int) string {
	text = strings.TrimPrefix(text, "\n")
	text = strings.TrimRight(text, "\t\n") + "\n"
	lines := strings.SplitAfter(text, "\n")
	margin := -1
	for _, l := range lines {
		if strings.TrimSpace(l) == "" {
			continue
		}
		if d := depth(l); margin < 0 || d < margin {
			margin = d
		}
	}
	var b strings.Builder
	for _, l := range lines {
		if strings.TrimSpace(l) == "" {
			b.WriteString(l)
			continue
		}
		b.WriteString(strings.Repeat("\t", n) + l[margin:])
	}
	return b.String()
}

// x is the statement that the tests insert.
func x() dst.Stmt { return ExprStmt(Call(Ident("x"))) }

func after(text string) func(*tree, *Decl) error {
	return func(tr *tree, d *Decl) error { return d.InsertAfter(tr.stmt(text), x()) }
}

func before(text string) func(*tree, *Decl) error {
	return func(tr *tree, d *Decl) error { return d.InsertBefore(tr.stmt(text), x()) }
}

func del(text string) func(*tree, *Decl) error {
	return func(tr *tree, d *Decl) error { return d.Delete(tr.stmt(text)) }
}

func moveBefore(s, anchor string) func(*tree, *Decl) error {
	return func(tr *tree, d *Decl) error { return d.MoveBefore(tr.stmt(s), tr.stmt(anchor)) }
}

func moveAfter(s, anchor string) func(*tree, *Decl) error {
	return func(tr *tree, d *Decl) error { return d.MoveAfter(tr.stmt(s), tr.stmt(anchor)) }
}
