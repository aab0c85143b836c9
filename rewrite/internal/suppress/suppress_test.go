package suppress

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct{ text, want string }{
		{"//goroutinefix:ignore bodyclose the pool owns it", "own [bodyclose] the pool owns it"},
		{"//goroutinefix:ignore a,b why", "own [a b] why"},
		{"//goroutinefix:ignore a, b why", "own [a b] why"},
		{"//goroutinefix:ignore a see https://example.com/x", "own [a] see https://example.com/x"},
		{"//goroutinefix:ignore a\twhy\r", "own [a] why"},
		{"//goroutinefix:ignore all why", "own [] why"},
		{"//goroutinefix:file-ignore a why", "own file [a] why"},
		{"//goroutinefix:ignore a", "own [a] !has no reason"},
		{"//goroutinefix:ignore a // want x", "own [a] !has no reason"},
		{"//goroutinefix:ignore", "own [] !names no rule"},
		{"//goroutinefix:ignored a why", "own [] !is no directive"},
		{"// goroutinefix:ignore a why", "own [] !has a space"},
		{"// goroutinefix:ignores are comments", ""},
		{"/*goroutinefix:ignore a why*/", ""},
		{"//lint:ignore a why", "[a] why"},
		{"//lint:ignore a,b* why", "[a b*] why"},
		{"//lint:ignore a", ""},
		{"//lint:file-ignore a why", "file [a] why"},
		{"// lint:ignore a why", ""},
		{"//nolint", "[]"},
		{"// nolint // why", "[]"},
		{"//nolint:all", "[]"},
		{"//nolint:goroutinefix // why", "[] why"},
		{"//nolint: a , B//why", "[a b] why"},
		{"//nolint:errcheck,goroutinefix", "[]"},
		{"//nolintlint", ""},
		{"//nolint:", ""},
		{"// say nolint", ""},
	}
	for _, tt := range tests {
		d, ok := Parse(tt.text)
		var got []string
		if d.Own {
			got = append(got, "own")
		}
		if d.File {
			got = append(got, "file")
		}
		got = append(got, fmt.Sprint(d.Rules))
		if d.Reason != "" {
			got = append(got, d.Reason)
		}
		if d.Problem != "" {
			got = append(got, "!"+d.Problem)
		}
		text := strings.Join(got, " ")
		if !ok {
			text = ""
		}
		if text != tt.want && (!strings.Contains(tt.want, "!") || !strings.HasPrefix(text, tt.want)) {
			t.Errorf("Parse(%q) = %q, want %q", tt.text, text, tt.want)
		}
	}
}

