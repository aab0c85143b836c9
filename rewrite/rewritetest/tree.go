package rewritetest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

func within(found []finding.Finding, dir string) (out []finding.Finding) {
	for _, f := range found {
		if inDir(f.Place.Path, dir) {
			out = append(out, f)
		}
	}
	return out
}

func inDir(path, dir string) bool {
	return strings.HasPrefix(path, dir+string(filepath.Separator))
}

func rel(root, path string) string {
	r, err := filepath.Rel(root, path)
	if err != nil {
		return path
	}
	return r
}

func goFiles(t *testing.T, dir string) (names []string) {
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".go") {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func copyTree(t *testing.T, dir string) string {
	t.Helper()
	out := t.TempDir()
	if err := os.CopyFS(out, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return out
}
