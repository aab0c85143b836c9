package cli

import (
	"context"
	"fmt"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/baseline"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/revision"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/write"
)

// policy decides which findings a run is about.
type policy struct {
	opt   *options
	known *baseline.Baseline // nil without one
	lines *revision.Lines    // nil without a base
}

// newPolicy reads what the policy needs. An error means that it cannot be
// applied: nothing is reported then rather than too little.
func newPolicy(ctx context.Context, o *options) (*policy, error) {
	p := &policy{opt: o}
	var err error
	if o.baseline != "" {
		if p.known, err = baseline.Read(o.baseline); err != nil {
			return nil, err
		}
	}
	rev, flag := o.newFrom, "-new-from-rev"
	if o.newFromBase != "" {
		rev, flag = o.newFromBase, "-new-from-merge-base"
	}
	if rev == "" {
		return p, nil
	}
	if p.lines, err = changed(ctx, o, rev); err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, rev, err)
	}
	return p, nil
}

// changed returns the lines that differ from the base of the run.
func changed(ctx context.Context, o *options, rev string) (*revision.Lines, error) {
	repo, err := revision.Open(ctx, o.dir)
	if err != nil {
		return nil, err
	}
	find := repo.Commit
	if o.newFromBase != "" {
		find = repo.MergeBase
	}
	commit, err := find(ctx, rev)
	if err != nil {
		return nil, err
	}
	return repo.Changed(ctx, commit)
}

// review settles the findings that the run is not about.
func (p *policy) review(found []finding.Finding) {
	for i := range found {
		f := &found[i]
		if f.Status == finding.Suppressed {
			continue
		}
		if p.opt.config.ExcludesFile(f.Place.Path) || f.Rule != rule.DirectiveName && p.opt.config.Excludes(f.Rule, f.Place.Path) {
			f.Status = finding.Excluded
		}
	}
	if p.known != nil {
		p.known.Apply(found)
	}
	if p.lines == nil {
		return
	}
	for i := range found {
		if f := &found[i]; !f.Status.Settled() && !p.lines.New(f) {
			f.Status = finding.Old
		}
	}
}

// visible returns the findings to show, and counts the others by the status
// that is the reason.
func (p *policy) visible(findings []finding.Finding) (shown []finding.Finding, hidden map[finding.Status]int) {
	hidden = map[finding.Status]int{}
	for _, f := range findings {
		switch f.Status {
		case finding.Generated:
			if p.opt.generated {
				break
			}
			fallthrough
		case finding.Old, finding.Excluded:
			hidden[f.Status]++
			continue
		}
		shown = append(shown, f)
	}
	return shown, hidden
}

// judged returns a function that reports whether a finding of a rule in a
// package would have been found again by this run, if it was still there.
func (o *options) judged(res *rewrite.Result) func(rule, pkg string) bool {
	ran := map[string]bool{rule.DirectiveName: true}
	for _, r := range o.rules {
		ran[r.Name] = true
	}
	return func(rule, pkg string) bool { return o.tests && ran[rule] && res.Whole[pkg] }
}

// prune removes from the baseline what is gone from the code, when the run
// writes; else it tells with -v.
func (p *policy) prune(res *rewrite.Result, logf func(string, ...any)) error {
	if p.known == nil {
		return nil
	}
	stale := p.known.Stale(p.opt.judged(res))
	if len(stale) == 0 {
		return nil
	}
	n := 0
	for _, e := range stale {
		n += e.Count
		logf("gone, but in the baseline: %s: %s %s: %s (%d)", e.Package, e.Function, e.Rule, e.Message, e.Count)
	}
	if !p.opt.write {
		logf("%d of the baseline gone; -w and %s baseline remove them from %s", n, name, p.opt.baseline)
		return nil
	}
	if p.opt.foreignBaseline {
		logf("%d of the baseline gone; %s lies outside of the directory of the configuration and is not written", n, p.opt.baseline)
		return nil
	}
	logf("removed %d from %s", n, p.opt.baseline)
	return write.Output(p.opt.baseline, p.known.Without(stale).Bytes())
}
