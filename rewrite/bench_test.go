package rewrite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/cache"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// benchModule writes a module of n packages, each with findings.
func benchModule(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	files := map[string]string{"go.mod": "module example.com/m\n\ngo 1.26\n"}
	for i := range n {
		src, _ := many(20, 5)
		files[fmt.Sprintf("p%d/m.go", i)] = src
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// BenchmarkLoad asks the go command.
func BenchmarkLoad(b *testing.B) {
	dir := benchModule(b, 10)
	for b.Loop() {
		if _, err := load.Load(b.Context(), load.Config{Dir: dir, Patterns: []string{"./..."}, Tests: true}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheck parses and type-checks a package against export data.
func BenchmarkCheck(b *testing.B) {
	prog, err := load.Load(b.Context(), load.Config{Dir: benchModule(b, 1), Patterns: []string{"./..."}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		p := prog.Check(prog.Packages[0])
		if load.Problem(p) != "" {
			b.Fatal(load.Problem(p))
		}
		prog.Release(p)
	}
}

// BenchmarkRun finds and fixes, without a cache, with an empty one and with one
// that knows it all.
func BenchmarkRun(b *testing.B) {
	dir := benchModule(b, 3)
	cfg := rewrite.Config{Dir: dir, Rules: []rule.Rule{callRule("bad", rename("good"))}}
	run := func(b *testing.B, store *cache.Store) {
		cfg.Cache = store
		if res, err := rewrite.Run(b.Context(), cfg); err != nil || len(res.Changes) != 3 {
			b.Fatal(res, err)
		}
	}
	b.Run("uncached", func(b *testing.B) {
		for b.Loop() {
			run(b, nil)
		}
	})
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			store := open(b, b.TempDir())
			b.StartTimer()
			run(b, store)
		}
	})
	b.Run("unchanged", func(b *testing.B) {
		store := open(b, b.TempDir())
		run(b, store)
		for b.Loop() {
			run(b, store)
		}
	})
}

func open(b *testing.B, dir string) *cache.Store {
	b.Helper()
	store, err := cache.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	return store
}
