package dstedit

import (
	"go/ast"
	"testing"
)

func TestMove(t *testing.T) {
	runLayout(t, []layoutTest{
		{
			name: "add out of the goroutine", edit: moveBefore("wg.Add(1)", "go func"),
			src: body(`
				var wg sync.WaitGroup

				// start it
				go func() {
					// one more
					wg.Add(1) // counted
					defer wg.Done()

					work() // hard
				}()
				wg.Wait()
			`),
			want: body(`
				var wg sync.WaitGroup

				// one more
				wg.Add(1) // counted
				// start it
				go func() {
					defer wg.Done()

					work() // hard
				}()
				wg.Wait()
			`),
		},
		{
			name: "add out of a loop with a blank line after", edit: moveBefore("wg.Add(1)", "go func"),
			src: body(`
				for range 10 {
					go func() {
						wg.Add(1)

						// done at the end
						defer wg.Done()
					}()
				}
			`),
			want: body(`
				for range 10 {
					wg.Add(1)
					go func() {
						// done at the end
						defer wg.Done()
					}()
				}
			`),
		},
		{
			name: "add that is second", edit: moveBefore("wg.Add(1)", "go func"),
			src: body(`
				go func() {
					defer wg.Done()
					wg.Add(1)
					work()
				}()
			`),
			want: body(`
				wg.Add(1)
				go func() {
					defer wg.Done()
					work()
				}()
			`),
		},
		{
			name: "out of a one-line literal", edit: moveBefore("wg.Add(1)", "go func"),
			src:  body("\tgo func() { wg.Add(1); work() }() // go\n"),
			want: body("\twg.Add(1)\n\tgo func() { work() }() // go\n"),
		},
		{
			name: "the only statement", edit: moveBefore("wg.Add(1)", "go func"),
			src:  body("\tgo func() {\n\t\twg.Add(1)\n\t}()\n"),
			want: body("\twg.Add(1)\n\tgo func() {}()\n"),
		},
		{
			name: "comments of the body stay", edit: moveBefore("wg.Add(1)", "go func"),
			src: body(`
				go func() {
					// about the goroutine

					// about add
					wg.Add(1)
					// below add

					work()
				}()
			`),
			want: body(`
				// about add
				wg.Add(1)
				go func() {
					// about the goroutine

					// below add

					work()
				}()
			`),
		},
		{
			name: "in a case clause", edit: moveBefore("wg.Add(1)", "go func"),
			src: body(`
				switch {
				case a:
					go func() {
						wg.Add(1) // one
						work()
					}() // go
				default:
				}
			`),
			want: body(`
				switch {
				case a:
					wg.Add(1) // one
					go func() {
						work()
					}() // go
				default:
				}
			`),
		},
		{
			name: "before a labelled statement", edit: moveBefore("wg.Add(1)", "L:"),
			src:  body("L:\n\tfor {\n\t\tgo func() {\n\t\t\twg.Add(1)\n\t\t\twork()\n\t\t}()\n\t\tbreak L\n\t}\n"),
			want: body("\twg.Add(1)\nL:\n\tfor {\n\t\tgo func() {\n\t\t\twork()\n\t\t}()\n\t\tbreak L\n\t}\n"),
		},
		{
			name: "defer down after the guard", edit: moveAfter("defer", "if"),
			src: body(`
				resp, err := get()
				defer resp.Close() // close it
				if err != nil {
					return err
				}

				read(resp)
			`),
			want: body(`
				resp, err := get()
				if err != nil {
					return err
				}
				defer resp.Close() // close it

				read(resp)
			`),
		},
		{
			name: "defer down with blank lines around", edit: moveAfter("defer", "if"),
			src: body(`
				resp, err := get()

				// close it
				defer resp.Close()

				if err != nil {
					return err
				}
			`),
			want: body(`
				resp, err := get()

				if err != nil {
					return err
				}
				// close it
				defer resp.Close()
			`),
		},
		{
			// gofmt aligns the comments of neighbours.
			name: "defer up", edit: moveAfter("defer", "a :="),
			src: body(`
				a := get() // got
				if a.bad {
					return
				}
				defer a.Close() // close
				// below
			`),
			want: body(`
				a := get()      // got
				defer a.Close() // close
				if a.bad {
					return
				}
				// below
			`),
		},
		{
			name: "last of a clause", edit: moveAfter("b()", "a()"),
			src: body(`
				select {
				case <-c:
					a() // of a
					c()
					b() // of b
					// below
				}
			`),
			want: body(`
				select {
				case <-c:
					a() // of a
					b() // of b
					c()
					// below
				}
			`),
		},
		{
			name: "into itself", edit: moveBefore("go func", "wg.Add(1)"), refused: "cannot move into itself",
			src: body("\tgo func() {\n\t\twg.Add(1)\n\t}()\n"),
		},
		{
			name: "labelled", edit: moveBefore("for", "a()"), refused: "has a label",
			src: body("\ta()\nL:\n\tfor {\n\t\tbreak L\n\t}\n"),
		},
		{
			name: "between label and statement", edit: moveBefore("a()", "for"), refused: "follows a label",
			src: body("\ta()\nL:\n\tfor {\n\t\tbreak L\n\t}\n"),
		},
	})
}

