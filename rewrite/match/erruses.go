package match

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
)

// errUses is what a function does with a variable, an error. Many calls share one, so it is
// worked out once and not for each of them.
type errUses struct {
	set     map[ast.Node]bool   // nodes of the flow that give it another value
	derived map[*types.Var]bool // variables whose value depends on it
	mention map[ast.Node]bool   // nodes in which it is mentioned
	ask     map[ast.Node]bool   // nodes that call a method of it
	sw      map[ast.Node]bool   // nodes that are heads of type switches on it
}

type errKey struct {
	body *ast.BlockStmt
	v    *types.Var
}

// errUses returns what fn does with v, which may be nil.
func (p *Pass) errUses(fn *Func, v *types.Var) *errUses {
	key := errKey{fn.Body, v}
	m := State[assumed](p)
	u := m.errs[key]
	if u != nil {
		return u
	}
	u = &errUses{set: map[ast.Node]bool{}, derived: map[*types.Var]bool{}, mention: map[ast.Node]bool{}, ask: map[ast.Node]bool{}, sw: map[ast.Node]bool{}}
	if m.errs == nil {
		m.errs = map[errKey]*errUses{}
	}
	m.errs[key] = u
	if v == nil {
		return u
	}
	for _, use := range p.Uses(fn.Cursor, v) {
		u.mentioned(use, fn)
		at := Unparen(use)
		switch n := at.Parent().Node().(type) {
		case *ast.SelectorExpr:
			sel := Unparen(at.Parent())
			if call, ok := sel.Parent().Node().(*ast.CallExpr); ok && call.Fun == sel.Node() {
				evaluated(sel.Parent(), u.ask)
			}
		case *ast.TypeAssertExpr:
			if n.Type == nil {
				evaluated(at.Parent(), u.sw)
			}
		}
	}
	p.eachAssignment(fn, func(lhs inspector.Cursor, rhs []ast.Expr) {
		to, depends := p.VarOf(lhs.Node().(ast.Expr)), false
		for _, e := range rhs {
			depends = depends || u.mention[e]
		}
		switch {
		case to == nil:
		case to == v && !depends:
			u.set[FlowNode(lhs, fn)] = true
		case to != v && depends:
			u.derived[to] = true
		}
	})
	return u
}

// mentioned marks the nodes of fn around a use.
func (u *errUses) mentioned(use inspector.Cursor, fn *Func) {
	for c := use; c.Valid() && !u.mention[c.Node()]; c = c.Parent() {
		u.mention[c.Node()] = true
		if c == fn.Cursor {
			return
		}
	}
}

// evaluated marks the nodes around c whose evaluation is that of c, too: not those around
// a literal.
func evaluated(c inspector.Cursor, in map[ast.Node]bool) {
	for ; c.Valid() && c.Node() != nil; c = c.Parent() {
		switch c.Node().(type) {
		case *ast.FuncLit, *ast.FuncDecl, *ast.File:
			return
		}
		in[c.Node()] = true
	}
}

// eachAssignment calls f for what fn assigns or declares with a value.
func (p *Pass) eachAssignment(fn *Func, f func(lhs inspector.Cursor, rhs []ast.Expr)) {
	for c := range fn.Cursor.Preorder((*ast.AssignStmt)(nil), (*ast.ValueSpec)(nil)) {
		switch n := c.Node().(type) {
		case *ast.AssignStmt:
			for i := range n.Lhs {
				f(c.ChildAt(edge.AssignStmt_Lhs, i), n.Rhs)
			}
		case *ast.ValueSpec:
			for i := range n.Names {
				if len(n.Values) > 0 {
					f(c.ChildAt(edge.ValueSpec_Names, i), n.Values)
				}
			}
		}
	}
}

// testedInto returns the variables of fn that get a value in which v is compared with nil.
func (p *Pass) testedInto(fn *Func, v *types.Var) map[*types.Var]bool {
	out := map[*types.Var]bool{}
	for _, use := range p.Uses(fn.Cursor, v) {
		test := Unparen(use).Parent()
		be, ok := test.Node().(*ast.BinaryExpr)
		if !ok {
			continue
		}
		if x, _, ok := p.NilTest(be, true); !ok || p.VarOf(x) != v {
			continue
		}
		for c := test; c.Valid() && c != fn.Cursor; c = c.Parent() {
			var lhs []ast.Expr
			switch n := c.Parent().Node().(type) {
			case *ast.AssignStmt:
				if !OnLeft(n, c) {
					lhs = n.Lhs
				}
			case *ast.ValueSpec:
				for _, name := range n.Names {
					lhs = append(lhs, name)
				}
			}
			for _, l := range lhs {
				if to := p.VarOf(l); to != nil {
					out[to] = true
				}
			}
		}
	}
	return out
}
