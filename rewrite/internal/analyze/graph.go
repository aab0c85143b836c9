package analyze

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"

	"golang.org/x/tools/go/packages"

	"github.com/goroutinefix/goroutinefix/rewrite/internal/load"
)

// node is one package to analyse.
type node struct {
	pkg    *packages.Package // the variant that is analysed
	rules  bool              // run the rules, not only the summaries
	plain  bool              // others see it without its test files: their facts are wanted
	split  *node             // stands in for the package as others see it
	views  []*view           // whose facts it sees
	needs  []*node           // what has to be done before
	users  []*node           // what waits for it
	open   int               // how many of needs are not done yet
	result *result           // nil until done
}

// view is a package as another one sees it: what is known of its functions, and
// of what lies below it.
type view struct {
	path string
	node *node
	wide bool // with its test files
	deps []*view
	sum  func() [sha256.Size]byte // of all facts; to be called when the nodes are done
}

// facts returns the facts of the package of v.
func (v *view) facts() *facts {
	r := v.node.result
	if r == nil {
		return nil
	}
	if v.wide || v.node.pkg.ForTest == "" {
		return r.facts
	}
	return r.plain
}

// look returns a function that finds the facts that are visible through views,
// by package path; nil if there are none. Nearly all questions are about what is
// imported directly, so the rest is gathered when it is first asked for.
func (g *graph) look(views []*view) func(path string) *facts {
	direct := map[string]*facts{}
	for _, v := range views {
		direct[v.path] = v.facts()
	}
	all := sync.OnceValue(func() map[string]*facts {
		visible := map[string]*facts{}
		each(views, func(v *view) {
			if f := v.facts(); f != nil && visible[v.path] == nil {
				visible[v.path] = f
			}
		})
		return visible
	})
	return func(path string) *facts {
		if f := direct[path]; f != nil || !g.paths[path] {
			return f
		}
		return all()[path]
	}
}

// each calls f for views and all below them, once for each.
func each(views []*view, f func(*view)) {
	seen := map[*view]bool{}
	var walk func([]*view)
	walk = func(list []*view) {
		for _, v := range list {
			if !seen[v] {
				seen[v] = true
				f(v)
				walk(v.deps)
			}
		}
	}
	walk(views)
}

// graph orders packages so that each comes after what it imports.
//
// A package is analysed together with its own tests, which may import packages
// whose tests import it in turn. Where that makes a circle, the package is
// analysed once more without its tests, for the others.
type graph struct {
	prog  *load.Program
	nodes map[load.Identity]*node
	paths map[string]bool // those of nodes
	views map[*packages.Package]*view
	order []*node
	known map[*node]bool // in order, or about to be
}

// newGraph returns the graph of the packages of prog and of what they import
// from the main modules; rules run on those in run.
func newGraph(prog *load.Program, run []*packages.Package) *graph {
	g := &graph{prog: prog, nodes: map[load.Identity]*node{}, paths: map[string]bool{}, views: map[*packages.Package]*view{}, known: map[*node]bool{}}
	for _, p := range prog.Packages {
		n := &node{pkg: p, rules: slices.Contains(run, p)}
		if plain := prog.Plain(p); !n.rules && plain != nil {
			n.pkg = plain // nobody asks about its tests
		}
		g.nodes[load.Identify(p)] = n
		g.paths[p.PkgPath] = true
	}
	for _, p := range prog.Below() {
		g.nodes[load.Identify(p)] = &node{pkg: p}
		g.paths[p.PkgPath] = true
	}
	for g.cut() {
	}
	for _, n := range g.sorted() {
		if n.rules {
			g.want(n)
		}
	}
	done := map[*node]bool{}
	for _, n := range g.order {
		for _, m := range n.needs {
			if done[m] { // always, unless the go command has let a circle pass
				m.users = append(m.users, n)
				n.open++
			}
		}
		done[n] = true
	}
	return g
}

// sorted returns the nodes of the packages by path and directory.
func (g *graph) sorted() (list []*node) {
	for _, id := range slices.SortedFunc(maps.Keys(g.nodes), func(a, b load.Identity) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Dir, b.Dir))
	}) {
		list = append(list, g.nodes[id])
	}
	return list
}

// provider returns the node that knows what others see of p; nil if p was not
// loaded to be analysed.
func (g *graph) provider(p *packages.Package) *node {
	n := g.nodes[load.Identify(p)]
	if n != nil && n.split != nil && p.ID != n.pkg.ID {
		return n.split
	}
	return n
}

// cut splits a node that stands in a circle, and reports whether there was one.
func (g *graph) cut() bool {
	var (
		path []*node // from the start to the node that is looked at
		left = map[*node]bool{}
		cut  bool
	)
	var visit func(n *node)
	visit = func(n *node) {
		path = append(path, n)
		for _, dep := range slices.Sorted(maps.Keys(n.pkg.Imports)) {
			m := g.provider(n.pkg.Imports[dep])
			if m == nil || left[m] || cut {
				continue
			}
			if i := slices.Index(path, m); i >= 0 {
				cut = g.splitOne(path[i:])
				continue
			}
			visit(m)
		}
		path = path[:len(path)-1]
		left[n] = true
	}
	for _, n := range g.sorted() {
		if !left[n] && !cut {
			visit(n)
		}
	}
	return cut
}

// splitOne splits the first node of a circle that has tests of its own.
func (g *graph) splitOne(circle []*node) bool {
	for _, n := range circle {
		plain := g.prog.Plain(n.pkg)
		if g.nodes[load.Identify(n.pkg)] == n && n.split == nil && plain != nil && plain.ID != n.pkg.ID {
			n.split = &node{pkg: plain}
			return true
		}
	}
	return false
}

// want adds n to the order after all that it needs.
func (g *graph) want(n *node) {
	if g.known[n] {
		return
	}
	g.known[n] = true
	n.views = g.viewsOf(n.pkg)
	needs := map[*node]bool{}
	each(n.views, func(v *view) {
		if !needs[v.node] {
			needs[v.node] = true
			n.needs = append(n.needs, v.node)
		}
	})
	for _, m := range n.needs {
		g.want(m)
	}
	g.order = append(g.order, n)
}

func (g *graph) viewsOf(p *packages.Package) (list []*view) {
	for _, path := range slices.Sorted(maps.Keys(p.Imports)) {
		if v := g.view(p.Imports[path]); v != nil {
			list = append(list, v)
		}
	}
	return list
}

// view returns how p is seen; nil if nothing is known of it.
func (g *graph) view(p *packages.Package) *view {
	if v, ok := g.views[p]; ok {
		return v
	}
	n := g.provider(p)
	if n == nil {
		g.views[p] = nil
		return nil
	}
	v := &view{path: p.PkgPath, node: n, wide: p.ID == n.pkg.ID}
	v.deps = g.viewsOf(p)
	if !v.wide && n.pkg.ForTest != "" {
		n.plain = true
	}
	v.sum = sync.OnceValue(func() (sum [sha256.Size]byte) {
		h := sha256.New()
		if f := v.facts(); f != nil {
			fmt.Fprintf(h, "%s %x\n", v.path, f.sum)
		}
		for _, d := range v.deps {
			below := d.sum()
			h.Write(below[:])
		}
		return [sha256.Size]byte(h.Sum(nil))
	})
	g.views[p] = v
	return v
}
