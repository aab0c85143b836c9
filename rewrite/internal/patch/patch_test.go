package patch

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

const source = `package p

import "net/http"

func A() {
	one()
	two()
}

func B(url string) (int, error) {
	resp, err := http.Get(url)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil
}

// C is far below.
func C() {
	one()
	two()
	three()
	four()
	five()
	six()
	seven()
	eight()
}
`

// edited is source with an insertion in B and a change in C.
var edited = strings.NewReplacer(
	"	}\n	return resp", "	}\n	defer resp.Body.Close()\n	return resp",
	"	eight()\n", "	nine()\n	ten()\n").Replace(source)

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// trees are sets of files: name to old and new content.
var trees = map[string]map[string][2]string{
	"plain":       {"p.go": {source, edited}},
	"nested":      {"a/b/c/p.go": {source, edited}},
	"several":     {"z.go": {source, edited}, "a/p.go": {source, edited}, "a.go": {source, edited}},
	"crlf":        {"p.go": {crlf(source), crlf(edited)}},
	"no newline":  {"p.go": {strings.TrimSuffix(source, "\n"), strings.TrimSuffix(edited, "\n")}},
	"add newline": {"p.go": {strings.TrimSuffix(source, "\n"), edited}},
	"cut newline": {"p.go": {source, strings.TrimSuffix(edited, "\n")}},
	"two no newline": {
		"a.go": {"package a\n\nvar x = 1", "package a\n\nvar x = 2"},
		"b.go": {"package a\n\nvar y = 1", "package a\n\nvar y = 2"},
	},
	"first line": {"p.go": {source, "// Package p.\n" + source}},
	"all":        {"p.go": {"package a\n", "package b\n"}},
	"space":      {"a b/p q.go": {source, edited}},
	"tab":        {"p\tq.go": {source, edited}},
	"quote":      {`p"q.go`: {source, edited}},
	"backslash":  {`p\q.go`: {source, edited}},
	"non-ASCII":  {"größe/日本.go": {source, edited}},
	"not UTF-8":  {"p\xffq.go": {source, edited}},
}

// forms are the trees that tests work on: all in one, each in a directory of its
// own, but for a name that some file systems refuse. In the long form each is one
// alone, too.
func forms() map[string]map[string][2]string {
	all := map[string][2]string{}
	forms := map[string]map[string][2]string{"together": all}
	for i, name := range slices.Sorted(maps.Keys(trees)) {
		if longform.Wanted() || name == "not UTF-8" {
			forms[name] = trees[name]
		}
		for file, texts := range trees[name] {
			if utf8.ValidString(file) {
				all[fmt.Sprintf("%02d/%s", i, file)] = texts
			}
		}
	}
	return forms
}

// run runs a command in dir, without the user's git configuration.
func run(t *testing.T, dir string, stdin []byte, name string, args ...string) string {
	t.Helper()
	out, err := command(dir, stdin, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s\ninput:\n%s", name, strings.Join(args, " "), err, out, stdin)
	}
	return out
}

func command(dir string, stdin []byte, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// isolate hides the git configuration of the user and skips without git.
func isolate(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git")
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	for _, k := range []string{"AUTHOR", "COMMITTER"} {
		t.Setenv("GIT_"+k+"_NAME", "t")
		t.Setenv("GIT_"+k+"_EMAIL", "t@example.com")
	}
}

// repo makes a git repository that holds the old contents of a tree.
func repo(t *testing.T, tree map[string][2]string) (string, []finding.FileChange) {
	t.Helper()
	dir := t.TempDir()
	run(t, dir, nil, "git", "init", "-q")
	changes := lay(t, dir, tree)
	run(t, dir, nil, "git", "add", ".")
	run(t, dir, nil, "git", "commit", "-q", "-m", "old")
	return dir, changes
}

// lay writes the old contents of a tree below dir.
func lay(t *testing.T, dir string, tree map[string][2]string) []finding.FileChange {
	t.Helper()
	var changes []finding.FileChange
	for name, texts := range tree {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(texts[0]), 0o644); err != nil {
			t.Skipf("this file system refuses the name: %v", err)
		}
		changes = append(changes, finding.FileChange{
			Path: path, Old: []byte(texts[0]), New: []byte(texts[1]),
			Findings: []finding.Finding{
				{Rule: "bodyclose", Place: finding.Place{Path: path, Line: 11, Column: 2}, Message: "resp.Body is never\nclosed", Applicability: finding.Safe},
				{Rule: "other", Place: finding.Place{Path: path, Line: 20, Column: 3}, Message: "--- x", Applicability: finding.Unsafe},
			},
		})
	}
	return changes
}