func TestDelete(t *testing.T) {
	runLayout(t, []layoutTest{
		{
			name: "first", edit: del("a()"),
			src:  body("\n\t\ta()\n\n\t\t// of b\n\t\tb()\n"),
			want: body("\n\t\t// of b\n\t\tb()\n"),
		},
		{
			name: "middle", edit: del("b()"),
			src:  body("\ta() // of a\n\n\tb()\n\tc() // of c\n"),
			want: body("\ta() // of a\n\n\tc() // of c\n"),
		},
		{
			name: "last", edit: del("b()"),
			src:  body("\ta() // of a\n\n\tb()\n"),
			want: body("\ta() // of a\n"),
		},
		{
			name: "only", edit: del("a()"),
			src:  body("\tif c {\n\t\ta()\n\t}\n"),
			want: body("\tif c {\n\t}\n"),
		},
		{
			name: "comments around stay", edit: del("b()"),
			src:  body("\ta()\n\n\t// detached\n\n\tb()\n\t// below\n\n\tc()\n"),
			want: body("\ta()\n\n\t// detached\n\n\t// below\n\n\tc()\n"),
		},
		{
			name: "comments below the last stay", edit: del("b()"),
			src:  body("\ta() // of a\n\tb()\n\t// below\n"),
			want: body("\ta() // of a\n\t// below\n"),
		},
		{
			name: "only with a comment below", edit: del("a()"),
			src:  body("\tif c { // why\n\t\ta()\n\t\t// below\n\t}\n"),
			want: body("\tif c { // why\n\t\t// below\n\t}\n"),
		},
		{
			name: "last of a clause", edit: del("b()"),
			src:  body("\tswitch {\n\tcase c:\n\t\ta() // of a\n\t\tb()\n\t\t// below\n\tdefault:\n\t}\n"),
			want: body("\tswitch {\n\tcase c:\n\t\ta() // of a\n\t\t// below\n\tdefault:\n\t}\n"),
		},
		{
			name: "only of a clause", edit: del("a()"),
			src:  body("\tswitch {\n\tcase c: // why\n\t\ta()\n\tdefault:\n\t}\n"),
			want: body("\tswitch {\n\tcase c: // why\n\tdefault:\n\t}\n"),
		},
		{
			name: "comment on its line", edit: del("a()"), refused: "a comment would be lost",
			src: body("\ta() // of a\n\tb()\n"),
		},
		{
			name: "comment on its line at the end of a clause", edit: del("a()"), refused: "a comment would be lost",
			src: body("\tswitch {\n\tcase c:\n\t\ta() // of a\n\t}\n"),
		},
		{
			name: "comment above", edit: del("a()"), refused: "a comment would be lost",
			src: body("\t// of a\n\ta()\n\tb()\n"),
		},
		{
			name: "comment inside", edit: del("go"), refused: "a comment would be lost",
			src: body("\tgo func() {\n\t\t// inside\n\t}()\n\tb()\n"),
		},
		{
			name: "label", edit: del("for"), refused: "has a label",
			src: body("L:\n\tfor {\n\t\tbreak L\n\t}\n"),
		},
	})
}

