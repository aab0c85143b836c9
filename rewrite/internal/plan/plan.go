// Package plan decides which fixes are applied together and keeps the account
// of what became of each finding.
package plan

import (
	"fmt"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// Ledger accounts for the findings of one package while its files change.
// Findings are told apart by fingerprint and, within one fingerprint, by
// their order in the file, which fixes do not change.
type Ledger struct {
	entries   map[string][]*entry
	order     []*entry
	backwards bool // choose the last findings of a file first
}

type entry struct {
	f      finding.Finding
	edited bool // the fix is the user's and holds for the unchanged text only
	fixed  bool
	denied bool
	// refused says why an entry is denied that may be tried again.
	refused *refusal
}

// NewLedger starts the account with the findings of the unchanged package.
func NewLedger(found []finding.Finding) *Ledger {
	l := &Ledger{entries: map[string][]*entry{}}
	for _, f := range found {
		e := &entry{f: f, edited: f.Fix != nil && f.Fix.Edited, denied: f.Status.Settled()}
		l.entries[f.Fingerprint()] = append(l.entries[f.Fingerprint()], e)
		l.order = append(l.order, e)
	}
	return l
}

// open pairs the findings of the current state with their entries.
func (l *Ledger) open(current []finding.Finding) []*entry {
	next := map[string]int{}
	out := make([]*entry, len(current))
	for i, f := range current {
		fp := f.Fingerprint()
		list, k := l.entries[fp], next[fp]
		for k < len(list) && list[k].fixed {
			k++
		}
		if k < len(list) {
			out[i] = list[k]
			next[fp] = k + 1
		}
	}
	return out
}

// Choice is a set of fixes that are applied in one step, to the text that each
// of them was computed on: their edits lie apart.
type Choice struct {
	Findings []finding.Finding
	entries  []*entry
}

// Limit bounds a choice.
type Limit struct {
	All  int // the number of fixes; 0 for no limit
	Decl int // the number of fixes in each declaration
}

// Choose takes the next fixes from the current findings that want accepts.
// complete returns the finding with index i with its fix, which current need
// not hold. In one declaration a fix may make another one needless or wrong,
// so a limit of more than one there is for those who check the result. Fixes
// that the user has edited come first, because they hold for the unchanged
// text only.
func (l *Ledger) Choose(current []finding.Finding, want func(finding.Finding) bool, complete func(i int) finding.Finding, limit Limit) Choice {
	open := l.open(current)
	edited := l.edited(open, current)
	var c Choice
	taken := map[finding.Site]int{}
	edits := map[string][]finding.Edit{} // by file
	l.inOrder(len(open), func(i int) bool {
		e := open[i]
		full := func(s finding.Site) bool { return taken[s] == limit.Decl }
		if e == nil || e.denied || edited && !e.edited || slices.ContainsFunc(current[i].Sites(), full) || !want(current[i]) {
			return true
		}
		f := complete(i)
		if f.Fix == nil || slices.ContainsFunc(f.Sites(), full) || !want(f) || crowded(taken, f) && !apart(edits, f.Fix.Edits) {
			return true
		}
		for _, s := range f.Sites() {
			taken[s]++
		}
		for _, e := range f.Fix.Edits {
			edits[e.Path] = append(edits[e.Path], e)
		}
		c.Findings = append(c.Findings, f)
		c.entries = append(c.entries, e)
		return len(c.Findings) != limit.All
	})
	return c
}

// edited reports whether fixes that the user has edited wait. What another fix
// has taken the ground from is denied.
func (l *Ledger) edited(open []*entry, current []finding.Finding) (wait bool) {
	for i, e := range open {
		if e == nil || !e.edited || e.denied {
			continue
		}
		if f := current[i]; f.Fix == nil || !f.Fix.Edited {
			e.denied = true
			e.f.Outcome = finding.Outcome{Status: finding.Conflict, Reason: "another fix changed the text that was edited"}
			continue
		}
		wait = true
	}
	return wait
}

// crowded reports whether f changes a declaration that others change, too.
func crowded(taken map[finding.Site]int, f finding.Finding) bool {
	return slices.ContainsFunc(f.Sites(), func(s finding.Site) bool { return taken[s] > 0 })
}

// apart reports whether there is unchanged text between the edits and those
// that their files have so far.
func apart(sofar map[string][]finding.Edit, edits []finding.Edit) bool {
	for _, x := range edits {
		if slices.ContainsFunc(sofar[x.Path], func(y finding.Edit) bool { return x.Start <= y.End && y.Start <= x.End }) {
			return false
		}
	}
	return true
}

// Edits returns the edits of a choice by file. Equal edits, such as two fixes
// that add the same import, are one.
func (c Choice) Edits() (map[string][]finding.Edit, error) {
	edits := map[string][]finding.Edit{}
	seen := map[finding.Edit]bool{}
	for _, f := range c.Findings {
		for _, e := range f.Fix.Edits {
			if !seen[e] {
				seen[e] = true
				edits[e.Path] = append(edits[e.Path], e)
			}
		}
	}
	for path, list := range edits {
		slices.SortFunc(list, func(a, b finding.Edit) int {
			if a.Start != b.Start {
				return a.Start - b.Start
			}
			return a.End - b.End
		})
		for i := 1; i < len(list); i++ {
			if list[i].Start < list[i-1].End || list[i].Start == list[i-1].Start {
				return nil, fmt.Errorf("two fixes change byte %d of %s", list[i].Start, path)
			}
		}
	}
	return edits, nil
}

// Apply returns src with edits, which must be sorted and not overlap.
func Apply(src []byte, edits []finding.Edit) []byte {
	var out []byte
	last := 0
	for _, e := range edits {
		out = append(out, src[last:e.Start]...)
		out = append(out, e.New...)
		last = e.End
	}
	return append(out, src[last:]...)
}

// Accept records the fixes of c.
func (l *Ledger) Accept(c Choice) {
	for _, e := range c.entries {
		e.fixed = true
	}
	l.reconsider(c)
}

// Deny records that the fixes of c whose function and file guilty accepts do not work, and why.
// It reports whether there were any.
func (c Choice) Deny(guilty func(finding.Finding) bool, status finding.Status, reason string) bool {
	found := false
	for i, e := range c.entries {
		if guilty(c.Findings[i]) {
			e.denied, found = true, true
			e.f.Outcome = finding.Outcome{Status: status, Reason: reason}
		}
	}
	return found
}

// Grown returns the findings of after that neither were there before c was
// applied nor are left over from it: a fix that failed to mend its finding or
// caused another.
func (c Choice) Grown(before, after []finding.Finding) []finding.Finding {
	allowed := count(before)
	for _, f := range c.Findings {
		allowed[identity(f)]--
	}
	var grown []finding.Finding
	for _, f := range after {
		fp := identity(f)
		if allowed[fp]--; allowed[fp] < 0 {
			grown = append(grown, f)
		}
	}
	return grown
}

// Vanished returns the findings of before that are gone although c does not
// fix them: a fix that only hides something.
func (c Choice) Vanished(before, after []finding.Finding) []finding.Finding {
	left := count(after)
	for _, f := range c.Findings {
		left[identity(f)]++
	}
	var vanished []finding.Finding
	for _, f := range before {
		fp := identity(f)
		if left[fp]--; left[fp] < 0 {
			vanished = append(vanished, f)
		}
	}
	return vanished
}

func count(fs []finding.Finding) map[string]int {
	n := map[string]int{}
	for _, f := range fs {
		n[identity(f)]++
	}
	return n
}

// identity tells findings apart across a fix. One that a comment suppresses
// is another one when the comment does not cover it any more.
func identity(f finding.Finding) string {
	if f.Status == finding.Suppressed {
		return "suppressed " + f.Fingerprint()
	}
	return f.Fingerprint()
}

// Close returns the account: each finding of the unchanged package once, with
// what became of it. current are the findings of the last state, complete as
// for [Ledger.Choose].
func (l *Ledger) Close(current []finding.Finding, complete func(i int) finding.Finding) (all, fixed []finding.Finding) {
	for i, e := range l.open(current) {
		if e != nil && !e.denied {
			// The state of the last iteration is the one that counts: a fix may
			// have become impossible on the way.
			now := complete(i)
			e.f.Applicability, e.f.Outcome = now.Applicability, now.Outcome
			switch {
			case now.Fix == nil:
				e.f.Fix = nil
			case e.f.Fix != nil && e.f.Fix.Message != now.Fix.Message: // it says why the fix is unsafe
				fix := *e.f.Fix
				fix.Message = now.Fix.Message
				e.f.Fix = &fix
			}
		}
	}
	for _, e := range l.order {
		if e.fixed {
			e.f.Outcome = finding.Outcome{Status: finding.Fixable}
			fixed = append(fixed, e.f)
		}
		all = append(all, e.f)
	}
	return all, fixed
}
