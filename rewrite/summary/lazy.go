package summary

import (
	"go/ast"
	"go/types"
	"iter"
	"maps"

	"golang.org/x/tools/go/analysis"
)

// lazy is for facts that are worked out when they are asked for.
//
// A function that is being computed is unknown to those that it calls, so
// that what is known of these depends on who asked. Such facts are only good
// for the question at hand.
type lazy struct {
	running map[*types.Func]bool
	scratch map[*types.Func][]any
	cuts    int // how often something was taken for unknown, or came from scratch
}

// AnyDomain is a domain, whatever it knows.
type AnyDomain interface{ position() int }

// Lazy returns the facts of the package of pass, of which the given domains are
// computed for a function when it is asked about. Answers to different questions
// do not depend on their order: see Ask. They may be asked one at a time.
func Lazy[P any](r *Registry[P], pass *analysis.Pass, open func(*types.Func, *ast.FuncDecl) (P, bool), domains ...AnyDomain) *Facts[P] {
	f := New(r, pass, open)
	f.growing, f.lazy, f.only = true, &lazy{running: map[*types.Func]bool{}}, map[int]bool{}
	for _, d := range domains {
		f.only[d.position()] = true
	}
	f.eachDecl(func(fn *types.Func, d *ast.FuncDecl) { f.decls[fn] = d })
	return f
}

// Ask begins a new question to lazy facts.
func (f *Facts[P]) Ask() { f.lazy.scratch = map[*types.Func][]any{} }

// Lazily reports whether the facts are computed when they are asked for.
func (f *Facts[P]) Lazily() bool { return f.lazy != nil }

func (f *Facts[P]) lazily(fn *types.Func, d *ast.FuncDecl) []any {
	l := f.lazy
	if l.running[fn] {
		l.cuts++
		return f.empty()
	}
	if known, ok := l.scratch[fn]; ok {
		l.cuts++
		return known
	}
	before := l.cuts
	l.running[fn] = true
	known := f.compute(fn, d)
	delete(l.running, fn)
	if l.cuts == before {
		f.known[fn] = known
	} else {
		l.scratch[fn] = known
	}
	return known
}

// Functions yields the functions that may be asked about.
func (f *Facts[P]) Functions() iter.Seq[*types.Func] { return maps.Keys(f.decls) }
