package patch

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// FuzzUnified has a parser that knows nothing of ours apply the diff.
func FuzzUnified(f *testing.F) {
	for _, name := range []string{"sync/once.go", "errors/join.go"} {
		src, err := os.ReadFile(filepath.Join(runtime.GOROOT(), "src", filepath.FromSlash(name)))
		if err != nil {
			continue
		}
		f.Add(src, bytes.ReplaceAll(src, []byte("return\n"), []byte("return // x\n")), name, "a message")
		f.Add(src, bytes.TrimSuffix(src, []byte("\n")), name, "")
		f.Add(bytes.ReplaceAll(src, []byte("\n"), []byte("\r\n")), src, name, "x\ny")
	}
	f.Add([]byte("a\nb"), []byte("a\nc"), "a b/\"c\".go", "m")
	f.Add([]byte(""), []byte("a"), "\x01\u00fc.go", "--- a/x\n+++ b/x")
	f.Add([]byte("-- a\n++ b\n@@ -1 +1 @@\n"), []byte("++ b\n-- a\n\\ No newline\n"), "x", "")
	f.Fuzz(func(t *testing.T, old, now []byte, name, message string) {
		if len(old) > 1<<13 || len(now) > 1<<13 || strings.Contains(name, "\x00") || !filepath.IsLocal(name) || filepath.Clean(name) == "." {
			return
		}
		// The parser takes the quote after an escaped backslash for one of the name.
		if strings.Contains(filepath.Clean(name)+`"`, `\"`) {
			return
		}
		root := filepath.FromSlash("/no/such/root")
		path := filepath.Join(root, name)
		change := finding.FileChange{Path: path, Old: old, New: now, Findings: []finding.Finding{
			{Rule: "r", Message: message, Applicability: finding.Safe, Place: finding.Place{Path: path, Line: 1, Column: 1}},
		}}
		diff, err := Unified([]finding.FileChange{change}, Options{Root: root, NoGit: true})
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(old, now) {
			if diff != nil {
				t.Errorf("a diff of nothing:\n%s", diff)
			}
			return
		}
		if first, _, _ := bytes.Cut(diff, []byte("\n")); !bytes.HasPrefix(first, []byte("# r ")) {
			t.Errorf("the reason is not on the first line:\n%s", diff)
		}
		files, _, err := gitdiff.Parse(bytes.NewReader(diff))
		if err != nil || len(files) != 1 {
			t.Fatalf("%d files, %v in\n%s", len(files), err, diff)
		}
		if want := filepath.ToSlash(filepath.Clean(name)); files[0].OldName != want || files[0].NewName != want {
			t.Errorf("names %q and %q, want %q", files[0].OldName, files[0].NewName, want)
		}
		var got bytes.Buffer
		if err := gitdiff.Apply(&got, bytes.NewReader(old), files[0]); err != nil {
			t.Fatalf("%v in\n%s", err, diff)
		}
		if !bytes.Equal(got.Bytes(), now) {
			t.Errorf("got %q, want %q by\n%s", got.Bytes(), now, diff)
		}
	})
}
