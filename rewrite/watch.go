package rewrite

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/internal/analyze"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// analyze runs the rules over packages, tells how far it is, and what took
// long.
func (cfg Config) analyze(ctx context.Context, prog *load.Program, pkgs []*packages.Package, whole func(path string) bool) (*analyze.Analysis, error) {
	var mu sync.Mutex
	n := 0
	cfg.Progress("analysing", 0, len(pkgs))
	cfg.reportLarge(pkgs)
	perPackage, perStep := stopwatch{}, stopwatch{}
	a, err := analyze.Packages(ctx, analyze.Job{
		Program: prog, Packages: pkgs, Rules: cfg.Rules, Cache: cfg.Cache,
		Options: rule.Options{ReadFile: prog.Source, Outside: prog.Outside, NoFix: cfg.NoFix, Known: cfg.Known, DepsAnalyzed: whole},
		Watch: analyze.Watch{
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
		},
	})
	if err != nil {
		return nil, err
	}
	perStep.logSlowest(cfg, "analysing", "steps")
	perPackage.logSlowest(cfg, "analysing", "packages")
	if a.Released > 0 {
		cfg.Debugf("loaded %d packages of dependencies to see what their functions do, in %s", a.Released, round(a.ReleasedTook))
	}
	if a.Unkept != nil {
		cfg.Debugf("%v", a.Unkept)
	}
	return a, nil
}

// large is from how many bytes of source on a package counts as such.
const large = 4 << 20

func (cfg Config) reportLarge(pkgs []*packages.Package) {
	if cfg.Large == nil {
		return
	}
	for _, p := range pkgs {
		if bytes := size(p); bytes >= large {
			cfg.Large(bytes)
		}
	}
}

// size returns how many bytes of source p has.
func size(p *packages.Package) (bytes int64) {
	for _, name := range p.CompiledGoFiles {
		if fi, err := os.Stat(name); err == nil {
			bytes += fi.Size()
		}
	}
	return bytes
}

// stopwatch holds how long things took.
type stopwatch map[string]time.Duration

const (
	// shownSlow is how many of the slowest things are named.
	shownSlow = 5
	// slow is how long something takes that is worth naming.
	slow = 10 * time.Millisecond
)

// logSlowest names the slowest things of a stage.
func (s stopwatch) logSlowest(cfg Config, stage, what string) {
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
