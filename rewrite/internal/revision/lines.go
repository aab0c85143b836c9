package revision

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"github.com/bluekeyes/go-gitdiff/gitdiff"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// Lines are the lines of Go files that differ from a base.
type Lines struct {
	repo    *Repo
	changed map[string]*change // by path relative to the root, slashes
}

// change is what is new in one file.
type change struct {
	all     bool
	added   []span
	removed []int // lines below which old ones are gone, and nothing is in their place
	funcs   []span
}

type span struct{ from, to int }

// Changed returns the lines of the work tree, committed or not, that are not
// in the given commit. Files that git does not know and does not ignore are
// new from end to end.
func (r *Repo) Changed(ctx context.Context, commit string) (*Lines, error) {
	// Everything that a user may have configured about diffs is said here.
	out, err := git(ctx, r.root, "diff", "--unified=0", "--inter-hunk-context=0", "--no-color", "--no-ext-diff", "--no-textconv",
		"--no-relative", "--text", "--find-renames", "--src-prefix=a/", "--dst-prefix=b/", "--ignore-submodules=all",
		"--output-indicator-new=+", "--output-indicator-old=-", "--diff-filter=d", "--end-of-options", commit, "--", "*.go")
	if err != nil {
		return nil, err
	}
	files, _, err := gitdiff.Parse(bytes.NewReader(out))
	if err != nil {
		return nil, fmt.Errorf("read git diff: %w", err)
	}
	l := &Lines{repo: r, changed: map[string]*change{}}
	for _, f := range files {
		c := &change{all: f.IsNew}
		for _, t := range f.TextFragments {
			if t.NewLines > 0 {
				c.added = append(c.added, span{int(t.NewPosition), int(t.NewPosition + t.NewLines - 1)})
			} else {
				c.removed = append(c.removed, int(t.NewPosition))
			}
		}
		if len(c.removed) > 0 {
			c.funcs = functions(filepath.Join(r.root, filepath.FromSlash(f.NewName)), c.removed)
		}
		l.changed[f.NewName] = c
	}
	out, err = git(ctx, r.root, "ls-files", "-z", "--others", "--exclude-standard", "--", "*.go")
	if err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(string(out), "\x00") {
		if name != "" {
			l.changed[name] = &change{all: true}
		}
	}
	return l, nil
}

// New reports whether a finding is new: whether any of its places is in
// changed lines, or in a function that lost lines without a replacement, such
// as a call of Close. A file outside of the work tree has no base: it is new.
func (l *Lines) New(f *finding.Finding) bool {
	if l.has(f.Place) {
		return true
	}
	for i := range f.Related {
		if l.has(f.Related[i].Place) {
			return true
		}
	}
	return false
}

func (l *Lines) has(p finding.Place) bool {
	rel, ok := l.repo.rel(p.Path)
	if !ok {
		return true
	}
	c := l.changed[rel]
	if c == nil {
		return false
	}
	if c.all {
		return true
	}
	for _, s := range append(c.added, c.funcs...) {
		if s.from <= p.Line && p.Line <= s.to {
			return true
		}
	}
	return false
}

// functions returns the lines of the functions of a file that lost lines
// below the given ones. A file that cannot be read or parsed has none: it has
// no findings either.
func functions(path string, removed []int) []span {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	fset := token.NewFileSet()
	file, _ := parser.ParseFile(fset, "", src, parser.SkipObjectResolution)
	if file == nil {
		return nil
	}
	var spans []span
	for _, d := range file.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		s := span{fset.PositionFor(fn.Pos(), false).Line, fset.PositionFor(fn.End(), false).Line}
		for _, line := range removed {
			if s.from <= line && line < s.to {
				spans = append(spans, s)
				break
			}
		}
	}
	return spans
}
