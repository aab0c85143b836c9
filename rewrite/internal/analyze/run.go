package analyze

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/cache"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Job says what to analyse.
type Job struct {
	Program  *load.Program
	Packages []*packages.Package // those of Program on which the rules run
	Rules    []rule.Rule
	Options  rule.Options
	Cache    *cache.Store // nil for none
	Watch    Watch
}

// Watch is told how an analysis goes on. Each function may be nil.
type Watch struct {
	// Done is called after the last rule of each package, by several
	// goroutines at a time.
	Done func()
	// Took is told at the end how long each step took on each package.
	Took func(pkg, step string, d time.Duration)
}

// Analysis is what an analysis has come to.
type Analysis struct {
	Findings []finding.Finding            // sorted
	Internal []error                      // a rule that panics on one package loses its findings there, the others stand
	Skipped  map[*packages.Package]string // packages that turned out not to type-check
	Cached   int                          // packages whose findings were known
	Unkept   error                        // why a result could not be kept
	// Released is the number of packages of released dependencies that were
	// loaded to see what their functions do, ReleasedTook how long that took.
	Released     int
	ReleasedTook time.Duration
	job          Job
	graph        *graph
	exports      exportIDs
	released     *released
	done         atomic.Int64
}

// result is what is known of a package once it is done.
type result struct {
	id           cache.ID // zero if the result was not kept
	findings     []finding.Finding
	internal     []error
	facts, plain *facts
	skipped      string
	cached       bool
	unkept       error
	took         map[string]time.Duration
}

// kept is a result in the cache.
type kept struct {
	Findings     []finding.Finding
	Facts, Plain []byte
}

// Packages analyses packages, each after what it imports, and holds no more
// of them at a time than there are processors.
func Packages(ctx context.Context, job Job) (*Analysis, error) {
	a := &Analysis{job: job, Skipped: map[*packages.Package]string{}, exports: exportIDs{ids: map[*packages.Package]string{}, deep: map[*packages.Package]string{}}}
	a.released = &released{prog: job.Program, cache: job.Cache, known: map[releasedKey]*dependency{}}
	a.graph = newGraph(job.Program, job.Packages)
	order := a.graph.order
	ready := make(chan *node, len(order))
	var (
		mu   sync.Mutex
		left = len(order)
		wg   sync.WaitGroup
	)
	done := func(n *node) {
		mu.Lock()
		defer mu.Unlock()
		for _, u := range n.users {
			if u.open--; u.open == 0 {
				ready <- u
			}
		}
		if left--; left == 0 {
			close(ready)
		}
	}
	for _, n := range order {
		if n.open == 0 {
			ready <- n
		}
	}
	if left == 0 {
		close(ready)
	}
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for n := range ready {
				n.result = new(result)
				if ctx.Err() == nil {
					n.result = a.node(n)
					a.forget()
					if n.rules && job.Watch.Done != nil {
						job.Watch.Done()
					}
				}
				done(n)
			}
		})
	}
	wg.Wait()
	loaded, took, unkept := a.released.close()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	a.Released, a.ReleasedTook, a.Unkept = loaded, took, unkept
	a.gather()
	return a, nil
}

const (
	// muchLive is how much of the heap may be in use, in bytes, before the types
	// of dependencies are forgotten.
	muchLive = 300 << 20
	// fewPackages have to be done before it may happen again, because to read
	// types takes time.
	fewPackages = 50
)

