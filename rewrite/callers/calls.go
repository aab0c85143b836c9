package callers

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

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
func callsIn(f *code.Facts) *callIndex { return code.Of(f, newCallIndex) }

// ParameterOf returns the function that v is a parameter of, if it is one of
// this package that others cannot call, and its index there.
func ParameterOf(f *code.Facts, v *types.Var) (*types.Func, int) {
	p := callsIn(f).param[v]
	return p.fn, p.index
}

// CallsOf returns the calls of fn; all says that nothing else is done with it.
func CallsOf(f *code.Facts, fn *types.Func) (calls []*ast.CallExpr, all bool) {
	x := callsIn(f)
	return x.calls[fn], !x.value[fn] && len(f.Pass.IgnoredFiles) == 0
}

func newCallIndex(f *code.Facts) *callIndex {
	x := &callIndex{calls: map[*types.Func][]*ast.CallExpr{}, value: map[*types.Func]bool{}, param: map[*types.Var]paramOf{}}
	own := func(id *ast.Ident) *types.Func {
		fn, ok := f.Pass.TypesInfo.Uses[id].(*types.Func)
		if !ok || fn.Pkg() != f.Pass.Pkg || fn.Exported() || fn.Signature().Recv() != nil {
			return nil
		}
		return fn.Origin()
	}
	for _, file := range f.Pass.Files {
		called := map[*ast.Ident]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Body != nil {
					x.decls = append(x.decls, n)
				}
				if fn, ok := f.Pass.TypesInfo.Defs[n.Name].(*types.Func); ok && !fn.Exported() && n.Recv == nil {
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

// PassAt returns a pass over the declaration that holds n; nil if that is no function.
func PassAt(f *code.Facts, n ast.Node) *code.Pass {
	decls := callsIn(f).decls
	i := slices.IndexFunc(decls, func(d *ast.FuncDecl) bool { return d.Pos() <= n.Pos() && n.End() <= d.End() })
	if i < 0 {
		return nil
	}
	return f.PassOver(decls[i])
}

// BodyOf returns the function of the package that fn is, with a pass over it.
func BodyOf(f *code.Facts, fn *types.Func) (*code.Pass, *code.Func) {
	fn = fn.Origin()
	for _, d := range callsIn(f).decls {
		if f.Pass.TypesInfo.Defs[d.Name] != types.Object(fn) {
			continue
		}
		q := f.PassOver(d)
		c, ok := q.Inspector.Root().FindNode(d)
		if !ok {
			return nil, nil
		}
		return q, q.FuncOf(c)
	}
	return nil, nil
}
