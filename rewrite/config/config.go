// Package config reads .goroutinefix.yaml.
package config

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Name is the name of the file.
const Name = ".goroutinefix.yaml"

// Schema is the JSON schema of the file.
//
//go:embed schema.json
var Schema []byte

// Config is what a file says. A field that the file does not name is nil.
type Config struct {
	Path      string   // of the file, absolute; "" without one
	Rules     []string // rules to run
	Skip      []string // rules not to run
	Tests     *bool    // analyse test files, too
	Tags      []string // build tags
	Unsafe    *bool    // the unsafe fixes, too
	Generated *bool    // show findings in generated files
	Exclude   []string // patterns of files whose findings are not wanted
	Baseline  string   // path of the baseline, absolute
	Paths     []Path   // rules for some files
}

// Path says which rules are wanted in some files.
type Path struct {
	Path  string   // pattern
	Rules []string // only these
	Skip  []string // not these
}

// Find returns the path of the nearest file in dir or above it, up to root,
// the root of its module; if root is "", in dir alone. Without a file it
// returns "".
func Find(dir, root string) string {
	for d := dir; ; d = filepath.Dir(d) {
		path := filepath.Join(d, Name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path
		}
		if root == "" || d == root || d == filepath.Dir(d) {
			return ""
		}
	}
}

// Read reads the file at path; rules are the names that it may use. The error
// joins one for each mistake, with path, line and column.
func Read(path string, rules []string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	c, errs := parse(data, rules)
	if len(errs) > 0 {
		var list []error
		for _, e := range errs {
			list = append(list, fmt.Errorf("%s:%w", path, e))
		}
		return nil, errors.Join(list...)
	}
	c.Path = path
	if c.Baseline != "" && !filepath.IsAbs(c.Baseline) {
		c.Baseline = filepath.Join(filepath.Dir(path), filepath.FromSlash(c.Baseline))
	}
	return c, nil
}

// BaselineOutside reports whether the baseline lies outside of the directory of
// the file, links followed if need be: then it is read, and not written, because the
// file that names it may have come with the code.
func (c *Config) BaselineOutside() bool {
	if c.Baseline == "" {
		return false
	}
	resolve := func(path string) string {
		if p, err := filepath.EvalSymlinks(path); err == nil {
			return p
		}
		return path
	}
	path := filepath.Join(resolve(filepath.Dir(c.Baseline)), filepath.Base(c.Baseline))
	rel, err := filepath.Rel(resolve(filepath.Dir(c.Path)), resolve(path))
	return err != nil || !filepath.IsLocal(rel)
}

// ExcludesFile reports whether nothing is wanted of the file at path, which
// is absolute.
func (c *Config) ExcludesFile(path string) bool {
	rel := c.rel(path)
	return slices.ContainsFunc(c.Exclude, func(p string) bool { return matches(p, rel) })
}

// Excludes reports whether findings of a rule are not wanted in the file at
// path, which is absolute.
func (c *Config) Excludes(rule, path string) bool {
	if c.ExcludesFile(path) {
		return true
	}
	rel := c.rel(path)
	for _, p := range c.Paths {
		if !matches(p.Path, rel) {
			continue
		}
		if p.Rules != nil && !has(p.Rules, rule) || has(p.Skip, rule) {
			return true
		}
	}
	return false
}

// rel returns path relative to the directory of the file, with slashes.
func (c *Config) rel(path string) string {
	if rel, err := filepath.Rel(filepath.Dir(c.Path), path); err == nil {
		path = rel
	}
	return filepath.ToSlash(path)
}

func has(names []string, rule string) bool {
	return slices.Contains(names, rule) || slices.Contains(names, "all")
}

// matches reports whether a pattern is that of a path: ** stands for any
// directories, and a pattern that names a directory for all that is in it.
func matches(pattern, rel string) bool {
	pattern = strings.TrimSuffix(strings.TrimPrefix(pattern, "./"), "/")
	if ok, _ := doublestar.Match(pattern, rel); ok {
		return true
	}
	ok, _ := doublestar.Match(pattern+"/**", rel)
	return ok
}
