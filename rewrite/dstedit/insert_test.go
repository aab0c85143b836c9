package dstedit

import (
	"go/ast"
	"testing"
)

func TestInsertAfter(t *testing.T) {
	runLayout(t, []layoutTest{
		{
			name: "middle", edit: after("a()"),
			src: body(`
				a()
				b()
			`),
			want: body(`
				a()
				x()
				b()
			`),
		},
		{
			name: "trailing comment", edit: after("a()"),
			src: body(`
				a() // of a
				b()
			`),
			want: body(`
				a() // of a
				x()
				b()
			`),
		},
		{
			name: "comment of the next", edit: after("a()"),
			src: body(`
				a() // of a
				// of b
				b() // of b too
			`),
			want: body(`
				a() // of a
				x()
				// of b
				b() // of b too
			`),
		},
		{
			name: "blank line stays behind", edit: after("a()"),
			src: body(`
				a()

				// of b
				b()
			`),
			want: body(`
				a()
				x()

				// of b
				b()
			`),
		},
		{
			name: "comment below at the end", edit: after("a()"),
			src: body(`
				a() // of a
				// below
			`),
			want: body(`
				a() // of a
				x()
				// below
			`),
		},
		{
			name: "comment below and blank line", edit: after("a()"),
			src: body(`
				a()
				// below

				b()
			`),
			want: body(`
				a()
				x()
				// below

				b()
			`),
		},
		{
			name: "comment after blank line at the end", edit: after("a()"),
			src: body(`
				a()

				// below
			`),
			want: body(`
				a()
				x()

				// below
			`),
		},
		{
			name: "after an if", edit: after("if"),
			src: body(`
				if c { // why
					a()
					// inside
				} // end
				b()
			`),
			want: body(`
				if c { // why
					a()
					// inside
				} // end
				x()
				b()
			`),
		},
		{
			name: "last", edit: after("a()"),
			src: body(`
				a()
			`),
			want: body(`
				a()
				x()
			`),
		},
		{
			name: "two at once", src: body("\ta()\n\tb()\n"), want: body("\ta()\n\tx()\n\treturn y, nil\n\tb()\n"),
			edit: func(tr *tree, d *Decl) error {
				return d.InsertAfter(tr.stmt("a()"), x(), Return(Ident("y"), Ident("nil")))
			},
		},
		{
			name: "case clause", edit: after("a()"),
			src: body(`
				switch v {
				case 1:
					a() // of a
				case 2: // two
					b()
				}
			`),
			want: body(`
				switch v {
				case 1:
					a() // of a
					x()
				case 2: // two
					b()
				}
			`),
		},
		{
			name: "case clause with comments below", edit: after("a()"),
			src: body(`
				switch v {
				case 1:
					a() // of a
					// below a
				// of case 2
				case 2:
				}
			`),
			want: body(`
				switch v {
				case 1:
					a() // of a
					x()
					// below a
				// of case 2
				case 2:
				}
			`),
		},
		{
			name: "last comm clause", edit: after("a()"),
			src: body(`
				select {
				case <-c:
					a()
					// below a
				}
			`),
			want: body(`
				select {
				case <-c:
					a()
					x()
					// below a
				}
			`),
		},
		{
			name: "label from inside", edit: after("for"),
			src:  body("L:\n\tfor {\n\t\tbreak L\n\t}\n\tb()\n"),
			want: body("L:\n\tfor {\n\t\tbreak L\n\t}\n\tx()\n\tb()\n"),
		},
		{
			name: "one-line function of two statements", edit: after("a()"),
			src:  "package p\n\nfunc g() { a(); b() } // g\n",
			want: "package p\n\nfunc g() {\n\ta()\n\tx()\n\tb()\n} // g\n",
		},
		{
			name: "one-line function of one statement", edit: after("a()"),
			src:  "package p\n\nfunc f() { a() } // f\n",
			want: "package p\n\nfunc f() {\n\ta()\n\tx()\n} // f\n",
		},
		{
			name: "one-line literal", edit: after("a()"),
			src:  body("\tgo func() { a(); b() }() // go\n"),
			want: body("\tgo func() {\n\t\ta()\n\t\tx()\n\t\tb()\n\t}() // go\n"),
		},
		{
			name: "nested literals in a var", edit: after("a()"),
			src:  "package p\n\n// doc\nvar f = func() { // one\n\tg(func() {\n\t\ta() // a\n\t})\n}\n",
			want: "package p\n\n// doc\nvar f = func() { // one\n\tg(func() {\n\t\ta() // a\n\t\tx()\n\t})\n}\n",
		},
		{
			name: "var block", edit: after("a()"),
			src:  "package p\n\nvar (\n\t// one\n\tn = 1 // n\n\n\tf = func() {\n\t\ta()\n\t}\n)\n",
			want: "package p\n\nvar (\n\t// one\n\tn = 1 // n\n\n\tf = func() {\n\t\ta()\n\t\tx()\n\t}\n)\n",
		},
		{
			name: "generic method with directive", edit: after("a()"),
			src:  "package p\n\n// doc\n//\n//go:noinline\nfunc (r *R[K, V]) f(k K) (v V, err error) {\n\ta()\n\treturn\n}\n",
			want: "package p\n\n// doc\n//\n//go:noinline\nfunc (r *R[K, V]) f(k K) (v V, err error) {\n\ta()\n\tx()\n\treturn\n}\n",
		},
		{
			name: "generic function", edit: after("a()"),
			src:  "package p\n\nfunc f[T interface{ ~int | ~string }, U any](t T) {\n\ta()\n}\n",
			want: "package p\n\nfunc f[T interface{ ~int | ~string }, U any](t T) {\n\ta()\n\tx()\n}\n",
		},
		{
			name: "raw string is left alone", edit: after("a()"),
			src:  body("\ta()\n\ts := `one  \n\n\n   two\t\n`\n"),
			want: body("\ta()\n\tx()\n\ts := `one  \n\n\n   two\t\n`\n"),
		},
		{
			name: "init of an if", edit: after("v := a()"), refused: "the init of an if",
			src: body("\tif v := a(); v {\n\t}\n"),
		},
		{
			name: "header of a for", edit: after("i++"), refused: "the header of a for",
			src: body("\tfor i := 0; ; i++ {\n\t}\n"),
		},
		{
			name: "communication", edit: after("c <- 1"), refused: "the communication of a select case",
			src: body("\tselect {\n\tcase c <- 1:\n\t}\n"),
		},
		{
			name: "header of a switch", edit: after("v := a()"), refused: "the header of a switch",
			src: body("\tswitch v := a(); v {\n\t}\n"),
		},
		{
			name: "else", edit: after("if c2"), refused: "the else branch",
			src: body("\tif c1 {\n\t} else if c2 {\n\t}\n"),
		},
		{
			name: "clause", refused: "a clause is not a statement",
			src: body("\tswitch {\n\tcase a:\n\t}\n"),
			edit: func(tr *tree, d *Decl) error {
				return d.InsertAfter(find[*ast.CaseClause](tr, "case"), x())
			},
		},
	})
}

