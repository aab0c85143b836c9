package blockingsend

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/locks"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// fullBuffer is a send on a channel whose buffer is full, at a time when nobody
// else has the channel yet.
type fullBuffer struct {
	At     ast.Node      // the send, or the call of the function that sends
	Send   *ast.SendStmt // the send
	Name   string
	Cap    int64
	Callee *types.Func // the function that sends; nil for the one that makes the channel
}

// findFullBuffer follows the statements after the one that makes a channel with
// a buffer, as long as nobody else gets at it, and counts what they send. The
// channel is in a local variable, or in a field of a structure in one.
func findFullBuffer(p *code.Pass, made inspector.Cursor, fn *code.Func) (o fullBuffer, ok bool) {
	call := made.Node().(*ast.CallExpr)
	if len(call.Args) != 2 {
		return o, false // unbuffered: see unsharedSends
	}
	size, ok := typeis.SmallInt(p.TypesInfo.Types[call.Args[1]].Value)
	at, stmt, isHeld := holder(p, made)
	if !ok || size == 0 || !isHeld || !p.DeclaredIn(at.Root, fn) {
		return o, false
	}
	list, i, ok := code.StmtList(stmt)
	if !ok {
		return o, false
	}
	w := &fill{p: p, left: size}
	w.list(list[i+1:], at, nil, 2)
	if w.over == nil {
		return o, false
	}
	w.over.Cap = size
	return *w.over, true
}

// holder returns the place that a call of make is stored in, and the statement
// that does so: "ch := make(...)" or "x := &T{ch: make(...)}".
func holder(p *code.Pass, made inspector.Cursor) (at locks.Path, stmt inspector.Cursor, ok bool) {
	c := code.Unparen(made)
	if kv, isPair := c.Parent().Node().(*ast.KeyValueExpr); isPair && kv.Value == c.Node() {
		key, isIdent := kv.Key.(*ast.Ident)
		if !isIdent {
			return at, stmt, false
		}
		if f, isField := p.TypesInfo.Uses[key].(*types.Var); !isField || !f.IsField() {
			return at, stmt, false
		}
		at.Path = "." + key.Name
		if c = c.Parent().Parent(); c.Parent().Node() == nil {
			return at, stmt, false
		}
		if _, isAmp := c.Parent().Node().(*ast.UnaryExpr); isAmp {
			c = c.Parent()
		}
	}
	as, isAssign := c.Parent().Node().(*ast.AssignStmt)
	if !isAssign || len(as.Lhs) != 1 || len(as.Rhs) != 1 || as.Rhs[0] != c.Node() {
		return at, stmt, false
	}
	at.Root = p.VarOf(as.Lhs[0])
	return at, c.Parent(), at.Root != nil
}

// fill counts sends along statements.
type fill struct {
	p    *code.Pass
	left int64
	over *fullBuffer
}

// list follows statements; call is the one by which they are reached, nil in
// the function that makes the channel. It returns false where somebody else
// may get the channel, or the path is no longer certain.
func (w *fill) list(stmts []ast.Stmt, at locks.Path, call *ast.CallExpr, depth int) bool {
	for _, s := range stmts {
		switch n := s.(type) {
		case *ast.SendStmt:
			if here, ok := locks.PlaceOf(w.p, n.Chan); ok && here == at {
				if !w.send(n, 1, call) {
					return false
				}
				continue
			}
		case *ast.RangeStmt, *ast.ForStmt:
			if send, k, ok := w.loop(s, at); ok {
				if !w.send(send, k, call) {
					return false
				}
				continue
			}
		case *ast.ExprStmt:
			inner, ok := ast.Unparen(n.X).(*ast.CallExpr)
			if !ok || depth == 0 || !w.p.Mentions(n, at.Root) {
				break
			}
			body := w.p.Declaration(w.p.Callee(inner))
			if body == nil {
				return false
			}
			in := locks.Into(w.p, at, inner, body)
			if in == at || others(w.p, inner, body, at) {
				return false
			}
			outer := call
			if outer == nil {
				outer = inner
			}
			if !w.list(body.Body.List, in, outer, depth-1) {
				return false
			}
			continue
		}
		if w.p.Mentions(s, at.Root) || !w.harmless(s) {
			return false
		}
	}
	return true
}

// harmless reports whether s, which does not mention the channel, certainly
// lets the path go on, as far as one can see.
func (w *fill) harmless(s ast.Stmt) bool {
	switch n := s.(type) {
	case *ast.AssignStmt, *ast.DeclStmt, *ast.IncDecStmt, *ast.DeferStmt:
		return true
	case *ast.ExprStmt:
		call, ok := ast.Unparen(n.X).(*ast.CallExpr)
		return ok && !w.p.NeverReturns(call)
	}
	return false
}

// others reports whether call passes the root of at in more than one way.
func others(p *code.Pass, call *ast.CallExpr, callee *code.Func, at locks.Path) bool {
	n := 0
	for i := range code.Params(callee) {
		if arg := code.Argument(call, callee, i); arg != nil && p.Mentions(arg, at.Root) {
			n++
		}
	}
	return n != 1
}

// loop recognises a loop that does nothing but send, a known number of times.
func (w *fill) loop(s ast.Stmt, at locks.Path) (send *ast.SendStmt, times int64, ok bool) {
	var body *ast.BlockStmt
	switch n := s.(type) {
	case *ast.RangeStmt:
		body = n.Body
	case *ast.ForStmt:
		if n.Init == nil || n.Cond == nil || n.Post == nil {
			return nil, 0, false
		}
		body = n.Body
	}
	if len(body.List) != 1 {
		return nil, 0, false
	}
	if send, ok = body.List[0].(*ast.SendStmt); !ok {
		return nil, 0, false
	}
	here, ok := locks.PlaceOf(w.p, send.Chan)
	bound, known := frozen.LoopBound(w.p, s)
	return send, bound.Const, ok && known && here == at && bound.Of == nil && !w.p.Mentions(send.Value, at.Root)
}

// send records sends. It returns false after the one that finds the buffer full.
func (w *fill) send(s *ast.SendStmt, times int64, call *ast.CallExpr) bool {
	if w.left -= times; w.left >= 0 {
		return true
	}
	w.over = &fullBuffer{At: s, Send: s, Name: types.ExprString(s.Chan)}
	if call != nil {
		w.over.At, w.over.Callee = call, w.p.Callee(call)
	}
	return false
}
