// Package percall finds values that a function makes for one call of it, with a channel
// that it closes on some ways out only, for which somebody waits who has found the value.
package percall

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rules/missingsignal/internal/outcome"
)

// perCall is a value that a function makes for one call of it, with a channel in a field
// that it alone closes, and that it keeps where others find it.
type perCall struct {
	p      *code.Pass
	fn     *code.Func
	v      *types.Var
	field  *channel.Field
	fields map[*types.Var]*channel.Field
	closes map[ast.Node]bool // by node of the flow of fn
	waiter channel.Use       // who waits for it, with no other way out
}

// Find reports the ways out of functions on which the channel of such a value stays open.
func Find(p *code.Pass) (out []rule.Match) {
	for _, c := range perCalls(p) {
		out = append(out, c.matches()...)
	}
	return out
}

// perCalls returns the values of the package that are made for one call, and for whose
// channel somebody waits who finds them.
func perCalls(p *code.Pass) (out []*perCall) {
	fields := map[*types.Var]*channel.Field{}
	all := channel.Fields(p)
	for _, f := range all {
		fields[f.Field] = f
	}
	for _, f := range all {
		if len(f.Closes) == 0 || len(f.Sends) > 0 || f.Sendable || !channel.Unbuffered(p, f.Made) {
			continue
		}
		c := &perCall{p: p, field: f, fields: fields, closes: map[ast.Node]bool{}}
		if c.closed() && c.awaited() {
			out = append(out, c)
		}
	}
	return out
}

