package write

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// lay writes files with the content "old NAME" and returns changes to "new NAME".
func lay(t *testing.T, dir string, names ...string) []finding.FileChange {
	t.Helper()
	var changes []finding.FileChange
	for _, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		c := finding.FileChange{Path: path, Package: filepath.Dir(name), Old: []byte("old " + name), New: []byte("new " + name)}
		if err := os.WriteFile(path, c.Old, 0o644); err != nil {
			t.Fatal(err)
		}
		changes = append(changes, c)
	}
	return changes
}

// want checks the content of the files of changes: "old" or "new" each, and
// that nothing else is left in their directories.
func want(t *testing.T, changes []finding.FileChange, which ...string) {
	t.Helper()
	known := map[string]bool{}
	for i, c := range changes {
		known[c.Path] = true
		got, err := os.ReadFile(c.Path)
		if err != nil {
			t.Error(err)
			continue
		}
		if w := map[string][]byte{"old": c.Old, "new": c.New}[which[i]]; !bytes.Equal(got, w) {
			t.Errorf("%s holds %q, want %q", c.Path, got, w)
		}
	}
	for _, c := range changes {
		entries, err := os.ReadDir(filepath.Dir(c.Path))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				t.Errorf("%s is left behind in %s", e.Name(), filepath.Dir(c.Path))
			}
		}
	}
}

func TestFiles(t *testing.T) {
	changes := lay(t, t.TempDir(), "b/x.go", "a/y.go", "a/x.go")
	same := lay(t, t.TempDir(), "c/x.go")
	same[0].New = same[0].Old
	written, err := Files(t.Context(), append(slices.Clone(changes), same...))
	if err != nil {
		t.Fatal(err)
	}
	if w := []string{changes[2].Path, changes[1].Path, changes[0].Path}; !slices.Equal(written, w) {
		t.Errorf("written %v, want %v", written, w)
	}
	want(t, changes, "new", "new", "new")
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, path string)
		is    error
		text  string
	}{
		{"changed", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("new by hand"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, ErrChanged, "changed since analysis"},
		{"read-only", func(t *testing.T, path string) {
			if err := os.Chmod(path, 0o444); err != nil {
				t.Fatal(err)
			}
		}, ErrReadOnly, "read-only"},
		{"gone", func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}, os.ErrNotExist, "no such file"},
		{"directory", func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}, errNotRegular, "not a regular file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			changes := lay(t, t.TempDir(), "a/x.go", "a/y.go", "b/x.go")
			tt.spoil(t, changes[1].Path)
			written, err := Files(t.Context(), changes)
			if !errors.Is(err, tt.is) {
				t.Errorf("error %v, want %v", err, tt.is)
			}
			if w := "write " + changes[1].Path + ": "; !strings.HasPrefix(err.Error(), w) || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want one line %q...%q", err, w, tt.text)
			}
			if !slices.Equal(written, []string{changes[2].Path}) {
				t.Errorf("written %v, want the other package", written)
			}
			// The other file of the package is left alone.
			want(t, []finding.FileChange{changes[0], changes[2]}, "old", "new")
		})
	}
}

// TestRollBack lets the last file of a package change after the first check.
func TestRollBack(t *testing.T) {
	dir := t.TempDir()
	changes := lay(t, dir, "a/v.go", "a/w.go", "a/x.go")
	if err := os.Link(changes[1].Path, filepath.Join(dir, "other.go")); err != nil {
		t.Skip(err)
	}
	var targets []*target
	for _, c := range changes {
		tg, err := check(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := tg.stage(); err != nil {
			t.Fatal(err)
		}
		targets = append(targets, tg)
	}
	if err := os.WriteFile(changes[2].Path, []byte("new by hand"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := commit(targets); !errors.Is(err, ErrChanged) {
		t.Errorf("error %v, want %v", err, ErrChanged)
	}
	for _, tg := range targets {
		tg.discard()
	}
	want(t, changes[:2], "old", "old")
	if got, _ := os.ReadFile(changes[2].Path); string(got) != "new by hand" {
		t.Errorf("the edit by hand is lost: %q", got)
	}
}

func TestCancelled(t *testing.T) {
	changes := lay(t, t.TempDir(), "a/x.go", "b/x.go")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	written, err := Files(ctx, changes)
	if !errors.Is(err, context.Canceled) || len(written) != 0 {
		t.Errorf("got %v, %v", written, err)
	}
	want(t, changes, "old", "old")
}

func TestSymlink(t *testing.T) {
	dir := t.TempDir()
	changes := lay(t, dir, "real/x.go")
	link := filepath.Join(dir, "x.go")
	if err := os.Symlink(filepath.Join("real", "x.go"), link); err != nil {
		t.Skip(err)
	}
	real := changes[0]
	changes[0].Path = link
	written, err := Files(t.Context(), changes)
	if err != nil || !slices.Equal(written, []string{link}) {
		t.Fatalf("got %v, %v", written, err)
	}
	want(t, []finding.FileChange{real}, "new")
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v, %v", info, err)
	}
}

func TestOutput(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.json")
	for _, text := range []string{"a", "bb"} {
		if err := Output(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("got %q, want %q", got, text)
		}
	}
	if err := Output(os.DevNull, []byte("x")); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Fatalf("%s was replaced: %v, %v", os.DevNull, info, err)
	}
	if err := Output(filepath.Join(dir, "none", "out.json"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want %v", err, os.ErrNotExist)
	}
	if err := Output(dir, nil); err == nil {
		t.Error("no error for a directory")
	}
}
