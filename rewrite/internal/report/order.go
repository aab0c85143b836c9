package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// byImportance returns the findings in the order in which a reader with little
// room should meet them: what is open before what is settled, the program
// before its tests, and what can be fixed safely first. Within that, the order
// stays.
func byImportance(findings []finding.Finding) []*finding.Finding {
	list := make([]*finding.Finding, len(findings))
	for i := range findings {
		list[i] = &findings[i]
	}
	slices.SortStableFunc(list, func(a, b *finding.Finding) int {
		return cmp.Or(
			compareBool(settled(a), settled(b)),
			compareBool(inTest(a), inTest(b)),
			cmp.Compare(fixRank(a), fixRank(b)),
		)
	})
	return list
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func inTest(f *finding.Finding) bool { return strings.HasSuffix(f.Place.Path, "_test.go") }

func fixRank(f *finding.Finding) int {
	switch {
	case f.Status == finding.Fixable && f.Applicability == finding.Safe:
		return 0
	case f.Status == finding.Fixable || f.Status == finding.UnsafeHidden:
		return 1
	}
	return 2
}

// steps returns the way to the leak: the related places in the order in which
// the rule tells of them, and the finding itself before the first of them
// that lies after it in the source.
func steps(f *finding.Finding) []finding.Related {
	self := finding.Related{Place: f.Place, Message: f.Message}
	at := slices.IndexFunc(f.Related, func(r finding.Related) bool {
		return r.Path != f.Place.Path || r.Offset > f.Place.Offset
	})
	if at < 0 {
		at = len(f.Related)
	}
	return slices.Insert(slices.Clone(f.Related), at, self)
}

// fingerprints returns a fingerprint for each finding, no two the same. Of
// findings that share one, the first keeps it, so that it stays when others
// come and go after it.
func fingerprints(findings []finding.Finding) []string {
	seen := map[string]int{}
	list := make([]string, len(findings))
	for i := range findings {
		fp := findings[i].Fingerprint()
		seen[fp]++
		if n := seen[fp]; n > 1 {
			sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", fp, n))
			fp = hex.EncodeToString(sum[:8])
		}
		list[i] = fp
	}
	return list
}

// rulesOf returns the names of the rules of findings in the order of the
// rules of the run.
func rulesOf(findings []finding.Finding, opt Options) []string {
	seen := map[string]bool{}
	for i := range findings {
		seen[findings[i].Rule] = true
	}
	var names []string
	for _, r := range opt.Rules {
		if seen[r.Name] {
			names = append(names, r.Name)
			delete(seen, r.Name)
		}
	}
	var others []string
	for n := range seen {
		others = append(others, n)
	}
	slices.Sort(others)
	return append(names, others...)
}

func compareEdits(a, b finding.Edit) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End), cmp.Compare(a.New, b.New))
}
