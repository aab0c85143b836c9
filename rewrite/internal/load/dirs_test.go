package load

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestDirsOfBrokenPackages wants the directory of a package that does not
// parse: a write that was killed may have left it so, and is finished there.
func TestDirsOfBrokenPackages(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module m\n\ngo 1.26\n", "ok/a.go": "package ok\n", "torn/a.go": "", "torn/b.go": "package torn\n\nfunc f() {\n", "alone/a.go": "",
	} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	prog, err := Load(t.Context(), Config{Dir: dir, Patterns: []string{"./..."}, Tests: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ok", "torn", "alone"} {
		if !slices.Contains(prog.Dirs, filepath.Join(dir, want)) {
			t.Errorf("%s is not among %q (skipped %v)", want, prog.Dirs, prog.Skipped)
		}
	}
}
