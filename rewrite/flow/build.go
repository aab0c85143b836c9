package flow

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

type targets struct {
	outer                *targets
	brk, cont, fallthru_ *Block
}

type labelTargets struct{ target, brk, cont *Block }

type flowBuilder struct {
	flow         *Graph
	cur          *Block // nil after a jump
	neverReturns func(*ast.CallExpr) bool
	targets      *targets
	labels       map[string]*labelTargets
}

func (b *flowBuilder) block() *Block {
	blk := &Block{index: len(b.flow.blocks)}
	b.flow.blocks = append(b.flow.blocks, blk)
	return blk
}

// open returns the current block; code after a jump gets an unreachable one.
func (b *flowBuilder) open() *Block {
	if b.cur == nil {
		b.cur = b.block()
	}
	return b.cur
}

func (b *flowBuilder) add(n ast.Node) {
	blk := b.open()
	blk.Nodes = append(blk.Nodes, n)
	b.flow.at[n] = point{blk, len(blk.Nodes) - 1}
}

func (b *flowBuilder) jump(to *Block) {
	if b.cur != nil {
		b.cur.Succs = append(b.cur.Succs, to)
	}
	b.cur = nil
}

func (b *flowBuilder) stop(kind ExitKind, end token.Pos) {
	blk := b.open()
	blk.Exit, blk.End = kind, end
	b.cur = nil
}

// cond evaluates e and goes to yes or no.
func (b *flowBuilder) cond(e ast.Expr, yes, no *Block) {
	switch x := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			b.cond(x.X, no, yes)
			return
		}
	case *ast.BinaryExpr:
		if x.Op == token.LAND || x.Op == token.LOR {
			rest := b.block()
			if x.Op == token.LAND {
				b.cond(x.X, rest, no)
			} else {
				b.cond(x.X, yes, rest)
			}
			b.cur = rest
			b.cond(x.Y, yes, no)
			return
		}
	}
	b.add(e)
	b.cur.Cond = ast.Unparen(e)
	if v := b.flow.info.Types[e].Value; v != nil && v.Kind() == constant.Bool {
		b.cur.Cond = nil
		if constant.BoolVal(v) {
			b.jump(yes)
		} else {
			b.jump(no)
		}
		return
	}
	b.cur.Succs = append(b.cur.Succs, yes, no)
	b.cur = nil
}

func (b *flowBuilder) list(list []ast.Stmt) {
	for _, s := range list {
		b.stmt(s, nil)
	}
}

func (b *flowBuilder) stmt(s ast.Stmt, label *labelTargets) {
	switch s := s.(type) {
	case nil, *ast.EmptyStmt:
	case *ast.BlockStmt:
		if label != nil {
			done := b.block()
			label.brk = done
			b.list(s.List)
			b.jump(done)
			b.cur = done
			return
		}
		b.list(s.List)
	case *ast.LabeledStmt:
		l := b.label(s.Label.Name)
		b.jump(l.target)
		b.cur = l.target
		b.stmt(s.Stmt, l)
	case *ast.ExprStmt:
		b.add(s)
		if call, ok := ast.Unparen(s.X).(*ast.CallExpr); ok && b.neverReturns(call) {
			b.stop(Never, s.Pos())
		}
	case *ast.ReturnStmt:
		b.add(s)
		b.stop(Returns, s.Pos())
	case *ast.DeclStmt:
		if d, ok := s.Decl.(*ast.GenDecl); ok && d.Tok == token.VAR {
			for _, spec := range d.Specs {
				b.add(spec)
			}
		}
	case *ast.BranchStmt:
		b.branch(s)
	case *ast.IfStmt:
		b.stmt(s.Init, nil)
		then, done := b.block(), b.block()
		els := done
		if s.Else != nil {
			els = b.block()
		}
		b.open()
		b.cond(s.Cond, then, els)
		b.cur = then
		b.stmt(s.Body, nil)
		b.jump(done)
		if s.Else != nil {
			b.cur = els
			b.stmt(s.Else, nil)
			b.jump(done)
		}
		b.cur = done
	case *ast.SwitchStmt:
		b.switchStmt(s, label)
	case *ast.TypeSwitchStmt:
		b.stmt(s.Init, nil)
		b.add(s.Assign)
		b.clauses(s.Body.List, label, nil)
	case *ast.SelectStmt:
		b.selectStmt(s, label)
	case *ast.ForStmt:
		b.forStmt(s, label)
	case *ast.RangeStmt:
		b.rangeStmt(s, label)
	default: // assignments, sends, go, defer, ++
		b.add(s)
	}
}

