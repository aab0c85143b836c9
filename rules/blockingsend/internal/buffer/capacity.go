// Package buffer answers how large a buffer must be for no sender to wait, and what
// others would see of the change.
package buffer

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rules/blockingsend/internal/abandon"
)

// Capacity is how many values the senders of a channel send at most: one of the
// three says it.
type Capacity struct {
	Const int64
	Len   ast.Expr // len of this, which is known where the channel is made
	Num   ast.Expr // this number, which is known there
	// What may be with it: it is less than zero, or more than are started.
	Negative, Nominal bool
}

// CapacityFor returns which capacity the channel needs so that no sender ever waits. ok
// is false if that is not known where the channel is made: then what looks like
// the number of senders may grow before the last of them is started.
func CapacityFor(s *channel.Local) (r Capacity, ok bool) {
	snd := s.Senders[0]
	if snd.Loop == nil {
		return Capacity{Const: abandon.TotalSends(s)}, true
	}
	if snd.Nested || startsAgain(s, snd) {
		return r, false
	}
	if of := snd.Bound.Of; of != nil {
		return Capacity{Len: of}, frozen.FrozenLen(s.Pass, of) && s.Visible(of) && alone(s, of, snd)
	}
	if n := snd.Bound.Const; n > 0 {
		return Capacity{Const: n}, n <= 1024
	}
	n := frozen.LimitExpr(s.Pass, snd.Loop)
	if n == nil || !s.Visible(n) || !frozen.StableFrom(s.Pass, n, s.Fn, code.FlowNode(s.Make, s.Fn)) {
		return r, false
	}
	return Capacity{Num: n, Negative: mayBeNegative(s.Pass, n), Nominal: leftEarly(s.Fn, snd.Loop)}, true
}

// mayBeNegative reports whether a number is not known to be zero or more.
func mayBeNegative(p *code.Pass, n ast.Expr) bool {
	if k := p.TypesInfo.Types[n].Value; k != nil {
		return constant.Sign(k) < 0
	}
	if b, ok := p.TypesInfo.TypeOf(n).Underlying().(*types.Basic); ok && b.Info()&types.IsUnsigned != 0 {
		return false
	}
	v := p.VarOf(n)
	if v == nil || !frozen.Fixed(p, v) {
		return true
	}
	call, ok := ast.Unparen(frozen.Definition(p, v)).(*ast.CallExpr)
	if !ok {
		return true
	}
	switch name := p.FullName(call); {
	case p.IsBuiltin(call, "len"), p.IsBuiltin(call, "cap"), name == "runtime.NumCPU", name == "runtime.GOMAXPROCS":
		return false
	case p.IsBuiltin(call, "max"):
		return !slices.ContainsFunc(call.Args, func(e ast.Expr) bool {
			k := p.TypesInfo.Types[e].Value
			return k != nil && constant.Sign(k) >= 0
		})
	}
	return true
}

// leftEarly reports whether a loop may be left before its last iteration, so that the
// number of its iterations may be any, without as many goroutines.
func leftEarly(fn *code.Func, loop ast.Stmt) (early bool) {
	flow.Paths[struct{}]{
		Node: func(n ast.Node, st struct{}) (struct{}, bool) {
			early = early || n.Pos() < loop.Pos() || n.Pos() >= loop.End()
			return st, !early
		},
		Iteration: func(l ast.Stmt, _ struct{}) bool { return l != loop },
		Exit:      func(*flow.Block, struct{}) { early = true },
	}.FromBody(fn.Flow, loop, struct{}{})
	return early
}

// startsAgain reports whether the go statement may run more often than its loop
// has iterations, for the same channel: by a goto, within the loop or back before
// it.
func startsAgain(s *channel.Local, snd *channel.Sender) (again bool) {
	start, made, loop := snd.Stmt.Node(), code.FlowNode(s.Make, s.Fn), snd.Loop
	outside := func(n ast.Node) bool { return n.Pos() < loop.Pos() || n.Pos() >= loop.End() }
	flow.Paths[bool]{Node: func(n ast.Node, left bool) (bool, bool) {
		again = again || left && !outside(n)
		return left || outside(n), n != made && !again
	}}.After(s.Fn.Flow, start, false)
	flow.Paths[struct{}]{
		Node: func(n ast.Node, st struct{}) (struct{}, bool) {
			again = again || n == start
			return st, n != made && !again
		},
		Iteration: func(l ast.Stmt, _ struct{}) bool { return l != loop },
	}.After(s.Fn.Flow, start, struct{}{})
	return again
}

// alone reports whether nobody else can change the length of e between the
// statement that makes the channel and the end of the loop that starts the senders.
// A map that the function has got from somebody is shared with them: they may
// change it whenever they are called, or may go on.
func alone(s *channel.Local, e ast.Expr, snd *channel.Sender) bool {
	v := s.Pass.VarOf(e)
	if v == nil || !typeis.Map(v.Type()) || newMap(s.Pass, frozen.Definition(s.Pass, v)) {
		return true
	}
	harmless := true
	ast.Inspect(s.Fn.Body, func(n ast.Node) bool {
		if n == nil || n.End() <= s.Make.Node().Pos() || n.Pos() >= snd.Loop.End() || n == s.Make.Node() {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncLit:
			return false // runs in its own time
		case *ast.CallExpr:
			_, isLit := ast.Unparen(n.Fun).(*ast.FuncLit)
			harmless = harmless && (isLit && n == snd.Stmt.Node().(*ast.GoStmt).Call || harmlessCall(s.Pass, n) || n.Pos() < s.Make.Node().Pos())
		case *ast.SendStmt, *ast.SelectStmt:
			harmless = false
		case *ast.UnaryExpr:
			harmless = harmless && n.Op != token.ARROW
		case *ast.IndexExpr: // of a map of the same type, perhaps the same one
			harmless = harmless && (!types.Identical(s.Pass.TypesInfo.TypeOf(n.X), v.Type()) || s.Pass.VarOf(n.X) == v)
		}
		return harmless
	})
	return harmless
}

// newMap reports whether e makes a map that nobody else has.
func newMap(p *code.Pass, e ast.Expr) bool {
	switch x := e.(type) {
	case *ast.CompositeLit:
		return true
	case *ast.CallExpr:
		return p.IsBuiltin(x, "make") || p.FullName(x) == "maps.Clone"
	}
	return false
}

// harmlessCall reports whether a call changes nothing that a local variable
// refers to: a conversion, or one of the functions and builtins that look only.
func harmlessCall(p *code.Pass, call *ast.CallExpr) bool {
	if p.TypesInfo.Types[call.Fun].IsType() || p.IsBuiltin(call, "len") || p.IsBuiltin(call, "cap") || p.IsBuiltin(call, "make") || p.IsBuiltin(call, "new") || knowledge.ReadsMaps[p.FullName(call)] {
		return true
	}
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() == nil {
		return false
	}
	switch fn.Pkg().Path() {
	case "time", "context", "strings", "strconv", "errors":
		return fn.Name() != "Sleep" && fn.Name() != "AfterFunc"
	}
	return p.FullName(call) == "(*sync.WaitGroup).Add" || p.FullName(call) == "(*sync.WaitGroup).Done"
}
