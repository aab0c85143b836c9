package deafwait

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"time"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/locks"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// pause is a statement that waits for a time to be over, and for nothing else.
type pause struct {
	stmt  ast.Stmt
	sleep *ast.CallExpr // time.Sleep; nil for a receive
	ticks ast.Expr      // the channel that is received from
	what  string        // in a message
}

// tolerable is how long a loop may wait without being asked: it ends soon enough.
const tolerable = 10 * time.Second

// pausesIn returns the statements of loop, in fn itself, that wait for a time and lead to
// another iteration. Those count that a stop is not the reason for, that no lock is held
// at, and that may take long.
func pausesIn(p *code.Pass, fn *code.Func, loop inspector.Cursor, stops []stop) (out []pause) {
	for c := range loop.Preorder((*ast.ExprStmt)(nil), (*ast.AssignStmt)(nil)) {
		s := c.Node().(ast.Stmt)
		w, ok := pauseOf(p, s)
		if !ok || !inside(p, c, fn) || innermost(c) != loop.Node() || !fn.Flow.Has(s) || !fn.Flow.InCycle(s) {
			continue
		}
		if _, _, listed := code.StmtList(c); !listed || afterStop(s, stops) || drains(p, c, w) || restarted(p, loop, w) || shared(p, fn, w) || short(p, w) || locked(p, fn, s) {
			continue
		}
		out = append(out, w)
	}
	return out
}

// pauseOf returns what s waits for if that is a time.
func pauseOf(p *code.Pass, s ast.Stmt) (w pause, ok bool) {
	if es, isExpr := s.(*ast.ExprStmt); isExpr {
		if call, isCall := ast.Unparen(es.X).(*ast.CallExpr); isCall && p.FullName(call) == "time.Sleep" {
			return pause{stmt: s, sleep: call, what: "sleeps for " + types.ExprString(call.Args[0])}, true
		}
	}
	ch := channel.Received(s)
	if ch == nil || !waits.Ticks(p, ch) {
		return w, false
	}
	return pause{stmt: s, ticks: ch, what: "waits for " + types.ExprString(ch)}, true
}

// inside reports whether c is in fn itself, not in a literal of it.
func inside(p *code.Pass, c inspector.Cursor, fn *code.Func) bool {
	f := p.EnclosingFunc(c)
	return f != nil && f.Cursor == fn.Cursor
}

// innermost returns the loop around c.
func innermost(c inspector.Cursor) ast.Node {
	for l := range c.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil)) {
		return l.Node()
	}
	return nil
}

// afterStop reports whether s is what the loop does when it has been told to end.
func afterStop(s ast.Stmt, stops []stop) bool {
	for _, stop := range stops {
		for _, b := range stop.body {
			if code.Within(s, b) {
				return true
			}
		}
	}
	return false
}

// drains reports whether w, at c, only takes what a timer has sent already: where its Stop or
// Reset has returned false.
func drains(p *code.Pass, c inspector.Cursor, w pause) bool {
	sel, ok := ast.Unparen(w.ticks).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	timer := types.ExprString(sel.X)
	for i := range c.Enclosing((*ast.IfStmt)(nil)) {
		found := false
		code.EachCall(i.Node().(*ast.IfStmt).Cond, func(call *ast.CallExpr) {
			m, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
			found = found || ok && types.ExprString(m.X) == timer && (m.Sel.Name == "Stop" || m.Sel.Name == "Reset")
		})
		if found {
			return true
		}
	}
	return false
}

// restarted reports whether the time of a pause is a variable of one iteration.
func restarted(p *code.Pass, loop inspector.Cursor, w pause) bool {
	if w.sleep == nil {
		return false
	}
	v := p.VarOf(w.sleep.Args[0])
	return v != nil && loop.Node().Pos() <= v.Pos() && v.Pos() < loop.Node().End()
}

// shared reports whether a literal has the timer, too: it may let it fire at once.
func shared(p *code.Pass, fn *code.Func, w pause) bool {
	sel, ok := ast.Unparen(w.ticks).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	v := p.VarOf(sel.X)
	return v != nil && slices.ContainsFunc(p.VarUses(v), func(c inspector.Cursor) bool { return !inside(p, c, fn) && v.Kind() != types.PackageVar })
}

// short reports whether a pause is over before it matters. A duration that is not known
// may be long.
func short(p *code.Pass, w pause) bool {
	if w.sleep != nil {
		return shortDuration(p, w.sleep.Args[0])
	}
	return shortTicks(p, w.ticks)
}

// shortDuration reports whether e is taken for a time that is over soon: a constant below what
// is tolerable, or what somebody else has chosen once. A duration that grows, or that a
// function says anew each time, is a backoff.
func shortDuration(p *code.Pass, e ast.Expr) bool {
	if v := p.TypesInfo.Types[e].Value; v != nil {
		n, ok := constant.Int64Val(constant.ToInt(v))
		return ok && time.Duration(n) < tolerable
	}
	long := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			long = long || saysAnew(p, n)
		case *ast.Ident:
			long = long || grows(p, p.VarOf(n))
		}
		return !long
	})
	return !long
}

