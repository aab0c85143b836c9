package write

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// A journal makes the files of a package change together even when the process
// is killed between two of them. It is on disk before the first file of the
// package is touched and gone when the last one is in place; [Recover] finishes
// what it finds. It lies in the user's cache directory, not beside the files:
// what it says is carried out, so it must not come with somebody's repository.
type journal struct {
	path    string         // of the journal itself; "" for none
	Package string         `json:"package"`
	Files   []journalEntry `json:"files"`
}

type journalEntry struct {
	Path string `json:"path"` // absolute, without symbolic links
	Old  []byte `json:"old"`
	New  []byte `json:"new"`
}

// stateDir returns the directory of the journals, and makes it. Without one,
// as where there is no home directory, files are written without a journal.
func stateDir() (string, bool) {
	cache, err := os.UserCacheDir()
	if err != nil || !filepath.IsAbs(cache) {
		return "", false
	}
	dir := filepath.Join(cache, "goroutinefix", "writing")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", false
	}
	return dir, true
}

// lockInterval is the time between two attempts to get the lock.
const lockInterval = 20 * time.Millisecond

// locked runs f while no other process of this user writes or recovers; dir is
// the directory of the journals, "" if there is none.
func locked(ctx context.Context, f func(dir string) error) error {
	dir, ok := stateDir()
	if !ok {
		return f("")
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return f("")
	}
	defer lock.Close() // which unlocks it
	for !tryLock(lock) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for another run to finish writing: %w", context.Cause(ctx))
		case <-time.After(lockInterval):
		}
	}
	return f(dir)
}

// begin writes the journal of a package to dir.
func begin(dir string, targets []*target) journal {
	if dir == "" {
		return journal{}
	}
	j := journal{Package: targets[0].change.Package}
	for _, t := range targets {
		j.Files = append(j.Files, journalEntry{t.path, t.change.Old, t.change.New})
	}
	sum := sha256.Sum256([]byte(j.Package + "\x00" + j.Files[0].Path))
	path := filepath.Join(dir, hex.EncodeToString(sum[:8])+".json")
	data, err := json.Marshal(j)
	// A full disk is found out by staging, where it matters.
	if err == nil && replaceFile(path, data, 0o600) == nil && syncDir(dir) == nil {
		j.path = path
	}
	return j
}

// end removes the journal once the files are safe on disk.
func (j *journal) end() {
	if j.path == "" {
		return
	}
	for _, f := range j.Files {
		_ = syncDir(filepath.Dir(f.Path)) // not every file system can
	}
	_ = os.Remove(j.path)
}

// Recover finishes what a run that was killed has left in the given
// directories: the files of a package of which some were written are all
// written, and temporary files are removed. A file that has been changed since
// is left alone and named in the error. It returns the packages that it
// finished.
func Recover(ctx context.Context, dirs []string) (finished []string, err error) {
	inside := map[string]bool{}
	for _, d := range dirs {
		if real, err := filepath.EvalSymlinks(d); err == nil {
			inside[real] = true
		}
	}
	err = locked(ctx, func(dir string) error {
		if dir == "" {
			return nil
		}
		names, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			return err
		}
		var errs []error
		for _, name := range names {
			j, ok := readJournal(name)
			if !ok || !slices.ContainsFunc(j.Files, func(f journalEntry) bool { return inside[filepath.Dir(f.Path)] }) {
				continue
			}
			did, err := j.finish()
			if did {
				finished = append(finished, j.Package)
			}
			errs = append(errs, err)
			j.end()
		}
		return errors.Join(errs...)
	})
	return finished, err
}

func readJournal(name string) (j journal, ok bool) {
	data, err := os.ReadFile(name)
	if err != nil || json.Unmarshal(data, &j) != nil || len(j.Files) == 0 {
		return j, false
	}
	j.path = name
	return j, true
}

// finish writes what is left to write, if any of the files was written.
func (j *journal) finish() (did bool, err error) {
	var open []journalEntry
	var errs []error
	touched := false
	for _, f := range j.Files {
		f.removeTemps()
		now, err := os.ReadFile(f.Path)
		switch {
		case err == nil && bytes.Equal(now, f.New):
			touched = true
		case err == nil && bytes.Equal(now, f.Old):
			open = append(open, f)
		case err == nil && torn(now, f.Old, f.New):
			touched = true
			open = append(open, f)
		default:
			errs = append(errs, fmt.Errorf("finish the interrupted write of %s: %w", f.Path, ErrChanged))
		}
	}
	if !touched || len(open) == 0 {
		return false, nil
	}
	if len(errs) > 0 {
		return false, errors.Join(errs...)
	}
	for _, f := range open {
		t, err := checkPath(f.Path)
		if err == nil {
			t.change = finding.FileChange{Path: f.Path, Old: f.Old, New: f.New, Package: j.Package}
			err = t.put()
		}
		errs = append(errs, err)
	}
	return true, errors.Join(errs...)
}

// torn reports whether now is what is left when new was being written over
// old, in place, and the process was killed.
func torn(now, old, intended []byte) bool {
	n := 0
	for n < len(now) && n < len(intended) && now[n] == intended[n] {
		n++
	}
	// The rest is still the old one; the cut may lie anywhere in what both share.
	for k := n; k >= 0; k-- {
		if bytes.Equal(now[k:], old[min(k, len(old)):]) {
			return true
		}
	}
	return false
}

// removeTemps removes temporary files that hold a part of what was to be
// written to f.
func (f journalEntry) removeTemps() {
	dir, base := filepath.Split(f.Path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		digits, ok := strings.CutPrefix(e.Name(), "."+base)
		if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" || !e.Type().IsRegular() {
			continue
		}
		name := filepath.Join(dir, e.Name())
		if part, err := os.ReadFile(name); err == nil && (bytes.HasPrefix(f.New, part) || bytes.HasPrefix(f.Old, part)) {
			_ = os.Remove(name)
		}
	}
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
