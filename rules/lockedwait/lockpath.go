package lockedwait

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/match"
)

// declaredAround returns the declared function around c; nil if there is none.
func declaredAround(p *match.Pass, c inspector.Cursor) *types.Func {
	for d := range c.Enclosing((*ast.FuncDecl)(nil)) {
		fn, _ := p.TypesInfo.Defs[d.Node().(*ast.FuncDecl).Name].(*types.Func)
		return fn
	}
	return nil
}

// nearest returns the functions of the package from which at most depth calls lead to
// one of the places, with the least number of calls.
func nearest(p *match.Pass, places []inspector.Cursor, depth int) map[*types.Func]int {
	near := map[*types.Func]int{}
	for d := 0; d <= depth; d++ {
		var callers []inspector.Cursor
		for _, c := range places {
			fn := declaredAround(p, c)
			if _, known := near[fn]; !known {
				near[fn] = d // nil for places outside of functions
				callers = append(callers, p.Index().Calls[fn]...)
			}
		}
		places = callers
	}
	return near
}

// functions returns what finds the declared functions of the package.
func functions(p *match.Pass) func(*types.Func) *match.Func {
	known := map[*types.Func]*match.Func{}
	return func(fn *types.Func) *match.Func {
		f, ok := known[fn]
		if c, declared := p.Index().Declared[fn]; declared && !ok {
			f = p.FuncOf(c)
			known[fn] = f
		}
		return f
	}
}

// outOf translates a place of the callee of call into the caller. What the callee keeps
// in a variable of its own has no name there, and may be of another structure than the
// caller's.
func outOf(p *match.Pass, at match.Path, call *ast.CallExpr, callee *match.Func) (match.Path, bool) {
	for i, param := range match.Params(callee) {
		if param != nil && p.TypesInfo.Defs[param] == types.Object(at.Root) {
			from, ok := p.PlaceOf(match.Argument(call, callee, i))
			return match.Path{Root: from.Root, Path: from.Path + at.Path}, ok
		}
	}
	return at, at.Root.Kind() == types.PackageVar
}
