package dstedit

import (
	"go/ast"
	"testing"
)

func TestTurn(t *testing.T) {
	define := func(text string) func(*tree, *Decl) error {
		return func(tr *tree, d *Decl) error { return d.Define(find[*ast.AssignStmt](tr, text)) }
	}
	toDefer := func(text string) func(*tree, *Decl) error {
		return func(tr *tree, d *Decl) error { return d.ToDefer(tr.stmt(text).(*ast.ExprStmt)) }
	}
	runLayout(t, []layoutTest{
		{
			name: "define", edit: define("a, b ="),
			src:  body("\t// both\n\ta, b = f() // of f\n"),
			want: body("\t// both\n\ta, b := f() // of f\n"),
		},
		{
			name: "define what is defined", edit: define("a :="), refused: "no plain assignment",
			src: body("\ta := f()\n"),
		},
		{
			name: "defer", edit: toDefer("a()"),
			src:  body("\t// first\n\ta() // of a\n\n\tb()\n"),
			want: body("\t// first\n\tdefer a() // of a\n\n\tb()\n"),
		},
		{
			name: "defer and move", src: body("\ta()\n\tb() // of b\n"), want: body("\tdefer b() // of b\n\ta()\n"),
			edit: func(tr *tree, d *Decl) error {
				if err := d.ToDefer(tr.stmt("b()").(*ast.ExprStmt)); err != nil {
					return err
				}
				return d.MoveBefore(tr.stmt("b()"), tr.stmt("a()"))
			},
		},
		{
			name: "defer a receive", edit: toDefer("<-a"), refused: "no call",
			src: body("\t<-a\n"),
		},
	})
}