// forget bounds the memory that the types of dependencies take.
func (a *Analysis) forget() {
	if a.done.Add(1)%fewPackages != 0 {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	if metrics.Read(live); live[0].Value.Kind() == metrics.KindUint64 && live[0].Value.Uint64() > muchLive {
		a.job.Program.Forget()
	}
}

// gather collects the results.
func (a *Analysis) gather() {
	var all []item
	seen := map[finding.Key]bool{}
	for _, n := range a.graph.order {
		r := n.result
		for step, d := range r.took {
			if a.job.Watch.Took != nil {
				a.job.Watch.Took(n.pkg.PkgPath, step, d)
			}
		}
		if r.unkept != nil {
			a.Unkept = r.unkept
		}
		if !n.rules {
			continue
		}
		if r.skipped != "" {
			a.Skipped[n.pkg] = r.skipped
		}
		if r.cached {
			a.Cached++
		}
		a.Internal = append(a.Internal, r.internal...)
		all = merge(all, r.findings, nil, seen)
	}
	a.Findings = sorted(all).Findings
	a.Internal = compact(a.Internal)
}

// node returns the result of n, from the cache if it is known.
func (a *Analysis) node(n *node) *result {
	var id cache.ID
	keep := a.job.Cache != nil
	if keep {
		var err error
		if id, err = a.key(n); err != nil {
			keep = false // the package says by itself what is wrong
		}
	}
	var k kept
	if keep && a.job.Cache.Get(id, &k) {
		return &result{id: id, findings: k.Findings, facts: newFacts(k.Facts), plain: newFacts(k.Plain), cached: true}
	}
	r := a.compute(n)
	if keep && len(r.internal) == 0 && r.skipped == "" {
		// A file that was read only on the way may have changed meanwhile.
		if now, err := a.key(n); err != nil || now != id {
			return r
		}
		r.id = id
		r.unkept = a.job.Cache.Put(id, &kept{r.findings, r.facts.data, r.plain.data})
	}
	return r
}

// compute type-checks a package and runs the rules on it.
func (a *Analysis) compute(n *node) *result {
	r := &result{facts: newFacts(nil), plain: newFacts(nil), took: map[string]time.Duration{}}
	start := time.Now()
	pkg := a.job.Program.Check(n.pkg)
	defer a.job.Program.Release(pkg)
	r.took["types"] = time.Since(start)
	if r.skipped = load.Problem(pkg); r.skipped != "" {
		return r
	}
	all, plain := known{}, known(nil)
	if n.plain {
		plain = known{}
	}
	opt := a.job.Options
	opt.Summaries = a.graph.summaries(n.views, all, plain, a.released.asker(n.pkg, releasedDepth))
	suite := []*analysis.Analyzer{opt.Summaries}
	if n.rules {
		suite = append(rule.Suite(a.job.Rules, opt), opt.Summaries)
	}
	found, internal := run(suite, opt, pkg, r.took)
	r.findings, r.internal = found.Findings, internal
	for _, out := range []struct {
		facts known
		to    **facts
	}{{all, &r.facts}, {plain, &r.plain}} {
		data, err := encode(out.facts)
		if err != nil {
			r.internal = append(r.internal, err)
		}
		*out.to = newFacts(data)
	}
	return r
}

// ID returns the hash of all that the findings of a package depend on; ok is
// false if they were not kept.
func (a *Analysis) ID(p *packages.Package) (id cache.ID, ok bool) {
	n := a.graph.nodes[load.Identify(p)]
	if n == nil || n.result == nil || n.result.id == (cache.ID{}) {
		return id, false
	}
	return n.result.id, true
}

// Again analyses pkg, a changed form of one of the packages, with syntax and
// types, knowing of its imports what the analysis has found.
func (a *Analysis) Again(rules []rule.Rule, pkg *packages.Package, opt rule.Options) (Found, []error) {
	opt.Summaries = a.graph.summaries(a.graph.viewsOf(pkg), nil, nil, a.released.asker(pkg, releasedDepth))
	return run(append(rule.Suite(rules, opt), opt.Summaries), opt, pkg, nil)
}

// run runs a suite of analyzers on one package.
func run(suite []*analysis.Analyzer, opt rule.Options, pkg *packages.Package, took map[string]time.Duration) (Found, []error) {
	alone := *pkg
	alone.Imports = nil // what is known of them comes with the summaries
	graph, err := checker.Analyze(suite, []*packages.Package{&alone}, nil)
	if err != nil {
		return Found{}, []error{fmt.Errorf("internal error: run analyzers: %w", err)}
	}
	for act := range graph.All() {
		if took != nil {
			took[act.Analyzer.Name] += act.Duration
		}
	}
	return collect(graph.Roots, opt)
}
