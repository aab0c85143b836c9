package match

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// ChannelUse is an operation on a channel variable.
type ChannelUse struct {
	Kind   ChanOp
	At     inspector.Cursor // the identifier
	Op     inspector.Cursor // the operation: SendStmt, UnaryExpr, RangeStmt, CallExpr
	Runner inspector.Cursor
	Callee ChanArgument // for what a call does with the channel; Op is that call then
}

// Weight is how often a send or receive waits at most.
func (u ChannelUse) Weight() int {
	switch {
	case u.Callee.Callee == nil:
		return 1
	case u.Kind == ChanSend:
		return int(u.Callee.Effect.Sends)
	}
	return int(u.Callee.Effect.Receives)
}

// Sure is how often it waits at least.
func (u ChannelUse) Sure() int {
	if u.Callee.Callee != nil && u.Kind == ChanSend {
		return int(u.Callee.Effect.SureSends)
	}
	return u.Weight()
}

// ChanOp is a kind of channel operation.
type ChanOp uint8

const (
	ChanOther ChanOp = iota // passed, stored, len, cap, captured by value
	ChanSend
	ChanRecv
	ChanRange
	ChanClose
	ChanMake // the variable is declared or assigned
	ChanNil  // compared with nil
)

// ChannelUses lists what is done with the channel variable v below root.
func (p *Pass) ChannelUses(root inspector.Cursor, v types.Object) []ChannelUse {
	var out []ChannelUse
	for _, use := range p.Uses(root, v) {
		u := p.ChannelUseAt(use)
		if u.Kind == ChanOther && IsAssigned(use) {
			u.Kind = ChanMake
		}
		out = append(out, u)
	}
	return out
}

// ChannelUseAt says what is done with the channel that the expression at c denotes.
func (p *Pass) ChannelUseAt(at inspector.Cursor) ChannelUse {
	u := ChannelUse{At: at, Op: at, Runner: p.Runner(at)}
	c := Unparen(at)
	parent := c.Parent()
	switch n := parent.Node().(type) {
	case *ast.SendStmt:
		if n.Chan == c.Node() {
			u.Kind, u.Op = ChanSend, parent
		}
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			u.Kind, u.Op = ChanRecv, parent
		}
	case *ast.RangeStmt:
		if n.X == c.Node() {
			u.Kind, u.Op = ChanRange, parent
		}
	case *ast.CallExpr:
		if p.IsBuiltin(n, "close") {
			u.Kind, u.Op = ChanClose, parent
		}
	case *ast.BinaryExpr:
		u.Kind = ChanNil
	case *ast.Field:
		u.Kind = ChanMake
	}
	return u
}

// Waits reports whether the operation waits until somebody else acts: a send
// or receive that is not one of several cases of a select.
func (u ChannelUse) Waits() bool {
	if u.Kind != ChanSend && u.Kind != ChanRecv {
		return u.Kind == ChanRange
	}
	sel, _ := InSelect(u.Op)
	return sel == nil || len(sel.Body.List) == 1
}

// InSelect returns the select statement in which op is the communication of a
// case, and whether it has a default; nil if op is a statement of its own.
func InSelect(op inspector.Cursor) (sel *ast.SelectStmt, hasDefault bool) {
	for c := range op.Enclosing((*ast.CommClause)(nil), (*ast.FuncLit)(nil), (*ast.FuncDecl)(nil)) {
		cc, ok := c.Node().(*ast.CommClause)
		if !ok || cc.Comm == nil || op.Node().Pos() < cc.Comm.Pos() || op.Node().End() > cc.Comm.End() {
			return nil, false
		}
		sel = c.Parent().Parent().Node().(*ast.SelectStmt)
		for _, s := range sel.Body.List {
			hasDefault = hasDefault || s.(*ast.CommClause).Comm == nil
		}
		return sel, hasDefault
	}
	return nil, false
}

// Many is more than what is counted exactly.
const Many = 3

