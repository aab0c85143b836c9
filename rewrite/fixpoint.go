package rewrite

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/analyze"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/plan"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/verify"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// fixpoint fixes one package until the rules find nothing more to fix in it.
//
//  1. Choose at most one fix in each declaration, and more of them, by and by,
//     where one at a time would take many iterations.
//  2. Apply them and type-check the package in memory.
//  3. Run the rules again: each chosen finding must be gone, no other one, and
//     none be new.
//  4. If that holds, the result is the text of the next iteration. If not, the
//     fixes in the declarations to blame are dropped and named, or, where the
//     blame is not clear, half of the fixes are tried, down to a single one.
//  5. When none is left, try again what was refused because of a finding that
//     is fixed meanwhile, or in a declaration that has changed: what one run
//     leaves, the next one must leave, too.
//
// Each iteration fixes or drops at least one finding and no iteration may add one. What
// was dropped comes back only after another one was fixed.
type fixpoint struct {
	packageState
	cfg     Config
	overlay map[string][]byte // the changed files of the last accepted iteration
	peers   []packageState    // the package in other builds, whose consent each fix needs
}

// packageState is a package in one build, as the last accepted iteration has left it.
type packageState struct {
	build    string // "" for the only one
	prog     *load.Program
	analysis *analyze.Analysis
	rules    []rule.Rule       // those that can say what a fix has changed
	pkg      *packages.Package // without syntax until it is needed
	found    analyze.Found
	panics   map[string]bool // see contained
}

// load gives the package its syntax, if it has none. Types it gets with the first fixes.
func (s *packageState) load() error {
	if s.pkg.Syntax != nil {
		return nil
	}
	pkg := s.prog.Parsed(s.pkg)
	if reason := load.Problem(pkg); reason != "" {
		return fmt.Errorf("fix package %s: %s", s.pkg.PkgPath, reason)
	}
	s.pkg = pkg
	return nil
}

func (fp *fixpoint) read(name string) ([]byte, error) {
	if src, ok := fp.overlay[name]; ok {
		return src, nil
	}
	return fp.prog.Source(name)
}

// carefulIterations is the number of iterations in which a declaration gets one fix at
// most. From then on the number doubles with each iteration.
const carefulIterations = 4

// manyInDecl is the number of findings in a declaration from which on one iteration with one
// fix in each is enough, before all of them are tried together: each iteration runs the rules
// again, which takes long on such a declaration.
const manyInDecl = 64

// careful returns how many iterations of run are careful.
func careful(found []finding.Finding) int {
	n := map[finding.Site]int{}
	for i := range found {
		s := finding.Site{Path: found[i].Place.Path, Function: found[i].Function}
		if n[s]++; n[s] > manyInDecl {
			return 1
		}
	}
	return carefulIterations
}

// run fixes what it can of own, the findings of the package that are to be
// accounted for, and returns their account.
func (fp *fixpoint) run(ctx context.Context, own []finding.Finding) (all, fixed []finding.Finding, errs []error) {
	ledger := plan.NewLedger(own)
	limit, iterations, unloaded := plan.Limit{Decl: 1}, 0, false
	carefully := careful(own)
	factor := 2
	if carefully == 1 {
		factor = len(own)
	}
	complete := func(i int) finding.Finding { return fp.consented(fp.confine(fp.found.Complete(i))) }
	for ctx.Err() == nil {
		choice := ledger.Choose(fp.found.Findings, fp.wanted, complete, limit)
		if len(choice.Findings) == 0 {
			if ledger.Again() {
				continue
			}
			break
		}
		if err := fp.load(); err != nil { // such as a file that has changed: said once
			if !unloaded {
				errs = append(errs, err)
			}
			unloaded = true
			choice.Deny(func(finding.Finding) bool { return true }, finding.Conflict, err.Error())
			continue
		}
		next, ok := fp.try(choice, &errs)
		switch {
		case ok:
			ledger.Accept(choice)
			limit.All *= 2
			if iterations++; iterations >= carefully {
				limit.Decl = min(limit.Decl*factor, len(own))
			}
			errs = append(errs, fp.found.Internal...)
			fp.packageState, fp.overlay, fp.peers = next.packageState, next.overlay, next.peers
		case len(choice.Findings) > 1 && !next.blamed:
			limit.All = len(choice.Findings) / 2
		}
	}
	all, fixed = ledger.Close(fp.found.Findings, complete)
	errs = append(errs, fp.found.Internal...)
	return all, fixed, errs
}

// confine returns f without its fix if that reaches into a file that was not named.
func (fp *fixpoint) confine(f finding.Finding) finding.Finding {
	for _, s := range f.Sites() {
		if fp.prog.Wanted(f) && !fp.prog.Names(s.Path) {
			f.Fix, f.Applicability = nil, finding.None
			f.Outcome = finding.Outcome{Status: finding.NoFix, Reason: "the fix would also change " + filepath.Base(s.Path) + ", which was not named"}
			break
		}
	}
	return f
}

