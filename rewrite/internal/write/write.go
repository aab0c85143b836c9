// Package write puts changed files on disk: all files of a package or none,
// each one replaced in one step, and none that is no longer what was analysed.
package write

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

var (
	// ErrChanged means that a file does not hold what was analysed any more.
	ErrChanged = errors.New("changed since analysis")
	// ErrReadOnly means that a file has no write permission for its owner.
	ErrReadOnly = errors.New("read-only")
	// errNotRegular means that a path leads to a device, a pipe or a directory.
	errNotRegular = errors.New("not a regular file")
)

// Files writes the New content of each change and returns the paths written,
// sorted, as they stand in the changes. The changes of one package are
// written together or not at all, also when the process is killed and [Recover]
// runs later: when one of its files is read-only, has
// changed since it was analysed ([ErrReadOnly], [ErrChanged]) or cannot be
// written, the package is left or put back as it was and the others are still
// written. Permissions and owner are kept, symbolic links are followed and
// hard links stay together. When ctx is cancelled no further package is
// begun. The error joins one error for each failure, one a line.
func Files(ctx context.Context, changes []finding.FileChange) ([]string, error) {
	groups := byPackage(changes)
	if len(groups) == 0 {
		return nil, nil
	}
	var written []string
	var errs []error
	err := locked(ctx, func(dir string) error {
		for _, group := range groups {
			if err := context.Cause(ctx); err != nil {
				errs = append(errs, fmt.Errorf("write %s: %w", group[0].Package, err))
				break
			}
			if err := writePackage(dir, group); err != nil {
				errs = append(errs, err)
				continue
			}
			for _, c := range group {
				written = append(written, c.Path)
			}
		}
		return nil
	})
	slices.Sort(written)
	return written, errors.Join(append(errs, err)...)
}

// byPackage groups the changes that change something by their package, in
// order of the import path and, within a package, of the file's.
func byPackage(changes []finding.FileChange) [][]finding.FileChange {
	var all []finding.FileChange
	for _, c := range changes {
		if !bytes.Equal(c.Old, c.New) {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b finding.FileChange) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Path, b.Path))
	})
	var groups [][]finding.FileChange
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].Package == all[0].Package {
			n++
		}
		groups = append(groups, all[:n])
		all = all[n:]
	}
	return groups
}

// target is a file about to be written.
type target struct {
	change finding.FileChange
	path   string      // without symbolic links
	info   fs.FileInfo // as found by the check
	temp   tempFile    // the new content beside it; nil when it is written in place
}

// writePackage writes all changes, or none and returns why. dir is the
// directory of the journals.
func writePackage(dir string, changes []finding.FileChange) error {
	targets := make([]*target, 0, len(changes))
	var errs []error
	for _, c := range changes {
		t, err := check(c)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		targets = append(targets, t)
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	j := begin(dir, targets)
	defer j.end()
	for _, t := range targets {
		defer t.discard()
		if err := t.stage(); err != nil {
			return err
		}
	}
	return commit(targets)
}

// commit puts the staged content in place. When that fails for one file, the
// ones before it get their old content back.
func commit(targets []*target) error {
	for i, t := range targets {
		err := t.commit()
		if err == nil {
			continue
		}
		errs := []error{err}
		for _, done := range targets[:i] {
			if err := done.restore(); err != nil {
				errs = append(errs, fmt.Errorf("%w; the file holds the new content", err))
			}
		}
		return errors.Join(errs...)
	}
	return nil
}

// check finds out whether a change can be written, without writing.
func check(c finding.FileChange) (*target, error) {
	t, err := checkPath(c.Path)
	if err != nil {
		return nil, err
	}
	t.change = c
	return t, t.unchanged()
}

// checkPath finds out whether the file at path can be written.
func checkPath(path string) (*target, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, failed(path, err)
	}
	info, err := os.Stat(real)
	switch {
	case err != nil:
		return nil, failed(path, err)
	case !info.Mode().IsRegular():
		return nil, failed(path, errNotRegular)
	case info.Mode()&0o200 == 0:
		// Asked of the mode, because root may write such a file.
		return nil, failed(path, ErrReadOnly)
	}
	f, err := os.OpenFile(real, os.O_WRONLY, 0)
	if err != nil {
		return nil, failed(path, err)
	}
	if err := f.Close(); err != nil {
		return nil, failed(path, err)
	}
	return &target{path: real, info: info}, nil
}

// unchanged returns an error unless the file is what was analysed.
func (t *target) unchanged() error {
	now, err := os.ReadFile(t.path)
	if err != nil {
		return failed(t.change.Path, err)
	}
	if !bytes.Equal(now, t.change.Old) {
		return failed(t.change.Path, ErrChanged)
	}
	return nil
}

// stage writes the new content to a temporary file beside the target. A file
// with several names has to be written in place, and so has one that cannot
// be replaced: where the directory may not be written to, or where the owner
// would change.
func (t *target) stage() error {
	if links(t.info) > 1 {
		return nil
	}
	temp, err := newTemp(t.path, t.info, t.change.New)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return failed(t.change.Path, err)
	}
	t.temp = temp
	return nil
}

// commit makes the new content the content of the file.
func (t *target) commit() error {
	// Once more: staging waited for the disk.
	if err := t.unchanged(); err != nil {
		return err
	}
	return t.replace()
}

// put stages the new content and makes it the content of the file.
func (t *target) put() error {
	defer t.discard()
	if err := t.stage(); err != nil {
		return err
	}
	return t.replace()
}

// replace makes the staged content, or else the new one, that of the file.
func (t *target) replace() error {
	if t.temp != nil {
		err := t.temp.replace()
		if err == nil || !mustStay(err) {
			return failed(t.change.Path, err)
		}
		t.temp.discard()
		t.temp = nil
	}
	if err := overwrite(t.path, t.change.New); err != nil {
		return errors.Join(failed(t.change.Path, err), failed(t.change.Path, overwrite(t.path, t.change.Old)))
	}
	return nil
}

// restore gives a committed file its old content back.
func (t *target) restore() error {
	if t.temp == nil {
		return failed(t.change.Path, overwrite(t.path, t.change.Old))
	}
	temp, err := newTemp(t.path, t.info, t.change.Old)
	if err != nil {
		return failed(t.change.Path, err)
	}
	defer temp.discard()
	return failed(t.change.Path, temp.replace())
}

// discard removes the temporary file, if one is left.
func (t *target) discard() {
	if t.temp != nil {
		t.temp.discard()
	}
}

// tempFile is new content for a file, on disk and not in place yet.
type tempFile interface {
	// replace makes it the content of the file.
	replace() error
	// discard removes it; after replace it does nothing.
	discard()
}

// overwrite writes content over the file at path, which keeps its identity.
func overwrite(path string, content []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.WriteAt(content, 0); err != nil {
		return err
	}
	if err := f.Truncate(int64(len(content))); err != nil {
		return err
	}
	return f.Sync()
}

// failed wraps a non-nil err with the path as the caller knows it.
func failed(path string, err error) error {
	if err == nil {
		return nil
	}
	// The path inside may be the one of a temporary file; one is enough.
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	if le := (*os.LinkError)(nil); errors.As(err, &le) {
		err = le.Err
	}
	return fmt.Errorf("write %s: %w", path, err)
}
