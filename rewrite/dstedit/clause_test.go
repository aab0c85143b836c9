package dstedit

import (
	"go/ast"
	"testing"
)

func TestAppendCase(t *testing.T) {
	add := func(tr *tree, d *Decl) error {
		return d.AppendCase(find[*ast.SelectStmt](tr, "select"), CommCase(ExprStmt(Recv(Ident("d"))), Return()))
	}
	const added = "\t\tcase <-d:\n\t\t\treturn\n"
	runLayout(t, []layoutTest{
		{
			name: "last", edit: add,
			src:  body("\tselect {\n\tcase <-c:\n\t\ta()\n\t}\n\tb()\n"),
			want: body("\tselect {\n\tcase <-c:\n\t\ta()\n\tcase <-d:\n\t\treturn\n\t}\n\tb()\n"),
		},
		{
			name: "comments", edit: add,
			src:  body("\tif a {\n\t\t// wait\n\t\tselect {\n\t\tcase <-c: // it ends\n\t\t\tb() // now\n\t\t\t// and no more\n\t\t} // so\n\t}\n"),
			want: body("\tif a {\n\t\t// wait\n\t\tselect {\n\t\tcase <-c: // it ends\n\t\t\tb() // now\n\t\t\t// and no more\n" + added + "\t\t} // so\n\t}\n"),
		},
		{
			name: "clause without statements", edit: add,
			src:  body("\tif a {\n\t\tselect {\n\t\tcase <-e:\n\t\tcase <-c: // it ends\n\t\t}\n\t}\n"),
			want: body("\tif a {\n\t\tselect {\n\t\tcase <-e:\n\t\tcase <-c: // it ends\n" + added + "\t\t}\n\t}\n"),
		},
		{
			name: "blank lines between", edit: add,
			src:  body("\tif a {\n\t\tselect {\n\t\tcase <-e:\n\t\t\ta()\n\n\t\tcase <-c:\n\t\t\tb()\n\t\t}\n\t}\n"),
			want: body("\tif a {\n\t\tselect {\n\t\tcase <-e:\n\t\t\ta()\n\n\t\tcase <-c:\n\t\t\tb()\n\n" + added + "\t\t}\n\t}\n"),
		},
		{
			name: "no clause", edit: add,
			src: body("\tselect {}\n"), refused: "the select has no clause",
		},
	})
}