// TestCovering marks the lines that the one directive of a file covers with
// "+" in a comment of its own.
func TestCovering(t *testing.T) {
	tests := []struct{ name, src string }{
		{"after", `package p
func f() {
	a()
	b() //goroutinefix:ignore r w /*+*/
	c()
}`},
		{"above", `package p
func f() {
	//goroutinefix:ignore r w
	a() /*+*/
	b()
}`},
		{"above other comments", `package p
func f() {
	//goroutinefix:ignore r w
	// more
	a() /*+*/
	b()
}`},
		{"a blank line ends it", `package p
func f() {
	//goroutinefix:ignore r w

	a()
}`},
		{"several lines", `package p
func f() {
	//goroutinefix:ignore r w
	x, err := a( /*+*/
		1, /*+*/
	) /*+*/
	b()
}`},
		{"not into a literal", `package p
func f() {
	//goroutinefix:ignore r w
	go func() { /*+*/
		a()
	}( /*+*/
		b(), /*+*/
	) /*+*/
	b()
}`},
		{"head of an if", `package p
func f() {
	//goroutinefix:ignore r w
	if x := a( /*+*/
		1); x { /*+*/
		b()
	} else if y := a(); y {
		b()
	}
}`},
		{"else if", `package p
func f() {
	if x := a(); x {
		b()
		//goroutinefix:ignore r w
	} else if y := a(); y { /*+*/
		b()
	}
}`},
		{"case", `package p
func f() {
	select {
	//goroutinefix:ignore r w
	case x := <-a(): /*+*/
		b()
	case c <- 1:
	}
}`},
		{"label", `package p
func f() {
	//goroutinefix:ignore r w
loop: /*+*/
	for a() { /*+*/
		break loop
	}
}`},
		{"function", `package p

// f does.
//
//goroutinefix:ignore r w
func f() { /*+*/
	a() /*+*/
	go func() { /*+*/
		b() /*+*/
	}() /*+*/
} /*+*/

func g() {}`},
		{"not the function", `package p

func f() { //goroutinefix:ignore r w /*+*/
	a()
}`},
		{"variable", `package p

//goroutinefix:ignore r w
var x = a( /*+*/
	1) /*+*/

var y = 1`},
		{"file", `package p /*+*/

//goroutinefix:file-ignore r w /*+*/

func f() { /*+*/
	a() /*+*/
} /*+*/`},
		{"lint", `package p
func f() {
	//lint:ignore r w
	a() /*+*/
	b()
}`},
		{"nolint after", `package p
func f() {
	a() //nolint /*+*/
	b()
}`},
		{"nolint block", `package p
func f() {
	//nolint:r /*+*/
	go func() { /*+*/
		a() /*+*/
	}() /*+*/
	b()
}`},
		{"nolint function", `package p

// f does. /*+*/
//nolint:r /*+*/
func f() { /*+*/
	a() /*+*/
} /*+*/

func g() {}`},
		{"nolint file", `//nolint:r /*+*/
package p /*+*/

func g() {} /*+*/`},
		{"other rule", `package p
func f() {
	//goroutinefix:ignore s w
	a()
}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, "x.go", strings.ReplaceAll(tt.src, "/*+*/", ""), parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			ix := NewIndex(fset, []*ast.File{f})
			if len(ix.Directives) != 1 {
				t.Fatalf("%d directives", len(ix.Directives))
			}
			for i, line := range strings.Split(tt.src, "\n") {
				got := len(ix.Covering("r", fset.File(f.FileStart).LineStart(i+1))) > 0
				if want := strings.Contains(line, "/*+*/"); got != want && line != "" {
					t.Errorf("line %d %q: covered %v, want %v", i+1, line, got, want)
				}
			}
		})
	}
}

// TestInsert has findings at each "leak" in the text.
func TestInsert(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"statement", "func f() {\n\tx := leak()\n\t_ = x\n}\n", "func f() {\n\t//D\n\tx := leak()\n\t_ = x\n}\n"},
		{"twice in a line", "func f() {\n\tx, y := leak(), leak()\n}\n", "func f() {\n\t//D\n\tx, y := leak(), leak()\n}\n"},
		{"lines", "func f() {\n\tx := a(\n\t\tleak(),\n\t)\n}\n", "func f() {\n\t//D\n\tx := a(\n\t\tleak(),\n\t)\n}\n"},
		{"init", "func f() {\n\tif x := leak(); x {\n\t\tleak()\n\t}\n}\n", "func f() {\n\t//D\n\tif x := leak(); x {\n\t\t//D\n\t\tleak()\n\t}\n}\n"},
		{"else if", "func f() {\n\tif x := a(); x {\n\t} else if y := leak(); y {\n\t}\n}\n", "func f() {\n\tif x := a(); x {\n\t} else if y := leak(); y { //D\n\t}\n}\n"},
		{"else if with a comment", "func f() {\n\tif x := a(); x {\n\t\tb()\n\t} else if y := leak(); y { // so\n\t}\n}\n", "func f() {\n\tif x := a(); x {\n\t\tb()\n\t\t//D\n\t} else if y := leak(); y { // so\n\t}\n}\n"},
		{"case", "func f() {\n\tselect {\n\tcase <-leak():\n\tcase c <- leak():\n\t}\n}\n", "func f() {\n\tselect {\n\t//D\n\tcase <-leak():\n\t//D\n\tcase c <- leak():\n\t}\n}\n"},
		{"case body", "func f() {\n\tswitch {\n\tcase a:\n\t\tleak()\n\t}\n}\n", "func f() {\n\tswitch {\n\tcase a:\n\t\t//D\n\t\tleak()\n\t}\n}\n"},
		{"label", "func f() {\nloop:\n\tfor leak() {\n\t\tbreak loop\n\t}\n}\n", ""},
		{"one line", "func f() { leak() }\n", "func f() { leak() } //D\n"},
		{"variable", "// x is.\nvar x = leak()\n", "// x is.\n//\n//D\nvar x = leak()\n"},
		{"directives above it", "//go:embed x\nvar x = leak()\n", "//go:embed x\n//D\nvar x = leak()\n"},
		{"group", "var (\n\ty = 1\n\tx = leak()\n)\n", "var (\n\ty = 1\n\t//D\n\tx = leak()\n)\n"},
		{"raw string", "func f() {\n\tx := leak(`a\nb`)\n}\n", "func f() {\n\t//D\n\tx := leak(`a\nb`)\n}\n"},
		{"literal", "func f() {\n\tgo func() {\n\t\tleak()\n\t}()\n}\n", "func f() {\n\tgo func() {\n\t\t//D\n\t\tleak()\n\t}()\n}\n"},
		{"after a literal", "func f() {\n\tgo func() {\n\t\ta()\n\t}(leak())\n}\n", "func f() {\n\t//D\n\tgo func() {\n\t\ta()\n\t}(leak())\n}\n"},
		{"other rule", "func f() {\n\t//goroutinefix:ignore s w\n\tleak()\n}\n", "func f() {\n\t//goroutinefix:ignore s w\n\t//D\n\tleak()\n}\n"},
		{"covered", "func f() {\n\tleak() //nolint\n}\n", "func f() {\n\tleak() //nolint\n}\n"},
		{"aligned comments", "func f() {\n\tlonger()    // a\n\tx := leak() // b\n}\n", "func f() {\n\tlonger() // a\n\t//D\n\tx := leak() // b\n}\n"},
		{"not formatted", "func f() {\n  x :=   leak()\n}\n", "func f() {\n  //D\n  x :=   leak()\n}\n"},
		{"no line end", "func f() {\n\tleak()\n}", "func f() {\n\t//D\n\tleak()\n}"},
	}
	for _, tt := range tests {
		for _, end := range []string{"\n", "\r\n"} {
			src := strings.ReplaceAll("package p\n\n"+tt.src, "\n", end)
			out, err := Insert([]byte(src), leaks(src), "w")
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			want := strings.ReplaceAll("package p\n\n"+tt.want, "//D", "//goroutinefix:ignore r w")
			if got := string(out); tt.want != "" && got != strings.ReplaceAll(want, "\n", end) {
				t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, want)
			}
			again, err := Insert(out, leaks(string(out)), "w")
			if err != nil || string(again) != string(out) {
				t.Errorf("%s: a second run makes it %s (%v)", tt.name, again, err)
			}
		}
	}
}

func leaks(src string) []Target {
	var targets []Target
	for i := 0; ; i++ {
		k := strings.Index(src[i:], "leak")
		if k < 0 {
			return targets
		}
		i += k
		targets = append(targets, Target{"r", i})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"//goroutinefix:ignore a,b why", "//goroutinefix:file-ignore a why", "//goroutinefix:", "// goroutinefix:ignore",
		"//lint:ignore a* why", "//nolint:a,b // why", "//nolint", "//goroutinefix:ignore ,,, x", "//lint:ignore [ why", "//goroutinefix:ignore ,// 0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := Parse(text)
		if !ok {
			return
		}
		if d.Problem != "" && !d.Own {
			t.Errorf("%q: a problem in what is not ours: %s", text, d.Problem)
		}
		if d.Own && d.Problem == "" {
			if d.Reason == "" {
				t.Errorf("%q is honoured without a reason", text)
			}
			// What is written is what is read.
			rules := strings.Join(d.Rules, ",")
			if rules == "" {
				rules = "all"
			}
			again, ok := Parse("//" + d.Verb + " " + rules + " " + d.Reason)
			if !ok || again.Problem != "" || again.Reason != d.Reason || len(again.Rules) != len(d.Rules) {
				t.Errorf("%q is %+v and then %+v", text, d, again)
			}
		}
		d.names("bodyclose")
	})
}