func (b *flowBuilder) label(name string) *labelTargets {
	l := b.labels[name]
	if l == nil {
		l = &labelTargets{target: b.block()}
		b.labels[name] = l
	}
	return l
}

func (b *flowBuilder) branch(s *ast.BranchStmt) {
	b.add(s)
	var to *Block
	switch {
	case s.Tok == token.GOTO:
		to = b.label(s.Label.Name).target
	case s.Label != nil && s.Tok == token.BREAK:
		to = b.label(s.Label.Name).brk
	case s.Label != nil:
		to = b.label(s.Label.Name).cont
	default:
		for t := b.targets; t != nil && to == nil; t = t.outer {
			switch s.Tok {
			case token.BREAK:
				to = t.brk
			case token.CONTINUE:
				to = t.cont
			case token.FALLTHROUGH:
				to = t.fallthru_
			}
		}
	}
	b.open()
	if to == nil { // ill-formed code
		b.stop(Never, s.Pos())
		return
	}
	b.jump(to)
}

func (b *flowBuilder) within(t targets, body func()) {
	t.outer = b.targets
	b.targets = &t
	body()
	b.targets = t.outer
}

func (b *flowBuilder) switchStmt(s *ast.SwitchStmt, label *labelTargets) {
	b.stmt(s.Init, nil)
	if s.Tag != nil {
		b.add(s.Tag)
	}
	b.open()
	b.clauses(s.Body.List, label, func(cc *ast.CaseClause, body, next *Block) {
		for i, e := range cc.List {
			no := next
			if i+1 < len(cc.List) {
				no = b.block()
			}
			if s.Tag == nil {
				b.cond(e, body, no)
			} else {
				b.add(e)
				b.cur.Cond = &ast.BinaryExpr{X: s.Tag, Op: token.EQL, OpPos: e.Pos(), Y: e}
				b.cur.Succs = append(b.cur.Succs, body, no)
				b.cur = nil
			}
			b.cur = no
		}
	})
}

// clauses lays out the cases of a switch. test, if not nil, leaves the
// current block for body or next; a type switch has no test to split.
func (b *flowBuilder) clauses(list []ast.Stmt, label *labelTargets, test func(cc *ast.CaseClause, body, next *Block)) {
	done := b.block()
	if label != nil {
		label.brk = done
	}
	bodies := make([]*Block, len(list))
	for i := range list {
		bodies[i] = b.block()
	}
	fallback := done
	b.open()
	for i, c := range list {
		cc := c.(*ast.CaseClause)
		if cc.List == nil {
			fallback = bodies[i]
			continue
		}
		next := b.block()
		if test == nil {
			b.cur.Succs = append(b.cur.Succs, bodies[i], next)
		} else {
			test(cc, bodies[i], next)
		}
		b.cur = next
	}
	b.jump(fallback)
	for i, c := range list {
		fall := done
		if i+1 < len(list) {
			fall = bodies[i+1]
		}
		b.within(targets{brk: done, fallthru_: fall}, func() {
			b.cur = bodies[i]
			b.list(c.(*ast.CaseClause).Body)
			b.jump(done)
		})
	}
	b.cur = done
}

func (b *flowBuilder) selectStmt(s *ast.SelectStmt, label *labelTargets) {
	done := b.block()
	if label != nil {
		label.brk = done
	}
	head := b.open()
	if len(head.Nodes) > 0 || head.Select != nil { // keep Select's choice apart
		next := b.block()
		b.jump(next)
		head, b.cur = next, next
	}
	head.Select = s
	if len(s.Body.List) == 0 {
		b.stop(Never, s.Pos())
		return
	}
	b.cur = nil
	for _, c := range s.Body.List {
		cc := c.(*ast.CommClause)
		body := b.block()
		head.Succs = append(head.Succs, body)
		b.within(targets{brk: done}, func() {
			b.cur = body
			if cc.Comm != nil {
				b.add(cc.Comm)
			}
			b.list(cc.Body)
			b.jump(done)
		})
	}
	b.cur = done
}