func TestWrapSend(t *testing.T) {
	wrap := func(tr *tree, d *Decl) error {
		return d.WrapSend(find[*ast.SendStmt](tr, "c <-"),
			CommCase(ExprStmt(Recv(Call(Sel("ctx", "Done")))), Return()))
	}
	runLayout(t, []layoutTest{
		{
			name: "comments", edit: wrap,
			src: body(`
				a()

				// send it
				c <- f(1) // now
				// below

				b()
			`),
			want: body(`
				a()

				// send it
				select {
				case c <- f(1): // now
				case <-ctx.Done():
					return
				}
				// below

				b()
			`),
		},
		{
			name: "one-line goroutine", edit: wrap,
			src:  body("\tgo func() { c <- f(1) }()\n"),
			want: body("\tgo func() {\n\t\tselect {\n\t\tcase c <- f(1):\n\t\tcase <-ctx.Done():\n\t\t\treturn\n\t\t}\n\t}()\n"),
		},
		{
			name: "last of a clause", edit: wrap,
			src:  body("\tswitch {\n\tcase a:\n\t\tc <- 1 // now\n\tcase b:\n\t}\n"),
			want: body("\tswitch {\n\tcase a:\n\t\tselect {\n\t\tcase c <- 1: // now\n\t\tcase <-ctx.Done():\n\t\t\treturn\n\t\t}\n\tcase b:\n\t}\n"),
		},
		{
			name: "labelled", edit: wrap,
			src:  body("\tgoto L\nL:\n\tc <- 1\n\tb()\n"),
			want: body("\tgoto L\nL:\n\tselect {\n\tcase c <- 1:\n\tcase <-ctx.Done():\n\t\treturn\n\t}\n\tb()\n"),
		},
		{
			name: "default and raw string", src: body("\tc <- `one\n\n  two `\n\tb()\n"),
			want: body("\tselect {\n\tcase c <- `one\n\n  two `:\n\tdefault:\n\t}\n\tb()\n"),
			edit: func(tr *tree, d *Decl) error { return d.WrapSend(find[*ast.SendStmt](tr, "c <-"), CommCase(nil)) },
		},
		{
			name: "twice", src: body("\tc <- 1\n"), refused: "already wrapped",
			edit: func(tr *tree, d *Decl) error {
				if err := wrap(tr, d); err != nil {
					return err
				}
				return wrap(tr, d)
			},
		},
		{
			name: "already a case", edit: wrap, refused: "the communication of a select case",
			src: body("\tselect {\n\tcase c <- 1:\n\t}\n"),
		},
		{
			name: "then insert after it", src: body("\tc <- 1 // now\n"),
			want: body("\tselect {\n\tcase c <- 1: // now\n\tcase <-ctx.Done():\n\t\treturn\n\t}\n\tx()\n"),
			edit: func(tr *tree, d *Decl) error {
				if err := wrap(tr, d); err != nil {
					return err
				}
				return d.InsertAfter(tr.stmt("c <- 1"), x())
			},
		},
	})
}

func TestWrapRecv(t *testing.T) {
	wrap := func(text string) func(tr *tree, d *Decl) error {
		return func(tr *tree, d *Decl) error { return d.WrapRecv(find[*ast.ExprStmt](tr, text), CommCase(nil)) }
	}
	runLayout(t, []layoutTest{
		{
			name: "comment", edit: wrap("<-c"),
			src:  body("\tif !a {\n\t\t// drain it\n\t\t<-c // now\n\t}\n\tb()\n"),
			want: body("\tif !a {\n\t\t// drain it\n\t\tselect {\n\t\tcase <-c: // now\n\t\tdefault:\n\t\t}\n\t}\n\tb()\n"),
		},
		{
			name: "no receive", edit: wrap("b()"),
			src: body("\tb()\n"), refused: "the statement is not a receive",
		},
	})
}
