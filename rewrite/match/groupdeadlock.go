package match

import (
	"go/ast"
	"go/types"
)

// Deadlock is a Wait in front of all that takes what the goroutines send.
type Deadlock struct {
	Wait WGOp
	Chan *types.Var
	Send ChannelUse // the send that the goroutine is stuck in
	Recv ChannelUse // the first receive
	// Close and Range are set where the Wait and the close right behind it could
	// go to a goroutine of their own.
	Close ast.Stmt
	Range *ast.RangeStmt
}

// Deadlock looks for a Wait of the function for goroutines that, before they
// count down, send on an unbuffered channel from which only the function
// receives, and not before its Wait.
func (g *LocalGroup) Deadlock() (d Deadlock, ok bool) {
	if len(g.Waits) != 1 || g.Waits[0].Runner != g.Fn.Cursor || InDefer(g.Waits[0].At) {
		return d, false
	}
	d.Wait = g.Waits[0]
	for c := range g.Fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		if !g.p.IsMakeChan(c.Node().(*ast.CallExpr)) || g.p.Runner(c) != g.Fn.Cursor {
			continue
		}
		ch, known := g.p.LocalChannel(c, g.Fn)
		if !known || ch.Cap > 0 || ch.Looked || len(Loops(d.Wait.At, g.Fn, ch.Var.Pos())) > 0 {
			continue
		}
		receives := append(append([]ChannelUse{}, ch.Recvs...), ch.Ranges...)
		if len(receives) == 0 {
			continue // nobody receives at all, which is another fault
		}
		early := false
		for _, u := range receives {
			early = early || u.At.Node().Pos() < d.Wait.Call.Pos()
		}
		for _, snd := range ch.Senders {
			if early || snd.Named || snd.Stmt.Node().Pos() > d.Wait.Call.Pos() || !g.sendsFirst(snd) {
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
// is counted, and comes to no Done but behind a send that it has begun.
func (g *LocalGroup) sendsFirst(snd *Sender) bool {
	if len(snd.Sends) == 0 {
		return false
	}
	for _, s := range g.Starts {
		if s.Body == nil || s.Body.Body != snd.Body.Body || len(s.Ops) == 0 {
			continue
		}
		gr := NewWaitGroups(g.p).Goroutine(s.Stmt)
		if gr == nil || !gr.Counted(WGKey{Root: g.Var}) {
			return false
		}
		for _, o := range s.Ops {
			_, deferred := o.At.Parent().Node().(*ast.DeferStmt)
			if !deferred && o.Call.Pos() < snd.Sends[len(snd.Sends)-1].At.Node().Pos() {
				return false
			}
		}
		return true
	}
	return false
}

// closer looks for "wg.Wait(); close(ch)" in front of a loop over ch.
func (g *LocalGroup) closer(d *Deadlock, ch *LocalChan) {
	list, i, ok := StmtList(d.Wait.At.Parent())
	if !ok || i+1 >= len(list) || len(ch.Ranges) != 1 || len(ch.Recvs) > 0 {
		return
	}
	es, ok := list[i+1].(*ast.ExprStmt)
	if !ok {
		return
	}
	call, ok := ast.Unparen(es.X).(*ast.CallExpr)
	if ok && g.p.IsBuiltin(call, "close") && g.p.VarOf(call.Args[0]) == ch.Var {
		d.Close, d.Range = es, ch.Ranges[0].Op.Node().(*ast.RangeStmt)
	}
}
