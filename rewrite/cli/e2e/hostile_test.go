package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/goroutinefix/goroutinefix/rewrite/cli"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rules"
)

// withPanics is the program with two more rules: one panics in each package
// named bad, the fix of the other one panics.
func withPanics() {
	all := append(rules.All(),
		rule.Rule{Name: "panics", Doc: "Panics.", Find: func(p *code.Pass) []rule.Match {
			if p.Pkg.Name() == "bad" {
				panic("no \x1b[31mgood")
			}
			return nil
		}},
		rule.Rule{Name: "fixpanics", Doc: "Finds packages named worse.", Find: func(p *code.Pass) []rule.Match {
			if p.Pkg.Name() != "worse" {
				return nil
			}
			decl := p.Files[0].Decls[1]
			m := rule.Match{Pos: decl.Pos(), End: decl.End(), Message: "the package is worse"}
			return []rule.Match{m.Safe("Panic", func(*dstedit.Decl) error { panic("not a fix") })}
		}})
	os.Exit(cli.Main(context.Background(), cli.IO{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}, all))
}

// mangle lays a Go file out in a way that editors or people do:
// "mangle crlf|mixed|bom|noeol|spaces|tabs file".
func mangle(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mangle how file")
	}
	text := ts.ReadFile(args[1])
	switch args[0] {
	case "crlf":
		text = strings.ReplaceAll(text, "\n", "\r\n")
	case "mixed":
		lines := strings.SplitAfter(text, "\n")
		for i := 0; i < len(lines); i += 2 {
			lines[i] = strings.ReplaceAll(lines[i], "\n", "\r\n")
		}
		text = strings.Join(lines, "")
	case "bom":
		text = "\ufeff" + text
	case "noeol":
		text = strings.TrimSuffix(text, "\n")
	case "spaces":
		text = strings.ReplaceAll(text, "\t", "    ")
	case "tabs": // and spaces, line by line
		lines := strings.SplitAfter(text, "\n")
		for i := 0; i < len(lines); i += 2 {
			lines[i] = strings.ReplaceAll(lines[i], "\t", "  ")
		}
		text = strings.Join(lines, "")
	case "latin1":
		text = strings.ReplaceAll(text, "answer", "answer\xe9")
	default:
		ts.Fatalf("mangle: how is %s?", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o666))
}

// adds checks that a file is an older one and one line with the given text,
// byte for byte: "adds file old text".
func adds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: adds file old text")
	}
	var rest bytes.Buffer
	found := 0
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if strings.TrimSpace(line) == args[2] {
			found++
			continue
		}
		rest.WriteString(line)
	}
	if found != 1 || rest.String() != ts.ReadFile(args[1]) {
		ts.Fatalf("%s is not %s with one more line %q (%d of them):\n%q", args[0], args[1], args[2], found, ts.ReadFile(args[0]))
	}
}

const leak = "\tresp%d, err := http.Get(url)\n\tif err != nil {\n\t\treturn err\n\t}\n\tprintln(resp%d.Status)\n"

// generate writes a Go file with leaks: "generate file lines functions leaks
// depth" gives each function so many leaks, and so many lines that do nothing. The
// depth is that of a literal in the last one.
func generate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: generate file lines functions leaks depth")
	}
	var n [4]int
	for i := range n {
		var err error
		n[i], err = strconv.Atoi(args[1+i])
		ts.Check(err)
	}
	lines, functions, leaks, depth := n[0], n[1], n[2], n[3]
	var b bytes.Buffer
	b.WriteString("package m\n\nimport \"net/http\"\n\nvar _ = http.Get\n")
	for i := range functions {
		fmt.Fprintf(&b, "\n// F%d asks.\nfunc F%d(url string) error {\n\tn := 0\n", i, i)
		for k := range lines {
			fmt.Fprintf(&b, "\tn += %d\n", k)
		}
		for k := range leaks {
			fmt.Fprintf(&b, leak, k, k)
		}
		b.WriteString("\tprintln(n)\n\treturn nil\n}\n")
	}
	if depth > 0 {
		fmt.Fprintf(&b, "\nvar _ = %s0%s\n", strings.Repeat("[]any{", depth), strings.Repeat("}", depth))
		fmt.Fprintf(&b, "\nfunc deep(url string) {\n%s\tresp, err := http.Get(url)\n\tif err != nil {\n\t\treturn\n\t}\n\tprintln(resp.Status)\n%s}\n",
			// The compiler itself does not survive many more of these.
			strings.Repeat("func() {\n", min(depth, 20)), strings.Repeat("}()\n", min(depth, 20)))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o666))
}