// baseOf returns the variable of which the use of a field is one.
func baseOf(p *code.Pass, u channel.Use) *types.Var {
	sel, ok := code.Unparen(u.At).Node().(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	return p.VarOf(sel.X)
}

// closed finds the one function that closes the channel, of a value that it has made.
func (c *perCall) closed() bool {
	for _, u := range c.field.Closes {
		v, fn := baseOf(c.p, u), c.p.FuncOf(u.GoroutineFunc)
		if v == nil || fn == nil || c.v != nil && c.v != v {
			return false
		}
		node := code.FlowNode(u.Op, fn)
		if node == nil || c.p.EnclosingFunc(u.Op).Cursor != fn.Cursor || !c.p.DeclaredIn(v, fn) || !frozen.Fixed(c.p, v) {
			return false
		}
		c.v, c.fn = v, fn
		c.closes[node] = true
	}
	lit := frozen.Definition(c.p, c.v)
	if amp, ok := ast.Unparen(lit).(*ast.UnaryExpr); ok {
		lit = amp.X
	}
	_, made := ast.Unparen(lit).(*ast.CompositeLit)
	return made && len(c.field.Made) == 1
}

// awaited finds a wait of somebody else for the channel that nothing ends but the function:
// it is alone, or the other cases wait on channels of the same value that the function serves.
func (c *perCall) awaited() bool {
	for _, u := range c.field.Recvs {
		if v := baseOf(c.p, u); v == nil || v == c.v || u.Kind != channel.Recv {
			continue
		}
		sel, hasDefault := channel.InSelect(u.Op)
		if sel == nil || !hasDefault && c.served(sel, u) {
			c.waiter = u
			return true
		}
	}
	return false
}

// served reports whether all other cases of a select are operations on channels of the
// same value that the function alone serves.
func (c *perCall) served(sel *ast.SelectStmt, u channel.Use) bool {
	for _, s := range sel.Body.List {
		comm := s.(*ast.CommClause).Comm
		if code.Within(u.Op.Node(), comm) {
			continue
		}
		known := false
		for _, f := range c.fields {
			var others []channel.Use
			for _, x := range f.Sends {
				if code.Within(x.Op.Node(), comm) && baseOf(c.p, x) == baseOf(c.p, u) && !f.Receivable && channel.Unbuffered(c.p, f.Made) {
					known, others = true, f.Recvs
				}
			}
			for _, x := range f.Recvs {
				if code.Within(x.Op.Node(), comm) && baseOf(c.p, x) == baseOf(c.p, u) && !f.Sendable {
					known, others = true, slices.Concat(f.Sends, f.Closes)
				}
			}
			for _, o := range others {
				if o.GoroutineFunc != c.fn.Cursor || baseOf(c.p, o) != c.v {
					return false
				}
			}
		}
		if !known {
			return false
		}
	}
	return true
}

// kept is what is known of the value on a path.
type kept struct {
	there bool       // others may find it
	err   *types.Var // unless this error of the call that keeps it is set
}

// misses returns the ways out on which others may find the value, its channel is not
// closed, and nobody of them has been served.
func (c *perCall) misses() (out []*ast.ReturnStmt, understood bool) {
	keeps, ends, understood := c.uses()
	if !understood || len(keeps) == 0 {
		return nil, false
	}
	flow.Paths[kept]{
		Node: func(n ast.Node, st kept) (kept, bool) {
			if c.closes[n] || ends[n] || assume.FailsTest(c.p, n) {
				return st, false
			}
			if call, ok := keeps[n]; ok {
				at, found := c.p.Find(c.fn.Cursor, call)
				if !found {
					return st, false
				}
				told, ok := outcome.Of(c.p, c.fn, at)
				if !ok {
					return st, false
				}
				st.there, st.err = true, told.Err
			} else if st.err != nil && assume.ErrUsesOf(c.p, c.fn, st.err).Set[n] {
				st.err = nil
			}
			return st, true
		},
		Edge: func(cond ast.Expr, taken bool, st kept) (kept, bool) {
			if x, isNil, ok := c.p.NilTest(cond, taken); ok && st.err != nil && c.p.VarOf(x) == st.err {
				return st, isNil
			}
			return st, true
		},
		Exit: func(b *flow.Block, st kept) {
			if ret := outcome.Returned(b); st.there && !slices.Contains(out, ret) {
				out = append(out, ret)
			}
		},
	}.FromEntry(c.fn.Flow, kept{})
	return out, !slices.Contains(out, nil)
}

// uses sorts what the function does with the value: the nodes that keep it where others
// find it, and those after which nothing is owed. ok is false if others may have it who
// are not known.
func (c *perCall) uses() (keeps map[ast.Node]*ast.CallExpr, ends map[ast.Node]bool, ok bool) {
	keeps, ends = map[ast.Node]*ast.CallExpr{}, map[ast.Node]bool{}
	for _, use := range c.p.Uses(c.fn.Cursor, c.v) {
		node := code.FlowNode(use, c.fn)
		if c.p.GoroutineFunc(use) != c.fn.Cursor || node == nil {
			return nil, nil, false
		}
		at := code.Unparen(use)
		switch n := at.Parent().Node().(type) {
		case *ast.SelectorExpr:
			u := channel.UseAt(c.p, at.Parent())
			if u.Kind == channel.Recv || u.Kind == channel.Send {
				ends[node] = true // somebody has been served
			}
		case *ast.CallExpr:
			fn := c.p.Declaration(c.p.Callee(n))
			i := slices.IndexFunc(n.Args, func(e ast.Expr) bool { return e == at.Node() })
			if fn == nil || i < 0 || i+1 >= len(code.Params(fn)) || code.Params(fn)[i+1] == nil {
				return nil, nil, false
			}
			switch c.table(fn, c.p.VarOf(code.Params(fn)[i+1])) { // the receiver is the first
			case tableUnknown:
				return nil, nil, false
			case tableKeeps:
				keeps[node] = n
			case tableDrops:
				ends[node] = true
			}
		default:
			if use.Node().Pos() != c.v.Pos() {
				return nil, nil, false
			}
		}
	}
	return keeps, ends, true
}

// tableEffect is what a function does with a value and the map in which others find it.
type tableEffect uint8

const (
	tableUnknown tableEffect = iota
	tableKeeps               // it may put the value there
	tableDrops               // it takes it out, whatever happens
	tableNothing             // it may take it out, or not
)

func (c *perCall) table(fn *code.Func, v *types.Var) tableEffect {
	effect, drops := tableNothing, map[ast.Node]bool{}
	for _, use := range c.p.Uses(fn.Cursor, v) {
		if c.p.GoroutineFunc(use) != fn.Cursor {
			return tableUnknown
		}
		at := code.Unparen(use)
		switch n := at.Parent().Node().(type) {
		case *ast.Field:
		case *ast.SelectorExpr:
			u := channel.UseAt(c.p, at.Parent())
			if f := c.fields[c.p.Selected(n)]; f != nil || u.Kind != channel.Other {
				return tableUnknown // it does something with a channel
			}
		case *ast.AssignStmt:
			i := slices.Index(n.Rhs, at.Node().(ast.Expr))
			if i < 0 || len(n.Lhs) != len(n.Rhs) {
				return tableUnknown
			}
			x, ok := ast.Unparen(n.Lhs[i]).(*ast.IndexExpr)
			if !ok || !typeis.Map(c.p.TypesInfo.TypeOf(x.X)) {
				return tableUnknown
			}
			effect = tableKeeps
		default:
			return tableUnknown
		}
	}
	for call := range fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		if c.p.IsBuiltin(call.Node().(*ast.CallExpr), "delete") {
			drops[code.FlowNode(call, fn)] = true
		}
	}
	if effect == tableKeeps || len(drops) == 0 {
		return effect
	}
	surely := true
	flow.Paths[struct{}]{
		Node: func(n ast.Node, st struct{}) (struct{}, bool) { return st, surely && !drops[n] },
		Exit: func(*flow.Block, struct{}) { surely = false },
	}.FromEntry(fn.Flow, struct{}{})
	if surely {
		return tableDrops
	}
	return tableNothing
}

