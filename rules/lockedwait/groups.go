package lockedwait

import (
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/waitgroup"
)

// groups returns the WaitGroups of the package, in fields and in variables. A Wait is a
// receive that each Done has to end: one that needs the mutex is enough to block it. A
// goroutine that counts itself does not count where it has not come to that yet.
func (t *heldTable) groups() (out []*waitable) {
	byVar := map[*types.Var]*waitable{}
	type counts struct {
		group *types.Var
		fn    inspector.Cursor
	}
	itself := map[counts]bool{}
	for _, o := range waitgroup.Ops(t.p, t.p.Inspector.Root()) {
		if o.Name == "Add" {
			itself[counts{t.p.LastVar(o.Recv), o.GoroutineFunc}] = true
		}
	}
	for _, o := range waitgroup.Ops(t.p, t.p.Inspector.Root()) {
		v := t.p.LastVar(o.Recv)
		recv, ok := o.At.FindNode(o.Recv)
		if v == nil || !ok || t.p.InTest(o.Call.Pos()) || o.Name == "Done" && itself[counts{v, o.GoroutineFunc}] {
			continue
		}
		w := byVar[v]
		if w == nil {
			w = &waitable{group: true}
			byVar[v], out = w, append(out, w)
		}
		use := channel.Use{At: code.Unparen(recv), Op: o.At, GoroutineFunc: o.GoroutineFunc}
		switch o.Name {
		case "Wait":
			use.Kind = channel.Recv
			w.recvs = append(w.recvs, use)
		case "Done":
			use.Kind = channel.Close
			w.closes = append(w.closes, use)
		}
	}
	return out
}