// saysAnew reports whether a call may return another time whenever it is made: one of a
// method or of a function value. What the standard library computes is as long as its
// arguments say.
func saysAnew(p *code.Pass, call *ast.CallExpr) bool {
	if p.TypesInfo.Types[call.Fun].IsType() || p.CallsBuiltin(call) {
		return false
	}
	fn := p.Callee(call)
	if fn == nil {
		return true
	}
	if d := p.Declaration(fn); d != nil && fn.Signature().Recv() == nil {
		return false
	}
	return fn.Signature().Recv() != nil && fn.Pkg() != nil && !knowledge.Standard(fn.Pkg().Path())
}

// grows reports whether v, a duration or a number of them, is multiplied or shifted by
// the function that has it, or made of itself in another way, and not kept below what is
// tolerable or below what somebody else has chosen. Linear steps count for little.
func grows(p *code.Pass, v *types.Var) bool {
	if v == nil || v.IsField() {
		return false
	}
	more, limited := false, false
	for _, c := range p.VarUses(v) {
		for up := c; up.Valid(); up = up.Parent() {
			switch n := up.Node().(type) {
			case *ast.BinaryExpr:
				switch n.Op {
				case token.LSS, token.LEQ, token.GTR, token.GEQ:
					other := n.X
					if p.Mentions(n.X, v) {
						other = n.Y
					}
					limited = limited || !longConstant(p, other)
				}
				continue
			case *ast.CallExpr:
				switch {
				case p.IsBuiltin(n, "min"):
					limited = limited || !slices.ContainsFunc(n.Args, func(e ast.Expr) bool { return longConstant(p, e) })
				case p.Declaration(p.Callee(n)) != nil:
					limited = true // it may well keep it low
				}
				continue
			case ast.Expr:
				continue
			case *ast.AssignStmt:
				if code.OnLeft(n, c) {
					more = more || n.Tok == token.MUL_ASSIGN || n.Tok == token.SHL_ASSIGN || n.Tok == token.ASSIGN && p.MentionedIn(n.Rhs, v)
				}
			}
			break
		}
	}
	return more && !limited
}

// longConstant reports whether e is a constant time that is not over soon.
func longConstant(p *code.Pass, e ast.Expr) bool {
	v := p.TypesInfo.Types[e].Value
	if v == nil {
		return false
	}
	n, ok := constant.Int64Val(constant.ToInt(v))
	return ok && time.Duration(n) >= tolerable
}

// shortTicks reports whether the channel e of a timer or ticker is ready soon, whoever
// made it. A ticker does so unless its period is known.
func shortTicks(p *code.Pass, e ast.Expr) bool {
	var made []ast.Expr
	switch x := ast.Unparen(e).(type) {
	case *ast.CallExpr: // time.After(d), time.Tick(d)
		made = []ast.Expr{x}
	case *ast.SelectorExpr:
		v := p.VarOrField(x.X)
		if v == nil {
			made = []ast.Expr{x.X}
			break
		}
		for _, use := range usesOf(p, v) {
			if kv, ok := use.Parent().Node().(*ast.KeyValueExpr); ok && kv.Key == use.Node() {
				made = append(made, kv.Value)
			} else if given := p.GivenAt(use); given != nil {
				made = append(made, given)
			}
		}
	}
	long := false
	for _, m := range made {
		call, ok := ast.Unparen(m).(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			continue
		}
		switch p.FullName(call) {
		case "time.After", "time.Tick", "time.NewTimer", "time.NewTicker":
			if shortDuration(p, call.Args[0]) {
				return true
			}
			long = long || p.TypesInfo.Types[call.Args[0]].Value != nil
		}
	}
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	return ok && typeis.Named(p.TypesInfo.TypeOf(sel.X), "time", "Ticker") && !long
}

// usesOf returns where the package uses a variable or a field, also as the key of a
// literal.
func usesOf(p *code.Pass, v *types.Var) []inspector.Cursor {
	if !v.IsField() {
		return p.VarUses(v)
	}
	out := p.Index().Fields[v]
	for _, c := range p.Index().Named[v.Name()] {
		if kv, ok := c.Parent().Node().(*ast.KeyValueExpr); ok && kv.Key == c.Node() && p.FieldNamed(c.Node().(*ast.Ident)) == v {
			out = append(out[:len(out):len(out)], c)
		}
	}
	return out
}

// locked reports whether fn comes to s with a mutex, as far as the order of its
// statements says: who holds one keeps others waiting on purpose.
func locked(p *code.Pass, fn *code.Func, s ast.Stmt) bool {
	held := map[locks.Path]bool{}
	for c := range fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		if call.Pos() >= s.Pos() || !inside(p, c, fn) {
			continue
		}
		if l, ok := locks.LockOp(p, call); ok {
			if _, deferred := c.Parent().Node().(*ast.DeferStmt); !deferred {
				held[l.At] = l.Takes()
			}
		}
	}
	for _, h := range held {
		if h {
			return true
		}
	}
	return false
}
