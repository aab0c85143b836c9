package rewrite

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/analyze"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Build is a build configuration. The zero value is that of the environment.
type Build struct {
	GOOS, GOARCH string   // "" for that of the environment
	Tags         []string // beside those of all builds
}

// String returns the form that ParseBuild reads.
func (b Build) String() string {
	s := b.GOOS
	if b.GOARCH != "" {
		s += "/" + b.GOARCH
	}
	if len(b.Tags) > 0 {
		s += ":" + strings.Join(b.Tags, "+")
	}
	return s
}

// ParseBuild reads GOOS[/GOARCH][:tag+tag...].
func ParseBuild(s string) (Build, error) {
	target, tags, tagged := strings.Cut(s, ":")
	goos, goarch, slashed := strings.Cut(target, "/")
	b := Build{GOOS: goos, GOARCH: goarch}
	if tagged {
		b.Tags = strings.Split(tags, "+")
	}
	word := func(w string) bool {
		return w != "" && strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == ""
	}
	if !word(goos) || slashed && !word(goarch) || slices.ContainsFunc(b.Tags, func(t string) bool { return !word(t) }) {
		return b, fmt.Errorf("%q is no build: want GOOS[/GOARCH][:tag+tag], such as linux or windows/arm64:purego", s)
	}
	return b, nil
}

// buildRun is one build of all packages.
type buildRun struct {
	name     string // "" if there is only one
	prog     *load.Program
	pkgs     []*packages.Package
	analysis *analyze.Analysis
	found    []finding.Finding
	internal []error
	whole    map[string]bool
}

// large reports whether one of the packages has very much source.
func (v *buildRun) large() bool {
	return slices.ContainsFunc(v.pkgs, func(p *packages.Package) bool { return size(p) >= large })
}

// buildRuns loads and analyses each build.
func (cfg Config) buildRuns(ctx context.Context) ([]*buildRun, error) {
	builds := cfg.Matrix
	if len(builds) == 0 {
		builds = []Build{{}}
	}
	var out []*buildRun
	for _, b := range builds {
		v, err := cfg.runBuild(ctx, b)
		if err != nil && len(builds) > 1 {
			return nil, fmt.Errorf("%s: %w", b, err)
		}
		if err != nil {
			return nil, err
		}
		if len(builds) > 1 {
			v.name = b.String()
		}
		out = append(out, v)
	}
	return out, nil
}

func (cfg Config) runBuild(ctx context.Context, b Build) (*buildRun, error) {
	lc := load.Config{Dir: cfg.Dir, Patterns: cfg.Patterns, Tests: cfg.Tests, Tags: cfg.Tags, Mod: cfg.Mod, Env: cfg.Env, MayExclude: len(cfg.Matrix) > 1}
	if b.GOOS != "" {
		if lc.Env == nil {
			lc.Env = os.Environ()
		}
		lc.Env = append(slices.Clip(lc.Env), "GOOS="+b.GOOS)
		if b.GOARCH != "" {
			lc.Env = append(lc.Env, "GOARCH="+b.GOARCH)
		}
		lc.Tags = strings.Trim(cfg.Tags+","+strings.Join(b.Tags, ","), ",")
	}
	start := time.Now()
	cfg.Progress(strings.TrimSpace("loading packages "+b.String()), 0, 0)
	prog, err := load.Load(ctx, lc)
	if err != nil {
		return nil, err
	}
	cfg.Debugf("loaded %d packages, skipped %d, in %s", len(prog.Packages), len(prog.Skipped), since(start))
	v := &buildRun{prog: prog, pkgs: cfg.Shard.Of(prog.Packages), whole: map[string]bool{}}
	start = time.Now()
	whole := prog.DepsAnalyzed()
	a, err := cfg.analyze(ctx, prog, v.pkgs, whole)
	if err != nil {
		return nil, err
	}
	v.analysis, v.found, v.internal = a, a.Findings, a.Internal
	for p, reason := range a.Skipped {
		prog.Drop(p, reason)
	}
	v.pkgs = slices.DeleteFunc(slices.Clone(v.pkgs), func(p *packages.Package) bool { return a.Skipped[p] != "" })
	for _, p := range v.pkgs {
		v.whole[p.PkgPath] = len(v.internal) == 0 && len(a.Skipped) == 0 && whole(p.PkgPath)
	}
	cfg.Debugf("found %d in %s", len(v.found), since(start))
	if cfg.Cache != nil {
		cfg.Debugf("%d of %d packages known from the cache", a.Cached, len(v.pkgs))
	}
	return v, nil
}

