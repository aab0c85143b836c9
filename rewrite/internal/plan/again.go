package plan

import (
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// refusal is why a fix that works by itself was not accepted: in the package as
// it was then, something else stood against it.
type refusal struct {
	sites   []finding.Site  // the declarations that the fix changes
	against map[string]bool // identities of the findings that it hides or causes
	over    bool            // one of them is fixed now, or the declaration has changed
}

// Refuse records that the fixes of c that guilty accepts do not work as long as
// the findings in against are as they are. It reports whether there were any.
// Unlike with [Choice.Deny], they are tried again once that has changed.
func (c Choice) Refuse(guilty func(finding.Finding) bool, status finding.Status, reason string, against []finding.Finding) bool {
	r := map[string]bool{}
	for _, f := range against {
		r[identity(f)] = true
	}
	found := false
	for i, e := range c.entries {
		if f := c.Findings[i]; guilty(f) {
			found = true
			e.f.Outcome = finding.Outcome{Status: status, Reason: reason}
			e.denied = true
			if !e.edited { // what the user has written holds for the unchanged text only
				e.refused = &refusal{sites: f.Sites(), against: r}
			}
		}
	}
	return found
}

// Alone reports whether f is the only finding of c that changes its declarations.
func (c Choice) Alone(f finding.Finding) bool {
	sites, n := f.Sites(), 0
	for _, g := range c.Findings {
		if slices.ContainsFunc(g.Sites(), func(s finding.Site) bool { return slices.Contains(sites, s) }) {
			n++
		}
	}
	return n == 1
}

// reconsider marks the refusals that the fixes of c, which are accepted, have overtaken.
func (l *Ledger) reconsider(c Choice) {
	for _, e := range l.order {
		if e.refused == nil || e.refused.over || e.fixed {
			continue
		}
		e.refused.over = slices.ContainsFunc(c.Findings, func(f finding.Finding) bool {
			return e.refused.against[identity(f)] ||
				slices.ContainsFunc(f.Sites(), func(s finding.Site) bool { return slices.Contains(e.refused.sites, s) })
		})
	}
}

// Again opens the entries whose refusals have been overtaken since, and reports
// whether there are any. From then on fixes are chosen from the end of each
// file, because a fix mostly hides what comes after it: of contexts that are
// made from each other, the inner ones.
//
// Each fix is refused at most once for each fix that is accepted.
func (l *Ledger) Again() bool {
	again := false
	for _, e := range l.order {
		if e.refused != nil && e.refused.over {
			e.denied, e.refused = false, nil
			again, l.backwards = true, true
		}
	}
	return again
}

// inOrder calls visit with each index of a list of n findings, until it returns
// false.
func (l *Ledger) inOrder(n int, visit func(i int) bool) {
	for i := range n {
		if l.backwards {
			i = n - 1 - i
		}
		if !visit(i) {
			return
		}
	}
}
