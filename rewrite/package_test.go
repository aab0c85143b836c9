package rewrite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/cache"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// TestKnownFixesOfChangedFile changes a file after its analysis, when its fixes
// are known from an earlier run: nothing may be planned for the new text.
func TestKnownFixesOfChangedFile(t *testing.T) {
	store, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "m.go")
	src, _ := many(1, 1)
	for path, text := range map[string]string{filepath.Join(dir, "go.mod"): "module example.com/m\n\ngo 1.26\n", name: src} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cfg := rewrite.Config{Dir: dir, Cache: store, Rules: []rule.Rule{callRule("bad", rename("good"))}}
	res, err := rewrite.Run(t.Context(), cfg)
	if err != nil || len(res.Changes) != 1 {
		t.Fatal(res, err)
	}
	cfg.Review = func([]finding.Finding) {
		if err := os.WriteFile(name, []byte(src+"\n// edited meanwhile\n"), 0o666); err != nil {
			t.Error(err)
		}
	}
	if res, err = rewrite.Run(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if len(res.Changes) != 0 || len(res.Internal) == 0 {
		t.Errorf("%d changes, errors %v", len(res.Changes), res.Internal)
	}
}
