package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite"
)

func TestNestedModulesAreNamed(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "a.go", "tools/go.mod", "tools/x.go", "my api/go.mod", "my api/y.go"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("module m\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"default", nil, "goroutinefix: 2 nested modules left out; to take in all: goroutinefix -C " + dir + " ./... './my api/...' ./tools/...\n"},
		{"machine", []string{"-format=jsonl", "./..."}, "goroutinefix: 2 nested modules left out; to take in all: goroutinefix -C " + dir + " -format=jsonl ./... './my api/...' ./tools/...\n"},
		{"quiet", []string{"-q"}, ""},
		{"one package", []string{"."}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			p := &program{
				IO:    IO{Args: append([]string{"-C", dir}, tt.args...), Stdout: &out, Stderr: &errOut},
				rules: testRules,
				engine: func(context.Context, rewrite.Config) (*rewrite.Result, error) {
					return &rewrite.Result{Dirs: []string{dir}}, nil
				},
			}
			if code := p.main(t.Context()); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if got := errOut.String(); got != tt.want || bytes.Contains(out.Bytes(), []byte("nested")) {
				t.Errorf("stderr %q, want %q; stdout %q", got, tt.want, out.String())
			}
		})
	}
}
