package dstedit

import (
	"go/ast"
	"go/token"
	"testing"

	"github.com/dave/dst"
)

func TestTurn(t *testing.T) {
	define := func(text string) func(*tree, *Decl) error {
		return func(tr *tree, d *Decl) error { return d.Define(find[*ast.AssignStmt](tr, text)) }
	}
	toDefer := func(text string) func(*tree, *Decl) error {
		return func(tr *tree, d *Decl) error { return d.ToDefer(tr.stmt(text).(*ast.ExprStmt)) }
	}
	hoist := func(text string) func(*tree, *Decl) error {
		return func(tr *tree, d *Decl) error { return d.HoistInit(find[*ast.IfStmt](tr, text)) }
	}
	intoIf := func(text string) func(*tree, *Decl) error {
		return func(tr *tree, d *Decl) error {
			return d.IntoIf(tr.stmt(text), []string{"v", "err"}, NilTest("err", token.EQL), ExprStmt(Call(Sel("v", "Close"))))
		}
	}
	each := func(before []string, last string) func(*tree, *Decl) error {
		return func(tr *tree, d *Decl) error {
			var stmts []ast.Stmt
			for _, text := range before {
				stmts = append(stmts, tr.stmt(text))
			}
			var end ast.Stmt
			if last != "" {
				end = tr.stmt(last)
			}
			return d.InsertEach(stmts, end, func(ast.Stmt) dst.Stmt { return ExprStmt(Call(Ident("x"))) })
		}
	}
	runLayout(t, []layoutTest{
		{
			name: "into if", edit: intoIf("f()"),
			src:  body("\t// above\n\tf() // beside\n\n\tg()\n"),
			want: body("\t// above\n\tif v, err := f(); err == nil {\n\t\tv.Close()\n\t} // beside\n\n\tg()\n"),
		},
		{
			name: "into if from blanks", edit: intoIf("_, _ ="),
			src:  body("\tg()\n\t_, _ = f(a,\n\t\tb)\n"),
			want: body("\tg()\n\tif v, err := f(a,\n\t\tb); err == nil {\n\t\tv.Close()\n\t}\n"),
		},
		{
			name: "into if of two values", edit: intoIf("_, _ ="), refused: "more than one value",
			src: body("\t_, _ = f(), g()\n"),
		},
		{
			name: "into if of a labelled call", edit: intoIf("f()"), refused: "no plain call",
			src: body("L:\n\tf()\n\tgoto L\n"),
		},
		{
			name: "each", edit: each([]string{"continue", "return"}, "b()"),
			src:  body("\tfor {\n\t\tif a() {\n\t\t\tcontinue // why\n\t\t}\n\t\tif c() {\n\t\t\treturn\n\t\t}\n\t\tb() // done\n\t}\n"),
			want: body("\tfor {\n\t\tif a() {\n\t\t\tx()\n\t\t\tcontinue // why\n\t\t}\n\t\tif c() {\n\t\t\tx()\n\t\t\treturn\n\t\t}\n\t\tb() // done\n\t\tx()\n\t}\n"),
		},
		{
			name: "each without a last", edit: each([]string{"b()"}, ""),
			src:  body("\tb()\n"),
			want: body("\tx()\n\tb()\n"),
		},
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
		{
			name: "hoist", edit: hoist("if a"),
			src:  body("\tb()\n\n\t// above\n\tif a := f(); a { // beside\n\t\tb()\n\t}\n\n\tc()\n"),
			want: body("\tb()\n\n\t// above\n\ta := f()\n\tif a { // beside\n\t\tb()\n\t}\n\n\tc()\n"),
		},
		{
			name: "hoist the first", edit: hoist("if a"),
			src:  body("\tif a := f(); a {\n\t\tb()\n\t} else {\n\t\tc()\n\t}\n"),
			want: body("\ta := f()\n\tif a {\n\t\tb()\n\t} else {\n\t\tc()\n\t}\n"),
		},
		{
			name: "hoist out of an else", edit: hoist("if a"), refused: "else",
			src: body("\tif b {\n\t} else if a := f(); a {\n\t}\n"),
		},
		{
			name: "hoist past a label", edit: hoist("if a"), refused: "follows a label",
			src: body("L:\n\tif a := f(); a {\n\t\tbreak L\n\t}\n"),
		},
		{
			name: "hoist a comment", edit: hoist("if a"), refused: "holds a comment",
			src: body("\tif a := f( /* why */ ); a {\n\t}\n"),
		},
		{
			name: "hoist nothing", edit: hoist("if a"), refused: "no init statement",
			src: body("\tif a {\n\t}\n"),
		},
	})
}
