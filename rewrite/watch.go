package rewrite

import (
	"cmp"
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/analyze"
	"github.com/goroutinefix/goroutinefix/rewrite/load"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// analyze runs the rules over packages, tells how far it is, and what took
// long.
func (cfg Config) analyze(prog *load.Program, pkgs []*packages.Package, whole func(*types.Package) bool) (analyze.Found, []error) {
	var mu sync.Mutex
	n := 0
	cfg.Progress("analysing", 0, len(pkgs))
	perPackage, perStep := stopwatch{}, stopwatch{}
	found, errs := analyze.RunWatched(cfg.Rules, analyze.Prune(pkgs), rule.Options{
		ReadFile: prog.Source, Outside: prog.Outside, NoFix: cfg.NoFix, Known: cfg.Known, Whole: whole,
	}, analyze.Watch{
		Done: func() {
			mu.Lock()
			defer mu.Unlock()
			n++
			cfg.Progress("analysing", n, len(pkgs))
		},
		Took: func(pkg, step string, d time.Duration) {
			perPackage[pkg] += d
			perStep[step] += d
		},
	})
	perStep.tell(cfg, "analysing", "steps")
	perPackage.tell(cfg, "analysing", "packages")
	return found, errs
}

// stopwatch holds how long things took.
type stopwatch map[string]time.Duration

const (
	// shownSlow is how many of the slowest things are named.
	shownSlow = 5
	// slow is how long something takes that is worth naming.
	slow = 10 * time.Millisecond
)

// tell names the slowest things of a stage.
func (s stopwatch) tell(cfg Config, stage, what string) {
	names := slices.SortedFunc(maps.Keys(s), func(a, b string) int {
		return cmp.Or(cmp.Compare(s[b], s[a]), cmp.Compare(a, b))
	})
	var list []string
	for _, n := range names[:min(shownSlow, len(names))] {
		if s[n] >= slow {
			list = append(list, fmt.Sprintf("%s %s", n, round(s[n])))
		}
	}
	if list != nil {
		cfg.Debugf("%s: the slowest %s: %s", stage, what, strings.Join(list, ", "))
	}
}

func since(start time.Time) time.Duration { return round(time.Since(start)) }

func round(d time.Duration) time.Duration {
	if d >= time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
