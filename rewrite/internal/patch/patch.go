// Package patch prints file changes as one unified diff in git's format: a
// diff that "git apply", "git apply --3way" and "patch -p1" take, that says
// above each file why it is changed, and that is the same, byte for byte, in
// every run.
package patch

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// Options says how a diff is printed.
type Options struct {
	// Root is the absolute directory that paths in the diff are relative to:
	// the top of the git work tree, or the working directory (see [Root]).
	Root string
	// NoGit keeps git from being asked how it stores the files, so that the
	// output depends on nothing but the changes.
	NoGit bool
}

// Root returns the top of the git work tree that holds the absolute directory
// dir, and dir itself outside of one.
func Root(dir string) string {
	for d := filepath.Clean(dir); ; {
		// A file in a linked work tree or a submodule, else a directory.
		if _, err := os.Lstat(filepath.Join(d, ".git")); err == nil {
			return d
		}
		parent := filepath.Dir(d)
		if parent == d {
			return dir
		}
		d = parent
	}
}

// Unified returns the diff of the changes, sorted by path; changes that leave
// their file as it is are left out, so nil means that nothing changes. Old
// must be what the file holds on disk: it is hashed for the index line. The
// error names each file that could not be put in the diff.
func Unified(changes []finding.FileChange, opt Options) ([]byte, error) {
	var files []file
	real := resolve(opt.Root)
	for i := range changes {
		c := &changes[i]
		if bytes.Equal(c.Old, c.New) {
			continue
		}
		rel, err := relative(opt.Root, real, c.Path)
		if err != nil {
			return nil, err
		}
		files = append(files, file{change: c, path: rel})
	}
	if len(files) == 0 {
		return nil, nil
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.path, b.path) })

	repo := repository{newHash: sha1Hash}
	if !opt.NoGit {
		repo = inspect(opt.Root, files)
	}
	var buf bytes.Buffer
	for _, f := range files {
		for _, fd := range f.change.Findings {
			rel, err := relative(opt.Root, real, fd.Place.Path)
			if err != nil {
				rel = filepath.ToSlash(fd.Place.Path)
			}
			fmt.Fprintf(&buf, "# %s %s:%d:%d %s (%s)\n", fd.Rule, Quote(rel),
				fd.Place.Line, fd.Place.Column, oneLine(fd.Message), fd.Applicability)
		}
		f.print(&buf, repo)
	}
	return buf.Bytes(), nil
}

// file is one file of the diff.
type file struct {
	change *finding.FileChange
	path   string // relative to the root, with slashes
}

// print writes the headers and hunks of f.
func (f file) print(buf *bytes.Buffer, repo repository) {
	a, b := quote("a/"+f.path), quote("b/"+f.path)
	fmt.Fprintf(buf, "diff --git %s %s\n", a, b)
	if !repo.converts(f) {
		fmt.Fprintf(buf, "index %s..%s %s\n", repo.blob(f.change.Old), repo.blob(f.change.New), mode(f.change.Path))
	}
	// As git does: without the tab, patch takes what follows a space for a date.
	tab := ""
	if strings.Contains(a, " ") {
		tab = "\t"
	}
	fmt.Fprintf(buf, "--- %s%s\n+++ %s%s\n", a, tab, b, tab)
	printHunks(buf, splitLines(f.change.Old), splitLines(f.change.New))
}

// mode returns the mode that git records for the file at path.
func mode(path string) string {
	if info, err := os.Stat(path); err == nil && info.Mode()&0o100 != 0 {
		return "100755"
	}
	return "100644"
}

// resolve returns path without symbolic links, or as it is when that fails.
func resolve(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	return path
}

// relative returns path relative to root, with slashes. git does not patch
// through symbolic links, so the resolved path counts when it is below
// realRoot, the root without links.
func relative(root, realRoot, path string) (string, error) {
	if rel, err := filepath.Rel(realRoot, resolve(path)); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel), nil
	}
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return "", fmt.Errorf("print diff of %s: %w", path, err)
	}
	return filepath.ToSlash(rel), nil
}

// quote returns name as git prints it with its default core.quotePath: in C
// quotes when it holds a control character, a quote, a backslash or a byte
// outside of ASCII.
func quote(name string) string {
	odd := func(c byte) bool { return c < ' ' || c >= 0x7f || c == '"' || c == '\\' }
	plain := true
	for i := 0; i < len(name); i++ {
		plain = plain && !odd(name[i])
	}
	if plain {
		return name
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !odd(c) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('\\')
		if i := strings.IndexByte("\a\b\t\n\v\f\r\"\\", c); i >= 0 {
			b.WriteByte("abtnvfr\"\\"[i])
		} else {
			fmt.Fprintf(&b, "%03o", c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Quote returns name as it is when a person can read it, and as git quotes it
// when it would drive the terminal, turn the direction of text or is no UTF-8.
func Quote(name string) string {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, drives) {
		return quote(name)
	}
	return name
}

// drives reports whether r changes how a terminal shows what is around it:
// control characters, and those that turn the direction of text.
func drives(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// oneLine returns s with runs of white space and control characters made
// single spaces, so that it stays on its line.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || drives(r)
	}), " ")
}
