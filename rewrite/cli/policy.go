package cli

import (
	"context"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/policy"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// policy reads what decides which findings the run is about.
func (o *options) policy(ctx context.Context) (*policy.Policy, error) {
	return policy.New(ctx, policy.Source{
		Dir: o.dir, Config: o.config,
		Baseline: o.baseline, Foreign: o.foreignBaseline,
		Revision: o.newFrom, MergeBase: o.newFromBase,
		Generated:    o.generated,
		Unconfigured: rule.DirectiveName,
	})
}

// judged returns a function that reports whether a finding of a rule in a
// package would have been found again by this run, if it was still there.
func (o *options) judged(res *rewrite.Result) func(rule, pkg string) bool {
	ran := map[string]bool{rule.DirectiveName: true}
	for _, r := range o.rules {
		ran[r.Name] = true
	}
	return func(rule, pkg string) bool { return o.tests && ran[rule] && res.Complete[pkg] }
}

// prune removes from the baseline what is gone from the code, when the run
// writes; else it tells with -v.
func (o *options) prune(pol *policy.Policy, res *rewrite.Result, logf func(string, ...any)) error {
	return pol.Prune(o.judged(res), o.write, name+" baseline", logf)
}
