package lockedwait

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/locks"
)

// declaredAround returns the declared function around c; nil if there is none.
func declaredAround(p *code.Pass, c inspector.Cursor) *types.Func {
	for d := range c.Enclosing((*ast.FuncDecl)(nil)) {
		fn, _ := p.TypesInfo.Defs[d.Node().(*ast.FuncDecl).Name].(*types.Func)
		return fn
	}
	return nil
}

// nearest returns the functions of the package from which at most depth calls lead to
// one of the places, with the least number of calls.
func nearest(p *code.Pass, places []inspector.Cursor, depth int) map[*types.Func]int {
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
func functions(p *code.Pass) func(*types.Func) *code.Func {
	known := map[*types.Func]*code.Func{}
	return func(fn *types.Func) *code.Func {
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
func outOf(p *code.Pass, at locks.Path, call *ast.CallExpr, callee *code.Func) (locks.Path, bool) {
	for i, param := range code.Params(callee) {
		if param != nil && p.TypesInfo.Defs[param] == types.Object(at.Root) {
			from, ok := locks.PlaceOf(p, code.Argument(call, callee, i))
			return locks.Path{Root: from.Root, Path: from.Path + at.Path}, ok
		}
	}
	return at, at.Root.Kind() == types.PackageVar
}
