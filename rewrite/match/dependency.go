package match

import (
	"go/ast"
	"go/types"
	"sync"

	"golang.org/x/tools/go/analysis"
)

// Asked says what a function of a package that is not analysed does with its
// argument i, a context or what is made from one: ParamReads if it is done with
// it when it returns, else ParamUnknown.
type Asked func(fn *types.Func, i int) Effect

// Summarise computes the facts of a package as [Summaries] does. It asks about
// functions of packages that are not analysed, if ask is not nil.
func Summarise(pass *analysis.Pass, ask Asked) *Facts {
	f := newFacts(pass)
	f.ask = ask
	f.summarise()
	return f
}

// Dependency answers what functions of one package do with contexts. Only what
// is asked for is worked out. The answers do not depend on the order of the
// questions.
type Dependency struct {
	mu    sync.Mutex
	f     *Facts
	named map[string]*types.Func
}

// NewDependency returns the answers of a package of which pass has the files and
// the types. Functions are asked for by what name returns for them.
func NewDependency(pass *analysis.Pass, name func(*types.Func) string, ask Asked) *Dependency {
	d := &Dependency{f: newFacts(pass), named: map[string]*types.Func{}}
	d.f.ask, d.f.busy = ask, true
	d.f.lazy = &lazyFacts{running: map[*types.Func]bool{}}
	for _, file := range pass.Files {
		for _, decl := range file.Decls {
			fd, ok := decl.(*ast.FuncDecl)
			if !ok || fd.Body == nil {
				continue
			}
			if fn, ok := pass.TypesInfo.Defs[fd.Name].(*types.Func); ok {
				d.f.decls[fn] = fd
				if n := name(fn); n != "" {
					d.named[n] = fn
				}
			}
		}
	}
	return d
}

// Effects returns what the function with a name does with each of its
// parameters, nil if nothing is known.
func (d *Dependency) Effects(name string) []Effect {
	d.mu.Lock()
	defer d.mu.Unlock()
	fn := d.named[name]
	if fn == nil {
		return nil
	}
	d.f.lazy.scratch = map[*types.Func]*FuncFact{}
	p := &Pass{Pass: d.f.pass, Facts: d.f}
	var effects []Effect
	for i := range fn.Signature().Params().Len() {
		effect := p.ctxSummary(fn, i)
		if effect == ParamCloses {
			effect = ParamUnknown // what nobody else would know is no reason to say more
		}
		effects = append(effects, effect)
	}
	return effects
}

// lazyFacts is for facts that are worked out when they are asked for.
//
// A function that is being summarised is unknown to those that it calls, so
// that what is known of these depends on who asked. Such facts are only good
// for the question at hand.
type lazyFacts struct {
	running map[*types.Func]bool
	scratch map[*types.Func]*FuncFact
	cuts    int // how often something was taken for unknown, or came from scratch
}

func (f *Facts) lazily(fn *types.Func, d *ast.FuncDecl) *FuncFact {
	l := f.lazy
	if l.running[fn] {
		l.cuts++
		return unknownFact
	}
	if fact, ok := l.scratch[fn]; ok {
		l.cuts++
		return fact
	}
	before := l.cuts
	l.running[fn] = true
	fact := f.compute(fn, d)
	delete(l.running, fn)
	if l.cuts == before {
		f.own[fn] = fact
	} else {
		l.scratch[fn] = fact
	}
	return fact
}
