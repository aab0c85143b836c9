package lifetime

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// ctxEffect says what call, of fn, does with its argument arg, -1 for its
// receiver: a context or something made from one.
//
// A function with a body is known by its summary, a method of an interface by
// what implements it, the rest by the tables. Nothing is known by its name.
func ctxEffect(p *code.Pass, call *ast.CallExpr, fn *types.Func, arg int) knowledge.ContextEffect {
	if fn.Pkg() == nil { // error.Error
		return knowledge.ContextGone
	}
	known := knowledge.OnContext(fn, arg)
	recv := fn.Signature().Recv()
	if arg < 0 || known == knowledge.ContextKept || known != knowledge.ContextUnknown && (recv == nil || !types.IsInterface(recv.Type())) {
		return known
	}
	methods, closed := CalledMethods(p, call, fn)
	effect := knowledge.ContextGone
	for _, m := range methods {
		switch ctxSummary(p, m, arg) {
		case usage.Borrows:
		case usage.Releases:
			return knowledge.ContextKept
		default:
			switch knowledge.OnContext(m, arg) {
			case knowledge.ContextGone:
			case knowledge.ContextHeld:
				effect = knowledge.ContextHeld
			case knowledge.ContextKept:
				return knowledge.ContextKept
			default:
				closed = false
			}
		}
	}
	if closed && len(methods) > 0 {
		return effect
	}
	return known
}

// CarriesContext reports whether t is a context or something that carries one.
func CarriesContext(t types.Type) bool {
	return typeis.Named(t, "context", "Context") || typeis.Named(t, "net/http", "Request") || typeis.Named(t, "net/http", "Response") || typeis.Named(t, "os/exec", "Cmd")
}

// contexts is what a function does with its parameters that are contexts, or
// carry one: it is done with one when it returns (Borrows), or keeps it
// (Releases).
type contexts []usage.Effect

var contextsOf = code.Register[contexts]("contexts")

func init() {
	contextsOf.Compute(TakesContext, func(s *code.Subject) (out contexts) {
		for i := range s.Sig.Params().Len() {
			if v := s.Sig.Params().At(i); CarriesContext(v.Type()) {
				if out == nil {
					out = make(contexts, s.Sig.Params().Len())
				}
				out[i] = ctxParam(s.Pass, v, s.Fn)
			}
		}
		return out
	})
}

// TakesContext reports whether a function has a parameter that is a context or carries
// one; a domain takes it as it is.
func TakesContext(sig *types.Signature, _ *ast.FuncDecl) bool {
	for v := range sig.Params().Variables() {
		if CarriesContext(v.Type()) {
			return true
		}
	}
	return false
}

// Context returns what fn does with argument i, a context or something that
// carries one: Borrows or Releases as of [contexts].
func Context(f *code.Facts, fn *types.Func, i int) usage.Effect {
	return usage.Effects(contextsOf.Of(f.Facts, fn)).Of(i)
}

// ctxSummary returns what fn, a function with a body, does with argument i.
func ctxSummary(p *code.Pass, fn *types.Func, i int) usage.Effect {
	if effect := Context(p.Facts, fn, i); effect != usage.Unknown {
		return effect
	}
	// A reader that is only read, or closed, is nobody's afterwards.
	params := fn.Signature().Params()
	if i < params.Len() && !fn.Signature().Variadic() {
		if usage.ResourceOf(params.At(i).Type()) == usage.Stream && usage.ClosesOf.Of(p.Facts.Facts, fn).Of(i) != usage.Unknown {
			return usage.Borrows
		}
	}
	ask := code.Of(p.Facts, func(*code.Facts) Asked { return nil })
	if pkg := fn.Pkg(); ask != nil && pkg != nil && pkg != p.Facts.Pass.Pkg && !knowledge.Std(pkg.Path()) {
		return ask(fn, i)
	}
	return usage.Unknown
}

// CalledMethods returns the functions with bodies that call, of fn, can reach. closed
// is false if there may be others.
func CalledMethods(p *code.Pass, call *ast.CallExpr, fn *types.Func) (methods []*types.Func, closed bool) {
	recv := fn.Signature().Recv()
	if recv == nil || !types.IsInterface(recv.Type()) {
		return []*types.Func{fn}, true
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil, false
	}
	if typ := dynamicType(p, sel.X); typ != nil {
		if m := usage.MethodOf(typ, fn); m != nil {
			return []*types.Func{m}, true
		}
		return nil, false
	}
	if !fn.Exported() {
		return usage.Implementations(p.Facts, fn)
	}
	return usage.Implementers(p.Facts, p.TypesInfo.TypeOf(sel.X), fn)
}

// dynamicType returns the type of the value in e, an expression of an interface
// type, if it is in sight: a local variable that gets one value, of a type that
// is no interface. Else it returns nil.
func dynamicType(p *code.Pass, e ast.Expr) types.Type {
	v := p.VarOf(e)
	if v == nil {
		return nil
	}
	value := p.OnlyValue(v)
	if value == nil {
		return nil
	}
	typ := p.TypesInfo.TypeOf(value)
	if typ == nil || types.IsInterface(typ) || typeis.TypeParam(typ) || p.IsNil(value) {
		return nil
	}
	return typ
}
