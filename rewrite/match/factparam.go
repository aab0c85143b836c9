package match

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Effect is what a function does with one of its parameters.
type Effect uint8

const (
	ParamUnknown Effect = iota // may keep it: the obligation moved
	ParamReads                 // only looks at it
	ParamCloses                // closes it, at least on some path
)

// effects are those on the parameters of a function, by index; nil if nothing is known.
type effects []Effect

func (e effects) of(i int) Effect {
	if i < len(e) {
		return e[i]
	}
	return ParamUnknown
}

// closes is what a function does with parameters that can be closed.
var closes = Register[effects]("params")

func init() {
	closes.Compute(takesTracked, func(s *Subject) (out effects) {
		for i := range s.Sig.Params().Len() {
			v := s.Sig.Params().At(i)
			r, ok := trackedRole(v.Type())
			if !ok || s.Sig.Variadic() && i == s.Sig.Params().Len()-1 || r == cancel && len(s.Decl.Body.List) == 0 {
				continue // a stub says nothing of a callback
			}
			if effect := s.paramEffect(v, s.Fn, r); effect != ParamUnknown {
				if out == nil {
					out = make(effects, s.Sig.Params().Len())
				}
				out[i] = effect
			}
		}
		return out
	})
}

// Param returns what fn does with its argument i. A method of an interface does
// what all that can stand behind it do.
func (f *Facts) Param(fn *types.Func, i int) Effect {
	if impls, ok := f.implementations(fn); ok {
		return f.paramOfAny(impls, i)
	}
	return closes.Of(f.Facts, fn).of(i)
}

func takesTracked(sig *types.Signature, _ *ast.FuncDecl) bool {
	for v := range sig.Params().Variables() {
		if _, ok := trackedRole(v.Type()); ok {
			return true
		}
	}
	return false
}

func trackedRole(t types.Type) (role, bool) {
	if _, isPtr := types.Unalias(t).(*types.Pointer); isPtr && typeis.Named(t, "net/http", "Response") {
		return holder, true
	}
	for _, name := range []string{"ReadCloser", "Reader", "Closer"} {
		if typeis.Named(t, "io", name) {
			return closer, true
		}
	}
	if typeis.Callback(t) {
		return cancel, true
	}
	return 0, false
}

func (p *Pass) paramEffect(v *types.Var, fn *Func, r role) Effect {
	effect := ParamReads
	for _, e := range p.track(v, fn, r) {
		switch e.Kind {
		case Closes, DefersClose, ClosesLate:
			effect = ParamCloses
		case Escapes, Assigns:
			return ParamUnknown
		}
	}
	return effect
}