func check(t *testing.T, dir string, tree map[string][2]string) {
	t.Helper()
	for name, texts := range tree {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != texts[1] {
			t.Errorf("%q holds after the patch\n%q\nwant\n%q", name, got, texts[1])
		}
	}
}

func unified(t *testing.T, changes []finding.FileChange, opt Options) []byte {
	t.Helper()
	diff, err := Unified(changes, opt)
	if err != nil {
		t.Fatal(err)
	}
	return diff
}

func TestApply(t *testing.T) {
	isolate(t)
	for name, tree := range forms() {
		t.Run(name, func(t *testing.T) {
			t.Run("apply", func(t *testing.T) {
				dir, changes := repo(t, tree)
				run(t, dir, unified(t, changes, Options{Root: dir}), "git", "apply", "--whitespace=nowarn")
				check(t, dir, tree)
			})
			t.Run("index", func(t *testing.T) {
				dir, changes := repo(t, tree)
				run(t, dir, unified(t, changes, Options{Root: dir}), "git", "apply", "--index", "--whitespace=nowarn")
				check(t, dir, tree)
			})
			t.Run("3way", func(t *testing.T) {
				dir, changes := repo(t, tree)
				out := run(t, dir, unified(t, changes, Options{Root: dir}), "git", "apply", "--3way", "--whitespace=nowarn")
				if strings.Contains(out, "lacks the necessary blob") {
					t.Errorf("git does not know the blob:\n%s", out)
				}
				check(t, dir, tree)
			})
			t.Run("patch", func(t *testing.T) {
				if _, err := exec.LookPath("patch"); err != nil {
					t.Skip("needs patch")
				}
				dir := t.TempDir()
				changes := lay(t, dir, tree)
				run(t, dir, unified(t, changes, Options{Root: dir}), "patch", "-p1")
				check(t, dir, tree)
			})
		})
	}
}

// TestThreeWayMoved applies a diff to a file that has changed nearby since.
func TestThreeWayMoved(t *testing.T) {
	isolate(t)
	dir, changes := repo(t, trees["plain"])
	diff := unified(t, changes, Options{Root: dir})
	moved := strings.ReplaceAll(source, "	return resp.StatusCode, nil", "	return resp.StatusCode + 1, nil")
	moved = strings.ReplaceAll(moved, "	six()\n", "	six(6)\n")
	if err := os.WriteFile(changes[0].Path, []byte(moved), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, dir, nil, "git", "commit", "-qam", "moved")
	if out, err := command(dir, diff, "git", "apply"); err == nil {
		t.Fatalf("git apply took the moved base without --3way:\n%s", out)
	}
	out, _ := command(dir, diff, "git", "apply", "--3way")
	if strings.Contains(out, "lacks the necessary blob") || !strings.Contains(out, "p.go") {
		t.Errorf("git apply --3way did not merge:\n%s", out)
	}
}

