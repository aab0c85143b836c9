// Package keeper answers whether a function that gets another one may call it no more
// after it has returned an error.
package keeper

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
	"github.com/goroutinefix/goroutinefix/rules/missingsignal/internal/outcome"
)

// abandoned is a function value that a function gets, and that is called, but perhaps
// not again after it has returned an error: nobody else in the package calls it.
type abandoned struct {
	Param int
	Field string // of the structure that the parameter is; "" if it is the function itself
}

// abandons is what a function does with the function values that it gets.
var abandons = code.Register[[]abandoned]("abandons")

func init() {
	abandons.ComputeWhole(func(s *code.Subject) map[*types.Func][]abandoned {
		t := &callbacks{p: s.Pass, fields: map[*types.Var]bool{}}
		out := map[*types.Func][]abandoned{}
		for c := range s.Inspector.Root().Preorder((*ast.FuncDecl)(nil)) {
			fn, ok := s.TypesInfo.Defs[c.Node().(*ast.FuncDecl).Name].(*types.Func)
			if !ok || c.Node().(*ast.FuncDecl).Body == nil {
				continue
			}
			if list := t.of(fn, c); len(list) > 0 {
				out[fn] = list
			}
		}
		return out
	})
}

// callbacks looks at the calls of function values of one package.
type callbacks struct {
	p      *code.Pass
	fields map[*types.Var]bool // whether a function in the field may be called no more after an error
}

func (t *callbacks) of(fn *types.Func, decl inspector.Cursor) (out []abandoned) {
	sig := fn.Signature()
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		if sig.Variadic() && i == sig.Params().Len()-1 {
			continue
		}
		typ := v.Type()
		if _, isFunc := typ.Underlying().(*types.Signature); isFunc {
			if t.values(t.p.Uses(decl, v), fn, 3) {
				out = append(out, abandoned{Param: i})
			}
			continue
		}
		if ptr, ok := typ.Underlying().(*types.Pointer); ok {
			typ = ptr.Elem()
		}
		named, isNamed := types.Unalias(typ).(*types.Named)
		if !isNamed || named.Obj().Pkg() != t.p.Pkg {
			continue
		}
		if s, ok := named.Underlying().(*types.Struct); ok {
			for f := range s.Fields() {
				if _, isFunc := f.Type().Underlying().(*types.Signature); isFunc && t.field(f.Origin()) {
					out = append(out, abandoned{Param: i, Field: f.Name()})
				}
			}
		}
	}
	return out
}

// field reports whether a function in the field f may be called no more after an error,
// and nobody else has it.
func (t *callbacks) field(f *types.Var) bool {
	if known, ok := t.fields[f]; ok {
		return known
	}
	t.fields[f] = false // stored in a circle
	var uses []inspector.Cursor
	for _, c := range t.p.Index().Fields[f] {
		if !code.IsAssigned(c) {
			uses = append(uses, c)
		}
	}
	t.fields[f] = t.values(uses, nil, 3) && !callers.UsedUnseen(t.p, f)
	return t.fields[f]
}

// values reports whether all that is done with a function value in these places is to
// call it, or to keep it in a field of which the same is true, and no call is certain to
// come again. The values are a parameter of a function of, or in a field if that is nil.
func (t *callbacks) values(uses []inspector.Cursor, of *types.Func, depth int) bool {
	called := false
	for _, use := range uses {
		c := code.Unparen(use)
		switch n := c.Parent().Node().(type) {
		case *ast.Field, *ast.BinaryExpr:
		case *ast.CallExpr:
			if n.Fun != c.Node() || !t.lastCall(c.Parent(), of, depth) {
				return false
			}
			called = true
		default:
			f := t.p.StoredIn(c)
			if f == nil || f.Pkg() != t.p.Pkg || !t.field(f) {
				return false
			}
			called = true
		}
	}
	return called
}

// lastCall reports whether the call at c may be the last one although it returns an
// error: the goroutine that makes it may end after it.
func (t *callbacks) lastCall(c inspector.Cursor, of *types.Func, depth int) bool {
	switch c.Parent().Node().(type) {
	case *ast.GoStmt, *ast.DeferStmt:
		return t.once(c.Parent())
	}
	at := t.p.GoroutineFunc(c)
	fn := t.p.FuncOf(at)
	if fn == nil {
		return false
	}
	node := code.FlowNode(c, fn)
	told, ok := outcome.Of(t.p, fn, c)
	if node == nil || depth == 0 || !ok || t.p.EnclosingFunc(c).Cursor != at {
		return false
	}
	last := false
	flow.Paths[struct{}]{
		Node: func(n ast.Node, st struct{}) (struct{}, bool) { return st, n != node },
		Edge: func(cond ast.Expr, taken bool, st struct{}) (struct{}, bool) {
			return st, told.Failed(t.p, fn, cond, taken, false)
		},
		Exit: func(*flow.Block, struct{}) { last = true },
	}.After(fn.Flow, node, struct{}{})
	if !last {
		return false
	}
	return t.over(fn, of, depth)
}

// once reports whether a go or defer statement is not one of a loop.
func (t *callbacks) once(start inspector.Cursor) bool {
	fn := t.p.EnclosingFunc(start)
	return fn != nil && fn.Flow.Has(start.Node()) && !fn.Flow.InCycle(start.Node())
}

// over reports whether nobody calls fn again for sure when it has returned.
func (t *callbacks) over(fn *code.Func, of *types.Func, depth int) bool {
	d, isDecl := fn.Cursor.Node().(*ast.FuncDecl)
	if !isDecl {
		return launch.Started(fn.Cursor) && t.once(code.Unparen(fn.Cursor).Parent().Parent())
	}
	obj, ok := t.p.TypesInfo.Defs[d.Name].(*types.Func)
	if !ok {
		return false
	}
	if obj == of {
		return true // whoever calls it again hands in a function again
	}
	calls, all := callers.CallSites(t.p, obj)
	for _, call := range calls {
		all = all && t.lastCall(call, of, depth-1)
	}
	return all
}

// Of returns the call that gets the literal at c, and the function that it calls, which may
// call the literal no more after an error; nil if there is none, or if that is not known.
func Of(p *code.Pass, c inspector.Cursor) (call *ast.CallExpr, callee *types.Func) {
	at, field := code.Unparen(c), ""
	if kv, ok := at.Parent().Node().(*ast.KeyValueExpr); ok {
		key, isIdent := kv.Key.(*ast.Ident)
		if !isIdent || kv.Value != at.Node() {
			return nil, nil
		}
		field, at = key.Name, at.Parent().Parent()
		if _, isLit := at.Node().(*ast.CompositeLit); !isLit {
			return nil, nil
		}
		if at = code.Unparen(at); code.Addressed(at) {
			at = code.Unparen(at.Parent())
		}
	}
	ce, ok := at.Parent().Node().(*ast.CallExpr)
	if !ok || ce.Ellipsis.IsValid() {
		return nil, nil
	}
	fn := p.Callee(ce)
	if fn == nil {
		return nil, nil
	}
	for _, a := range abandons.Of(p.Facts.Facts, fn) {
		if a.Param < len(ce.Args) && ast.Node(ce.Args[a.Param]) == at.Node() && a.Field == field {
			return ce, fn
		}
	}
	return nil, nil
}
