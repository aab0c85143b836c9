package write

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// small mounts a file system of the given size, with options, for the test.
func small(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("only root can mount a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestFullDisk writes two packages to a disk on which only the smaller one fits.
func TestFullDisk(t *testing.T) {
	for _, linked := range []bool{false, true} {
		isolate(t)
		dir := small(t, "size=256k")
		changes := lay(t, dir, "a/x.go", "a/y.go", "b/x.go")
		changes[0].New = bytes.Repeat([]byte("new"), 10_000)
		changes[1].New = bytes.Repeat([]byte("new"), 80_000)
		if linked { // written in place
			for _, c := range changes {
				if err := os.Link(c.Path, c.Path+".link"); err != nil {
					t.Fatal(err)
				}
			}
		}
		written, err := Files(t.Context(), changes)
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("error %v, want %v", err, syscall.ENOSPC)
		}
		if len(written) != 1 || written[0] != changes[2].Path {
			t.Errorf("written %v", written)
		}
		for i, c := range changes {
			want := c.Old
			if i == 2 {
				want = c.New
			}
			if got, _ := os.ReadFile(c.Path); !bytes.Equal(got, want) {
				t.Errorf("%s holds %d bytes, want %d", c.Path, len(got), len(want))
			}
		}
		if entries, _ := os.ReadDir(filepath.Join(dir, "a")); !linked && len(entries) != 2 {
			t.Errorf("%d files are left in the directory", len(entries))
		}
	}
}

// TestFullCache has no room for the journal; the files are written all the same.
func TestFullCache(t *testing.T) {
	cache := small(t, "size=4k,nr_inodes=8")
	t.Setenv("XDG_CACHE_HOME", cache)
	if err := os.WriteFile(filepath.Join(cache, "full"), make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	changes := lay(t, t.TempDir(), "a/x.go", "a/y.go")
	if _, err := Files(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	want(t, changes, "new", "new")
}

// TestReadOnlyDisk writes to a file system that takes no changes, although the
// permissions of the files allow them.
func TestReadOnlyDisk(t *testing.T) {
	isolate(t)
	dir := small(t, "size=256k")
	changes := lay(t, dir, "a/x.go")
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	if written, err := Files(t.Context(), changes); !errors.Is(err, syscall.EROFS) || len(written) > 0 {
		t.Errorf("written %v, %v; want %v", written, err, syscall.EROFS)
	}
	want(t, []finding.FileChange{changes[0]}, "old")
}
