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

// Run analyses pkgs and returns the findings, sorted, and the internal errors
// on the way: a rule that panics on one package loses its findings there, the
// others stand. Packages must have been prepared by Prune.
func Run(rules []rule.Rule, pkgs []*packages.Package, opt rule.Options) ([]finding.Finding, []error) {
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
func RunWatched(rules []rule.Rule, pkgs []*packages.Package, opt rule.Options, watch Watch) ([]finding.Finding, []error) {
	suite := rule.Suite(rules, opt)
	if watch.Done != nil {
		suite = append(suite, done(suite, watch.Done))
	}
	graph, err := checker.Analyze(suite, pkgs, nil)
	if err != nil {
		return nil, []error{fmt.Errorf("internal error: run analyzers: %w", err)}
	}
	var (
		findings []finding.Finding
		errs     []error
		seen     = map[key]bool{}
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
		for _, f := range result.Findings {
			// A file that two packages compile is reported once.
			k := key{f.Rule, f.Message, f.Place}
			if !seen[k] {
				seen[k] = true
				findings = append(findings, f)
			}
		}
	}
	finding.Sort(findings)
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	errs = slices.CompactFunc(errs, func(a, b error) bool { return a == b }) // each rule saw the same summaries
	return findings, errs
}

const doneName = "done"

// done returns an analyzer that runs behind all others and calls f.
func done(suite []*analysis.Analyzer, f func()) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: doneName, Doc: "tell that a package is done", Requires: slices.Clone(suite),
		Run: func(*analysis.Pass) (any, error) { f(); return nil, nil },
	}
}

type key struct {
	rule, message string
	place         finding.Place
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
