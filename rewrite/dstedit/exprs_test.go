package dstedit

import (
	"errors"
	"go/ast"
	"go/token"
	"testing"

	"github.com/dave/dst"
)

func TestExprs(t *testing.T) {
	appendArg := func(call string) func(*tree, *Decl) error {
		return func(tr *tree, d *Decl) error { return d.AppendArg(find[*ast.CallExpr](tr, call), Int("1")) }
	}
	removeArg := func(call string, i int) func(*tree, *Decl) error {
		return func(tr *tree, d *Decl) error { return d.RemoveArg(find[*ast.CallExpr](tr, call), i) }
	}
	removeParam := func(ft, name string) func(*tree, *Decl) error {
		return func(tr *tree, d *Decl) error {
			return d.RemoveParam(find[*ast.FuncType](tr, ft), find[*ast.Ident](tr, name))
		}
	}
	runLayout(t, []layoutTest{
		{
			name: "buffer a channel", edit: appendArg("make"),
			src:  body("\tc := make(chan int) // unbuffered\n"),
			want: body("\tc := make(chan int, 1) // unbuffered\n"),
		},
		{
			name: "argument a line", edit: appendArg("f("),
			src:  "package p\n\nvar a = f(\n\tb, // of b\n\tc,\n) // end\n",
			want: "package p\n\nvar a = f(\n\tb, // of b\n\tc,\n\t1,\n) // end\n",
		},
		{
			name: "no argument yet", edit: appendArg("g("),
			src: body("\tg( /* none */ )\n"), want: body("\tg( /* none */ 1)\n"),
		},
		{
			name: "slice", edit: appendArg("g("), refused: "passes a slice",
			src: body("\tg(a...)\n"),
		},
		{
			name: "remove first", edit: removeArg("g(", 0),
			src: body("\tg(a, b) // g\n"), want: body("\tg(b) // g\n"),
		},
		{
			name: "remove last", edit: removeArg("g(", 1),
			src:  body("\tg(\n\t\ta, // of a\n\t\tb,\n\t)\n"),
			want: body("\tg(\n\t\ta, // of a\n\t)\n"),
		},
		{
			name: "remove slice", edit: removeArg("g(", 1),
			src: body("\tg(a, b...)\n"), want: body("\tg(a)\n"),
		},
		{
			name: "remove with comment", edit: removeArg("g(", 0), refused: "a comment would be lost",
			src: body("\tg(a /* of a */, b)\n"),
		},
		{
			name: "remove nothing", edit: removeArg("g(", 2), refused: "no argument 2",
			src: body("\tg(a, b)\n"),
		},
		{
			name: "param with a type of its own", edit: removeParam("func(i", "i int"),
			src: body("\tgo func(i int, s string) {}(1, s)\n"), want: body("\tgo func(s string) {}(1, s)\n"),
		},
		{
			name: "param of several", edit: removeParam("func(i", "j,"),
			src: body("\tgo func(i, j, k int) {}(1, 2, 3)\n"), want: body("\tgo func(i, k int) {}(1, 2, 3)\n"),
		},
		{
			name: "only param", edit: removeParam("func(i", "i int"),
			src: body("\tgo func(i int) {\n\t}(1)\n"), want: body("\tgo func() {\n\t}(1)\n"),
		},
		{
			name: "not a param", edit: removeParam("func(i", "a int"), refused: "a is not a parameter",
			src: body("\tvar a int\n\tgo func(i int) {}(a)\n"),
		},
		{
			name: "param and argument at once",
			src:  body("\tgo func(i int, wg *sync.WaitGroup) { // go\n\t}(1, wg)\n"),
			want: body("\tgo func(i int) { // go\n\t}(1)\n"),
			edit: func(tr *tree, d *Decl) error {
				return errors.Join(removeParam("func(i", "wg *")(tr, d), removeArg("func(i", 1)(tr, d))
			},
		},
		{
			name: "rename",
			src:  body("\tctx, _ := get(ctx) // why\n"),
			want: body("\tctx, cancel := get(ctx) // why\n\tdefer cancel()\n"),
			edit: func(tr *tree, d *Decl) error {
				return errors.Join(
					d.Rename(find[*ast.Ident](tr, "_"), "cancel"),
					d.InsertAfter(tr.stmt("ctx"), Defer(Call(Ident("cancel")))))
			},
		},
		{
			name: "rename to a keyword", src: body("\ta := 1\n"), refused: "not an identifier",
			edit: func(tr *tree, d *Decl) error { return d.Rename(find[*ast.Ident](tr, "a"), "go") },
		},
		{
			name: "replace keeps the comments around",
			src:  body("\tg(\n\t\t// above\n\t\ttime.After(d), // after\n\t)\n"),
			want: body("\tg(\n\t\t// above\n\t\tt.C, // after\n\t)\n"),
			edit: func(tr *tree, d *Decl) error { return d.Replace(tr.expr("time.After(d)"), Sel("t", "C")) },
		},
		{
			name: "replace a comment inside", src: body("\tg(a(b /* why */))\n"), refused: "a comment would be lost",
			edit: func(tr *tree, d *Decl) error { return d.Replace(tr.expr("a("), Ident("z")) },
		},
		{
			name: "replace the operand in parentheses", src: body("\ta := (b) + c\n"), want: body("\ta := (z) + c\n"),
			edit: func(tr *tree, d *Decl) error { return d.Replace(find[*ast.ParenExpr](tr, "(b)"), Ident("z")) },
		},
		{
			name: "replace twice", src: body("\ta(b)\n"), want: body("\ta(c(z))\n"),
			edit: func(tr *tree, d *Decl) error {
				b := tr.expr("b)")
				return errors.Join(d.Replace(b, Ident("y")), d.Replace(b, Call(Ident("c"), Ident("z"))))
			},
		},
		{
			name: "copies have no comments",
			src:  body("\tg( /* a */ r. /* b */ Body /* c */)\n"),
			want: body("\tg( /* a */ r. /* b */ Body /* c */)\n\tr.Body.Close()\n\tr.Body.Close()\n"),
			edit: func(tr *tree, d *Decl) error {
				// The same node twice is two copies.
				s := ExprStmt(Call(&dst.SelectorExpr{X: d.Expr(tr.expr("r")), Sel: Ident("Close")}))
				return d.InsertAfter(tr.stmt("g("), s, s)
			},
		},
		{
			name: "expression of another declaration", refused: "not in the declaration",
			src: "package p\n\nvar v = 1\n\nfunc f() {\n\ta()\n}\n",
			edit: func(tr *tree, d *Decl) error {
				return d.InsertAfter(tr.stmt("a()"), ExprStmt(Call(Ident("x"), d.Expr(tr.expr("1")))))
			},
		},
		{
			name: "new statements get lines of their own",
			src:  body("\ta()\n"),
			want: body("\ta()\n\tgo func() {\n\t\tvar wg sync.WaitGroup\n\t\twg = 1\n\t}()\n\tdefer func() { <-c }()\n"),
			edit: func(tr *tree, d *Decl) error {
				lit := func(list ...dst.Stmt) *dst.CallExpr {
					return Call(&dst.FuncLit{Type: &dst.FuncType{Func: true, Params: &dst.FieldList{}}, Body: &dst.BlockStmt{List: list}})
				}
				return d.InsertAfter(tr.stmt("a()"),
					&dst.GoStmt{Call: lit(VarDecl("wg", Sel("sync", "WaitGroup")), Assign(Ident("wg"), token.ASSIGN, Int("1")))},
					Defer(lit(ExprStmt(Recv(Ident("c"))))))
			},
		},
	})
}
