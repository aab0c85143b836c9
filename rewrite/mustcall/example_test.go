package mustcall_test

import (
	"context"
	"fmt"
	"go/types"
	"log"
	"os"
	"path/filepath"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// watcher is a resource of a package of one's own: what watch.Start returns is to be
// stopped.
var watcher = &mustcall.Resource{
	Resource: &usage.Resource{
		Type:    func(t types.Type) bool { return typeis.Named(t, "example.com/app/watch", "Watcher") },
		Release: []string{"Stop"},
		Borrow:  []string{"Events"},
	},
	Acquire: mustcall.From("example.com/app/watch.Start"),
}

// stopped is a rule that is made of this row.
var stopped = rule.Rule{
	Name: "stopped",
	Doc:  "Watchers that are not stopped.",
	Find: func(p *code.Pass) (out []rule.Match) {
		for o := range watcher.Find(p) {
			if unmet := o.Open(); len(unmet.Exits) > 0 {
				m := rule.Match{Pos: o.Call.Pos(), End: o.Call.End(), Message: o.Var.Name() + " is not stopped on every path"}
				out = append(out, m.None("see the example of package rule"))
			}
		}
		return out
	},
}

func ExampleResource() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{
		"go.mod":         "module example.com/app\n\ngo 1.26\n",
		"watch/watch.go": "package watch\n\ntype Watcher struct{}\n\nfunc Start() (*Watcher, error) { return &Watcher{}, nil }\nfunc (*Watcher) Stop()         {}\nfunc (*Watcher) Events() int   { return 0 }\n",
		"app.go": `package app

import "example.com/app/watch"

func first() int {
	w, err := watch.Start()
	if err != nil {
		return -1
	}
	if n := w.Events(); n > 0 {
		return n
	}
	w.Stop()
	return 0
}

func handedOn() (*watch.Watcher, error) { return watch.Start() }
`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	res, err := rewrite.Run(context.Background(), rewrite.Config{Dir: dir, Rules: []rule.Rule{stopped}, Env: append(os.Environ(), "GOWORK=off", "GOFLAGS=")})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range res.Findings {
		fmt.Printf("%s:%d: %s\n", filepath.Base(f.Place.Path), f.Place.Line, f.Message)
	}
	// Output: app.go:6: w is not stopped on every path
}
