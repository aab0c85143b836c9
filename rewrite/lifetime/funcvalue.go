package lifetime

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// A function value is known where every value that it can have is a function or
// a literal in sight: a literal that is called at once, a local variable that is
// given one value, a parameter of a function all calls of which are in the package.

// FuncValueDepth bounds how many parameters a value is followed through.
const FuncValueDepth = 3

// funcValue says what the function that fun, no name of a function, evaluates
// to does with its argument arg, a context or what is made from one.
func funcValue(p *code.Pass, fun ast.Expr, arg int) usage.Effect {
	return valueEffect(p, fun, arg, FuncValueDepth)
}

func valueEffect(p *code.Pass, fun ast.Expr, arg, depth int) usage.Effect {
	fun = ast.Unparen(fun)
	if lit, ok := fun.(*ast.FuncLit); ok {
		return litEffect(p, lit, arg)
	}
	if fn := p.FuncRef(fun); fn != nil {
		switch knowledge.OnContext(fn, arg) {
		case knowledge.ContextGone:
			return usage.Borrows
		case knowledge.ContextKept:
			return usage.Releases
		}
		return ctxSummary(p, fn, arg)
	}
	v := p.VarOf(fun)
	if v == nil || depth == 0 {
		return usage.Unknown
	}
	values, param, ok := p.ValuesOf(v)
	if ok && !param && len(values) == 1 {
		return valueEffect(p, values[0], arg, depth-1)
	}
	fn, i := callers.ParameterOf(p.Facts, v)
	if !ok || len(values) > 0 || fn == nil {
		return usage.Unknown
	}
	calls, all := callers.CallsOf(p.Facts, fn)
	if !all || len(calls) == 0 {
		return usage.Unknown
	}
	effect := usage.Borrows
	for _, call := range calls {
		if i >= len(call.Args) || len(call.Args) != fn.Signature().Params().Len() {
			return usage.Unknown
		}
		q := callers.PassAt(p.Facts, call)
		if q == nil {
			return usage.Unknown
		}
		*code.State[busyLiterals](q) = busyOf(p)
		switch valueEffect(q, call.Args[i], arg, depth-1) {
		case usage.Releases:
			return usage.Releases
		case usage.Unknown:
			effect = usage.Unknown
		}
	}
	return effect
}

// busyLiterals are the literals that are being looked into, by all passes that take part.
type busyLiterals map[*ast.FuncLit]bool

func busyOf(p *code.Pass) busyLiterals {
	busy := code.State[busyLiterals](p)
	if *busy == nil {
		*busy = busyLiterals{}
	}
	return *busy
}

// litEffect says what a literal does with its parameter i.
func litEffect(p *code.Pass, lit *ast.FuncLit, i int) usage.Effect {
	c, ok := p.FindAnywhere(lit)
	sig, isSig := p.TypesInfo.TypeOf(lit).(*types.Signature)
	if !ok || !isSig || i < 0 || i >= sig.Params().Len() || sig.Variadic() {
		return usage.Unknown
	}
	busy := busyOf(p)
	if busy[lit] {
		return usage.Unknown // recursion knows nothing
	}
	busy[lit] = true
	defer delete(busy, lit)
	return ctxParam(p, sig.Params().At(i), p.FuncOf(c))
}
