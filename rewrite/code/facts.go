package code

import (
	"go/ast"
	"go/types"
	"reflect"
	"sync"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/summary"
)

// Subject is a function as the domains see it when they are computed: with a
// pass over its declaration alone. For a domain that looks at the whole package,
// it is a pass over that, and nothing else.
type Subject struct {
	*Pass
	Fn   *Func
	Sig  *types.Signature
	Decl *ast.FuncDecl
}

// domains are the kinds of knowledge of functions. Each topic registers its own.
var domains summary.Registry[*Subject]

// Domain is one kind of knowledge of functions.
type Domain[T any] = summary.Domain[*Subject, T]

// Register returns a new domain with a name of its own.
func Register[T any](name string) *Domain[T] {
	d := summary.Register[*Subject, T](&domains, name)
	Summaries.FactTypes = append(Summaries.FactTypes, d.Fact())
	return d
}

// DecodeFacts decodes what is known of one function.
func DecodeFacts(data []byte) (summary.Known, error) { return domains.Decode(data) }

// Summaries computes what is known of the functions of a package. Facts cross
// packages only within the modules that are analysed: what the standard library
// does, and what a released dependency does but for contexts, is the business of
// the tables, so that every driver finds the same.
var Summaries = &analysis.Analyzer{
	Name:       "goroutinefixfacts",
	Doc:        "summarise what functions do with responses, readers and errors",
	Requires:   []*analysis.Analyzer{inspect.Analyzer},
	ResultType: reflect.TypeFor[*Facts](),
}

func init() {
	Summaries.Run = func(pass *analysis.Pass) (any, error) { return Summarise(pass), nil }
}

// Facts answers what is known of functions.
type Facts struct {
	*summary.Facts[*Subject]
	Pass *analysis.Pass
	mu   sync.Mutex
	kept map[reflect.Type]any // by Of
	// shared is for the rules; nil while summarising.
	shared *shared
}

func newFacts(pass *analysis.Pass, given []any) *Facts {
	f := &Facts{Pass: pass, kept: map[reflect.Type]any{}}
	for _, g := range given {
		f.kept[reflect.TypeOf(g)] = func() any { return g }
	}
	return f
}

// Of returns what make works out of the package of f, once: one value for each type. A
// topic keeps there what its domains and the rules ask for. What the driver gave to
// [Summarise] or [Lazily] is there without make.
func Of[T any](f *Facts, make func(*Facts) T) T {
	key := reflect.TypeFor[T]()
	f.mu.Lock()
	get, ok := f.kept[key].(func() any)
	if !ok {
		get = sync.OnceValue(func() any { return make(f) })
		f.kept[key] = get
	}
	f.mu.Unlock()
	return get().(T)
}

// Lazily returns facts of a package of which only the given domains are worked out, and
// only when they are asked for. See [Of] for what is given.
func Lazily(pass *analysis.Pass, of []summary.AnyDomain, given ...any) *Facts {
	f := newFacts(pass, given)
	f.Facts = summary.Lazy(&domains, pass, f.subject, of...)
	return f
}

// Summarise computes the facts of a package as [Summaries] does. See [Of] for what is
// given.
func Summarise(pass *analysis.Pass, given ...any) *Facts {
	f := newFacts(pass, given)
	f.Facts = summary.New(&domains, pass, f.subject)
	f.Complete(sharesFacts(pass))
	f.shared = newShared()
	return f
}

// subject returns fn as the domains see it, or the package if it is nil.
func (f *Facts) subject(fn *types.Func, d *ast.FuncDecl) (*Subject, bool) {
	if fn == nil {
		return &Subject{Pass: NewPass(f.Pass, f.Pass.ResultOf[inspect.Analyzer].(*inspector.Inspector), f)}, true
	}
	p := f.PassOver(d)
	c, ok := p.Inspector.Root().FindNode(d)
	if !ok {
		return nil, false
	}
	return &Subject{Pass: p, Fn: p.FuncOf(c), Sig: fn.Signature(), Decl: d}, true
}

// PassOver returns a pass over one declaration. An inspector of all files is for
// the rules, and most dependencies need none. It sizes its memory by the extent
// of the files, hence the positions.
func (f *Facts) PassOver(d *ast.FuncDecl) *Pass {
	in := inspector.New([]*ast.File{{Package: d.Pos(), Name: d.Name, Decls: []ast.Decl{d}, FileStart: d.Pos(), FileEnd: d.End()}})
	return NewPass(f.Pass, in, f)
}
