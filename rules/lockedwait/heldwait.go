package lockedwait

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/locks"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// heldWait is a wait on a channel by a goroutine that holds a mutex which all
// that could end the wait need first.
type heldWait struct {
	Op    channel.Use
	Lock  *ast.CallExpr // takes the mutex
	Other token.Pos     // where the other side, which could end the wait, takes it
	End   token.Pos     // and where that would end the wait
	Group bool          // the channel is a WaitGroup
}

// waitable is a channel of which all operations are known.
type waitable struct {
	sends, recvs, closes []channel.Use
	unbuffered, local    bool
	sendable, receivable bool // by code that is not known, too
	group                bool // a WaitGroup, whose Wait is a receive and whose Done is a close
}

// heldTable is what is known of the channels and functions of a package.
type heldTable struct {
	p     *code.Pass
	funcs func(*types.Func) *code.Func
	near  map[*types.Func]int   // functions -> the calls between them and the next wait
	ops   map[ast.Node][]heldOp // by the node of the flow that does them
	out   []heldWait
	seen  map[ast.Node]bool
	frees map[*ast.BlockStmt]bool // whether a function unlocks anything
	steps int                     // calls that may still be followed from one lock
}

type heldOp struct {
	use channel.Use
	ch  *waitable
}

// heldWaits returns the waits on channels that cannot end, because whoever
// could end them waits for a mutex that the one who waits holds.
//
// Precision: all operations on the channel are known, and each that could end
// the wait either holds the mutex itself whenever it comes, or is done by a
// goroutine that takes the mutex on its way there and is the only one to do it;
// and nothing tells the one who waits that the others have had it.
// The mutex must be the same one: a field of the structure that holds the
// channel, or the same variable.
func heldWaits(p *code.Pass, fields []*channel.Field) []heldWait {
	t := &heldTable{p: p, ops: map[ast.Node][]heldOp{}, seen: map[ast.Node]bool{}, frees: map[*ast.BlockStmt]bool{}}
	for _, f := range fields {
		t.add(&waitable{sends: f.Sends, recvs: f.Recvs, closes: f.Closes, sendable: f.Sendable, receivable: f.Receivable, unbuffered: channel.Unbuffered(t.p, f.Made)})
	}
	locals := t.locals()
	for _, w := range locals {
		t.add(w)
	}
	for _, w := range t.groups() {
		t.add(w)
	}
	if len(t.ops) == 0 {
		return nil
	}
	t.funcs, t.near = functions(p), nearest(p, t.waits(), heldDepth)
	for c := range p.Candidates((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		l, ok := locks.LockOp(p, call)
		if !ok || !l.Takes() || code.InDefer(c) || p.InTest(call.Pos()) {
			continue
		}
		if _, near := t.near[declaredAround(p, c)]; !near {
			continue
		}
		fn := p.FuncOf(p.GoroutineFunc(c))
		if fn == nil || code.FlowNode(c, fn) == nil || reassigned(p, l.At.Root) || endsWithLiteral(p, c, fn, l) {
			continue
		}
		held := heldLock{l, call, l.At}
		t.steps = 500
		t.walk(fn, code.FlowNode(c, fn), held, heldDepth, nil)
	}
	return t.out
}

// reassigned reports whether a variable gets another value than its first: then a mutex that
// is reached from it may be another one later.
func reassigned(p *code.Pass, v *types.Var) bool {
	return v != nil && v.Kind() != types.PackageVar && slices.ContainsFunc(p.VarUses(v), func(c inspector.Cursor) bool {
		return c.Node().Pos() != v.Pos() && code.IsAssigned(c)
	})
}

// endsWithLiteral reports whether the lock at c is taken in a literal that fn calls, and that
// defers the unlock.
func endsWithLiteral(p *code.Pass, c inspector.Cursor, fn *code.Func, l locks.LockCall) bool {
	lit := p.EnclosingFunc(c)
	if lit == nil || lit.Cursor == fn.Cursor {
		return false
	}
	for d := range lit.Cursor.Preorder((*ast.DeferStmt)(nil)) {
		if u, ok := locks.LockOp(p, d.Node().(*ast.DeferStmt).Call); ok && !u.Takes() && u.At == l.At {
			return true
		}
	}
	return false
}

// heldDepth is the number of calls from the one who takes the mutex to the wait.
const heldDepth = 3

// waits lists the waits on the channels that are known.
func (t *heldTable) waits() (at []inspector.Cursor) {
	for _, ops := range t.ops {
		for _, op := range ops {
			at = append(at, op.use.At)
		}
	}
	return at
}

func (t *heldTable) add(w *waitable) {
	for _, list := range [][]channel.Use{w.sends, w.recvs} {
		for _, u := range list {
			if fn := t.p.FuncOf(u.GoroutineFunc); fn != nil && u.Waits() {
				node := code.FlowNode(u.At, fn)
				t.ops[node] = append(t.ops[node], heldOp{u, w})
			}
		}
	}
}

// locals returns the channels in variables of functions that nothing but
// sending, receiving and closing is done with.
func (t *heldTable) locals() (out []*waitable) {
	for c := range t.p.Candidates((*ast.CallExpr)(nil)) {
		call := c.Node().(*ast.CallExpr)
		fn := t.p.EnclosingFunc(c)
		if fn == nil || !channel.IsMake(t.p, call) {
			continue
		}
		s := &channel.Local{Pass: t.p, Fn: fn, Make: c}
		if !s.Variable() || s.Later {
			continue
		}
		w, made := &waitable{unbuffered: s.Cap == 0, local: true}, 0
		for _, u := range channel.Uses(t.p, fn.Cursor, s.Var) {
			switch u.Kind {
			case channel.Send:
				w.sends = append(w.sends, u)
			case channel.Recv, channel.Range:
				w.recvs = append(w.recvs, u)
			case channel.Close:
				w.closes = append(w.closes, u)
			case channel.Make:
				made++
			case channel.Other:
				made = 2
			}
		}
		if made == 1 && !w.talksToItself() {
			out = append(out, w)
		}
	}
	return out
}

// talksToItself reports whether one goroutine both receives and closes, or fills a
// buffer: it takes what it has put there, and waits for nobody.
func (w *waitable) talksToItself() bool {
	own := w.closes
	if !w.unbuffered {
		own = slices.Concat(w.closes, w.sends)
	}
	return slices.ContainsFunc(w.recvs, func(r channel.Use) bool {
		return slices.ContainsFunc(own, func(u channel.Use) bool { return u.GoroutineFunc == r.GoroutineFunc })
	})
}

// heldLock is a mutex that is held, as the function that is looked at names it.
type heldLock struct {
	locks.LockCall
	call   *ast.CallExpr
	origin locks.Path // as the function that took it names it
}

// step is a call on the way from the one who took the mutex.
type step struct {
	call   *ast.CallExpr
	callee *code.Func
}

// walk follows the paths of fn after node, or all if node is nil, as long as
// the mutex is held.
func (t *heldTable) walk(fn *code.Func, node ast.Node, held heldLock, depth int, way []step) {
	paths := flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
		if t.releases(n, held.At) {
			return s, false
		}
		for _, op := range t.ops[n] {
			if t.p.FuncOf(op.use.GoroutineFunc).Body == fn.Body {
				t.wait(op, held, way)
			}
		}
		if depth == 0 {
			return s, true
		}
		code.EachCall(n, func(call *ast.CallExpr) {
			target := t.p.Callee(call)
			if d, near := t.near[target]; !near || d > depth-1 {
				return
			}
			callee := t.funcs(target)
			if callee == nil || slices.ContainsFunc(way, func(s step) bool { return s.callee.Body == callee.Body }) {
				return
			}
			if t.steps--; t.steps < 0 {
				return
			}
			in := held
			in.At = locks.Into(t.p, held.At, call, callee)
			t.walk(callee, nil, in, depth-1, append(slices.Clip(way), step{call, callee}))
		})
		return s, true
	}}
	if node == nil {
		paths.FromEntry(fn.Flow, struct{}{})
	} else {
		paths.After(fn.Flow, node, struct{}{})
	}
}

