// Package rewrite is the engine: it loads packages, runs rules over them and
// works out the changes that mend what they find. It knows no rule by name,
// prints nothing and writes nothing.
package rewrite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/goroutinefix/goroutinefix/rewrite/cache"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
	"github.com/goroutinefix/goroutinefix/rewrite/policy"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/summary"
)

// Config says what to analyse and how.
type Config struct {
	Dir      string      // working directory; "" is the current one
	Patterns []string    // package patterns, directories and Go files, mixed
	Rules    []rule.Rule // rules to run
	Known    []string    // names of all rules, which directives may name; nil to leave directives unjudged
	Tests    bool        // analyse test files, too
	Tags     string      // build tags, comma separated
	Mod      string      // value of the go command's -mod
	Jobs     int         // processors to use; 0 for all
	Unsafe   bool        // plan unsafe fixes, too
	NoFix    bool        // findings only, plan no changes
	Shard    Shard       // the part of the packages to analyse; all by default
	Matrix   []Build     // the builds to analyse; by default the one of the environment
	// Cache holds results of earlier runs and gets those of this one; nil for none.
	Cache *cache.Store
	// Policy settles which findings count, before Review; nil if all do.
	Policy *policy.Policy
	// Review sees all findings once, sorted, before a fix is planned. It may
	// settle them by their status. It may be nil.
	Review func([]finding.Finding)
	// Progress is told how far a stage is; may be nil. It is called by one
	// goroutine at a time.
	Progress func(stage string, done, total int)
	// Large is told of each package with very much source, and how many bytes, before
	// it is analysed; may be nil.
	Large func(bytes int64)
	Env   []string // environment of the go command; nil for os.Environ()
	// Debugf logs what a user sees with -v; may be nil.
	Debugf func(format string, args ...any)
}

// Shard is one of several parts of the packages: every package is in exactly one of
// the parts 1 to N. The zero Shard holds all of them.
type Shard = load.Shard

// Result is the outcome of a run. Nothing in it refers to syntax or types.
type Result struct {
	Findings []finding.Finding    // sorted, each once, with its status
	Changes  []finding.FileChange // sorted by path
	Skipped  []finding.Skipped    // what was not analysed, and why
	Internal []error              // faults of our own, such as a rule's panic
	Packages int                  // number of packages analysed
	Dirs     []string             // the directories of all that were named, also of broken ones, sorted
	// Elsewhere are changed files that other builds compile, too, together
	// with files that were not checked.
	Elsewhere []string
	// Complete holds the import paths of the packages in which every rule could
	// see all that it needs: what was not found there is not there.
	Complete map[string]bool
}

// Run analyses what cfg names and plans the fixes. It returns an error only
// if nothing could be analysed at all; whatever else went wrong is in the
// result, beside the findings.
func Run(ctx context.Context, cfg Config) (*Result, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if cfg.Jobs > 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cfg.Jobs))
	}
	runs, err := cfg.buildRuns(ctx)
	if err != nil {
		return nil, err
	}
	res := newResult(runs)
	found := union(runs)
	if cfg.Policy != nil {
		cfg.Policy.Review(found)
	}
	cfg.Review(found)
	settle(runs, found)
	if cfg.NoFix {
		res.Findings = wanted(runs, found)
		return res, nil
	}
	// A mistake in a directive is no leak: no fix makes or mends one.
	leaks := found[:0:0]
	for _, f := range found {
		if f.Rule != rule.DirectiveName {
			leaks = append(leaks, f)
		} else if runs[0].prog.Wanted(f) {
			res.Findings = append(res.Findings, f)
		}
	}
	start := time.Now()
	if len(leaks) > 0 && slices.ContainsFunc(runs, (*buildRun).large) {
		// The syntax and types of a large package are garbage by now. To verify its fixes
		// takes as much again, which costs less in memory that the process already has.
		runtime.GC()
	}
	if err := res.fix(ctx, cfg, runs, leaks); err != nil {
		return nil, err
	}
	cfg.Debugf("planned the fixes in %s", since(start))
	finding.Sort(res.Findings)
	slices.SortFunc(res.Changes, func(a, b finding.FileChange) int { return strings.Compare(a.Path, b.Path) })
	res.Elsewhere = elsewhere(runs, res.Changes)
	return res, nil
}

// wanted returns the findings in what was named.
func wanted(runs []*buildRun, found []finding.Finding) []finding.Finding {
	return slices.DeleteFunc(found, func(f finding.Finding) bool { return !runs[0].prog.Wanted(f) })
}

// fix brings each package with findings to its fixpoint, in one build after the
// other, each of which accounts for the findings that the ones before it do not
// have.
func (res *Result) fix(ctx context.Context, cfg Config, runs []*buildRun, found []finding.Finding) error {
	byPackage := map[load.Identity][]finding.Finding{}
	var order []load.Identity
	for _, f := range found {
		id := identity(runs, f)
		if byPackage[id] == nil {
			order = append(order, id)
		}
		byPackage[id] = append(byPackage[id], f)
	}
	took, known := stopwatch{}, 0
	defer func() {
		took.logSlowest(cfg, "fixing", "packages")
		if cfg.Cache != nil && len(order) > 0 {
			cfg.Debugf("the fixes of %d of %d packages known from the cache", known, len(order))
		}
	}()
	for i, id := range order {
		start := time.Now()
		if err := ctx.Err(); err != nil {
			return err
		}
		cfg.Progress("fixing", i, len(order))
		out := cfg.fixPackage(ctx, states(cfg, runs, id), byPackage[id])
		if out.known {
			known++
		}
		res.Findings = append(res.Findings, out.Findings...)
		res.Changes = append(res.Changes, out.Changes...)
		res.Internal = append(res.Internal, out.Internal...)
		took[id.Path] += time.Since(start)
	}
	return ctx.Err()
}

// sound returns the rules that did not panic on a package: only those can say
// what a fix has changed.
func (v *buildRun) sound(rules []rule.Rule, pkg string) []rule.Rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r rule.Rule) bool {
		return slices.ContainsFunc(v.internal, func(err error) bool {
			var p *summary.PanicError
			return errors.As(err, &p) && p.Rule == "rule "+r.Name && p.Package == pkg && p.Function == ""
		})
	})
}

func (cfg Config) withDefaults() (Config, error) {
	if cfg.Dir == "" {
		cfg.Dir = "."
	}
	abs, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return cfg, fmt.Errorf("resolve directory %s: %w", cfg.Dir, err)
	}
	fi, err := os.Stat(abs)
	if err != nil {
		var path *fs.PathError // says the absolute path, and what was called
		if errors.As(err, &path) {
			err = path.Err
		}
		return cfg, fmt.Errorf("open directory %s: %w", cfg.Dir, err)
	}
	if !fi.IsDir() {
		return cfg, fmt.Errorf("open directory %s: not a directory", cfg.Dir)
	}
	cfg.Dir = abs
	if len(cfg.Patterns) == 0 {
		cfg.Patterns = []string{"./..."}
	}
	if cfg.Review == nil {
		cfg.Review = func([]finding.Finding) {}
	}
	if cfg.Progress == nil {
		cfg.Progress = func(string, int, int) {}
	}
	if cfg.Debugf == nil {
		cfg.Debugf = func(string, ...any) {}
	}
	return cfg, nil
}
