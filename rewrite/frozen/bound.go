package frozen

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Bound is how many iterations a loop has at most: Const, or len(Of).
type Bound struct {
	Const int64
	Of    ast.Expr
}

// LoopBound returns the bound of a loop if it is a constant or the length of
// an expression that is ranged over or compared with.
func LoopBound(p *code.Pass, loop ast.Stmt) (Bound, bool) {
	switch l := loop.(type) {
	case *ast.RangeStmt:
		if l.Key != nil && l.Tok == token.ASSIGN {
			return Bound{}, false
		}
		tv := p.TypesInfo.Types[l.X]
		if t := tv.Type.Underlying(); !typeis.String(t) && !typeis.Map(t) && !typeis.Array(t) {
			if _, ok := t.(*types.Slice); !ok {
				return LimitOf(p, l.X)
			}
		}
		return length(p, l.X)
	case *ast.ForStmt:
		if !CountsUp(l, p.TypesInfo) || !fixedWithin(p, l.Body, ObjectOf(l.Init.(*ast.AssignStmt).Lhs[0], p.TypesInfo)) {
			return Bound{}, false
		}
		return LimitOf(p, l.Cond.(*ast.BinaryExpr).Y)
	}
	return Bound{}, false
}

// LimitOf returns the bound that an integer is: a constant, or the length of something.
func LimitOf(p *code.Pass, e ast.Expr) (Bound, bool) {
	if n, ok := typeis.SmallInt(p.TypesInfo.Types[e].Value); ok {
		return Bound{Const: n}, true
	}
	if call, ok := ast.Unparen(e).(*ast.CallExpr); ok && p.IsBuiltin(call, "len") {
		return length(p, call.Args[0])
	}
	if v := p.VarOf(e); v != nil && FixedAnywhere(p, v) {
		if def := Definition(p, v); def != nil {
			if b, ok := LimitOf(p, def); ok && (b.Of == nil || FrozenLen(p, b.Of)) {
				return b, true
			}
		}
	}
	return Bound{}, false
}

// length returns the length of e, which is ranged over, as a bound.
func length(p *code.Pass, e ast.Expr) (Bound, bool) {
	if n, ok := knownLen(p, e); ok {
		return Bound{Const: n}, true
	}
	if typeis.String(p.TypesInfo.TypeOf(e)) {
		return Bound{}, false // a range goes by characters
	}
	return Bound{Of: ast.Unparen(e)}, true
}

// CountsUp recognises "for i := 0; i < limit; i++".
func CountsUp(l *ast.ForStmt, info *types.Info) bool {
	init, ok := l.Init.(*ast.AssignStmt)
	cmp, ok2 := l.Cond.(*ast.BinaryExpr)
	inc, ok3 := l.Post.(*ast.IncDecStmt)
	if !ok || !ok2 || !ok3 || len(init.Lhs) != 1 || len(init.Rhs) != 1 || cmp.Op != token.LSS || inc.Tok != token.INC {
		return false
	}
	i, x, y := ObjectOf(init.Lhs[0], info), ObjectOf(cmp.X, info), ObjectOf(inc.X, info)
	v := info.Types[init.Rhs[0]].Value
	return i != nil && i == x && i == y && v != nil && constant.Compare(v, token.EQL, constant.MakeInt64(0))
}

// ObjectOf returns what e, a plain identifier, denotes; else nil.
func ObjectOf(e ast.Expr, info *types.Info) types.Object {
	if id, ok := ast.Unparen(e).(*ast.Ident); ok {
		return info.ObjectOf(id)
	}
	return nil
}

// LoopLimit returns the variable that says how many iterations a loop has, as in
// "for i := 0; i < n; i++" and "for range n"; nil if that is anything else.
func LoopLimit(p *code.Pass, loop ast.Stmt) *types.Var {
	var limit ast.Expr
	switch l := loop.(type) {
	case *ast.RangeStmt:
		limit = l.X
	case *ast.ForStmt:
		if l.Init == nil || l.Cond == nil || l.Post == nil || !CountsUp(l, p.TypesInfo) || !fixedWithin(p, l.Body, ObjectOf(l.Init.(*ast.AssignStmt).Lhs[0], p.TypesInfo)) {
			return nil
		}
		limit = l.Cond.(*ast.BinaryExpr).Y
	}
	v := p.VarOf(limit)
	if v == nil || v.IsField() || v.Parent() == p.Pkg.Scope() {
		return nil
	}
	if b, ok := v.Type().Underlying().(*types.Basic); !ok || b.Info()&types.IsInteger == 0 {
		return nil
	}
	return v
}
