package match

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
)

// A function value is known where every value that it can have is a function or
// a literal in sight: a literal that is called at once, a local variable that is
// given one value, a parameter of a function all calls of which are in the package.

// FuncValueDepth bounds how many parameters a value is followed through.
const FuncValueDepth = 3

// funcValue says what the function that fun, no name of a function, evaluates
// to does with its argument arg, a context or what is made from one.
func (p *Pass) funcValue(fun ast.Expr, arg int) Effect {
	return p.valueEffect(fun, arg, FuncValueDepth)
}

func (p *Pass) valueEffect(fun ast.Expr, arg, depth int) Effect {
	fun = ast.Unparen(fun)
	if lit, ok := fun.(*ast.FuncLit); ok {
		return p.litEffect(lit, arg)
	}
	if fn := p.FuncRef(fun); fn != nil {
		switch knowledge.OnContext(fn, arg) {
		case knowledge.ContextGone:
			return ParamReads
		case knowledge.ContextKept:
			return ParamCloses
		}
		return p.ctxSummary(fn, arg)
	}
	v := p.VarOf(fun)
	if v == nil || depth == 0 {
		return ParamUnknown
	}
	values, param, ok := p.valuesOf(v)
	if ok && !param && len(values) == 1 {
		return p.valueEffect(values[0], arg, depth-1)
	}
	fn, i := p.Facts.parameterOf(v)
	if !ok || len(values) > 0 || fn == nil {
		return ParamUnknown
	}
	calls, all := p.Facts.callsOf(fn)
	if !all || len(calls) == 0 {
		return ParamUnknown
	}
	effect := ParamReads
	for _, call := range calls {
		if i >= len(call.Args) || len(call.Args) != fn.Signature().Params().Len() {
			return ParamUnknown
		}
		q := p.Facts.passAt(call)
		if q == nil {
			return ParamUnknown
		}
		*State[busyLiterals](q) = busyOf(p)
		switch q.valueEffect(call.Args[i], arg, depth-1) {
		case ParamCloses:
			return ParamCloses
		case ParamUnknown:
			effect = ParamUnknown
		}
	}
	return effect
}

// busyLiterals are the literals that are being looked into, by all passes that take part.
type busyLiterals map[*ast.FuncLit]bool

func busyOf(p *Pass) busyLiterals {
	busy := State[busyLiterals](p)
	if *busy == nil {
		*busy = busyLiterals{}
	}
	return *busy
}

// litEffect says what a literal does with its parameter i.
func (p *Pass) litEffect(lit *ast.FuncLit, i int) Effect {
	c, ok := p.FindAnywhere(lit)
	sig, isSig := p.TypesInfo.TypeOf(lit).(*types.Signature)
	if !ok || !isSig || i < 0 || i >= sig.Params().Len() || sig.Variadic() {
		return ParamUnknown
	}
	busy := busyOf(p)
	if busy[lit] {
		return ParamUnknown // recursion knows nothing
	}
	busy[lit] = true
	defer delete(busy, lit)
	return p.ctxParam(sig.Params().At(i), p.FuncOf(c))
}

// callIndex holds the calls of the functions of a package that are not exported.
type callIndex struct {
	calls map[*types.Func][]*ast.CallExpr
	value map[*types.Func]bool // also used otherwise
	param map[*types.Var]paramOf
	decls []*ast.FuncDecl // with bodies, in order of their positions
}

type paramOf struct {
	fn    *types.Func
	index int
}

// callsIn returns the index of the package of f.
func callsIn(f *Facts) *callIndex { return Of(f, newCallIndex) }

// parameterOf returns the function that v is a parameter of, if it is one of
// this package that others cannot call, and its index there.
func (f *Facts) parameterOf(v *types.Var) (*types.Func, int) {
	p := callsIn(f).param[v]
	return p.fn, p.index
}

// callsOf returns the calls of fn; all says that nothing else is done with it.
func (f *Facts) callsOf(fn *types.Func) (calls []*ast.CallExpr, all bool) {
	x := callsIn(f)
	return x.calls[fn], !x.value[fn] && len(f.pass.IgnoredFiles) == 0
}

func newCallIndex(f *Facts) *callIndex {
	x := &callIndex{calls: map[*types.Func][]*ast.CallExpr{}, value: map[*types.Func]bool{}, param: map[*types.Var]paramOf{}}
	own := func(id *ast.Ident) *types.Func {
		fn, ok := f.pass.TypesInfo.Uses[id].(*types.Func)
		if !ok || fn.Pkg() != f.pass.Pkg || fn.Exported() || fn.Signature().Recv() != nil {
			return nil
		}
		return fn.Origin()
	}
	for _, file := range f.pass.Files {
		called := map[*ast.Ident]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Body != nil {
					x.decls = append(x.decls, n)
				}
				if fn, ok := f.pass.TypesInfo.Defs[n.Name].(*types.Func); ok && !fn.Exported() && n.Recv == nil {
					for i := range fn.Signature().Params().Len() {
						x.param[fn.Signature().Params().At(i)] = paramOf{fn, i}
					}
				}
			case *ast.CallExpr:
				if id := calledName(n.Fun); id != nil {
					if fn := own(id); fn != nil {
						called[id] = true
						x.calls[fn] = append(x.calls[fn], n)
					}
				}
			case *ast.Ident:
				if fn := own(n); fn != nil && !called[n] {
					x.value[fn] = true
				}
			}
			return true
		})
	}
	return x
}

// calledName returns the name of the function that fun, of a call, denotes.
func calledName(fun ast.Expr) *ast.Ident {
	switch fun := ast.Unparen(fun).(type) {
	case *ast.Ident:
		return fun
	case *ast.IndexExpr:
		return calledName(fun.X)
	case *ast.IndexListExpr:
		return calledName(fun.X)
	}
	return nil
}

// passAt returns a pass over the declaration that holds n; nil if that is no function.
func (f *Facts) passAt(n ast.Node) *Pass {
	decls := callsIn(f).decls
	i := slices.IndexFunc(decls, func(d *ast.FuncDecl) bool { return d.Pos() <= n.Pos() && n.End() <= d.End() })
	if i < 0 {
		return nil
	}
	return f.passOver(decls[i])
}

// passOver returns a pass over one declaration. An inspector of all files is for
// the rules, and most dependencies need none. It sizes its memory by the extent
// of the files, hence the positions.
func (f *Facts) passOver(d *ast.FuncDecl) *Pass {
	in := inspector.New([]*ast.File{{Package: d.Pos(), Name: d.Name, Decls: []ast.Decl{d}, FileStart: d.Pos(), FileEnd: d.End()}})
	return NewPass(f.pass, in, f)
}
