package match

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
	Summaries.Run = func(pass *analysis.Pass) (any, error) { return Summarise(pass, nil), nil }
}

// Facts answers what is known of functions.
type Facts struct {
	*summary.Facts[*Subject]
	pass *analysis.Pass
	// ifaces and calls are about the whole package, and found out when asked for.
	ifaces *ifaces
	calls  func() *callIndex
	// detaching is about transports; see Pass.detachingTransports.
	detaching detachingTransports
	ask       Asked // about packages that are not analysed; may be nil
	// shared is for the rules; nil while summarising.
	shared *shared
}

func newFacts(pass *analysis.Pass, ask Asked) *Facts {
	f := &Facts{pass: pass, ask: ask}
	f.ifaces, f.calls = f.newIfaces(), sync.OnceValue(f.indexCalls)
	return f
}

// Summarise computes the facts of a package as [Summaries] does. It asks about
// functions of packages that are not analysed, if ask is not nil.
func Summarise(pass *analysis.Pass, ask Asked) *Facts {
	f := newFacts(pass, ask)
	f.Facts = summary.New(&domains, pass, f.subject)
	f.Complete(sharesFacts(pass))
	f.shared = newShared()
	return f
}

// subject returns fn as the domains see it, or the package if it is nil.
func (f *Facts) subject(fn *types.Func, d *ast.FuncDecl) (*Subject, bool) {
	if fn == nil {
		return &Subject{Pass: NewPass(f.pass, f.pass.ResultOf[inspect.Analyzer].(*inspector.Inspector), f)}, true
	}
	p := f.passOver(d)
	c, ok := p.Inspector.Root().FindNode(d)
	if !ok {
		return nil, false
	}
	return &Subject{Pass: p, Fn: p.FuncOf(c), Sig: fn.Signature(), Decl: d}, true
}
