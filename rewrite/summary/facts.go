package summary

import (
	"fmt"
	"go/ast"
	"go/types"
	"runtime/debug"

	"golang.org/x/tools/go/analysis"
)

// Facts holds what is known of the functions of one package.
type Facts[P any] struct {
	pass     *analysis.Pass
	registry *Registry[P]
	open     func(*types.Func, *ast.FuncDecl) (P, bool)
	known    map[*types.Func][]any         // complete once Complete has returned; by the index of the domain
	decls    map[*types.Func]*ast.FuncDecl // the functions of which there could be anything to know
	growing  bool                          // known is filled on demand
	lazy     *lazy                         // for a dependency
	only     map[int]bool                  // the domains that are computed; nil for all
	// Internal holds what went wrong on the way: a panic costs the summary of
	// one function.
	Internal []error
}

// New returns the facts of the package of pass, of which nothing is known yet.
// Open returns what the domains are computed from: a function, or the package if
// that is nil.
func New[P any](r *Registry[P], pass *analysis.Pass, open func(*types.Func, *ast.FuncDecl) (P, bool)) *Facts[P] {
	return &Facts[P]{pass: pass, registry: r, open: open, known: map[*types.Func][]any{}, decls: map[*types.Func]*ast.FuncDecl{}}
}

// Growing reports whether more may be known later on.
func (f *Facts[P]) Growing() bool { return f.growing }

// Complete computes the domains for the functions of the package, and exports
// the facts if share is set.
func (f *Facts[P]) Complete(share bool) {
	f.growing = true
	var order []*types.Func
	f.eachDecl(func(fn *types.Func, d *ast.FuncDecl) {
		for _, domain := range f.registry.domains {
			if domain.worthwhile(fn.Signature(), d) {
				f.decls[fn] = d
				order = append(order, fn)
				return
			}
		}
	})
	for _, fn := range order {
		f.record(fn)
	}
	for _, domain := range f.registry.domains {
		if domain.hasWhole() {
			f.contain("the summary of the package", "", func() {
				if p, ok := f.open(nil, nil); ok {
					domain.wholly(f, p)
				}
			})
		}
	}
	if share {
		for fn, known := range f.known {
			f.export(fn, known)
		}
	}
	f.growing, f.decls = false, nil
}

func (f *Facts[P]) export(fn *types.Func, known []any) {
	for i, v := range known {
		if v != nil {
			f.pass.ExportObjectFact(fn, f.registry.domains[i].wrap(v))
		}
	}
}

// eachDecl calls do for the declared functions with bodies.
func (f *Facts[P]) eachDecl(do func(*types.Func, *ast.FuncDecl)) {
	for _, file := range f.pass.Files {
		for _, d := range file.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Body != nil {
				if fn, ok := f.pass.TypesInfo.Defs[d.Name].(*types.Func); ok {
					do(fn, d)
				}
			}
		}
	}
}

func (f *Facts[P]) empty() []any { return make([]any, len(f.registry.domains)) }

// record returns what is known of fn by domain, nil if it is none of the
// functions of the package that are known. Recursion knows nothing: a function
// that is being computed is unknown.
func (f *Facts[P]) record(fn *types.Func) []any {
	if known, ok := f.known[fn]; ok {
		return known
	}
	d, ok := f.decls[fn]
	if !f.growing || !ok {
		return nil
	}
	if f.lazy != nil {
		return f.lazily(fn, d)
	}
	f.known[fn] = f.empty()
	f.known[fn] = f.compute(fn, d)
	return f.known[fn]
}

// compute computes the domains of fn.
func (f *Facts[P]) compute(fn *types.Func, d *ast.FuncDecl) []any {
	known := f.empty()
	f.contain("the summary of "+fn.Name(), "", func() {
		p, ok := f.open(fn, d)
		if !ok {
			return
		}
		for i, domain := range f.registry.domains {
			if f.only == nil || f.only[i] {
				known[i] = domain.computed(p)
			}
		}
	})
	return known
}

// contain keeps a panic of do as an error.
func (f *Facts[P]) contain(what, function string, do func()) {
	defer func() {
		if v := recover(); v != nil {
			f.Internal = append(f.Internal, &PanicError{Rule: what, Package: f.pass.Pkg.Path(), Function: function, Value: v, Stack: debug.Stack()})
		}
	}()
	do()
}

// PanicError is a panic of ours, with its stack.
type PanicError struct {
	Rule, Package string
	// Function is the declaration that was lost; "" if that is all of the package.
	Function string
	Value    any
	Stack    []byte
}

func (e *PanicError) Error() string {
	where := "package " + e.Package
	if e.Function != "" {
		where = e.Function + " in " + where
	}
	return fmt.Sprintf("internal error: %s panicked on %s: %v\n%s", e.Rule, where, e.Value, e.Stack)
}
