package oracle

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/oracle/gen"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Config says what to judge, and how much of it.
type Config struct {
	Rules    []rule.Rule
	Seed     uint64
	First    int         // number of the first function
	N        int         // how many functions
	Trees    []*gen.Node // functions to judge instead of generated ones; may be nil
	Batch    int         // functions in one program; 0 for 400
	Paths    int         // paths of a function to run at most; 0 for 64
	SafeOnly bool        // leave the unsafe fixes alone
	Shrink   int         // failures of each kind and rule to shrink; 0 for none
	// Found is called with what is found, and with each step that shrinks it; may be nil.
	Found func([]Failure)
	// Logf tells how far it is; may be nil.
	Logf func(format string, args ...any)
}

// Report is the outcome.
type Report struct {
	Functions int // that were judged
	Broken    []string
	Paths     int
	Findings  map[string]int // by rule and applicability
	Fixes     map[string]int // by rule and applicability, that were applied
	Dropped   map[string]int // fixes that the engine refused, by rule and status
	Unsure    int            // functions with more paths than were run
	Leaking   int            // functions that leak on some path
	Misses    map[string]int // leaks without a finding, by shape
	MissedAt  map[string]int // a function for each shape
	Failures  []Failure
	Spent     map[string]time.Duration
}

// Run generates functions and judges what the rules say and make of them.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	cfg.Batch, cfg.Paths = cmp.Or(cfg.Batch, 400), cmp.Or(cfg.Paths, 64)
	if cfg.Logf == nil {
		cfg.Logf = func(string, ...any) {}
	}
	return run(ctx, cfg, func(ctx context.Context, dir string, unsafe bool) (*rewrite.Result, error) {
		return rewrite.Run(ctx, rewrite.Config{Dir: dir, Rules: cfg.Rules, Unsafe: unsafe, Env: environ()})
	})
}

// planner runs the rules over a module.
type planner = func(ctx context.Context, dir string, unsafe bool) (*rewrite.Result, error)

func run(ctx context.Context, cfg Config, plan planner) (*Report, error) {
	j := &judge{plan: plan, paths: cfg.Paths, unsafe: !cfg.SafeOnly, spent: map[string]time.Duration{}}
	if cfg.Found == nil {
		cfg.Found = func([]Failure) {}
	}
	r := &Report{
		Findings: map[string]int{}, Fixes: map[string]int{}, Dropped: map[string]int{},
		Misses: map[string]int{}, MissedAt: map[string]int{}, Spent: j.spent,
	}
	if cfg.Trees != nil {
		cfg.First, cfg.N = 0, len(cfg.Trees)
	}
	for first := cfg.First; first < cfg.First+cfg.N; first += cfg.Batch {
		var units []*unit
		for i := first; i < min(first+cfg.Batch, cfg.First+cfg.N); i++ {
			u := &unit{id: i}
			if cfg.Trees != nil {
				u.tree = cfg.Trees[i]
			} else {
				u.tree = gen.Generate(cfg.Seed, i)
			}
			units = append(units, u)
		}
		if err := j.measure(ctx, units); err != nil {
			return r, fmt.Errorf("functions %d to %d of seed %d: %w", first, first+len(units)-1, cfg.Seed, err)
		}
		for _, u := range units {
			r.count(u)
			r.Failures = append(r.Failures, u.failures()...)
		}
		cfg.Logf("%d functions, %d failures so far", first+len(units)-cfg.First, len(r.Failures))
	}
	var err error
	if r.Failures, err = j.confirm(ctx, r.Failures); err != nil {
		return r, err
	}
	for i := range r.Failures {
		r.Failures[i].Seed = cfg.Seed
	}
	cfg.Logf("%d failures confirmed", len(r.Failures))
	cfg.Found(r.Failures)
	if cfg.Shrink > 0 {
		return r, j.shrink(ctx, r, cfg)
	}
	return r, nil
}

// count adds a unit to the report.
func (r *Report) count(u *unit) {
	if u.broken[before] != "" {
		r.Broken = append(r.Broken, fmt.Sprintf("function %d: %s", u.id, u.broken[before]))
		return
	}
	r.Functions++
	paths := map[string]bool{}
	for _, o := range u.outcomes[before] {
		paths[o.Path] = true
	}
	r.Paths += len(paths)
	if u.cut() {
		r.Unsure++
	}
	for _, f := range u.found[before] {
		r.Findings[f.Rule+" "+string(f.Applicability)]++
	}
	for _, f := range u.planned {
		key := f.Rule + " " + string(f.Applicability)
		switch f.Status {
		case finding.Fixable:
			r.Fixes[key]++
		case finding.NoFix:
		default:
			r.Dropped[key+" "+string(f.Status)]++
		}
	}
	leaks := u.misses()
	for shape := range leaks {
		r.Misses[shape]++
		r.MissedAt[shape] = u.id
	}
	for _, o := range u.outcomes[before] {
		if ordinary(o) && len(u.leaks(o)) > 0 {
			r.Leaking++
			break
		}
	}
}

// misses returns the shapes of the leaks of a unit for which nothing is found.
func (u *unit) misses() map[string]bool {
	found := map[string]bool{}
	for _, f := range u.found[before] {
		found[u.subject(f, before)] = true
		found[kindOf(f.Rule)] = true
	}
	out := map[string]bool{}
	for _, o := range u.outcomes[before] {
		if !ordinary(o) {
			continue
		}
		for _, l := range u.leaks(o) {
			if o.End == "hang" && !strings.HasPrefix(l, "go:") {
				continue
			}
			subject, _, _ := strings.Cut(strings.TrimPrefix(l, "go:"), " ")
			if !found[subject] && !(strings.HasPrefix(l, "go:") && found["go"]) {
				out[u.shape(l)] = true
			}
		}
	}
	return out
}

// confirm runs the functions with failures again, in more schedules, and leaves out
// what is not seen again: first in a few, which most failures by luck do not outlive.
func (j *judge) confirm(ctx context.Context, failures []Failure) (out []Failure, err error) {
	out = failures
	for _, schedules := range []int{3, 12} {
		if out, err = j.seenAgain(ctx, out, schedules); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (j *judge) seenAgain(ctx context.Context, failures []Failure, schedules int) (out []Failure, err error) {
	again := *j
	again.schedules = schedules
	byID := map[int]*unit{}
	var units []*unit
	for _, f := range failures {
		if byID[f.Function] == nil {
			byID[f.Function] = &unit{id: f.Function, tree: f.Tree}
			units = append(units, byID[f.Function])
		}
	}
	for batch := range slices.Chunk(units, 400) {
		if err := again.measure(ctx, batch); err != nil {
			return nil, err
		}
	}
	for _, u := range units {
		for _, f := range u.failures() {
			if slices.ContainsFunc(failures, func(g Failure) bool { return g.Function == f.Function && g.Key() == f.Key() }) {
				out = append(out, f)
			}
		}
	}
	return out, nil
}
