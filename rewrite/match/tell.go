package match

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Telling is how the senders of a channel can hear that nobody listens any
// more: each send becomes one of two cases of a select.
type Telling struct {
	Sends []*ast.SendStmt
	// Ctx is a context that has ended whenever the receiver has left; nil if
	// there is none, and a channel must be made that the function closes.
	Ctx *types.Var
}

// Tell returns how the senders can be told; why says what is in the way.
func (s *LocalChan) Tell() (t Telling, why string) {
	for _, snd := range s.Senders {
		if snd.Named || snd.Body.Type.Results.NumFields() > 0 {
			return t, "the goroutine runs a function of its own, which other callers may need as it is"
		}
		for _, u := range snd.Sends {
			send, ok := u.Op.Node().(*ast.SendStmt)
			if _, _, listed := StmtList(u.Op); !ok || !listed {
				return t, "the goroutine does not send by a statement of its own"
			}
			t.Sends = append(t.Sends, send)
		}
		if s.owes(snd) {
			return t, "the goroutine has more to do behind the send, which others wait for"
		}
	}
	for c := range s.Fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		if s.Pass.Runner(c) == s.Fn.Cursor && s.Pass.Waits(c.Node().(*ast.CallExpr)) && s.Pass.FullName(c.Node().(*ast.CallExpr)) != "time.Sleep" {
			return t, "the function waits for its goroutines, and by then it is too late to tell them"
		}
	}
	t.Ctx = s.endingContext()
	return t, ""
}

// owes reports whether the sender, without a defer, does anything that others
// may wait for: a return in front of that would leave them waiting.
func (s *LocalChan) owes(snd *Sender) bool {
	for c := range snd.Body.Cursor.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if InDefer(c) && s.Pass.Runner(c) != s.Fn.Cursor && deferredBy(c, snd.Body) {
			continue
		}
		if s.Pass.IsBuiltin(call, "close") && !s.closes(call, snd) {
			return true
		}
		switch CalledAs(call) {
		case "Done":
			if s.Pass.FullName(call) != "(*sync.WaitGroup).Done" {
				continue // of a context
			}
			return true
		case "Unlock", "RUnlock", "Signal", "Broadcast", "Release":
			return true
		}
	}
	for c := range snd.Body.Cursor.Preorder((*ast.SendStmt)(nil)) {
		if s.argument(snd, s.Pass.VarOf(c.Node().(*ast.SendStmt).Chan)) != s.Var {
			return true
		}
	}
	return false
}

// deferredBy reports whether c stands in a defer statement of fn itself.
func deferredBy(c inspector.Cursor, fn *Func) bool {
	for d := range c.Enclosing((*ast.DeferStmt)(nil)) {
		return fn.Cursor.Contains(d)
	}
	return false
}

// endingContext returns a context that the senders may listen to instead of a
// channel of their own. It must end whenever the receiver leaves: because the
// function cancels it when it returns, or because it leaves only when that has
// ended. And the receiver must listen to it, too, wherever it receives: else it
// would wait for a sender that has been told to go.
func (s *LocalChan) endingContext() *types.Var {
	if len(s.Ranges) > 0 || len(s.Recvs) == 0 {
		return nil
	}
	var ctx *types.Var
	ends := map[ast.Node]bool{}
	for i, u := range s.Recvs {
		sel, _ := InSelect(u.Op)
		if sel == nil {
			return nil
		}
		var here *types.Var
		for _, c := range sel.Body.List {
			comm := c.(*ast.CommClause).Comm
			if v := s.Pass.DoneOf(comm); v != nil {
				here, ends[comm] = v, true
			}
		}
		if here == nil || i > 0 && here != ctx {
			return nil
		}
		ctx = here
	}
	for _, snd := range s.Senders {
		for _, u := range snd.Sends {
			if !s.Pass.sees(u.Op, ctx) {
				return nil
			}
		}
		if ctx.Pos() > snd.Stmt.Node().Pos() || ctx.IsField() || ctx.Parent() == s.Pass.Pkg.Scope() {
			return nil
		}
	}
	if set := s.Pass.assignments(ctx, s.Fn); len(set) > 1 || len(set) == 1 && set[0].Node().Pos() > s.Senders[0].Stmt.Node().Pos() {
		return nil // which of them the sender would listen to is not known
	}
	if s.cancelledAtReturn(ctx) {
		return ctx
	}
	s.ends = ends
	_, leaks := s.Abandoned()
	s.ends = nil
	s.Abandoned() // count again as it is
	if leaks {
		return nil
	}
	return ctx
}

