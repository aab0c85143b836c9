package waitgroupwait

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
)

// deadlock is a Wait before all that takes what the goroutines send.
type deadlock struct {
	Wait waitgroup.Op
	Chan *types.Var
	Send channel.Use // the send that the goroutine is stuck in
	Recv channel.Use // the first receive
	// Close and Range are set where the Wait and the close directly after it could
	// go to a goroutine of their own.
	Close ast.Stmt
	Range *ast.RangeStmt
}

// Deadlock looks for a Wait of the function for goroutines that, before they
// count down, send on an unbuffered channel from which only the function
// receives, and not before its Wait.
func (g *localGroup) Deadlock() (d deadlock, ok bool) {
	if len(g.Waits) != 1 || g.Waits[0].GoroutineFunc != g.Fn.Cursor || code.InDefer(g.Waits[0].At) {
		return d, false
	}
	d.Wait = g.Waits[0]
	for c := range g.Fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		if !channel.IsMake(g.p, c.Node().(*ast.CallExpr)) || g.p.GoroutineFunc(c) != g.Fn.Cursor {
			continue
		}
		ch, known := channel.FollowLocal(g.p, c, g.Fn)
		if !known || ch.Cap > 0 || ch.Looked || len(channel.Loops(d.Wait.At, g.Fn, ch.Var.Pos())) > 0 {
			continue
		}
		receives := append(append([]channel.Use{}, ch.Recvs...), ch.Ranges...)
		if len(receives) == 0 {
			continue // nobody receives at all, which is another fault
		}
		early := false
		for _, u := range receives {
			early = early || u.At.Node().Pos() < d.Wait.Call.Pos()
		}
		for _, snd := range ch.Senders {
			if early || snd.Stmt.Node().Pos() > d.Wait.Call.Pos() || !g.sendsFirst(snd) {
				continue
			}
			d.Chan, d.Send, d.Recv = ch.Var, snd.Sends[0], receives[0]
			g.closer(&d, ch)
			return d, true
		}
	}
	return d, false
}

// sendsFirst reports whether the goroutine of a sender counts the group down,
// is counted, and comes to no Done but after a send that it has begun.
func (g *localGroup) sendsFirst(snd *channel.Sender) bool {
	if len(snd.Sends) == 0 || slices.ContainsFunc(snd.Sends, func(u channel.Use) bool { return code.InDefer(u.Op) }) {
		return false
	}
	for _, s := range g.Starts {
		if s.Stmt.Node() != snd.Stmt.Node() {
			continue
		}
		ops := s.Ops
		if snd.Named {
			ops = g.named(s, snd.Body)
		}
		gr := waitgroup.NewGroups(g.p).Goroutine(s.Stmt)
		if len(ops) == 0 || !gr.Counted(code.Path{Root: g.Var}) {
			return false
		}
		for _, o := range ops {
			_, deferred := o.At.Parent().Node().(*ast.DeferStmt)
			if !deferred && o.Call.Pos() < snd.Sends[len(snd.Sends)-1].At.Node().Pos() {
				return false
			}
		}
		return true
	}
	return false
}

// named returns the Dones of a declared function that a go statement starts
// with the group as an argument; none if it hands the group on.
func (g *localGroup) named(s groupStart, body *code.Func) []waitgroup.Op {
	call := s.Stmt.Node().(*ast.GoStmt).Call
	fn := g.p.Callee(call)
	if fn == nil {
		return nil
	}
	for _, e := range waitgroup.Effects(g.p, call) {
		if e.Key != (code.Path{Root: g.Var}) || e.Param < 0 || !e.Exhaustive || e.Adds > 0 || e.Dones != 1 {
			continue
		}
		key := code.Path{Root: fn.Signature().Params().At(e.Param)}
		if (&waitgroup.Goroutine{Pass: g.p, Lit: body.Cursor, Decl: body.Cursor, Body: body}).PassedOn(key) {
			return nil
		}
		return slices.DeleteFunc(waitgroup.Ops(g.p, body.Cursor), func(o waitgroup.Op) bool { return o.Key != key })
	}
	return nil
}

// closer looks for "wg.Wait(); close(ch)" before a loop over ch.
func (g *localGroup) closer(d *deadlock, ch *channel.Local) {
	list, i, ok := code.StmtList(d.Wait.At.Parent())
	if !ok || i+1 >= len(list) || len(ch.Ranges) != 1 || len(ch.Recvs) > 0 {
		return
	}
	es, ok := list[i+1].(*ast.ExprStmt)
	if !ok {
		return
	}
	call, ok := ast.Unparen(es.X).(*ast.CallExpr)
	loop := ch.Ranges[0].Op.Node().(*ast.RangeStmt)
	if ok && g.p.IsBuiltin(call, "close") && g.p.VarOf(call.Args[0]) == ch.Var && g.leadsTo(list[i+2:], loop) {
		d.Close, d.Range = es, loop
	}
}

// leadsTo reports whether the statements come to loop, one of them, without
// anything before it that needs the goroutines to be done: they use none of
// its variables, and do not leave.
func (g *localGroup) leadsTo(list []ast.Stmt, loop *ast.RangeStmt) bool {
	shared := map[*types.Var]bool{}
	for _, s := range g.Starts {
		ast.Inspect(s.Stmt.Node(), func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				shared[g.p.VarOf(id)] = true
			}
			return true
		})
	}
	for _, s := range list {
		if l, ok := s.(*ast.LabeledStmt); ok {
			s = l.Stmt
		}
		if s == ast.Stmt(loop) {
			return true
		}
		plain := true
		ast.Inspect(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ReturnStmt, *ast.BranchStmt, *ast.SendStmt:
				plain = false
			case *ast.Ident:
				v := g.p.VarOf(n)
				plain = plain && (v == nil || !shared[v])
			}
			return plain
		})
		if !plain {
			return false
		}
	}
	return false
}
