package rule_test

import (
	"context"
	"fmt"
	"go/ast"
	"log"
	"os"
	"path/filepath"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// parked finds a select without cases at the end of a function, and takes it away.
var parked = rule.Rule{
	Name: "parked",
	Doc:  "Goroutines that are parked for ever.",
	Find: func(p *code.Pass) (out []rule.Match) {
		for c := range p.Candidates((*ast.SelectStmt)(nil)) {
			s := c.Node().(*ast.SelectStmt)
			if len(s.Body.List) > 0 || p.InTest(s.Pos()) {
				continue // it waits for something
			}
			m := rule.Match{Pos: s.Pos(), End: s.End(), Message: "the goroutine is parked for ever"}
			out = append(out, m.Unsafe("Let the function return", func(d *dstedit.Decl) error { return d.Delete(s) }))
		}
		return out
	},
}

func ExampleRule() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{
		"go.mod": "module example.com/app\n\ngo 1.26\n",
		"app.go": "package app\n\nfunc park() {\n\tprintln(1)\n\tselect {}\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	res, err := rewrite.Run(context.Background(), rewrite.Config{Dir: dir, Rules: []rule.Rule{parked}, Unsafe: true, Env: append(os.Environ(), "GOWORK=off", "GOFLAGS=")})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range res.Findings {
		fmt.Printf("%s:%d: %s (%s)\n", filepath.Base(f.Place.Path), f.Place.Line, f.Message, f.Applicability)
	}
	for _, c := range res.Changes {
		fmt.Printf("%s", c.New)
	}
	// Output:
	// app.go:5: the goroutine is parked for ever (unsafe)
	// package app
	//
	// func park() {
	// 	println(1)
	// }
}