func TestInsertBefore(t *testing.T) {
	runLayout(t, []layoutTest{
		{
			name: "first", edit: before("a()"),
			src: body(`
				// of a
				a()
			`),
			want: body(`
				x()
				// of a
				a()
			`),
		},
		{
			name: "blank line stays above", edit: before("b()"),
			src: body(`
				a() // of a

				b() // of b
			`),
			want: body(`
				a() // of a

				x()
				b() // of b
			`),
		},
		{
			name: "detached comment stays above", edit: before("b()"),
			src: body(`
				a()

				// detached

				// of b
				b()
			`),
			want: body(`
				a()

				// detached

				x()
				// of b
				b()
			`),
		},
		{
			name: "clause", edit: before("b()"),
			src: body(`
				select {
				case <-c: // got
					a()
					b() // of b
				default:
				}
			`),
			want: body(`
				select {
				case <-c: // got
					a()
					x()
					b() // of b
				default:
				}
			`),
		},
		{
			name: "labelled as a whole", edit: before("L:"),
			src:  body("\ta()\nL:\n\tfor {\n\t\tbreak L\n\t}\n"),
			want: body("\ta()\n\tx()\nL:\n\tfor {\n\t\tbreak L\n\t}\n"),
		},
		{
			name: "inside a label", edit: before("for"), refused: "follows a label",
			src: body("\ta()\nL:\n\tfor {\n\t\tbreak L\n\t}\n"),
		},
	})
}

func TestInsertFirst(t *testing.T) {
	block := func(tr *tree, d *Decl) error { return d.InsertFirst(find[*ast.BlockStmt](tr, "{"), x()) }
	clause := func(tr *tree, d *Decl) error { return d.InsertFirst(find[*ast.CommClause](tr, "case"), x()) }
	runLayout(t, []layoutTest{
		{
			name: "comments", edit: block,
			src:  "package p\n\nfunc f() { // why\n\t// of a\n\ta()\n}\n",
			want: "package p\n\nfunc f() { // why\n\tx()\n\t// of a\n\ta()\n}\n",
		},
		{
			name: "empty", edit: block,
			src:  "package p\n\nfunc f() {}\n",
			want: "package p\n\nfunc f() {\n\tx()\n}\n",
		},
		{
			name: "empty with comments", edit: block,
			src:  "package p\n\nfunc f() { // why\n\t// nothing\n}\n",
			want: "package p\n\nfunc f() { // why\n\t// nothing\n\tx()\n}\n",
		},
		{
			name: "one line", edit: block,
			src:  "package p\n\nfunc f() { a() }\n",
			want: "package p\n\nfunc f() {\n\tx()\n\ta()\n}\n",
		},
		{
			name: "clause", edit: clause,
			src:  body("\tselect {\n\tcase <-c: // got\n\t\ta() // of a\n\t}\n"),
			want: body("\tselect {\n\tcase <-c: // got\n\t\tx()\n\t\ta() // of a\n\t}\n"),
		},
		{
			name: "empty clause", edit: clause,
			src:  body("\tselect {\n\tcase <-c:\n\tdefault:\n\t}\n"),
			want: body("\tselect {\n\tcase <-c:\n\t\tx()\n\tdefault:\n\t}\n"),
		},
		{
			name: "empty clause with comments", edit: clause,
			src:  body("\tselect {\n\tcase <-c: // got\n\t\t// nothing\n\tdefault:\n\t}\n"),
			want: body("\tselect {\n\tcase <-c: // got\n\t\t// nothing\n\t\tx()\n\tdefault:\n\t}\n"),
		},
		{
			name: "empty case clause at the end", src: body("\tswitch {\n\tcase a: // a\n\t}\n"),
			want: body("\tswitch {\n\tcase a: // a\n\t\tx()\n\t}\n"),
			edit: func(tr *tree, d *Decl) error { return d.InsertFirst(find[*ast.CaseClause](tr, "case"), x()) },
		},
		{
			name: "body of a switch", src: body("\tswitch {\n\tcase a:\n\t}\n"), refused: "holds clauses",
			edit: func(tr *tree, d *Decl) error { return d.InsertFirst(find[*ast.SwitchStmt](tr, "switch").Body, x()) },
		},
	})
}