// reached reports whether a path leads from a close to ret.
func (c *perCall) reached(ret *ast.ReturnStmt) (reached bool) {
	for n := range c.closes {
		reached = reached || outcome.LeadsTo(c.fn, n, ret)
	}
	return reached
}

// matches reports the ways out on which the channel stays open: first those where a close
// can be put, then those that a path with a close leads to as well.
func (c *perCall) matches() (out []rule.Match) {
	exits, ok := c.misses()
	if !ok || c.p.InTest(c.fn.Body.Pos()) {
		return nil
	}
	name := c.v.Name() + "." + c.field.Field.Name()
	waiter := c.p.EnclosingFunc(c.waiter.At).Called()
	var alone, joint []*ast.ReturnStmt
	for _, ret := range exits {
		if c.reached(ret) {
			joint = append(joint, ret)
		} else {
			alone = append(alone, ret)
		}
	}
	for i, list := range [][]*ast.ReturnStmt{alone, joint} {
		if len(list) == 0 {
			continue
		}
		m := rule.Match{Pos: list[0].Pos(), End: list[0].End(), Message: c.fn.Called() + " returns without closing " + name + ", and " + waiter + ", which may have found it, waits for nothing else"}
		op := c.waiter.Op.Node()
		m.Related = append(m.Related, rule.Related{Pos: op.Pos(), End: op.End(), Message: "the wait is here"})
		for _, ret := range list[1:] {
			m.Related = append(m.Related, rule.Related{Pos: ret.Pos(), End: ret.End(), Message: "it returns here, too"})
		}
		out = append(out, c.fixed(m, list, i > 0))
	}
	return out
}

func (c *perCall) fixed(m rule.Match, exits []*ast.ReturnStmt, joint bool) rule.Match {
	if joint {
		return m.None("the channel may be closed by then, and to close it twice panics")
	}
	for _, ret := range exits {
		at, ok := c.p.Find(c.fn.Cursor, ret)
		_, _, listed := code.StmtList(at)
		switch {
		case !ok || !listed:
			return m.None("the return is no statement of its own")
		case naming.Shadowed(c.p, "close", ret.Pos()):
			return m.None("close is shadowed here")
		case !naming.Visible(c.p, c.v, ret.Pos()):
			return m.None(c.v.Name() + " is shadowed here")
		}
	}
	return m.Unsafe("Close "+c.v.Name()+"."+c.field.Field.Name()+" before the return, too; what waits for it then goes on", func(d *dstedit.Decl) error {
		for _, ret := range exits {
			call := dstedit.Call(dstedit.Ident("close"), dstedit.Sel(c.v.Name(), c.field.Field.Name()))
			if err := d.InsertBefore(ret, dstedit.ExprStmt(call)); err != nil {
				return err
			}
		}
		return nil
	})
}
