package blockingreceive

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/launch"
)

// rangeWithoutClose is a goroutine that ranges over a channel that nobody closes.
type rangeWithoutClose struct {
	Range inspector.Cursor // the range statement
	Go    inspector.Cursor // the go statement that starts the goroutine
	Exit  token.Pos        // where the function that made the channel returns
	// Sole reports whether the function itself is the only one that sends.
	Sole bool
}

// rangesWithoutClose returns the goroutines that are left behind in a range over
// the channel that the call of make in fn returns: the channel is seen by fn
// and the literals that it starts only, nothing closes it, the loops have no
// way out of their own, and fn returns.
func rangesWithoutClose(p *code.Pass, makeCall inspector.Cursor, fn *code.Func) (v *types.Var, out []rangeWithoutClose) {
	c := &channel.Local{Pass: p, Fn: fn, Make: makeCall}
	if !c.Variable() || c.Later {
		return nil, nil
	}
	sole, sent, made := true, false, 0
	var add func(u channel.Use) bool
	add = func(u channel.Use) bool {
		switch u.Kind {
		case channel.Make:
			if u.At.Parent().Node() == nil {
				return false
			}
			if _, isParam := u.At.Parent().Node().(*ast.Field); !isParam {
				made++
			}
			return made <= 1
		case channel.Nil:
			return true
		case channel.Send:
			sent = true
			sole = sole && u.GoroutineFunc == fn.Cursor
			return u.GoroutineFunc == fn.Cursor || launch.StartedBy(p, u.GoroutineFunc, fn).Valid()
		case channel.Range:
			start := launch.StartedBy(p, u.GoroutineFunc, fn)
			if start.Valid() && !leavesLoop(p, u.Op.Node().(*ast.RangeStmt), p.FuncOf(u.GoroutineFunc)) {
				out = append(out, rangeWithoutClose{Range: u.Op, Go: start})
				return true
			}
		case channel.Other:
			for _, pu := range literalParam(p, u, fn) {
				if !add(pu) {
					return false
				}
			}
			return literalParam(p, u, fn) != nil
		}
		return false
	}
	for _, u := range channel.Uses(p, fn.Cursor, c.Var) {
		if !add(u) {
			return nil, nil
		}
	}
	if !sent {
		return nil, nil
	}
	kept := out[:0]
	for _, e := range out {
		node := code.FlowNode(e.Go, fn)
		if node == nil {
			continue
		}
		if e.Exit = c.AnyExit(node); e.Exit.IsValid() {
			e.Sole = sole
			kept = append(kept, e)
		}
	}
	return c.Var, kept
}

// literalParam follows a channel into the parameter of a literal that a go
// statement of fn starts: the uses of that parameter, nil if u is anything else.
func literalParam(p *code.Pass, u channel.Use, fn *code.Func) []channel.Use {
	call := code.Unparen(u.At).Parent()
	n, ok := call.Node().(*ast.CallExpr)
	if !ok {
		return nil
	}
	lit, ok := ast.Unparen(n.Fun).(*ast.FuncLit)
	if !ok {
		return nil
	}
	c, _ := call.FindNode(lit)
	if !launch.StartedBy(p, c, fn).Valid() {
		return nil
	}
	for _, field := range lit.Type.Params.List {
		for _, name := range field.Names {
			if v := p.TypesInfo.Defs[name]; v != nil && p.LitArgument(c, v) == code.Unparen(u.At).Node() {
				return channel.Uses(p, c, v)
			}
		}
	}
	return nil
}

// leavesLoop reports whether the body of a loop can end the loop by itself.
func leavesLoop(p *code.Pass, loop *ast.RangeStmt, fn *code.Func) bool {
	leaves := false
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			// What is after the loop is reached only by leaving it.
			if n.Pos() < loop.Pos() || n.Pos() >= loop.End() {
				leaves = true
			}
			return s, !leaves
		},
		Iteration: func(l ast.Stmt, _ struct{}) bool { return l != ast.Stmt(loop) },
		Exit:      func(*flow.Block, struct{}) { leaves = true },
	}.FromBody(fn.Flow, loop, struct{}{})
	ast.Inspect(loop.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BranchStmt:
			leaves = leaves || n.Tok == token.BREAK || n.Tok == token.GOTO
		case *ast.CallExpr:
			leaves = leaves || p.NeverReturns(n)
		}
		return !leaves
	})
	return leaves
}