// MostOn returns how often at most one run of fn comes to the nodes, up to Many.
func MostOn(fn *Func, nodes map[ast.Node]int) int {
	most := 0
	flow.Paths[int]{Node: func(n ast.Node, count int) (int, bool) {
		count = min(count+nodes[n], Many)
		most = max(most, count)
		return count, most < Many
	}}.FromEntry(fn.Flow, 0)
	return most
}

// Loops lists the for and range statements around c within fn, innermost
// first, that do not also hold pos.
func Loops(c inspector.Cursor, fn *Func, pos token.Pos) (loops []ast.Stmt) {
	for l := range c.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.FuncLit)(nil), (*ast.FuncDecl)(nil)) {
		if l == fn.Cursor {
			break
		}
		if s, ok := l.Node().(ast.Stmt); ok && (pos < s.Pos() || pos >= s.End()) {
			loops = append(loops, s)
		}
	}
	return loops
}

// Bound is how many rounds a loop has at most: Const, or len(Of).
type Bound struct {
	Const int64
	Of    ast.Expr
}

// LoopBound returns the bound of a loop if it is a constant or the length of
// an expression that is ranged over or compared with.
func (p *Pass) LoopBound(loop ast.Stmt) (Bound, bool) {
	switch l := loop.(type) {
	case *ast.RangeStmt:
		if l.Key != nil && l.Tok == token.ASSIGN {
			return Bound{}, false
		}
		tv := p.TypesInfo.Types[l.X]
		if t := tv.Type.Underlying(); !typeis.String(t) && !typeis.Map(t) && !typeis.Array(t) {
			if _, ok := t.(*types.Slice); !ok {
				return p.LimitOf(l.X)
			}
		}
		return p.length(l.X)
	case *ast.ForStmt:
		if !CountsUp(l, p.TypesInfo) || !p.FixedWithin(l.Body, ObjectOf(l.Init.(*ast.AssignStmt).Lhs[0], p.TypesInfo)) {
			return Bound{}, false
		}
		return p.LimitOf(l.Cond.(*ast.BinaryExpr).Y)
	}
	return Bound{}, false
}

// LimitOf returns the bound that an integer is: a constant, or the length of something.
func (p *Pass) LimitOf(e ast.Expr) (Bound, bool) {
	if n, ok := typeis.SmallInt(p.TypesInfo.Types[e].Value); ok {
		return Bound{Const: n}, true
	}
	if call, ok := ast.Unparen(e).(*ast.CallExpr); ok && p.IsBuiltin(call, "len") {
		return p.length(call.Args[0])
	}
	if v := p.VarOf(e); v != nil && p.FixedAnywhere(v) {
		if def := p.Definition(v); def != nil {
			if b, ok := p.LimitOf(def); ok && (b.Of == nil || p.FrozenLen(b.Of)) {
				return b, true
			}
		}
	}
	return Bound{}, false
}

// length returns the length of e, which is ranged over, as a bound.
func (p *Pass) length(e ast.Expr) (Bound, bool) {
	if n, ok := p.KnownLen(e); ok {
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

func ObjectOf(e ast.Expr, info *types.Info) types.Object {
	if id, ok := ast.Unparen(e).(*ast.Ident); ok {
		return info.ObjectOf(id)
	}
	return nil
}

// LoopLimit returns the variable that says how many rounds a loop has, as in
// "for i := 0; i < n; i++" and "for range n"; nil if that is anything else.
func (p *Pass) LoopLimit(loop ast.Stmt) *types.Var {
	var limit ast.Expr
	switch l := loop.(type) {
	case *ast.RangeStmt:
		limit = l.X
	case *ast.ForStmt:
		if l.Init == nil || l.Cond == nil || l.Post == nil || !CountsUp(l, p.TypesInfo) || !p.FixedWithin(l.Body, ObjectOf(l.Init.(*ast.AssignStmt).Lhs[0], p.TypesInfo)) {
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

// IsMakeChan reports whether call makes a channel.
func (p *Pass) IsMakeChan(call *ast.CallExpr) bool {
	return CalledAs(call) == "make" && p.IsBuiltin(call, "make") && len(call.Args) > 0 && typeis.Chan(p.TypesInfo.TypeOf(call))
}