// consented returns f with no more of a promise than the other builds make that
// have the same finding.
func (fp *fixpoint) consented(f finding.Finding) finding.Finding {
	for _, peer := range fp.peers {
		for i, g := range peer.found.Findings {
			if g.Key() == f.Key() && bolder(f, g) {
				f = peer.found.Complete(i)
			}
		}
	}
	return f
}

// wanted reports whether the fix of f is to be applied in this run.
func (fp *fixpoint) wanted(f finding.Finding) bool {
	return fp.prog.Wanted(f) && (f.Applicability == finding.Safe || f.Applicability == finding.Unsafe && fp.cfg.Unsafe)
}

// trial is what a choice leads to, and whether its failure was blamed on
// single fixes, which are denied then.
type trial struct {
	packageState
	overlay map[string][]byte
	peers   []packageState
	blamed  bool
}

func (fp *fixpoint) try(c plan.Choice, errs *[]error) (next trial, ok bool) {
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
			return trial{blamed: true}, false
		}
		next.overlay[name] = plan.Apply(src, list)
		if !single && !verify.Formatted(src, next.overlay[name]) {
			return next, false // each for itself, then
		}
	}
	states := []*packageState{&fp.packageState}
	for i := range fp.peers {
		states = append(states, &fp.peers[i])
	}
	for i, s := range states {
		after, refused := fp.check(s, c, next.overlay, edits)
		if refused != nil {
			if single {
				*errs = append(*errs, refused.internal...)
			}
			reason := refused.reason
			if s.build != "" {
				reason += " (" + s.build + ")"
			}
			fp.cfg.Debugf("%s: %s", fp.pkg.PkgPath, reason)
			next.blamed = c.Refuse(func(f finding.Finding) bool { return single || refused.blames(f) && c.Alone(f) }, refused.status, reason, refused.bad)
			return next, false
		}
		if i == 0 {
			next.packageState = after
		} else {
			next.peers = append(next.peers, after)
		}
	}
	return next, true
}

// refusal says why a state cannot be what a choice of fixes leads to.
type refusal struct {
	status   finding.Status
	reason   string
	bad      []finding.Finding // what should not be there, or is gone and should be
	internal []error
}

// blames reports whether something that is wrong lies where the fix of f is.
func (r *refusal) blames(f finding.Finding) bool {
	return slices.ContainsFunc(r.bad, func(g finding.Finding) bool {
		return slices.Contains(f.Sites(), finding.Site{Path: g.Place.Path, Function: g.Function})
	})
}

// check returns the state that the fixes of c lead to in one build. Edits of
// files that this build leaves out do not concern it.
func (fp *fixpoint) check(s *packageState, c plan.Choice, overlay map[string][]byte, edits map[string][]finding.Edit) (packageState, *refusal) {
	files := changed(overlay, edits)
	for name := range files {
		if !s.prog.Compiles(s.pkg, name) {
			delete(files, name)
		}
	}
	if len(files) == 0 {
		return *s, nil
	}
	if err := s.load(); err != nil {
		return *s, &refusal{status: finding.Conflict, reason: err.Error()}
	}
	pkg, typeErrs := verify.Package(s.prog, s.pkg, files)
	if len(typeErrs) > 0 {
		return *s, &refusal{status: finding.WouldNotCompile, reason: "the result does not compile: " + typeErrs[0].Msg}
	}
	found, runErrs := s.analysis.Again(s.rules, pkg, rule.Options{Lazy: true, Outside: s.prog.Outside, ReadFile: func(name string) ([]byte, error) {
		if src, ok := overlay[name]; ok {
			return src, nil
		}
		return s.prog.Source(name)
	}})
	if runErrs = s.unknown(runErrs); len(runErrs) > 0 {
		return *s, &refusal{status: finding.Conflict, reason: "the rules fail on the fixed package", internal: runErrs}
	}
	before := s.found.Findings
	bad, what := c.Grown(before, found.Findings), "after the fix there is still or newly found: "
	if len(bad) == 0 {
		bad, what = c.Vanished(before, found.Findings), "the fix would hide, but not fix: "
	}
	if len(bad) == 0 {
		after := *s
		after.pkg, after.found = pkg, found
		return after, nil
	}
	var names []string
	for _, g := range bad {
		names = append(names, fmt.Sprintf("%s: %s", g.Rule, g.Message))
	}
	return *s, &refusal{status: finding.Conflict, reason: what + strings.Join(slices.Compact(names), "; "), bad: bad}
}

func changed(overlay map[string][]byte, edits map[string][]finding.Edit) map[string][]byte {
	out := map[string][]byte{}
	for name := range edits {
		out[name] = overlay[name]
	}
	return out
}