// newResult accounts for the packages of all builds.
func newResult(runs []*buildRun) *Result {
	res := &Result{Complete: map[string]bool{}}
	paths := map[string]bool{}
	for _, v := range runs {
		for _, p := range v.pkgs {
			whole, seen := res.Complete[p.PkgPath]
			res.Complete[p.PkgPath] = v.whole[p.PkgPath] && (whole || !seen)
			paths[p.PkgPath] = true
		}
		for _, s := range v.prog.Skipped {
			if s.Excluded && slices.ContainsFunc(runs, func(w *buildRun) bool { return !excludes(w, s) }) {
				continue // another build has it
			}
			if v.name != "" && !s.Excluded {
				s.Package += " (" + v.name + ")"
			}
			if !slices.Contains(res.Skipped, s) {
				res.Skipped = append(res.Skipped, s)
			}
		}
		for _, err := range v.internal {
			if !slices.ContainsFunc(res.Internal, func(e error) bool { return e.Error() == err.Error() }) {
				res.Internal = append(res.Internal, err)
			}
		}
		res.Dirs = append(res.Dirs, v.prog.Dirs...)
	}
	slices.Sort(res.Dirs)
	res.Dirs, res.Packages = slices.Compact(res.Dirs), len(paths)
	return res
}

func excludes(v *buildRun, s finding.Skipped) bool { return slices.Contains(v.prog.Skipped, s) }

// union returns the findings of all builds, each once, sorted. A fix is as safe as
// in the build in which it is least so. That a directive is of no use counts only
// if no build has use for it.
func union(runs []*buildRun) (all []finding.Finding) {
	in, at := map[finding.Key]int{}, map[finding.Key]int{}
	for _, v := range runs {
		for _, f := range v.found {
			k := f.Key()
			if in[k]++; in[k] == 1 {
				at[k] = len(all)
				all = append(all, f)
			} else if bolder(all[at[k]], f) {
				all[at[k]] = f
			}
		}
	}
	all = slices.DeleteFunc(all, func(f finding.Finding) bool {
		builds := 0
		for _, v := range runs {
			if slices.ContainsFunc(v.pkgs, func(p *packages.Package) bool { return v.prog.Compiles(p, f.Place.Path) }) {
				builds++
			}
		}
		return f.Rule == rule.DirectiveName && in[f.Key()] < builds
	})
	finding.Sort(all)
	return all
}

// bolder reports whether f promises more of its fix than g, the same finding in
// another build, does.
func bolder(f, g finding.Finding) bool {
	rank := func(a finding.Applicability) int {
		return slices.Index([]finding.Applicability{finding.None, finding.Unsafe, finding.Safe}, a)
	}
	return rank(f.Applicability) > rank(g.Applicability)
}

// settle hands what a review has made of the findings on to each build.
func settle(runs []*buildRun, reviewed []finding.Finding) {
	by := map[finding.Key]finding.Finding{}
	for _, f := range reviewed {
		by[f.Key()] = f
	}
	for _, v := range runs {
		for i, f := range v.found {
			if r, ok := by[f.Key()]; ok {
				v.found[i] = r
			}
		}
	}
}

// identity returns the identity of the package in which f was found.
func identity(runs []*buildRun, f finding.Finding) load.Identity {
	id := load.Identity{Path: f.Package}
	for _, v := range runs {
		for _, p := range v.pkgs {
			if p.PkgPath == f.Package && (id.Dir == "" || v.prog.Compiles(p, f.Place.Path)) {
				id.Dir = p.Dir
			}
		}
	}
	return id
}

// states returns a package in each build that has it.
func states(cfg Config, runs []*buildRun, id load.Identity) (out []packageState) {
	for _, v := range runs {
		i := slices.IndexFunc(v.pkgs, func(p *packages.Package) bool { return load.Identify(p) == id })
		if i < 0 {
			continue
		}
		s := packageState{build: v.name, prog: v.prog, analysis: v.analysis, rules: v.sound(cfg.Rules, id.Path), pkg: v.pkgs[i]}
		var found []finding.Finding
		for _, f := range v.found {
			if f.Rule != rule.DirectiveName && f.Package == id.Path && identity(runs, f) == id {
				found = append(found, f)
			}
		}
		s.found, s.panics = analyze.Done(found), contained(v.internal, id.Path)
		out = append(out, s)
	}
	return out
}

// split separates the findings that a build has, or had before others were
// fixed, from the rest.
func split(all, has []finding.Finding) (own, rest []finding.Finding) {
	left := map[string]int{}
	for _, f := range has {
		left[f.Fingerprint()]++
	}
	for _, f := range all {
		if fp := f.Fingerprint(); left[fp] > 0 {
			left[fp]--
			own = append(own, f)
		} else {
			rest = append(rest, f)
		}
	}
	return own, rest
}

// elsewhere returns the changed files whose packages have files that none of
// the builds compiles: others compile those together with the changed ones.
func elsewhere(runs []*buildRun, changes []finding.FileChange) (files []string) {
	checked := map[string]bool{}
	for _, v := range runs {
		for _, p := range v.pkgs {
			for _, name := range p.GoFiles {
				checked[name] = true
			}
		}
	}
	for _, c := range changes {
		for _, v := range runs {
			i := slices.IndexFunc(v.pkgs, func(p *packages.Package) bool { return v.prog.Compiles(p, c.Path) })
			if i >= 0 && slices.ContainsFunc(v.pkgs[i].IgnoredFiles, func(name string) bool { return strings.HasSuffix(name, ".go") && !checked[name] }) {
				files = append(files, c.Path)
				break
			}
		}
	}
	return files
}
