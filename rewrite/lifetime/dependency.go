package lifetime

import (
	"go/types"
	"sync"

	"golang.org/x/tools/go/analysis"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/summary"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// Asked says what a function of a package that is not analysed does with its
// argument i, a context or what is made from one: Borrows if it is done with
// it when it returns, else Unknown.
type Asked func(fn *types.Func, i int) usage.Effect

// Dependency answers what functions of one package do with contexts. Only what
// is asked for is worked out. The answers do not depend on the order of the
// questions.
type Dependency struct {
	mu    sync.Mutex
	f     *code.Facts
	named map[string]*types.Func
}

// NewDependency returns the answers of a package of which pass has the files and
// the types. Functions are asked for by what name returns for them.
func NewDependency(pass *analysis.Pass, name func(*types.Func) string, ask Asked) *Dependency {
	d := &Dependency{f: code.Lazily(pass, []summary.AnyDomain{code.Never, assume.AssuresOf, usage.ClosesOf, contextsOf}, ask), named: map[string]*types.Func{}}
	for fn := range d.f.Functions() {
		if n := name(fn); n != "" {
			d.named[n] = fn
		}
	}
	return d
}

// Effects returns what the function with a name does with each of its
// parameters, nil if nothing is known.
func (d *Dependency) Effects(name string) []usage.Effect {
	d.mu.Lock()
	defer d.mu.Unlock()
	fn := d.named[name]
	if fn == nil {
		return nil
	}
	d.f.Ask()
	p := &code.Pass{Pass: d.f.Pass, Facts: d.f}
	var effects []usage.Effect
	for i := range fn.Signature().Params().Len() {
		effect := ctxSummary(p, fn, i)
		if effect == usage.Releases {
			effect = usage.Unknown // what nobody else would know is no reason to say more
		}
		effects = append(effects, effect)
	}
	return effects
}
