// Package policy decides which findings a run is about: the configuration leaves out
// paths and rules, a baseline knows old findings, a revision of the repository says
// which lines are new. It settles the status of the others and changes nothing else.
package policy

import (
	"context"
	"fmt"

	"github.com/goroutinefix/goroutinefix/rewrite/config"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/baseline"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/revision"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/write"
)

// Source says what a policy is made of.
type Source struct {
	Dir    string // of the run; its repository has the revisions
	Config *config.Config

	// Baseline is the absolute path of a baseline, or "". Foreign is set where it must
	// not be written.
	Baseline string
	Foreign  bool

	// Revision and MergeBase name a commit, or are "": findings on lines that are the
	// same there are old. With both, MergeBase counts.
	Revision, MergeBase string

	// Generated says that findings in generated files are shown, too.
	Generated bool

	// Unconfigured names a rule whose findings the configuration of rules does not
	// leave out.
	Unconfigured string
}

// Policy decides which findings a run is about.
type Policy struct {
	Source
	known *baseline.Baseline // nil without one
	lines *revision.Lines    // nil without a commit
}

// New reads what the policy needs. An error means that it cannot be applied:
// nothing should be reported then rather than too little.
func New(ctx context.Context, s Source) (*Policy, error) {
	p := &Policy{Source: s}
	var err error
	if s.Baseline != "" {
		if p.known, err = baseline.Read(s.Baseline); err != nil {
			return nil, err
		}
	}
	rev, flag := s.Revision, "-new-from-rev"
	if s.MergeBase != "" {
		rev, flag = s.MergeBase, "-new-from-merge-base"
	}
	if rev == "" {
		return p, nil
	}
	if p.lines, err = s.changed(ctx, rev); err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, rev, err)
	}
	return p, nil
}

// changed returns the lines that differ from rev.
func (s Source) changed(ctx context.Context, rev string) (*revision.Lines, error) {
	repo, err := revision.Open(ctx, s.Dir)
	if err != nil {
		return nil, err
	}
	find := repo.Commit
	if s.MergeBase != "" {
		find = repo.MergeBase
	}
	commit, err := find(ctx, rev)
	if err != nil {
		return nil, err
	}
	return repo.Changed(ctx, commit)
}

// Review settles the findings that the run is not about.
func (p *Policy) Review(found []finding.Finding) {
	for i := range found {
		f := &found[i]
		if f.Status == finding.Suppressed {
			continue
		}
		if p.Config.ExcludesFile(f.Place.Path) || f.Rule != p.Unconfigured && p.Config.Excludes(f.Rule, f.Place.Path) {
			f.Outcome = finding.Outcome{Status: finding.Excluded}
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
			f.Outcome = finding.Outcome{Status: finding.Old}
		}
	}
}

// Visible returns the findings to show, and counts the others by the status
// that is the reason.
func (p *Policy) Visible(findings []finding.Finding) (shown []finding.Finding, hidden map[finding.Status]int) {
	hidden = map[finding.Status]int{}
	for _, f := range findings {
		switch f.Status {
		case finding.Generated:
			if p.Generated {
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

// Prune removes from the baseline what is gone from the code, if write is set and
// the baseline may be written; else it tells logf what it would remove. Judged reports
// whether a finding of a rule in a package would have been found again by the run.
// How is the command that writes a baseline anew.
func (p *Policy) Prune(judged func(rule, pkg string) bool, writes bool, how string, logf func(string, ...any)) error {
	if p.known == nil {
		return nil
	}
	stale := p.known.Stale(judged)
	if len(stale) == 0 {
		return nil
	}
	n := 0
	for _, e := range stale {
		n += e.Count
		logf("gone, but in the baseline: %s: %s %s: %s (%d)", e.Package, e.Function, e.Rule, e.Message, e.Count)
	}
	if !writes {
		logf("%d of the baseline gone; -w and %s remove them from %s", n, how, p.Baseline)
		return nil
	}
	if p.Foreign {
		logf("%d of the baseline gone; %s lies outside of the directory of the configuration and is not written", n, p.Baseline)
		return nil
	}
	logf("removed %d from %s", n, p.Baseline)
	return write.Output(p.Baseline, p.known.Without(stale).Bytes())
}
