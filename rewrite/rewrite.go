// Package rewrite is the engine: it loads packages, runs rules over them and
// works out the changes that mend what they find. It knows no rule by name,
// prints nothing and writes nothing.
package rewrite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/load"
	"github.com/goroutinefix/goroutinefix/rewrite/match"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
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
	Shard    load.Shard  // the part of the packages to analyse; all by default
	// Review sees all findings once, sorted, before a fix is planned. It may
	// settle them by their status. It may be nil.
	Review func([]finding.Finding)
	// Progress is told how far a stage is; may be nil. It is called by one
	// goroutine at a time.
	Progress func(stage string, done, total int)
	Env      []string // environment of the go command; nil for os.Environ()
	// Debugf logs what a user sees with -v; may be nil.
	Debugf func(format string, args ...any)
}

// Result is the outcome of a run. Nothing in it refers to syntax or types.
type Result struct {
	Findings []finding.Finding    // sorted, each once, with its status
	Changes  []finding.FileChange // sorted by path
	Skipped  []finding.Skipped    // what was not analysed, and why
	Internal []error              // faults of our own, such as a rule's panic
	Packages int                  // number of packages analysed
	Dirs     []string             // their directories, sorted
	// Whole holds the import paths of the packages in which every rule could
	// see all that it needs: what was not found there is not there.
	Whole map[string]bool
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
	start := time.Now()
	cfg.Progress("loading packages", 0, 0)
	prog, err := load.Load(ctx, load.Config{Dir: cfg.Dir, Patterns: cfg.Patterns, Tests: cfg.Tests, Tags: cfg.Tags, Mod: cfg.Mod, Env: cfg.Env})
	if err != nil {
		return nil, err
	}
	cfg.Debugf("loaded %d packages, skipped %d, in %s", len(prog.Packages), len(prog.Skipped), since(start))
	chosen, whole := cfg.Shard.Of(prog.Packages), prog.Whole()
	res := &Result{Skipped: prog.Skipped, Packages: len(chosen), Dirs: dirs(chosen), Whole: map[string]bool{}}

	start = time.Now()
	result, errs := cfg.analyze(prog, chosen, whole)
	found := result.Findings
	res.Internal = errs
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, p := range chosen {
		res.Whole[p.PkgPath] = len(errs) == 0 && whole(p.Types)
	}
	cfg.Debugf("found %d in %s", len(found), since(start))
	cfg.Review(found)
	if cfg.NoFix {
		res.Findings = slices.DeleteFunc(found, func(f finding.Finding) bool { return !prog.Wanted(f) })
		return res, nil
	}
	// A mistake in a directive is no leak: no fix makes or mends one.
	leaks := found[:0:0]
	for _, f := range found {
		if f.Rule != rule.DirectiveName {
			leaks = append(leaks, f)
		} else if prog.Wanted(f) {
			res.Findings = append(res.Findings, f)
		}
	}
	start = time.Now()
	if err := res.fix(ctx, cfg, prog, leaks); err != nil {
		return nil, err
	}
	cfg.Debugf("planned the fixes in %s", since(start))
	finding.Sort(res.Findings)
	slices.SortFunc(res.Changes, func(a, b finding.FileChange) int { return strings.Compare(a.Path, b.Path) })
	return res, nil
}

// dirs returns the directories of the files of pkgs, sorted.
func dirs(pkgs []*packages.Package) (out []string) {
	for _, p := range pkgs {
		for _, name := range p.GoFiles {
			out = append(out, filepath.Dir(name))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// fix brings each package with findings to its fixpoint.
func (res *Result) fix(ctx context.Context, cfg Config, prog *load.Program, found []finding.Finding) error {
	// By import path: the files of a package that uses cgo lie in the build
	// cache, its findings do not.
	owner := map[string]*packages.Package{}
	for _, p := range prog.Packages {
		owner[p.PkgPath] = p
	}
	byPackage := map[*packages.Package][]finding.Finding{}
	var order []*packages.Package
	for _, f := range found {
		p := owner[f.Package]
		if byPackage[p] == nil {
			order = append(order, p)
		}
		byPackage[p] = append(byPackage[p], f)
	}
	took := stopwatch{}
	defer func() { took.tell(cfg, "fixing", "packages") }()
	for i, p := range order {
		start := time.Now()
		if err := ctx.Err(); err != nil {
			return err
		}
		cfg.Progress("fixing", i, len(order))
		fp := &fixpoint{cfg: cfg, prog: prog, pkg: p, overlay: map[string][]byte{}}
		fp.cfg.Rules = res.sound(cfg.Rules, p.PkgPath)
		all, changes, errs := fp.run(ctx, byPackage[p])
		res.Findings = append(res.Findings, all...)
		res.Changes = append(res.Changes, changes...)
		res.Internal = append(res.Internal, errs...)
		took[p.PkgPath] += time.Since(start)
	}
	return ctx.Err()
}

// sound returns the rules that did not panic on a package: only those can say
// what a fix has changed.
func (res *Result) sound(rules []rule.Rule, pkg string) []rule.Rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r rule.Rule) bool {
		return slices.ContainsFunc(res.Internal, func(err error) bool {
			var p *match.PanicError
			return errors.As(err, &p) && p.Rule == "rule "+r.Name && p.Package == pkg
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
		return cfg, fmt.Errorf("open directory %s: no such directory", cfg.Dir)
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
