package analyze

import (
	"go/types"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/cache"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
	"github.com/goroutinefix/goroutinefix/rewrite/lifetime"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// The bounds of how far released dependencies are looked into. They are no
// times, so that the same is known on every machine.
const (
	// releasedDepth is how many packages deep a call is followed.
	releasedDepth = 3
	// releasedSize is the size in bytes of the sources of a package that is still looked into.
	releasedSize = 4 << 20
)

// released answers questions about functions of dependencies outside of the main
// modules. A package is loaded when it is first asked about; what is known of its
// functions is kept under what it was built from, for as long as the cache keeps it.
type released struct {
	prog  *load.Program
	cache *cache.Store

	mu    sync.Mutex
	known map[releasedKey]*dependency
}

type releasedKey struct {
	id    load.Identity
	depth int
}

// dependency is one package that was asked about. Of its functions is known what
// can be seen if calls are followed some packages deep.
type dependency struct {
	of    *released
	pkg   *packages.Package
	depth int

	mu      sync.Mutex
	id      cache.ID // zero if nothing is kept
	opened  bool     // effects has what was kept
	changed bool
	effects map[string][]usage.Effect
	loaded  bool
	checked *packages.Package
	source  *lifetime.Dependency // nil if it cannot be looked into
	took    time.Duration
}

// asker returns the function that answers questions of p; depth is how many
// packages deep they may go.
func (r *released) asker(p *packages.Package, depth int) lifetime.Asked {
	if depth == 0 {
		return nil
	}
	return func(fn *types.Func, i int) usage.Effect {
		dep := r.prog.Import(p, fn.Pkg().Path())
		if dep == nil || dep.Module == nil || dep.Module.Main {
			return usage.Unknown
		}
		name := factName(fn)
		if name == "" {
			return usage.Unknown
		}
		effects := r.dependency(dep, depth).ask(name)
		if i >= len(effects) {
			return usage.Unknown
		}
		return effects[i]
	}
}

func (r *released) dependency(p *packages.Package, depth int) *dependency {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := releasedKey{load.Identify(p), depth}
	d := r.known[key]
	if d == nil {
		d = &dependency{of: r, pkg: p, depth: depth}
		r.known[key] = d
	}
	return d
}

// ask returns what a function does with its parameters. While it waits, it waits
// for packages that this one imports, which never wait for this one.
func (d *dependency) ask(name string) []usage.Effect {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.opened {
		d.opened = true
		d.open()
	}
	if effects, ok := d.effects[name]; ok {
		return effects
	}
	start := time.Now()
	if !d.loaded {
		d.loaded = true
		d.load()
	}
	var effects []usage.Effect
	if d.source != nil {
		effects = d.source.Effects(name)
	}
	d.effects[name], d.changed = effects, true
	d.took += time.Since(start)
	return effects
}

// open reads what earlier runs have found out. The name of the file that the go
// command has built is the hash of what is in it, which depends on the sources of
// the package, of all that it imports, and on the build configuration.
func (d *dependency) open() {
	d.effects = map[string][]usage.Effect{}
	name := filepath.Base(d.pkg.ExportFile)
	if d.of.cache == nil || !addressed.MatchString(name) {
		return
	}
	k := d.of.cache.Key("dependency")
	version := ""
	if d.pkg.Module != nil {
		version = d.pkg.Module.Path + "@" + d.pkg.Module.Version
	}
	k.Add(d.pkg.PkgPath, version, name, strconv.Itoa(d.depth))
	d.id = k.ID()
	kept := map[string][]usage.Effect{}
	if d.of.cache.Get(d.id, &kept) {
		d.effects = kept
	}
}

// load type-checks the package.
func (d *dependency) load() {
	c, ok := d.of.prog.CheckReleased(d.pkg, releasedSize)
	if !ok {
		return
	}
	d.checked = c
	pass := &analysis.Pass{
		Fset: c.Fset, Files: c.Syntax, Pkg: c.Types, TypesInfo: c.TypesInfo, TypesSizes: c.TypesSizes,
		ImportObjectFact: func(types.Object, analysis.Fact) bool { return false },
		ResultOf:         map[*analysis.Analyzer]any{},
	}
	d.source = lifetime.NewDependency(pass, factName, d.of.asker(d.pkg, d.depth-1))
}

// close keeps what was found out, and gives back what the packages have taken. It
// returns how many were loaded, how long all that took, and why something
// could not be kept.
func (r *released) close() (loaded int, took time.Duration, unkept error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.known {
		took += d.took
		if d.checked != nil {
			loaded++
			r.prog.Release(d.checked)
			d.checked, d.source, d.loaded = nil, nil, false
		}
		if d.changed && d.id != (cache.ID{}) {
			if err := r.cache.Put(d.id, &d.effects); err != nil {
				unkept = err
			}
			d.changed = false
		}
		d.took = 0
	}
	return loaded, took, unkept
}
