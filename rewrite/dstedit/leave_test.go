package dstedit

import (
	"testing"

	"github.com/dave/dst"
)

func delLeaving(text string) func(*tree, *Decl) error {
	return func(tr *tree, d *Decl) error { return d.DeleteLeavingComments(tr.stmt(text)) }
}

func TestDeleteLeavingComments(t *testing.T) {
	runLayout(t, []layoutTest{
		{
			name: "comments above and on its line", edit: delLeaving("a()"),
			src:  body("\t// above\n\ta() // beside\n\tb()\n"),
			want: body("\t// above\n\t// beside\n\tb()\n"),
		},
		{
			name: "between others", edit: delLeaving("b()"),
			src:  body("\ta() // of a\n\tb() // of b\n\t// of c\n\tc()\n"),
			want: body("\ta() // of a\n\t// of b\n\t// of c\n\tc()\n"),
		},
		{
			name: "without comments", edit: delLeaving("b()"),
			src:  body("\ta()\n\tb()\n\n\tc()\n"),
			want: body("\ta()\n\n\tc()\n"),
		},
		{
			name: "nothing after it", edit: delLeaving("b()"), refused: "a comment would be lost",
			src: body("\ta()\n\tb() // of b\n"),
		},
		{
			name: "comment inside", edit: delLeaving("a("), refused: "a comment would be lost",
			src: body("\ta( /* one */ 1)\n\tb()\n"),
		},
		{
			name: "labelled", edit: delLeaving("for"), refused: "has a label",
			src: body("L:\n\tfor {\n\t\tbreak L\n\t}\n\tb()\n"),
		},
	})
}

func TestBuiltStatements(t *testing.T) {
	runLayout(t, []layoutTest{
		{
			name: "goroutine and condition",
			edit: func(tr *tree, d *Decl) error {
				call := ExprStmt(Call(SelectorPath(Ident("s"), "wg", "Add"), Int("1")))
				return d.InsertBefore(tr.stmt("a()"), If(Ident("c"), call), Go(ExprStmt(Call(Ident("f"), Addr(Ident("x")), Star(Ident("y"))))))
			},
			src:  body("\ta()\n"),
			want: body("\tif c {\n\t\ts.wg.Add(1)\n\t}\n\tgo func() {\n\t\tf(&x, *y)\n\t}()\n\ta()\n"),
		},
		{
			name: "the same node twice",
			edit: func(tr *tree, d *Decl) error {
				call := dst.Stmt(ExprStmt(Call(Ident("f"))))
				return d.InsertBefore(tr.stmt("a()"), If(Ident("c"), call), call)
			},
			src:  body("\ta()\n"),
			want: body("\tif c {\n\t\tf()\n\t}\n\tf()\n\ta()\n"),
		},
	})
}
