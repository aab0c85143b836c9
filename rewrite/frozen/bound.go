package frozen

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
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
		i, limit := counter(l, p.TypesInfo)
		if i == nil || !fixedWithin(p, l.Body, i) {
			return Bound{}, false
		}
		return LimitOf(p, limit)
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

// ObjectOf returns what e, a plain identifier, denotes; else nil.
func ObjectOf(e ast.Expr, info *types.Info) types.Object {
	if id, ok := ast.Unparen(e).(*ast.Ident); ok {
		return info.ObjectOf(id)
	}
	return nil
}

// LimitExpr returns the expression that says how many iterations a loop has, as in
// "for i := 0; i < n; i++", "for i := 1; i <= n; i++", "for i := n; i > 0; i--" and
// "for range n"; nil if the loop is of another kind. It may be negative: then there are none.
func LimitExpr(p *code.Pass, loop ast.Stmt) ast.Expr {
	var limit ast.Expr
	switch l := loop.(type) {
	case *ast.RangeStmt:
		if l.Key != nil && l.Tok == token.ASSIGN {
			return nil
		}
		limit = l.X
	case *ast.ForStmt:
		var i types.Object
		if i, limit = counter(l, p.TypesInfo); i == nil || !fixedWithin(p, l.Body, i) {
			return nil
		}
	}
	if limit == nil {
		return nil
	}
	if b, ok := p.TypesInfo.TypeOf(limit).Underlying().(*types.Basic); !ok || b.Info()&types.IsInteger == 0 {
		return nil
	}
	return ast.Unparen(limit)
}

// counter returns what a loop counts its iterations with, and how many there are.
func counter(l *ast.ForStmt, info *types.Info) (i types.Object, limit ast.Expr) {
	init, ok := l.Init.(*ast.AssignStmt)
	cmp, ok2 := l.Cond.(*ast.BinaryExpr)
	post, ok3 := l.Post.(*ast.IncDecStmt)
	if !ok || !ok2 || !ok3 || len(init.Lhs) != 1 || len(init.Rhs) != 1 {
		return nil, nil
	}
	i = ObjectOf(init.Lhs[0], info)
	if i == nil || i != ObjectOf(cmp.X, info) || i != ObjectOf(post.X, info) {
		return nil, nil
	}
	is := func(e ast.Expr, n int64) bool {
		v := info.Types[e].Value
		return v != nil && constant.Compare(v, token.EQL, constant.MakeInt64(n))
	}
	switch from := init.Rhs[0]; {
	case post.Tok == token.INC && (cmp.Op == token.LSS && is(from, 0) || cmp.Op == token.LEQ && is(from, 1)):
		return i, cmp.Y
	case post.Tok == token.DEC && (cmp.Op == token.GTR && is(cmp.Y, 0) || cmp.Op == token.GEQ && is(cmp.Y, 1)):
		return i, from
	}
	return nil, nil
}

// TotalExpr returns the expression that says up to which number a loop counts that counts in
// its body, perhaps not in each iteration: "for got < total { ...; got++ }" from zero, or
// "for left > 0 { ...; left-- }" from total; nil if the loop is of another kind.
func TotalExpr(p *code.Pass, loop ast.Stmt) ast.Expr {
	l, ok := loop.(*ast.ForStmt)
	if !ok || l.Post != nil {
		return nil
	}
	cmp, ok := l.Cond.(*ast.BinaryExpr)
	if !ok {
		return nil
	}
	is := func(e ast.Expr, n int64) bool {
		v := p.TypesInfo.Types[e].Value
		return v != nil && constant.Compare(v, token.EQL, constant.MakeInt64(n))
	}
	v := p.VarOf(cmp.X)
	start := startOf(p, v)
	switch {
	case start == nil:
	case (cmp.Op == token.LSS || cmp.Op == token.NEQ) && is(start, 0) && changesBy(p, v, l.Body, token.INC):
		return ast.Unparen(cmp.Y)
	case (cmp.Op == token.GTR || cmp.Op == token.NEQ) && is(cmp.Y, 0) && changesBy(p, v, l.Body, token.DEC):
		return ast.Unparen(start)
	}
	return nil
}

// startOf returns what v, a local number, is declared with; nil if that is not seen.
func startOf(p *code.Pass, v *types.Var) ast.Expr {
	if v == nil || v.IsField() || v.Parent() == nil || v.Parent() == p.Pkg.Scope() {
		return nil
	}
	if b, ok := v.Type().Underlying().(*types.Basic); !ok || b.Info()&types.IsInteger == 0 {
		return nil
	}
	return Definition(p, v)
}

// changesBy reports whether all that changes v is a step of one, up or down, in body.
func changesBy(p *code.Pass, v *types.Var, body *ast.BlockStmt, step token.Token) bool {
	at, ok := ScopeOf(p, v)
	if !ok {
		return false
	}
	steps := 0
	for _, use := range p.Uses(at, v) {
		if use.Node().Pos() == v.Pos() || Keeps(p, use) {
			continue
		}
		inc, isInc := code.Unparen(use).Parent().Node().(*ast.IncDecStmt)
		if !isInc || inc.Tok != step || inc.Pos() < body.Pos() || inc.Pos() >= body.End() {
			return false
		}
		steps++
	}
	return steps > 0
}

// LoopLimit returns the variable that says how many iterations a loop has, as in
// "for i := 0; i < n; i++" and "for range n"; nil if that is anything else.
func LoopLimit(p *code.Pass, loop ast.Stmt) *types.Var {
	v := p.VarOf(LimitExpr(p, loop))
	if v == nil || v.IsField() || v.Parent() == p.Pkg.Scope() {
		return nil
	}
	return v
}

// FixedFrom reports whether v, a local variable of fn or of a function around it, keeps its
// value on all paths of fn after a node, until they come there again.
func FixedFrom(p *code.Pass, v *types.Var, fn *code.Func, from ast.Node) bool {
	if v == nil || v.IsField() || v.Parent() == nil || v.Parent() == p.Pkg.Scope() {
		return false
	}
	at, ok := ScopeOf(p, v)
	if Fixed(p, v) || !ok {
		return ok
	}
	changes := map[ast.Node]bool{}
	for _, use := range p.Uses(at, v) {
		if use.Node().Pos() == v.Pos() || Keeps(p, use) {
			continue
		}
		node := code.FlowNode(use, fn)
		if node == nil || AddressTaken(p, use) || p.GoroutineFunc(use) != fn.Cursor {
			return false
		}
		changes[node] = true
	}
	kept := true
	flow.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
		kept = kept && !changes[n]
		return st, kept && n != from
	}}.After(fn.Flow, from, struct{}{})
	return kept
}

// StableFrom reports whether the number e is the same on all paths of fn after a node: it is
// made of constants and local variables that are [FixedFrom] there.
func StableFrom(p *code.Pass, e ast.Expr, fn *code.Func, from ast.Node) bool {
	if p.TypesInfo.Types[e].Value != nil {
		return true
	}
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		return FixedFrom(p, p.VarOf(x), fn, from)
	case *ast.BinaryExpr:
		switch x.Op {
		case token.ADD, token.SUB, token.MUL:
			return StableFrom(p, x.X, fn, from) && StableFrom(p, x.Y, fn, from)
		}
	case *ast.CallExpr:
		switch {
		case len(x.Args) != 1:
		case p.IsBuiltin(x, "len"):
			return FrozenLen(p, x.Args[0])
		case p.TypesInfo.Types[x.Fun].IsType():
			return StableFrom(p, x.Args[0], fn, from)
		}
	}
	return false
}