// DoneOf returns the variable ctx if stmt is "<-ctx.Done()", the communication
// of a case; else nil.
func (p *Pass) DoneOf(stmt ast.Stmt) *types.Var {
	es, ok := stmt.(*ast.ExprStmt)
	if !ok {
		return nil
	}
	recv, ok := ast.Unparen(es.X).(*ast.UnaryExpr)
	if !ok || recv.Op != token.ARROW {
		return nil
	}
	call, ok := ast.Unparen(recv.X).(*ast.CallExpr)
	if !ok {
		return nil
	}
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || sel.Sel.Name != "Done" || !typeis.Named(p.TypesInfo.TypeOf(sel.X), "context", "Context") {
		return nil
	}
	return p.VarOf(sel.X)
}

// sees reports whether the name of v means v at c.
func (p *Pass) sees(c inspector.Cursor, v *types.Var) bool {
	pos := c.Node().Pos()
	scope := p.TypesInfo.Scopes[p.FileOf(pos)].Innermost(pos)
	if scope == nil {
		return false
	}
	_, o := scope.LookupParent(v.Name(), pos)
	return o == types.Object(v)
}

// assignments lists the statements of the declaration around fn that assign v.
func (p *Pass) assignments(v *types.Var, fn *Func) (out []inspector.Cursor) {
	for _, use := range p.Uses(fn.Outermost(), v) {
		if IsAssigned(use) {
			out = append(out, use)
		}
	}
	return out
}

// cancelledAtReturn reports whether the function makes ctx and has deferred
// its cancel before it starts the first sender.
func (s *LocalChan) cancelledAtReturn(ctx *types.Var) bool {
	var cancel *types.Var
	start := s.Senders[0].Stmt.Node().Pos()
	for _, stmt := range s.Fn.Body.List {
		if stmt.Pos() > start {
			break
		}
		switch n := stmt.(type) {
		case *ast.AssignStmt:
			if len(n.Lhs) == 2 && len(n.Rhs) == 1 && s.Pass.VarOf(n.Lhs[0]) == ctx {
				if call, ok := n.Rhs[0].(*ast.CallExpr); ok && strings.HasPrefix(s.Pass.FullName(call), "context.With") {
					cancel = s.Pass.VarOf(n.Lhs[1])
				}
			}
		case *ast.DeferStmt:
			if cancel != nil && s.Pass.VarOf(n.Call.Fun) == cancel {
				return true
			}
		}
	}
	return false
}

// stops reports whether a path need not be followed behind n: the test has
// failed, the context that the senders listen to has ended, or n is a case that
// no select ever takes.
func (s *LocalChan) stops(n ast.Node) bool {
	return s.Pass.FailsTest(n) || s.ends[n] || s.Pass.neverReady(n)
}

// LoopLimit returns the variable that says how many rounds a loop has, as in
// "for i := 0; i < n; i++" and "for range n"; nil if that is anything else.
func (p *Pass) LoopLimit(loop ast.Stmt) *types.Var {
	var limit ast.Expr
	switch l := loop.(type) {
	case *ast.RangeStmt:
		limit = l.X
	case *ast.ForStmt:
		if l.Init == nil || l.Cond == nil || l.Post == nil || !entersLike(l, p.TypesInfo) || !p.fixedIn(l.Body, obj(l.Init.(*ast.AssignStmt).Lhs[0], p.TypesInfo)) {
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
