package assume

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// ErrUses is what a function does with a variable, an error. Many calls share one, so it is
// worked out once and not for each of them.
type ErrUses struct {
	Set     map[ast.Node]bool   // nodes of the flow that give it another value
	Derived map[*types.Var]bool // variables whose value depends on it
	Mention map[ast.Node]bool   // nodes in which it is mentioned
	Ask     map[ast.Node]bool   // nodes that call a method of it
	Sw      map[ast.Node]bool   // nodes that are heads of type switches on it
}

type errKey struct {
	body *ast.BlockStmt
	v    *types.Var
}

// ErrUses returns what fn does with v, which may be nil.
func ErrUsesOf(p *code.Pass, fn *code.Func, v *types.Var) *ErrUses {
	key := errKey{fn.Body, v}
	m := code.State[assumed](p)
	u := m.errs[key]
	if u != nil {
		return u
	}
	u = &ErrUses{Set: map[ast.Node]bool{}, Derived: map[*types.Var]bool{}, Mention: map[ast.Node]bool{}, Ask: map[ast.Node]bool{}, Sw: map[ast.Node]bool{}}
	if m.errs == nil {
		m.errs = map[errKey]*ErrUses{}
	}
	m.errs[key] = u
	if v == nil {
		return u
	}
	for _, use := range p.Uses(fn.Cursor, v) {
		u.mentioned(use, fn)
		at := code.Unparen(use)
		switch n := at.Parent().Node().(type) {
		case *ast.SelectorExpr:
			sel := code.Unparen(at.Parent())
			if call, ok := sel.Parent().Node().(*ast.CallExpr); ok && call.Fun == sel.Node() {
				evaluated(sel.Parent(), u.Ask)
			}
		case *ast.TypeAssertExpr:
			if n.Type == nil {
				evaluated(at.Parent(), u.Sw)
			}
		}
	}
	eachAssignment(p, fn, func(lhs inspector.Cursor, rhs []ast.Expr) {
		to, depends := p.VarOf(lhs.Node().(ast.Expr)), false
		for _, e := range rhs {
			depends = depends || u.Mention[e]
		}
		switch {
		case to == nil:
		case to == v && !depends:
			u.Set[code.FlowNode(lhs, fn)] = true
		case to != v && depends:
			u.Derived[to] = true
		}
	})
	return u
}

// mentioned marks the nodes of fn around a use.
func (u *ErrUses) mentioned(use inspector.Cursor, fn *code.Func) {
	for c := use; c.Valid() && !u.Mention[c.Node()]; c = c.Parent() {
		u.Mention[c.Node()] = true
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
func eachAssignment(p *code.Pass, fn *code.Func, f func(lhs inspector.Cursor, rhs []ast.Expr)) {
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

// TestedInto returns the variables of fn that get a value in which v is compared with nil.
func TestedInto(p *code.Pass, fn *code.Func, v *types.Var) map[*types.Var]bool {
	out := map[*types.Var]bool{}
	for _, use := range p.Uses(fn.Cursor, v) {
		test := code.Unparen(use).Parent()
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
				if !code.OnLeft(n, c) {
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
