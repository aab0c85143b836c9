package rewrite

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/analyze"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/load"
	"github.com/goroutinefix/goroutinefix/rewrite/plan"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/verify"
)

// fixpoint fixes one package until the rules find nothing more to fix in it.
//
//  1. Choose at most one fix in each declaration, and more of them, by and by,
//     where one at a time would take many rounds.
//  2. Apply them and type-check the package in memory.
//  3. Run the rules again: each chosen finding must be gone, no other one, and
//     none be new.
//  4. If that holds, the result is the text of the next round. If not, the
//     fixes in the declarations to blame are dropped and named, or, where the
//     blame is not clear, half of the fixes are tried, down to a single one.
//
// Each round fixes or drops at least one finding and no round may add one,
// so there are at most as many rounds as findings.
type fixpoint struct {
	cfg     Config
	prog    *load.Program
	pkg     *packages.Package // the state of the last accepted round
	overlay map[string][]byte // its changed files
}

func (fp *fixpoint) read(name string) ([]byte, error) {
	if src, ok := fp.overlay[name]; ok {
		return src, nil
	}
	return fp.prog.Source(name)
}

// carefulRounds is the number of rounds in which a declaration gets one fix at
// most. From then on the number doubles with each round.
const carefulRounds = 4

func (fp *fixpoint) run(ctx context.Context, found []finding.Finding) (all []finding.Finding, changes []finding.FileChange, errs []error) {
	ledger := plan.NewLedger(found)
	current, limit, rounds := analyze.Done(found), plan.Limit{Decl: 1}, 0
	complete := func(i int) finding.Finding { return fp.confine(current.Complete(i)) }
	for ctx.Err() == nil {
		choice := ledger.Choose(current.Findings, fp.wanted, complete, limit)
		if len(choice.Findings) == 0 {
			break
		}
		next, ok := fp.try(choice, current.Findings, &errs)
		switch {
		case ok:
			ledger.Accept(choice)
			limit.All *= 2
			if rounds++; rounds >= carefulRounds {
				limit.Decl *= 2
			}
			errs = append(errs, current.Internal...)
			current, fp.pkg, fp.overlay = next.found, next.pkg, next.overlay
		case len(choice.Findings) > 1 && !next.blamed:
			limit.All = len(choice.Findings) / 2
		}
	}
	all, fixed := ledger.Close(current.Findings, complete)
	errs = append(errs, current.Internal...)
	all = slices.DeleteFunc(all, func(f finding.Finding) bool { return !fp.prog.Wanted(f) })
	for name, content := range fp.overlay {
		old, err := fp.prog.Source(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		change := finding.FileChange{Path: name, Old: old, New: content, Package: fp.pkg.PkgPath}
		for _, f := range fixed {
			if f.Touches(name) {
				change.Findings = append(change.Findings, f)
			}
		}
		changes = append(changes, change)
	}
	return all, changes, errs
}

// confine returns f without its fix if that reaches into a file that was not named.
func (fp *fixpoint) confine(f finding.Finding) finding.Finding {
	for _, s := range f.Sites() {
		if fp.prog.Wanted(f) && !fp.prog.Names(s.Path) {
			f.Fix, f.Applicability, f.Status = nil, finding.None, finding.NoFix
			f.Reason = "the fix would also change " + filepath.Base(s.Path) + ", which was not named"
			break
		}
	}
	return f
}

// wanted reports whether the fix of f is to be applied in this run.
func (fp *fixpoint) wanted(f finding.Finding) bool {
	return fp.prog.Wanted(f) && (f.Applicability == finding.Safe || f.Applicability == finding.Unsafe && fp.cfg.Unsafe)
}

// attempt is the state after a choice, and whether its failure was blamed on
// single fixes, which are denied then.
type attempt struct {
	pkg     *packages.Package
	overlay map[string][]byte
	found   analyze.Found
	blamed  bool
}

func (fp *fixpoint) try(c plan.Choice, before []finding.Finding, errs *[]error) (next attempt, ok bool) {
	single := len(c.Findings) == 1
	everything := func(finding.Finding) bool { return true }
	edits, err := c.Edits()
	if err != nil {
		if single {
			c.Deny(everything, finding.Conflict, err.Error())
		}
		return next, false
	}
	next.overlay = map[string][]byte{}
	for name, content := range fp.overlay {
		next.overlay[name] = content
	}
	for name, list := range edits {
		src, err := fp.read(name)
		if err != nil {
			*errs = append(*errs, err)
			c.Deny(everything, finding.Conflict, err.Error())
			return attempt{blamed: true}, false
		}
		next.overlay[name] = plan.Apply(src, list)
		if !single && !verify.Formatted(src, next.overlay[name]) {
			return next, false // each for itself, then
		}
	}
	pkg, typeErrs := verify.Package(fp.pkg, changed(next.overlay, edits))
	if len(typeErrs) > 0 {
		reason := "the result does not compile: " + typeErrs[0].Msg
		fp.cfg.Debugf("%s: %s", fp.pkg.PkgPath, reason)
		if single {
			c.Deny(everything, finding.WouldNotCompile, reason)
		}
		return next, false
	}
	next.pkg = pkg
	overlay := next.overlay
	found, runErrs := analyze.Run(fp.cfg.Rules, analyze.Prune([]*packages.Package{pkg}), rule.Options{Lazy: true, Outside: fp.prog.Outside, ReadFile: func(name string) ([]byte, error) {
		if src, ok := overlay[name]; ok {
			return src, nil
		}
		return fp.prog.Source(name)
	}})
	next.found = found
	after := found.Findings
	if len(runErrs) > 0 {
		if single {
			*errs = append(*errs, runErrs...)
			c.Deny(everything, finding.Conflict, "the rules fail on the fixed package")
		}
		return next, false
	}
	bad, what := c.Grown(before, after), "after the fix there is still or newly found: "
	if len(bad) == 0 {
		bad, what = c.Vanished(before, after), "the fix would hide, but not mend: "
	}
	if len(bad) == 0 {
		return next, true
	}
	var names []string
	for _, g := range bad {
		names = append(names, fmt.Sprintf("%s: %s", g.Rule, g.Message))
	}
	reason := what + strings.Join(slices.Compact(names), "; ")
	fp.cfg.Debugf("%s: %s", fp.pkg.PkgPath, reason)
	next.blamed = c.Deny(func(f finding.Finding) bool {
		return single || slices.ContainsFunc(bad, func(g finding.Finding) bool {
			return slices.Contains(f.Sites(), finding.Site{Path: g.Place.Path, Function: g.Function})
		})
	}, finding.Conflict, reason)
	return next, false
}

func changed(overlay map[string][]byte, edits map[string][]finding.Edit) map[string][]byte {
	out := map[string][]byte{}
	for name := range edits {
		out[name] = overlay[name]
	}
	return out
}
