//go:build unix

package write

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestModeAndOwner(t *testing.T) {
	changes := lay(t, t.TempDir(), "a/x.go", "a/y.go")
	modes := []os.FileMode{0o755, 0o664}
	for i, c := range changes {
		if err := os.Chmod(c.Path, modes[i]); err != nil {
			t.Fatal(err)
		}
	}
	uid := os.Getuid()
	if uid == 0 {
		uid = 12345
		if err := os.Chown(changes[0].Path, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Files(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	want(t, changes, "new", "new")
	for i, c := range changes {
		info, err := os.Stat(c.Path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != modes[i] {
			t.Errorf("mode %v, want %v", info.Mode(), modes[i])
		}
		if got := int(info.Sys().(*syscall.Stat_t).Uid); i == 0 && got != uid {
			t.Errorf("owner %d, want %d", got, uid)
		}
	}
}

func TestHardLinks(t *testing.T) {
	dir := t.TempDir()
	changes := lay(t, dir, "a/x.go")
	other := filepath.Join(dir, "other.go")
	if err := os.Link(changes[0].Path, other); err != nil {
		t.Skip(err)
	}
	changes[0].New = []byte("n") // shorter: the rest must go
	if _, err := Files(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	want(t, changes, "new")
	if got, _ := os.ReadFile(other); string(got) != "n" {
		t.Errorf("the other name holds %q", got)
	}
}

// TestReplaced checks that a plain file is replaced, not written over: a
// reader that has it open goes on seeing the old content.
func TestReplaced(t *testing.T) {
	changes := lay(t, t.TempDir(), "a/x.go")
	before, err := os.Stat(changes[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Files(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(changes[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	if os.SameFile(before, after) {
		t.Error("the file was written in place")
	}
}

// TestClosedDirectory writes a file in a directory that takes no new files.
func TestClosedDirectory(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write anywhere")
	}
	changes := lay(t, t.TempDir(), "a/x.go")
	dir := filepath.Dir(changes[0].Path)
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o755)
	if _, err := Files(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	want(t, changes, "new")
}
