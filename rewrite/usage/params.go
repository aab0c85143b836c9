package usage

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Effect is what a function does with one of its parameters.
type Effect uint8

const (
	Unknown  Effect = iota // may keep it: the obligation moved
	Borrows                // only looks at it
	Releases               // closes it, at least on some path
	// Sometimes is for a function that must be called: it is called on some paths and not on
	// others, and the others have nothing to do with a context. Nobody else gets it.
	Sometimes
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
	events := Track(p, v, fn, r)
	for _, e := range events {
		switch {
		case e.Kind == Closes || e.Kind == DefersClose || e.Kind == ClosesLate || e.Sometimes:
			effect = Releases
		case e.Kind == Escapes || e.Kind == Outlives || e.Kind == Assigns:
			return Unknown
		}
	}
	if effect == Releases && r == Func && skips(fn, events) && !endsOtherwise(p, fn) {
		return Sometimes
	}
	return effect
}

// skips reports whether a path through fn comes to a return without any of events that
// certainly calls.
func skips(fn *code.Func, events []Event) (skips bool) {
	calls, late := map[ast.Node]bool{}, map[ast.Node]bool{}
	for _, e := range events {
		switch e.Kind {
		case Closes, DefersClose:
			calls[e.Node] = true
		case ClosesLate:
			late[e.Node] = true
		}
	}
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) { return s, !calls[n] && !late[n] },
		Exit: func(*flow.Block, struct{}) { skips = true },
	}.FromEntry(fn.Flow, struct{}{})
	return skips
}

// endsOtherwise reports whether fn may leave because a context has ended, or not at all: it
// mentions a context, looks at a channel by which something is called off, or goes through
// the times of a ticker.
func endsOtherwise(p *code.Pass, fn *code.Func) bool {
	for c := range fn.Cursor.Preorder((*ast.Ident)(nil), (*ast.RangeStmt)(nil), (*ast.UnaryExpr)(nil)) {
		switch n := c.Node().(type) {
		case *ast.Ident:
			if obj := p.TypesInfo.ObjectOf(n); obj != nil && typeis.Named(obj.Type(), "context", "Context") {
				return true
			}
		case *ast.RangeStmt:
			if elem := received(p, n.X); elem != nil && typeis.Named(elem, "time", "Time") {
				return true
			}
		case *ast.UnaryExpr:
			if elem := received(p, n.X); n.Op == token.ARROW && elem != nil {
				if s, ok := elem.Underlying().(*types.Struct); ok && s.NumFields() == 0 {
					return true
				}
			}
		}
	}
	return false
}

// received returns the type of what comes from the channel e; nil if it is none.
func received(p *code.Pass, e ast.Expr) types.Type {
	if t := p.TypesInfo.TypeOf(e); t != nil {
		if ch, ok := t.Underlying().(*types.Chan); ok {
			return ch.Elem()
		}
	}
	return nil
}
