package channel

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// NeverMade returns the waits on a local channel variable that is declared
// without a value and gets none: sends and receives on nil never end. Those in a
// select are a way to switch a case off. A function that does nothing with the
// variable but to wait on it itself, for no value and as the last thing that it
// does, parks on purpose.
func NeverMade(p *code.Pass, spec inspector.Cursor, fn *code.Func) (out []Use) {
	vs := spec.Node().(*ast.ValueSpec)
	if len(vs.Values) > 0 || len(vs.Names) != 1 {
		return nil
	}
	v, ok := p.TypesInfo.Defs[vs.Names[0]].(*types.Var)
	if !ok || !typeis.Chan(v.Type()) || !p.DeclaredIn(v, fn) {
		return nil
	}
	parks := true
	for _, u := range Uses(p, fn.Cursor, v) {
		switch {
		case u.Kind == Make && u.At.Node().Pos() != v.Pos(), u.Kind == Other, u.Kind == Nil:
			return nil
		case u.Kind == Make:
			continue // the declaration
		case u.Waits():
			out = append(out, u)
		}
		parks = parks && u.GoroutineFunc == fn.Cursor && u.parks() && endsWith(p, fn, u.Op)
	}
	if parks {
		return nil
	}
	return out
}

// endsWith reports whether nothing but a plain return follows the statement of c
// in the function.
func endsWith(p *code.Pass, fn *code.Func, c inspector.Cursor) bool {
	last := true
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if s, ok := n.(ast.Stmt); ok && s.Pos() > c.Node().End() {
			ret, isReturn := s.(*ast.ReturnStmt)
			last = last && isReturn && len(ret.Results) == 0
		}
		return last
	})
	return last
}

// parks reports whether the use waits for no value.
func (u Use) parks() bool {
	switch n := u.Op.Node().(type) {
	case *ast.RangeStmt:
		return n.Key == nil || code.IsBlank(n.Key)
	case *ast.UnaryExpr:
		_, ignored := code.Unparen(u.Op).Parent().Node().(*ast.ExprStmt)
		return ignored && u.Waits()
	}
	return false
}