// releases reports whether n may unlock the mutex, also in a literal that it
// hands on or in a function that it calls.
func (t *heldTable) releases(n ast.Node, at locks.Path) bool { return t.mayRelease(n, at, 2) }

func (t *heldTable) mayRelease(n ast.Node, at locks.Path, depth int) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.DeferStmt, *ast.GoStmt:
			return false
		case *ast.CallExpr:
			if l, ok := locks.LockOp(t.p, n); ok {
				found = found || !l.Takes() && l.At == at
			} else if callee := t.funcs(t.p.Callee(n)); callee != nil && depth > 0 && t.unlocks(callee) {
				found = found || t.mayRelease(callee.Body, locks.Into(t.p, at, n, callee), depth-1)
			}
		}
		return !found
	})
	return found
}

// unlocks is a cheap look: does the function, or one that it calls, unlock anything?
func (t *heldTable) unlocks(fn *code.Func) bool {
	found, known := t.frees[fn.Body]
	if known {
		return found
	}
	t.frees[fn.Body] = false // for recursion
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if l, ok := locks.LockOp(t.p, call); ok {
				found = found || !l.Takes()
			} else if callee := t.funcs(t.p.Callee(call)); callee != nil {
				found = found || t.unlocks(callee)
			}
		}
		return !found
	})
	t.frees[fn.Body] = found
	return found
}

