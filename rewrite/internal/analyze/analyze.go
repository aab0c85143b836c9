// Package analyze runs rules over packages, one after what it imports, and
// returns plain findings. What did not change since an earlier run comes from
// the cache.
package analyze

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/tools/go/analysis/checker"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/summary"
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

// item is a finding, and the function that computes its fix, if that is open.
type item struct {
	f   finding.Finding
	fix func(*finding.Finding) error
}

// merge adds findings to all. A file that two packages compile is reported once.
func merge(all []item, findings []finding.Finding, fix []func(*finding.Finding) error, seen map[finding.Key]bool) []item {
	for i, f := range findings {
		if k := f.Key(); seen[k] {
			continue
		} else {
			seen[k] = true
		}
		it := item{f: f}
		if fix != nil {
			it.fix = fix[i]
		}
		all = append(all, it)
	}
	return all
}

func sorted(items []item) (found Found) {
	slices.SortStableFunc(items, func(a, b item) int { return finding.Compare(a.f, b.f) })
	for _, it := range items {
		found.Findings = append(found.Findings, it.f)
		found.fix = append(found.fix, it.fix)
	}
	return found
}

// compact sorts errors and leaves each out that was there already: each rule
// saw the same summaries.
func compact(errs []error) []error {
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return slices.CompactFunc(errs, func(a, b error) bool { return a == b })
}

// collect takes the findings out of what the analyzers have returned, and the
// internal errors on the way.
func collect(roots []*checker.Action, opt rule.Options) (Found, []error) {
	var (
		items []item
		errs  []error
		seen  = map[finding.Key]bool{}
	)
	for _, act := range roots {
		if act.Err != nil && act.Analyzer.Name == rule.DirectiveName {
			continue // it needs all rules; the one that failed is reported
		}
		if act.Err != nil {
			var p *summary.PanicError
			if errors.As(act.Err, &p) {
				errs = append(errs, p)
			} else {
				errs = append(errs, fmt.Errorf("internal error: rule %s on package %s: %w", act.Analyzer.Name, act.Package.ID, act.Err))
			}
			continue
		}
		result, ok := act.Result.(*rule.Result)
		if !ok {
			continue // the summaries
		}
		errs = append(errs, result.Internal...)
		var fix []func(*finding.Finding) error
		if opt.Lazy {
			fix = result.Fix
		}
		items = merge(items, result.Findings, fix, seen)
	}
	return sorted(items), compact(errs)
}