func (b *flowBuilder) forStmt(s *ast.ForStmt, label *labelTargets) {
	b.stmt(s.Init, nil)
	head, body, done := b.block(), b.block(), b.block()
	head.Loop, b.flow.bodies[s] = s, body
	cont := head
	if s.Post != nil {
		cont = b.block()
	}
	if label != nil {
		label.brk, label.cont = done, cont
	}
	b.open()
	if entersForCertain(s, b.flow.info) {
		b.jump(body)
	} else {
		b.jump(head)
	}
	b.cur = head
	if s.Cond != nil {
		b.cond(s.Cond, body, done)
	} else {
		b.jump(body)
	}
	b.within(targets{brk: done, cont: cont}, func() {
		b.cur = body
		b.list(s.Body.List)
		b.jump(cont)
	})
	if s.Post != nil {
		b.cur = cont
		b.stmt(s.Post, nil)
		b.jump(head)
	}
	b.cur = done
}

func (b *flowBuilder) rangeStmt(s *ast.RangeStmt, label *labelTargets) {
	b.add(s.X)
	head, body, done := b.block(), b.block(), b.block()
	head.Loop, b.flow.bodies[s] = s, body
	if label != nil {
		label.brk, label.cont = done, head
	}
	if rangesForCertain(s, b.flow.info) {
		b.jump(body)
	} else {
		b.jump(head)
	}
	head.Succs = append(head.Succs, body)
	if !ticks(s.X, b.flow.info) {
		head.Succs = append(head.Succs, done)
	}
	b.within(targets{brk: done, cont: head}, func() {
		b.cur = body
		if s.Key != nil {
			b.add(s.Key)
		}
		if s.Value != nil {
			b.add(s.Value)
		}
		b.list(s.Body.List)
		b.jump(head)
	})
	b.cur = done
}

// ticks reports whether e is a channel that nobody can close: time.Tick(d), or
// the field C of a ticker.
func ticks(e ast.Expr, info *types.Info) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		sel, ok := ast.Unparen(x.Fun).(*ast.SelectorExpr)
		if !ok {
			return false
		}
		fn, ok := info.Uses[sel.Sel].(*types.Func)
		return ok && fn.FullName() == "time.Tick"
	case *ast.SelectorExpr:
		return x.Sel.Name == "C" && typeis.Named(info.TypeOf(x.X), "time", "Ticker")
	}
	return false
}

// entersForCertain recognises "for i := 0; i < 3; i++".
func entersForCertain(s *ast.ForStmt, info *types.Info) bool {
	init, ok := s.Init.(*ast.AssignStmt)
	if !ok || len(init.Lhs) != 1 || len(init.Rhs) != 1 {
		return false
	}
	cmp, ok := s.Cond.(*ast.BinaryExpr)
	if !ok {
		return false
	}
	switch cmp.Op {
	case token.LSS, token.LEQ, token.GTR, token.GEQ, token.NEQ:
	default:
		return false
	}
	id, ok := init.Lhs[0].(*ast.Ident)
	x, ok2 := cmp.X.(*ast.Ident)
	if !ok || !ok2 || info.ObjectOf(id) == nil || info.ObjectOf(id) != info.ObjectOf(x) {
		return false
	}
	from, to := info.Types[init.Rhs[0]].Value, info.Types[cmp.Y].Value
	return from != nil && to != nil && constant.Compare(from, cmp.Op, to)
}

// rangesForCertain recognises ranges over a positive constant, a non-empty
// array and a non-empty literal.
func rangesForCertain(s *ast.RangeStmt, info *types.Info) bool {
	tv := info.Types[s.X]
	if tv.Value != nil && tv.Value.Kind() == constant.Int {
		return constant.Sign(tv.Value) > 0
	}
	if lit, ok := ast.Unparen(s.X).(*ast.CompositeLit); ok {
		return len(lit.Elts) > 0
	}
	if tv.Type == nil {
		return false
	}
	arr, ok := tv.Type.Underlying().(*types.Array)
	return ok && arr.Len() > 0
}
