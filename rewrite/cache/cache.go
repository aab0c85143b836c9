// Package cache keeps results of analyses between runs: a content-addressed
// store in the user's cache directory, in which a result is found under the
// hash of everything that it depends on.
package cache

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	files "github.com/rogpeppe/go-internal/cache"
)

const (
	// limit is the size in bytes above which results that were not used for
	// long are removed.
	limit = 512 << 20
	// trimInterval is the time between two looks at the size.
	trimInterval = time.Hour
)

// Store is an open cache. It is safe for concurrent use, also by several
// processes. The nil Store holds nothing and keeps nothing.
type Store struct {
	dir  string
	c    *files.Cache
	tool [sha256.Size]byte // of this program
	puts atomic.Int64
}

// Dir returns the directory of the cache of the user.
func Dir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("find the cache directory: %s is not an absolute path", dir)
	}
	return filepath.Join(dir, "goroutinefix", "results"), nil
}

// Open opens the cache in dir, and makes it.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c, err := files.Open(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, c: c}
	// Any other build of this program may find other things.
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(exe)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, fmt.Errorf("read %s: %w", exe, err)
	}
	s.tool = [sha256.Size]byte(h.Sum(nil))
	return s, nil
}

// ID is what a result is found under.
type ID = files.ActionID

// Key gathers what a result depends on.
type Key struct{ h hash.Hash }

// Key returns a key for results of the given kind, made by this program.
func (s *Store) Key(kind string) *Key {
	k := &Key{sha256.New()}
	k.h.Write(s.tool[:])
	k.Add(kind)
	return k
}

// Add adds a list of texts. Lists differ if they are split differently.
func (k *Key) Add(list ...string) {
	fmt.Fprintf(k.h, "%d\n", len(list))
	for _, text := range list {
		fmt.Fprintf(k.h, "%d %s\n", len(text), text)
	}
}

// ID returns the hash of all that was added.
func (k *Key) ID() ID { return ID(k.h.Sum(nil)) }

// Get reads the result with an ID into v, a pointer, and reports whether there
// is one. A damaged result is none.
func (s *Store) Get(id ID, v any) bool {
	if s == nil {
		return false
	}
	data, _, err := s.c.GetBytes(id)
	return err == nil && gob.NewDecoder(bytes.NewReader(data)).Decode(v) == nil
}

// Put keeps v, a pointer, as the result with an ID.
func (s *Store) Put(id ID, v any) error {
	if s == nil {
		return nil
	}
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(v); err != nil {
		return fmt.Errorf("encode a result: %w", err)
	}
	s.puts.Add(1)
	if err := s.c.PutBytes(id, buf.Bytes()); err != nil {
		return fmt.Errorf("keep a result: %w", err)
	}
	return nil
}

// Trim removes results that were not used for days, and the oldest ones of too
// many. It looks at most once an hour, and only after something was added.
func (s *Store) Trim() error {
	if s == nil || s.puts.Load() == 0 {
		return nil
	}
	mark := filepath.Join(s.dir, "trimmed")
	if fi, err := os.Stat(mark); err == nil && time.Since(fi.ModTime()).Abs() < trimInterval {
		return nil
	}
	if err := os.WriteFile(mark, []byte(strconv.FormatInt(time.Now().Unix(), 10)), 0o600); err != nil {
		return err
	}
	if err := s.c.Trim(); err != nil {
		return err
	}
	return shrink(s.dir, limit)
}

// shrink removes the files of dir that were not used for longest until the rest
// has at most three quarters of max bytes, if they have more than max.
func shrink(dir string, max int64) error {
	list, total, err := stored(dir)
	if err != nil || total <= max {
		return err
	}
	slices.SortFunc(list, func(a, b entry) int { return a.used.Compare(b.used) })
	for _, e := range list {
		if total <= max/4*3 {
			break
		}
		if err := os.Remove(e.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= e.size
	}
	return nil
}

// entry is a file of the store.
type entry struct {
	path string
	size int64
	used time.Time
}

// stored lists the files of the store in dir and adds up their sizes in bytes.
func stored(dir string) (list []entry, total int64, err error) {
	names, err := filepath.Glob(filepath.Join(dir, "[0-9a-f][0-9a-f]", "*"))
	if err != nil {
		return nil, 0, err
	}
	for _, name := range names {
		fi, err := os.Lstat(name)
		if err != nil {
			continue // somebody else removed it
		}
		list = append(list, entry{name, fi.Size(), fi.ModTime()})
		total += fi.Size()
	}
	return list, total, nil
}

// Size returns how many bytes the cache in dir holds.
func Size(dir string) (int64, error) {
	_, total, err := stored(dir)
	return total, err
}

// Clean removes the cache in dir and returns how many bytes it held.
func Clean(dir string) (int64, error) {
	total, err := Size(dir)
	return total, cmp.Or(os.RemoveAll(dir), err)
}