// TestLikeGit compares with what git prints for the same change.
func TestLikeGit(t *testing.T) {
	isolate(t)
	for name, tree := range forms() {
		t.Run(name, func(t *testing.T) {
			dir, changes := repo(t, tree)
			for i := range changes {
				changes[i].Findings = nil
				if err := os.WriteFile(changes[i].Path, changes[i].New, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want := run(t, dir, nil, "git", "diff", "--full-index")
			if got := string(unified(t, changes, Options{Root: dir})); got != want {
				t.Errorf("got\n%q\nwant\n%q", got, want)
			}
		})
	}
}

func TestIndexLine(t *testing.T) {
	isolate(t)
	tests := []struct {
		name, attributes, autocrlf, old string
		want                            bool
	}{ // the first four in the short form, too
		{"crlf with autocrlf", "", "true", "x\r\n", false},
		{"crlf, autocrlf, -text", "*.go -text", "true", "x\r\n", true},
		{"crlf with text", "*.go text", "", "x\r\n", false},
		{"filter", "*.go filter=lfs", "", "x\n", false},
		{"lf", "", "", "x\n", true},
		{"lf with autocrlf", "", "true", "x\n", true},
		{"crlf", "", "", "x\r\n", true},
		{"crlf with autocrlf input", "", "input", "x\r\n", false},
		{"crlf, autocrlf, binary", "*.go binary", "true", "x\r\n", true},
		{"crlf with text=auto", "* text=auto", "", "x\r\n", false},
		{"crlf with eol", "*.go eol=crlf", "", "x\r\n", false},
		{"lf with text", "*.go text", "", "x\n", true},
		{"ident", "*.go ident", "", "x\n", false},
		{"encoding", "*.go working-tree-encoding=UTF-16", "", "x\n", false},
	}
	if !longform.Wanted() {
		tests = tests[:4]
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, changes := repo(t, map[string][2]string{"p.go": {tt.old, tt.old + tt.old}})
			if err := os.WriteFile(filepath.Join(dir, ".gitattributes"), []byte(tt.attributes+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			if tt.autocrlf != "" {
				run(t, dir, nil, "git", "config", "core.autocrlf", tt.autocrlf)
			}
			diff := string(unified(t, changes, Options{Root: dir}))
			if got := strings.Contains(diff, "\nindex "); got != tt.want {
				t.Errorf("index line: %v, want %v", got, tt.want)
			}
			run(t, dir, []byte(diff), "git", "apply", "--check", "--whitespace=nowarn")
		})
	}
}

func TestSHA256Repository(t *testing.T) {
	isolate(t)
	dir := t.TempDir()
	if out, err := command(dir, nil, "git", "init", "-q", "--object-format=sha256"); err != nil {
		t.Skipf("this git has no SHA-256: %s", out)
	}
	tree := trees["plain"]
	changes := lay(t, dir, tree)
	run(t, dir, nil, "git", "add", ".")
	run(t, dir, unified(t, changes, Options{Root: dir}), "git", "apply", "--3way")
	check(t, dir, tree)
}

func TestWithoutGit(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	changes := lay(t, dir, trees["plain"])
	t.Setenv("PATH", "")
	if diff := unified(t, changes, Options{Root: dir}); !bytes.Contains(diff, []byte("\nindex ")) {
		t.Errorf("no index line without git:\n%s", diff)
	}
}

func TestExecutableAndSymlink(t *testing.T) {
	isolate(t)
	dir, changes := repo(t, map[string][2]string{"real/p.go": {source, edited}})
	path := changes[0].Path
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("real", link); err != nil {
		t.Skip(err)
	}
	changes[0].Path = filepath.Join(link, "p.go")
	diff := string(unified(t, changes, Options{Root: dir}))
	if !strings.Contains(diff, " 100755\n--- a/real/p.go\n") {
		t.Errorf("got\n%s", diff)
	}
	if !strings.HasPrefix(diff, "# bodyclose real/p.go:11:2 resp.Body is never closed (safe)\n# other real/p.go:20:3 --- x (unsafe)\ndiff --git ") {
		t.Errorf("got\n%s", diff)
	}
}

func TestRoot(t *testing.T) {
	dir := t.TempDir()
	sub := filepath.Join(dir, "a", "b")
	if err := os.MkdirAll(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := Root(sub); got != sub {
		t.Errorf("Root outside of git = %s, want %s", got, sub)
	}
	// A linked work tree has a file there.
	if err := os.WriteFile(filepath.Join(dir, ".git"), []byte("gitdir: x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := Root(sub); got != dir {
		t.Errorf("Root = %s, want %s", got, dir)
	}
}

func TestNothing(t *testing.T) {
	diff, err := Unified([]finding.FileChange{{Path: "/x/p.go", Old: []byte("a\n"), New: []byte("a\n")}}, Options{Root: "/x"})
	if diff != nil || err != nil {
		t.Errorf("got %q, %v", diff, err)
	}
}

// TestRandom checks that diffs of random edits rebuild the new text, by git.
func TestRandom(t *testing.T) {
	isolate(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	tree, files := map[string][2]string{}, 60
	if longform.Wanted() {
		files = 300
	}
	for i := range files {
		var a, b strings.Builder
		for range rnd.IntN(40) {
			line := fmt.Sprintf("%s%c\n", strings.Repeat("\t", rnd.IntN(3)), 'a'+rune(rnd.IntN(4)))
			if rnd.IntN(8) != 0 {
				a.WriteString(line)
			}
			if rnd.IntN(8) != 0 {
				b.WriteString(line)
			}
		}
		tree[fmt.Sprintf("%03d.go", i)] = [2]string{"p\n" + a.String(), "p\n" + b.String()}
	}
	dir, changes := repo(t, tree)
	run(t, dir, unified(t, changes, Options{Root: dir}), "git", "apply", "--3way", "--whitespace=nowarn")
	check(t, dir, tree)
}
