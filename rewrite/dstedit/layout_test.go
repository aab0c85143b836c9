package dstedit

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"

	"github.com/dave/dst"
)

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func TestForeignLayout(t *testing.T) {
	runLayout(t, []layoutTest{
		{
			name: "CRLF", edit: after("a()"),
			src:  crlf(body("\t/* one\n\t   two */\n\ta() // of a\n\n\tb()\n")),
			want: crlf(body("\t/* one\n\t   two */\n\ta() // of a\n\tx()\n\n\tb()\n")),
		},
		{
			name: "CRLF raw string", edit: after("a()"),
			src:  crlf(body("\ta()\n\ts := `one\n two  \n`\n")),
			want: crlf(body("\ta()\n\tx()\n\ts := `one\n two  \n`\n")),
		},
		{
			name: "mixed line endings", edit: after("a()"),
			src:  "package p\r\n\r\nfunc f() {\n\ta()\n\tb()\r\n}\r\n",
			want: "package p\r\n\r\nfunc f() {\n\ta()\n\tx()\n\tb()\r\n}\r\n",
		},
		{
			name: "mixed line endings in a changed line",
			src:  "package p\n\nfunc f() {\n\ta()\n\tb()\r\n}\n",
			want: "package p\n\nfunc f() {\n\ta()\n\tc()\r\n}\n",
			edit: func(tr *tree, d *Decl) error { return d.Rename(find[*ast.Ident](tr, "b"), "c") },
		},
		{
			name: "byte order mark", edit: after("a()"),
			src:  "\ufeffpackage p\n\nfunc f() {\n\ta()\n}\n",
			want: "\ufeffpackage p\n\nfunc f() {\n\ta()\n\tx()\n}\n",
		},
		{
			name: "no newline at the end", edit: after("a()"),
			src:  "package p\n\nfunc f() {\n\ta()\n}",
			want: "package p\n\nfunc f() {\n\ta()\n\tx()\n}",
		},
		{
			name: "one line without newline at the end", edit: after("a()"),
			src:  "package p\n\nfunc f() { a() }",
			want: "package p\n\nfunc f() {\n\ta()\n\tx()\n}",
		},
		{
			name: "spaces", edit: after("c()"),
			src:  "package p\n\nfunc f() {\n  if a {\n    b( 1,2 )\n    c() // of c\n  }\n\n\n  d()\n}\n",
			want: "package p\n\nfunc f() {\n  if a {\n    b( 1,2 )\n    c() // of c\n    x()\n  }\n\n\n  d()\n}\n",
		},
		{
			name: "spaces and a new depth", src: "package p\n\nfunc f() {\n  a()\n  c<-1 // now\n}\n",
			want: "package p\n\nfunc f() {\n  a()\n  select {\n  case c <- 1: // now\n  case <-d:\n    x()\n  }\n}\n",
			edit: func(tr *tree, d *Decl) error {
				return d.WrapSend(find[*ast.SendStmt](tr, "c<-"), CommCase(ExprStmt(Recv(Ident("d"))), x()))
			},
		},
		{
			name: "after several blank lines", edit: before("d()"),
			src:  "package p\n\nfunc f() {\n\ta( 1 )\n\n\n\td()\n}\n",
			want: "package p\n\nfunc f() {\n\ta( 1 )\n\n\n\tx()\n\td()\n}\n",
		},
		{
			name: "before several blank lines", edit: after("a( 1 )"),
			src:  "package p\n\nfunc f() {\n\ta( 1 )\n\n\n\td()\n}\n",
			want: "package p\n\nfunc f() {\n\ta( 1 )\n\tx()\n\n\n\td()\n}\n",
		},
		{
			name: "comments not aligned", edit: after("aaa()"),
			src:  body("\ta() // one\n\taaa() // two\n\taaaaa() // three\n"),
			want: body("\ta() // one\n\taaa() // two\n\tx()\n\taaaaa() // three\n"),
		},
		{
			name: "raw string in an indented file", src: "package p\n\nfunc f() {\n    c<-`one\n\t\ttwo  `\n}\n",
			want: "package p\n\nfunc f() {\n    select {\n    case c <- `one\n\t\ttwo  `:\n    default:\n    }\n}\n",
			edit: func(tr *tree, d *Decl) error { return d.WrapSend(find[*ast.SendStmt](tr, "c<-"), CommCase(nil)) },
		},
		{
			name: "other declarations are not touched", edit: after("a()"),
			src:  "package p\n\nvar  v  = 1;\n\nfunc  g() { if v { return } }\n\nfunc f() {\n\ta()\n}\n",
			want: "package p\n\nvar  v  = 1;\n\nfunc  g() { if v { return } }\n\nfunc f() {\n\ta()\n\tx()\n}\n",
		},
		{
			name: "lines that gofmt would break", edit: after("a()"), refused: "gofmt's lines",
			src: body("\ta()\n\tif b { return }\n"),
		},
		{
			name: "semicolons", edit: after("a()"), refused: "gofmt's lines",
			src: body("\ta();\n"),
		},
		{
			name: "two declarations on a line", edit: after("a()"), refused: "shares its first line",
			src: "package p\n\nvar v int; func f() { a() }\n",
		},
		{
			name: "carriage return in a raw string stays", edit: after("a()"),
			src:  body("\ta()\n\ts := `one\r\n two`\n"),
			want: body("\ta()\n\tx()\n\ts := `one\r\n two`\n"),
		},
		{
			name: "lone carriage return in an edited raw string", refused: "a carriage return would be lost",
			src:  body("\tc <- `one\rtwo`\n"),
			edit: func(tr *tree, d *Decl) error { return d.WrapSend(find[*ast.SendStmt](tr, "c <-"), CommCase(nil)) },
		},
		{
			name: "directive inside", edit: after("a()"),
			src:  "package p\n\nfunc f() {\n\ta()\n\t//nolint:errcheck\n\tb()\n\t//go:fix inline\n\tc()\n}\n",
			want: "package p\n\nfunc f() {\n\ta()\n\tx()\n\t//nolint:errcheck\n\tb()\n\t//go:fix inline\n\tc()\n}\n",
		},
		{
			name: "directives of a block", edit: after("a()"),
			src:  "package p\n\nvar (\n\t//go:embed x\n\ts string\n\n\tf = func() {\n\t\ta()\n\t}\n)\n",
			want: "package p\n\nvar (\n\t//go:embed x\n\ts string\n\n\tf = func() {\n\t\ta()\n\t\tx()\n\t}\n)\n",
		},
		{
			name: "line directive before", edit: after("a()"),
			src:  "package p\n\n//line y.go:100\nfunc f() {\n\ta()\n}\n",
			want: "package p\n\n//line y.go:100\nfunc f() {\n\ta()\n\tx()\n}\n",
		},
		{
			name: "line directive inside", edit: after("a()"), refused: "the layout of comments",
			src: "package p\n\nfunc f() {\n\ta()\n//line y.go:7\n\tb()\n}\n",
		},
		{
			name: "one-line functions that are aligned", edit: after("a()"), refused: "gofmt-clean",
			src: "package p\n\nfunc g()    { b() }\nfunc long() { a() }\n",
		},
		{
			name: "new statement does not parse", refused: "does not parse",
			src:  body("\ta()\n"),
			edit: func(tr *tree, d *Decl) error { return d.InsertAfter(tr.stmt("a()"), ExprStmt(Ident("1 +"))) },
		},
	})
}

