// Package analyze runs rules over loaded packages and returns plain findings.
package analyze

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/match"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Found is the result of a run. With [rule.Options.Lazy] the findings lack
// their fixes, and the packages live as long as Found does.
type Found struct {
	Findings []finding.Finding // sorted
	Internal []error           // faults of ours in Complete
	fix      []func(*finding.Finding) error
}

// Done returns findings that have their fixes.
func Done(findings []finding.Finding) Found { return Found{Findings: findings} }

// Complete returns the finding with index i with its fix.
func (f *Found) Complete(i int) finding.Finding {
	if i < len(f.fix) && f.fix[i] != nil {
		if err := f.fix[i](&f.Findings[i]); err != nil {
			f.Internal = append(f.Internal, err)
		}
		f.fix[i] = nil
	}
	return f.Findings[i]
}

// Run analyses pkgs and returns the findings and the internal errors on the
// way: a rule that panics on one package loses its findings there, the
// others stand. Packages must have been prepared by Prune.
func Run(rules []rule.Rule, pkgs []*packages.Package, opt rule.Options) (Found, []error) {
	return RunWatched(rules, pkgs, opt, Watch{})
}

// Watch is told how an analysis goes on. Each function may be nil.
type Watch struct {
	// Done is called behind the last rule of each package, by several
	// goroutines at a time.
	Done func()
	// Took is told at the end how long each step took on each package.
	Took func(pkg, step string, d time.Duration)
}

// RunWatched is [Run] with somebody watching.
func RunWatched(rules []rule.Rule, pkgs []*packages.Package, opt rule.Options, watch Watch) (Found, []error) {
	suite := rule.Suite(rules, opt)
	if watch.Done != nil {
		suite = append(suite, done(suite, watch.Done))
	}
	graph, err := checker.Analyze(suite, pkgs, nil)
	if err != nil {
		return Found{}, []error{fmt.Errorf("internal error: run analyzers: %w", err)}
	}
	type item struct {
		f   finding.Finding
		fix func(*finding.Finding) error
	}
	var (
		items []item
		errs  []error
		seen  = map[finding.Key]bool{}
	)
	for act := range graph.All() {
		if watch.Took != nil {
			watch.Took(act.Package.PkgPath, act.Analyzer.Name, act.Duration)
		}
	}
	for _, act := range graph.Roots {
		if act.Analyzer.Name == doneName {
			continue
		}
		if act.Err != nil && act.Analyzer.Name == rule.DirectiveName {
			continue // it needs all rules; the one that failed is reported
		}
		if act.Err != nil {
			var p *match.PanicError
			if errors.As(act.Err, &p) {
				errs = append(errs, p)
			} else {
				errs = append(errs, fmt.Errorf("internal error: rule %s on package %s: %w", act.Analyzer.Name, act.Package.ID, act.Err))
			}
			continue
		}
		result := act.Result.(*rule.Result)
		errs = append(errs, result.Internal...)
		for i, f := range result.Findings {
			// A file that two packages compile is reported once.
			k := f.Key()
			if seen[k] {
				continue
			}
			seen[k] = true
			it := item{f: f}
			if opt.Lazy {
				it.fix = result.Fix[i]
			}
			items = append(items, it)
		}
	}
	slices.SortStableFunc(items, func(a, b item) int { return finding.Compare(a.f, b.f) })
	var found Found
	for _, it := range items {
		found.Findings = append(found.Findings, it.f)
		found.fix = append(found.fix, it.fix)
	}
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	errs = slices.CompactFunc(errs, func(a, b error) bool { return a == b }) // each rule saw the same summaries
	return found, errs
}

const doneName = "done"

// done returns an analyzer that runs behind all others and calls f.
func done(suite []*analysis.Analyzer, f func()) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: doneName, Doc: "tell that a package is done", Requires: slices.Clone(suite),
		Run: func(*analysis.Pass) (any, error) { f(); return nil, nil },
	}
}

// Prune returns copies of pkgs whose imports lead only to packages with
// syntax, because the checker computes facts for whatever is imported and
// export data has nothing to compute them from.
func Prune(pkgs []*packages.Package) []*packages.Package {
	copies := map[*packages.Package]*packages.Package{}
	var prune func(*packages.Package) *packages.Package
	prune = func(p *packages.Package) *packages.Package {
		if c, ok := copies[p]; ok {
			return c
		}
		c := new(packages.Package)
		*c = *p
		copies[p] = c
		c.Imports = map[string]*packages.Package{}
		for path, dep := range p.Imports {
			if len(dep.Syntax) > 0 && !dep.IllTyped {
				c.Imports[path] = prune(dep)
			}
		}
		return c
	}
	out := make([]*packages.Package, len(pkgs))
	for i, p := range pkgs {
		out[i] = prune(p)
	}
	return out
}
