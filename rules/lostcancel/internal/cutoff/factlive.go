package cutoff

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/lifetime"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// liveResults says of the parameters of a function, by index, whether the first
// result lives on it: see Lives.
type liveResults []bool

var livesOf = code.Register[liveResults]("lives")

func init() {
	livesOf.Compute(lifetime.TakesContext, func(s *code.Subject) (out liveResults) {
		for i := range s.Sig.Params().Len() {
			if v := s.Sig.Params().At(i); lifetime.CarriesContext(v.Type()) && livesOn(s.Pass, v, s.Fn, s.Sig) {
				if out == nil {
					out = make(liveResults, s.Sig.Params().Len())
				}
				out[i] = true
			}
		}
		return out
	})
}

// livesOnOf reports whether the first result of fn lives on argument i, a context
// or a request: it is a response, or reads from one, and whoever gets it still
// has to read it. Every way out of fn that does not fail returns such a result.
func livesOnOf(f *code.Facts, fn *types.Func, i int) bool {
	lives := livesOf.Of(f.Facts, fn)
	return i < len(lives) && lives[i]
}

// livesOn reports whether the first result of fn lives on its parameter v.
func livesOn(p *code.Pass, v *types.Var, fn *code.Func, sig *types.Signature) bool {
	if sig.Results().Len() == 0 || !product(sig.Results().At(0).Type()) || typeis.Named(v.Type(), "net/http", "Response") || typeis.Named(v.Type(), "os/exec", "Cmd") {
		return false
	}
	if t := sig.Results().At(0).Type(); typeis.DataOnly(t) && !typeis.HTTP(t) {
		return false
	}
	w := newLiveWalk(p, fn)
	start, lives, other := liveState{vars: w.bit(v)}, false, false
	if start.vars == 0 {
		return false
	}
	w.found = func(*ast.ReturnStmt, types.Type, liveState) { lives = true }
	w.dead = func() { other = true }
	w.fromEntry(start)
	return lives && !other
}
