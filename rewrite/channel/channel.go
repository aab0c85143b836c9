// Package channel answers what a package does with its channels: the operations on one, the
// goroutines that send on a local one, the uses of one in a field, and what functions do
// with a channel that they get. It does not judge whether that is right.
package channel

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Use is an operation on a channel variable.
type Use struct {
	Kind          Kind
	At            inspector.Cursor // the identifier
	Op            inspector.Cursor // the operation: SendStmt, UnaryExpr, RangeStmt, CallExpr
	GoroutineFunc inspector.Cursor
	Callee        Argument // for what a call does with the channel; Op is that call then
}

// Weight is how often a send or receive waits at most.
func (u Use) Weight() int {
	switch {
	case u.Callee.Callee == nil:
		return 1
	case u.Kind == Send:
		return int(u.Callee.Effect.Sends)
	}
	return int(u.Callee.Effect.Receives)
}

// Sure is how often it waits at least.
func (u Use) Sure() int {
	if u.Callee.Callee != nil && u.Kind == Send {
		return int(u.Callee.Effect.SureSends)
	}
	return u.Weight()
}

// Kind is a kind of channel operation.
type Kind uint8

const (
	Other Kind = iota // passed, stored, len, cap, captured by value
	Send
	Recv
	Range
	Close
	Make // the variable is declared or assigned
	Nil  // compared with nil
)

// Uses lists what is done with the channel variable v below root.
func Uses(p *code.Pass, root inspector.Cursor, v types.Object) []Use {
	var out []Use
	for _, use := range p.Uses(root, v) {
		u := UseAt(p, use)
		if u.Kind == Other && code.IsAssigned(use) {
			u.Kind = Make
		}
		out = append(out, u)
	}
	return out
}

// UseAt says what is done with the channel that the expression at c denotes.
func UseAt(p *code.Pass, at inspector.Cursor) Use {
	u := Use{At: at, Op: at, GoroutineFunc: p.GoroutineFunc(at)}
	c := code.Unparen(at)
	parent := c.Parent()
	switch n := parent.Node().(type) {
	case *ast.SendStmt:
		if n.Chan == c.Node() {
			u.Kind, u.Op = Send, parent
		}
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			u.Kind, u.Op = Recv, parent
		}
	case *ast.RangeStmt:
		if n.X == c.Node() {
			u.Kind, u.Op = Range, parent
		}
	case *ast.CallExpr:
		if p.IsBuiltin(n, "close") {
			u.Kind, u.Op = Close, parent
		}
	case *ast.BinaryExpr:
		u.Kind = Nil
	case *ast.Field:
		u.Kind = Make
	}
	return u
}

// Waits reports whether the operation waits until somebody else acts: a send
// or receive that is not one of several cases of a select.
func (u Use) Waits() bool {
	if u.Kind != Send && u.Kind != Recv {
		return u.Kind == Range
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

// Loops lists the for and range statements around c within fn, innermost
// first, that do not also hold pos.
func Loops(c inspector.Cursor, fn *code.Func, pos token.Pos) (loops []ast.Stmt) {
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

// IsMake reports whether call makes a channel.
func IsMake(p *code.Pass, call *ast.CallExpr) bool {
	return code.CalledAs(call) == "make" && p.IsBuiltin(call, "make") && len(call.Args) > 0 && typeis.Chan(p.TypesInfo.TypeOf(call))
}
