// Package revision asks git what has changed: which lines since a base, and
// which files since the last commit.
package revision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Repo is a git work tree.
type Repo struct {
	root string // without symbolic links
}

// Open returns the work tree that holds dir.
func Open(ctx context.Context, dir string) (*Repo, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return nil, errors.New("git is not in PATH")
	}
	out, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, fmt.Errorf("%s is in no git work tree: %w", dir, err)
	}
	root, err := filepath.EvalSymlinks(filepath.FromSlash(strings.TrimSuffix(string(out), "\n")))
	if err != nil {
		return nil, fmt.Errorf("find the git work tree: %w", err)
	}
	return &Repo{root}, nil
}

// Commit returns the name of the commit that rev names.
func (r *Repo) Commit(ctx context.Context, rev string) (string, error) {
	out, err := git(ctx, r.root, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", errors.New("git knows no such commit" + r.hint(ctx))
	}
	return strings.TrimSpace(string(out)), nil
}

// MergeBase returns the name of the commit at which the branch of the work
// tree has left ref.
func (r *Repo) MergeBase(ctx context.Context, ref string) (string, error) {
	commit, err := r.Commit(ctx, ref)
	if err != nil {
		return "", err
	}
	out, err := git(ctx, r.root, "merge-base", commit, "HEAD")
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", errors.New("it has no commit in common with HEAD" + r.hint(ctx))
	}
	return strings.TrimSpace(string(out)), nil
}

// hint says what to do where history is cut off.
func (r *Repo) hint(ctx context.Context) string {
	if out, err := git(ctx, r.root, "rev-parse", "--is-shallow-repository"); err == nil && strings.TrimSpace(string(out)) == "true" {
		return "; the clone is shallow: fetch the history first (git fetch --unshallow; with actions/checkout, fetch-depth: 0)"
	}
	return ""
}

// Dirty returns those of the given files, absolute, whose content is in no
// commit: changed, untracked or ignored ones.
func (r *Repo) Dirty(ctx context.Context, paths []string) ([]string, error) {
	args := []string{"--literal-pathspecs", "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignored=matching", "--"}
	given := map[string]string{}
	for _, p := range paths {
		rel, ok := r.rel(p)
		if !ok {
			return nil, fmt.Errorf("%s is not in the git work tree %s", p, r.root)
		}
		given[rel] = p
		args = append(args, rel)
	}
	out, err := git(ctx, r.root, args...)
	if err != nil {
		return nil, err
	}
	var dirty []string
	for entry := range strings.SplitSeq(string(out), "\x00") {
		if len(entry) > 3 {
			name := entry[3:]
			if p, ok := given[name]; ok {
				dirty = append(dirty, p)
				continue
			}
			for rel, p := range given { // an ignored directory
				if strings.HasSuffix(name, "/") && strings.HasPrefix(rel, name) {
					dirty = append(dirty, p)
				}
			}
		}
	}
	return dirty, nil
}

// rel returns path relative to the root as git writes it.
func (r *Repo) rel(path string) (string, bool) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	rel, err := filepath.Rel(r.root, path)
	if err != nil || !filepath.IsLocal(rel) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// git runs one git command and returns its standard output. Its error is the
// first line of what git says.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = dir, environ()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	if first, _, _ := strings.Cut(strings.TrimSpace(stderr.String()), "\n"); first != "" {
		err = errors.New(first)
	}
	return out, fmt.Errorf("git %s: %w", args[0], err)
}

// environ returns the environment without what git sets for its hooks: an
// index for the commit alone, and a directory relative to another one.
func environ() []string {
	env := append(os.Environ(), "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0")
	kept := env[:0]
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if name == "GIT_INDEX_FILE" || name == "GIT_DIR" && !filepath.IsAbs(value) {
			continue
		}
		kept = append(kept, kv)
	}
	return kept
}
