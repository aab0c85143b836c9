package usage

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// Effect is what a function does with one of its parameters.
type Effect uint8

const (
	Unknown  Effect = iota // may keep it: the obligation moved
	Borrows                // only looks at it
	Releases               // closes it, at least on some path
)

// Effects are those on the parameters of a function, by index; nil if nothing is known.
type Effects []Effect

func (e Effects) Of(i int) Effect {
	if i < len(e) {
		return e[i]
	}
	return Unknown
}

// ClosesOf is what a function does with parameters that can be closed.
var ClosesOf = code.Register[Effects]("params")

func init() {
	ClosesOf.Compute(takesTracked, func(s *code.Subject) (out Effects) {
		for i := range s.Sig.Params().Len() {
			v := s.Sig.Params().At(i)
			r := ResourceOf(v.Type())
			if r == nil || s.Sig.Variadic() && i == s.Sig.Params().Len()-1 || r == Func && len(s.Decl.Body.List) == 0 {
				continue // a stub says nothing of a callback
			}
			if effect := paramEffect(s.Pass, v, s.Fn, r); effect != Unknown {
				if out == nil {
					out = make(Effects, s.Sig.Params().Len())
				}
				out[i] = effect
			}
		}
		return out
	})
}

// Param returns what fn does with its argument i. A method of an interface does
// what all that implement it do.
func Param(f *code.Facts, fn *types.Func, i int) Effect {
	if impls, ok := Implementations(f, fn); ok {
		return paramOfAny(f, impls, i)
	}
	return ClosesOf.Of(f.Facts, fn).Of(i)
}

func takesTracked(sig *types.Signature, _ *ast.FuncDecl) bool {
	for v := range sig.Params().Variables() {
		if ResourceOf(v.Type()) != nil {
			return true
		}
	}
	return false
}

func paramEffect(p *code.Pass, v *types.Var, fn *code.Func, r *Resource) Effect {
	effect := Borrows
	for _, e := range Track(p, v, fn, r) {
		switch e.Kind {
		case Closes, DefersClose, ClosesLate:
			effect = Releases
		case Escapes, Outlives, Assigns:
			return Unknown
		}
	}
	return effect
}
