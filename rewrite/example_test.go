package rewrite_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rules"
)

// A program that looks for leaks by itself: all rules, on one module.
func ExampleRun() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{
		"go.mod": "module example.com/shop\n\ngo 1.26\n",
		"shop.go": `package shop

import "context"

func limited(parent context.Context) bool {
	ctx, cancel := context.WithCancel(parent)
	if _, ok := ctx.Deadline(); ok {
		return true
	}
	cancel()
	return false
}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			log.Fatal(err)
		}
	}
	res, err := rewrite.Run(context.Background(), rewrite.Config{Dir: dir, Rules: rules.All(), Env: append(os.Environ(), "GOWORK=off", "GOFLAGS=")})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range res.Findings {
		fmt.Printf("%s:%d: %s (%s, %s)\n", filepath.Base(f.Place.Path), f.Place.Line, f.Message, f.Rule, f.Status)
	}
	for _, c := range res.Changes {
		fmt.Printf("%s: %d bytes more\n", filepath.Base(c.Path), len(c.New)-len(c.Old))
	}
	// Output:
	// shop.go:6: cancel is not called on every path, so ctx and what depends on it stay until the parent ends (lostcancel, fixable)
	// shop.go: 16 bytes more
}
