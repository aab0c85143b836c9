package load

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestNestedModules(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"go.mod", "a.go", "sub/b.go",
		"tools/go.mod", "tools/cmd/main.go",
		"tools/deep/go.mod", "tools/deep/x.go",
		"docs/go.mod", "docs/index.md", // no Go files
		"vendor/v/go.mod", "vendor/v/v.go",
		"sub/testdata/t/go.mod", "sub/testdata/t/t.go",
		".hidden/go.mod", ".hidden/h.go", "_old/go.mod", "_old/o.go", "node_modules/n/go.mod", "node_modules/n/n.go",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("module m\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	at := func(names ...string) (list []string) {
		for _, n := range names {
			list = append(list, filepath.Join(dir, n))
		}
		return list
	}
	tests := []struct {
		name                   string
		patterns, loaded, want []string
	}{
		{"all", []string{"./..."}, at("", "sub"), []string{"./tools/...", "./tools/deep/..."}},
		{"one is taken in", []string{"./...", "./tools/..."}, at("", "sub", "tools/cmd"), []string{"./tools/deep/..."}},
		{"all are taken in", []string{"./..."}, at("", "tools/cmd", "tools/deep"), nil},
		{"below", []string{"./sub/..."}, at("sub"), nil},
		{"no pattern", []string{"./sub", "fmt", "std/..."}, at("sub"), nil},
		{"absolute", []string{dir + "/..."}, at(""), []string{"./tools/...", "./tools/deep/..."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := NestedModules(dir, tt.patterns, tt.loaded); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