// wait decides on one wait under a mutex.
func (t *heldTable) wait(op heldOp, held heldLock, way []step) {
	var enders []channel.Use
	if op.use.Kind == channel.Send {
		if !op.ch.unbuffered || op.ch.receivable {
			return
		}
		enders = op.ch.recvs
	} else {
		if op.ch.sendable {
			return
		}
		enders = append(slices.Clip(op.ch.sends), op.ch.closes...)
	}
	// The channel, as the one who took the mutex names it.
	ch, ok := locks.PlaceOf(t.p, op.use.At.Node().(ast.Expr))
	for i := len(way) - 1; ok && i >= 0; i-- {
		ch, ok = outOf(t.p, ch, way[i].call, way[i].callee)
	}
	if !ok || len(enders) == 0 || t.seen[op.use.Op.Node()] {
		return
	}
	w, passed := heldWait{Op: op.use, Lock: held.call, Group: op.ch.group}, false
	for _, e := range enders {
		lock, same := t.sameLock(e, ch, held.origin)
		need := needing{t: t, wait: op.use.Op, lock: heldLock{held.LockCall, held.call, lock}, once: t.once(op)}
		if !same || !need.before(e.At, t.p.FuncOf(e.GoroutineFunc), lock, 2) {
			if op.ch.group {
				continue // it waits for the others as well
			}
			return
		}
		if t.toldBy(held, op.use.Op.Node().Pos(), need.at) {
			return
		}
		passed = passed || !need.under
		if !w.Other.IsValid() {
			w.Other, w.End = need.at, e.Op.Node().Pos()
		}
	}
	if !w.Other.IsValid() || passed && t.knowsLockNeeded(op, held, way, enders) {
		return
	}
	t.seen[op.use.Op.Node()] = true
	t.out = append(t.out, w)
}

// once reports whether op is the only send on its channel: then it is received
// by the first receive, whatever the receiver does later.
func (t *heldTable) once(op heldOp) bool {
	fn := t.p.FuncOf(op.use.GoroutineFunc)
	return op.use.Kind == channel.Send && op.ch.local && len(op.ch.sends) == 1 && fn.Flow != nil && !fn.Flow.InCycle(code.FlowNode(op.use.At, fn))
}

// sameLock returns the mutex as the function of e names it, if it is certain
// which one that is.
func (t *heldTable) sameLock(e channel.Use, ch, lock locks.Path) (locks.Path, bool) {
	if ch.Root != lock.Root { // two variables: who sees the one must see the other
		return lock, t.captured(lock.Root, e.Op)
	}
	there, ok := locks.PlaceOf(t.p, e.At.Node().(ast.Expr))
	if !ok || there.Path != ch.Path || !types.Identical(typeis.Deref(there.Root.Type()), typeis.Deref(ch.Root.Type())) {
		return locks.Path{}, false
	}
	return locks.Path{Root: there.Root, Path: lock.Path}, true
}

// captured reports whether v is a variable of a function around c.
func (t *heldTable) captured(v *types.Var, c inspector.Cursor) bool {
	if v.IsField() || v.Parent() == nil || v.Parent() == t.p.Pkg.Scope() {
		return false
	}
	for f := range c.Enclosing((*ast.FuncDecl)(nil)) {
		return f.Node().Pos() <= v.Pos() && v.Pos() < f.Node().End()
	}
	return false
}