func TestSeveralEdits(t *testing.T) {
	src := body(`
		a() // of a
		b()
		c()
		d()

		c <- 1
	`)
	tr := parse(t, src)
	got, edits, err := tr.rewrite(func(d *Decl) error {
		return errors.Join(
			d.InsertAfter(tr.stmt("a()"), x()),
			d.InsertAfter(tr.stmt("a()"), Return()),
			d.Delete(tr.stmt("c()")),
			d.WrapSend(find[*ast.SendStmt](tr, "c <-"), CommCase(nil)))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := body(`
		a() // of a
		return
		x()
		b()
		d()

		select {
		case c <- 1:
		default:
		}
	`)
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	at := func(text string) int { return strings.Index(src, text) }
	wantEdits := []Edit{
		{at("\tb()"), at("\tb()"), "\treturn\n\tx()\n"},
		{at("\tc()"), at("\td()"), ""},
		{at("\tc <-"), at("}\n"), "\tselect {\n\tcase c <- 1:\n\tdefault:\n\t}\n"},
	}
	if !reflect.DeepEqual(edits, wantEdits) {
		t.Errorf("edits = %+v\nwant %+v", edits, wantEdits)
	}
}

func TestNoEdit(t *testing.T) {
	tr := parse(t, body("\ta()\n"))
	_, edits, err := tr.rewrite(func(d *Decl) error {
		_, err := d.Import("context")
		return err
	})
	if err != nil || len(edits) != 0 {
		t.Errorf("an edit that changes nothing gave %+v, %v", edits, err)
	}
	own := fmt.Errorf("own")
	if _, _, err := tr.rewrite(func(*Decl) error { return own }); err != own {
		t.Errorf("the error of the edit became %v", err)
	}
	if _, _, err := tr.rewrite(func(d *Decl) error {
		// A tree that holds itself twice cannot be printed; it must not panic.
		b := d.nodes[find[*ast.BlockStmt](tr, "{")].(*dst.BlockStmt)
		b.List = append(b.List, b.List...)
		return nil
	}); !errors.Is(err, ErrRefused) {
		t.Errorf("an invalid tree gave %v", err)
	}
}

func TestWrongInput(t *testing.T) {
	tr := parse(t, body("\ta()\n"))
	none := func(*Decl) error { return nil }
	if _, err := Rewrite(tr.fset, tr.file, []byte(tr.src+"\n"), tr.decl, none); !errors.Is(err, ErrRefused) {
		t.Errorf("another source gave %v", err)
	}
	other := parse(t, tr.src)
	if _, err := Rewrite(tr.fset, tr.file, []byte(tr.src), other.decl, none); !errors.Is(err, ErrRefused) {
		t.Errorf("the declaration of another file gave %v", err)
	}
	imp := parse(t, "package p\n\nimport \"fmt\"\n")
	if _, _, err := imp.rewrite(none); !errors.Is(err, ErrRefused) {
		t.Errorf("an import declaration gave %v", err)
	}
	fset := token.NewFileSet()
	src := "package p\n\nfunc f() {\n\ta()\n}\n\nfunc g( {\n"
	file, err := parser.ParseFile(fset, "", src, parser.ParseComments)
	if err == nil {
		t.Fatal("the broken source parses")
	}
	for _, decl := range file.Decls[1:] {
		if _, err := Rewrite(fset, file, []byte(src), decl, none); !errors.Is(err, ErrRefused) {
			t.Errorf("a broken declaration gave %v", err)
		}
	}
}

func TestApply(t *testing.T) {
	src := []byte("abcdef")
	got := Apply(src, []Edit{{0, 0, "<"}, {1, 3, "X"}, {3, 3, "Y"}, {6, 6, ">"}})
	if string(got) != "<aXYdef>" || string(src) != "abcdef" {
		t.Errorf("got %q, source %q", got, src)
	}
	for _, edits := range [][]Edit{{{2, 1, ""}}, {{3, 4, ""}, {1, 2, ""}}, {{5, 7, ""}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Apply took %v", edits)
				}
			}()
			Apply(src, edits)
		}()
	}
}
