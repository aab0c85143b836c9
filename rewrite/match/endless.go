package match

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// EndlessRange is a goroutine that ranges over a channel that nobody closes.
type EndlessRange struct {
	Range inspector.Cursor // the range statement
	Go    inspector.Cursor // the go statement that starts the goroutine
	Exit  token.Pos        // where the function that made the channel returns
	// Sole reports whether the function itself is the only one that sends.
	Sole bool
}

// EndlessRanges returns the goroutines that are left behind in a range over
// the channel that the call of make in fn returns: the channel is seen by fn
// and the literals that it starts only, nothing closes it, the loops have no
// way out of their own, and fn returns.
func (p *Pass) EndlessRanges(make inspector.Cursor, fn *Func) (v *types.Var, out []EndlessRange) {
	c := &LocalChan{Pass: p, Fn: fn, Make: make}
	if !c.Variable() || c.Later {
		return nil, nil
	}
	sole, sent, made := true, false, 0
	var add func(u ChannelUse) bool
	add = func(u ChannelUse) bool {
		switch u.Kind {
		case ChanMake:
			if u.At.Parent().Node() == nil {
				return false
			}
			if _, isParam := u.At.Parent().Node().(*ast.Field); !isParam {
				made++
			}
			return made <= 1
		case ChanNil:
			return true
		case ChanSend:
			sent = true
			sole = sole && u.Runner == fn.Cursor
			return u.Runner == fn.Cursor || p.StartedBy(u.Runner, fn).Valid()
		case ChanRange:
			start := p.StartedBy(u.Runner, fn)
			if start.Valid() && !p.leavesLoop(u.Op.Node().(*ast.RangeStmt), p.FuncOf(u.Runner)) {
				out = append(out, EndlessRange{Range: u.Op, Go: start})
				return true
			}
		case ChanOther:
			for _, pu := range p.literalParam(u, fn) {
				if !add(pu) {
					return false
				}
			}
			return p.literalParam(u, fn) != nil
		}
		return false
	}
	for _, u := range p.ChannelUses(fn.Cursor, c.Var) {
		if !add(u) {
			return nil, nil
		}
	}
	if !sent {
		return nil, nil
	}
	kept := out[:0]
	for _, e := range out {
		node := FlowNode(e.Go, fn)
		if node == nil {
			continue
		}
		if e.Exit = c.anyExit(node); e.Exit.IsValid() {
			e.Sole = sole
			kept = append(kept, e)
		}
	}
	return c.Var, kept
}

// WaitsForOthers reports whether fn itself receives from a channel or calls
// something that waits.
func (p *Pass) WaitsForOthers(fn *Func) bool {
	for c := range fn.Cursor.Preorder((*ast.UnaryExpr)(nil), (*ast.CallExpr)(nil), (*ast.RangeStmt)(nil)) {
		if p.Runner(c) != fn.Cursor {
			continue
		}
		switch n := c.Node().(type) {
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				return true
			}
		case *ast.CallExpr:
			if p.Waits(n) {
				return true
			}
		case *ast.RangeStmt:
			if _, ok := p.TypesInfo.TypeOf(n.X).Underlying().(*types.Chan); ok {
				return true
			}
		}
	}
	return false
}

// Shadowed reports whether a predeclared name means something else at pos.
func (p *Pass) Shadowed(name string, pos token.Pos) bool {
	_, o := p.TypesInfo.Scopes[p.FileOf(pos)].Innermost(pos).LookupParent(name, pos)
	_, builtin := o.(*types.Builtin)
	return !builtin
}

// StartedBy returns the go statement of fn that starts the literal at runner;
// invalid if there is none.
func (p *Pass) StartedBy(runner inspector.Cursor, fn *Func) inspector.Cursor {
	lit, ok := runner.Node().(*ast.FuncLit)
	if !ok {
		return inspector.Cursor{}
	}
	call := Unparen(runner).Parent()
	ce, ok := call.Node().(*ast.CallExpr)
	if !ok || ast.Unparen(ce.Fun) != ast.Expr(lit) {
		return inspector.Cursor{}
	}
	if _, isGo := call.Parent().Node().(*ast.GoStmt); !isGo || p.Runner(call.Parent()) != fn.Cursor {
		return inspector.Cursor{}
	}
	return call.Parent()
}

// literalParam follows a channel into the parameter of a literal that a go
// statement of fn starts: the uses of that parameter, nil if u is anything else.
func (p *Pass) literalParam(u ChannelUse, fn *Func) []ChannelUse {
	call := Unparen(u.At).Parent()
	n, ok := call.Node().(*ast.CallExpr)
	if !ok {
		return nil
	}
	lit, ok := ast.Unparen(n.Fun).(*ast.FuncLit)
	if !ok {
		return nil
	}
	c, _ := call.FindNode(lit)
	if !p.StartedBy(c, fn).Valid() {
		return nil
	}
	for _, field := range lit.Type.Params.List {
		for _, name := range field.Names {
			if v := p.TypesInfo.Defs[name]; v != nil && p.LitArgument(c, v) == Unparen(u.At).Node() {
				return p.ChannelUses(c, v)
			}
		}
	}
	return nil
}

// leavesLoop reports whether the body of a loop can end the loop by itself.
func (p *Pass) leavesLoop(loop *ast.RangeStmt, fn *Func) bool {
	leaves := false
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			// What is behind the loop is reached only by leaving it.
			if n.Pos() < loop.Pos() || n.Pos() >= loop.End() {
				leaves = true
			}
			return s, !leaves
		},
		Round: func(l ast.Stmt, _ struct{}) bool { return l != ast.Stmt(loop) },
		Exit:  func(*flow.Block, struct{}) { leaves = true },
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
