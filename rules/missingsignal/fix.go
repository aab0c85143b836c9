package missingsignal

import (
	"go/ast"
	"go/types"

	"github.com/dave/dst"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rules/missingsignal/internal/outcome"
)

// closed offers to close the channel before each of exits.
func (s *signal) closed(m rule.Match, exits []*ast.ReturnStmt, end bool) rule.Match {
	for _, g := range s.gives {
		if g.send {
			return m.None("what should be sent, and by whom, is for the author to say")
		}
	}
	if isFunc(s.v) {
		return m.None("what it should do before it returns is for the author to say")
	}
	if end {
		return m.None("no close can be inserted where it ends without a return")
	}
	for _, ret := range exits {
		c, ok := s.p.Find(s.fn.Cursor, ret)
		_, _, listed := code.StmtList(c)
		switch {
		case !ok || !listed:
			return m.None("the return is no statement of its own")
		case naming.Shadowed(s.p, "close", ret.Pos()):
			return m.None("close is shadowed here")
		case !naming.Visible(s.p, s.v, ret.Pos()):
			return m.None(s.v.Name() + " is shadowed here")
		case s.comesFrom(ret):
			return m.None("the channel may be closed by then, and to close it twice panics")
		}
	}
	return m.Unsafe("Close "+s.v.Name()+" before the return, too; what waits for it then goes on", func(d *dstedit.Decl) error {
		for _, ret := range exits {
			if err := d.InsertBefore(ret, dstedit.ExprStmt(dst.Expr(dstedit.Call(dstedit.Ident("close"), dstedit.Ident(s.v.Name()))))); err != nil {
				return err
			}
		}
		return nil
	})
}

// shared says why a close in the function of s may be the second one: its callers may
// close the channel after an error.
func (m miss) shared(s *signal) string {
	d, ok := s.fn.Cursor.Node().(*ast.FuncDecl)
	if !ok {
		if n := 0; s.v == m.s.v {
			for _, g := range m.s.gives {
				if g.real {
					n++
				}
			}
			if n == 1 {
				return ""
			}
		}
		return "others may close the channel, too, and to close it twice panics"
	}
	fn, ok := s.p.TypesInfo.Defs[d.Name].(*types.Func)
	for i := range d.Type.Params.NumFields() {
		if ok && fn.Signature().Params().At(i) == s.v {
			return closers(s.p, fn, i, 3)
		}
	}
	return "who calls it is not known"
}

// closers says who may close what fn gets as its parameter with an index, after a call.
func closers(p *code.Pass, fn *types.Func, index, depth int) string {
	calls, all := callers.CallSites(p, fn)
	if !all || depth == 0 {
		return "others may call " + fn.Name() + " and close the channel themselves"
	}
	for _, c := range calls {
		call := c.Node().(*ast.CallExpr)
		around := p.EnclosingFunc(c)
		if around == nil || index >= len(call.Args) {
			return "who calls it is not known"
		}
		v := p.VarOf(call.Args[index])
		if v == nil {
			return "what " + around.Called() + " passes is not known"
		}
		if mayClose(p, around, v, c) {
			return around.Called() + " or who gets the channel from it may close it, too, and to close it twice panics"
		}
		if v.Kind() != types.ParamVar {
			continue
		}
		d, isDecl := around.Cursor.Node().(*ast.FuncDecl)
		if !isDecl {
			return "who calls it is not known"
		}
		outer, ok := p.TypesInfo.Defs[d.Name].(*types.Func)
		for i := range d.Type.Params.NumFields() {
			if ok && outer.Signature().Params().At(i) == v {
				if reason := closers(p, outer, i, depth-1); reason != "" {
					return reason
				}
			}
		}
	}
	return ""
}

// mayClose reports whether the channel in v that a call passes may be closed by the
// function around that, or by anybody else whom it gives the channel on the same path.
func mayClose(p *code.Pass, around *code.Func, v *types.Var, call inspector.Cursor) bool {
	if !p.DeclaredIn(v, around) {
		return true
	}
	at := code.FlowNode(call, around)
	for _, u := range channel.Uses(p, around.Cursor, v) {
		switch u.Kind {
		case channel.Close:
			return true
		case channel.Other:
			node := code.FlowNode(u.At, around)
			if call.Contains(u.At) || node == at && returnsReceiver(p, u, around) {
				continue
			}
			if a, ok := channel.ArgumentOf(p, u); ok && !a.Effect.Closes {
				continue
			}
			if node == at || outcome.LeadsTo(around, node, at) || outcome.LeadsTo(around, at, node) {
				return true
			}
		}
	}
	return false
}

// returnsReceiver reports whether u is a result of the function that can only be received from.
func returnsReceiver(p *code.Pass, u channel.Use, fn *code.Func) bool {
	c := code.Unparen(u.At)
	ret, ok := c.Parent().Node().(*ast.ReturnStmt)
	sig := p.Signature(fn)
	if !ok || sig == nil || sig.Results().Len() != len(ret.Results) {
		return false
	}
	for i, r := range ret.Results {
		if r == c.Node() {
			ch, isChan := sig.Results().At(i).Type().Underlying().(*types.Chan)
			return isChan && ch.Dir() == types.RecvOnly
		}
	}
	return false
}
