package rewritetest

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/patch"
)

// How the names of goldens end: those with the safe fixes, and those with the unsafe
// ones, too.
const safeEnding, unsafeEnding = ".diff", ".unsafe.diff"

// goldens are the golden diffs in dir whose names end in the same way. Each is named
// after the file of the fixture that it changes; a file without a diff has none.
type goldens struct{ dir, ending string }

// name returns the golden of a file with the given path in the fixture.
func (g goldens) name(file string) string {
	return filepath.Join(g.dir, strings.TrimSuffix(file, ".go")+g.ending)
}

// hold: the engine's diff of each file of fixture is the golden one, byte for byte,
// there is no golden beside these, and git applies them together.
func (g goldens) hold(t *testing.T, fixture string, changes []finding.FileChange) {
	t.Helper()
	root := filepath.Dir(filepath.Dir(fixture))
	whole := unified(t, root, changes)
	got, rest := map[string][]byte{}, whole
	for _, c := range changes {
		diff := unified(t, root, []finding.FileChange{c})
		if !bytes.HasPrefix(rest, diff) {
			t.Errorf("the diff of %s is another one beside other files:\n%s", c.Path, firstDifference(diff, rest))
		}
		rest = rest[min(len(diff), len(rest)):]
		if len(diff) > 0 {
			got[g.name(rel(fixture, c.Path))] = diff
		}
	}
	if len(rest) > 0 {
		t.Errorf("the diff of all files ends with\n%s", rest)
	}
	if *update {
		g.write(t, got)
	}
	for name, diff := range got {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Errorf("read the golden diff: %v; go test -update writes it", err)
		} else if !bytes.Equal(diff, want) {
			t.Errorf("the diff differs from %s; read the difference, then go test -update:\n%s", name, firstDifference(want, diff))
		}
	}
	for _, name := range g.list(t) {
		if got[name] == nil {
			t.Errorf("%s: no file of the fixture has this diff; go test -update removes it", name)
		}
	}
	if len(whole) > 0 {
		applies(t, root, whole, changes)
	}
}

// write makes the goldens those in got.
func (g goldens) write(t *testing.T, got map[string][]byte) {
	t.Helper()
	for _, name := range g.list(t) {
		if got[name] != nil {
			continue
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Dir(name)) // fails where it is not empty
	}
	for name, diff := range got {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, diff, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// list returns the goldens that are there. What lies beside them and is no golden at
// all is one with safe fixes of no file.
func (g goldens) list(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(g.dir, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) && path == g.dir {
			return nil // no fix of the rule comes through
		}
		if err == nil && !d.IsDir() && strings.HasSuffix(path, unsafeEnding) == (g.ending == unsafeEnding) {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func unified(t *testing.T, root string, changes []finding.FileChange) []byte {
	t.Helper()
	diff, err := patch.Unified(changes, patch.Options{Root: root, NoGit: true})
	if err != nil {
		t.Fatal(err)
	}
	return diff
}

// applies: git makes of the files below root what changes say, given their diff.
func applies(t *testing.T, root string, diff []byte, changes []finding.FileChange) {
	t.Helper()
	tree := t.TempDir()
	for _, c := range changes {
		name := filepath.Join(tree, rel(root, c.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, c.Old, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("git", "apply", "-")
	cmd.Dir, cmd.Stdin = tree, bytes.NewReader(diff)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git apply: %v\n%s", err, out)
	}
	for _, c := range changes {
		got, err := os.ReadFile(filepath.Join(tree, rel(root, c.Path)))
		if err != nil || !bytes.Equal(got, c.New) {
			t.Errorf("git apply makes something else of %s (%v)", c.Path, err)
		}
	}
}

func firstDifference(want, got []byte) string {
	w, g := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range max(len(w), len(g)) {
		a, b := "", ""
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return fmt.Sprintf("line %d\n want %q\n got  %q", i+1, a, b)
		}
	}
	return "none"
}
