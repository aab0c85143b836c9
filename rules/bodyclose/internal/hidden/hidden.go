// Package hidden finds readers that take the place of a body in a response and do not
// close it.
package hidden

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
	"github.com/goroutinefix/goroutinefix/rewrite/wrapper"
)

// Replacement is a statement that replaces the body of a response by a reader of it.
type Replacement struct {
	Stmt *ast.AssignStmt
	By   string // what makes the reader
}

// Find returns the response with what happens to its first body, and where that is
// replaced by a reader that does not close it; nil if it is not, or if something else has it.
func Find(b *response.Response) (response.Response, []Replacement) {
	r := *b
	var out []Replacement
	stmts := map[ast.Node]bool{}
	for _, e := range b.Events {
		if e.Kind != usage.Escapes || b.Pass.VarOf(e.At.Node().(*ast.Ident)) != b.Var {
			continue
		}
		sel := code.Unparen(e.At).Parent()
		as, ok := code.Unparen(sel).Parent().Node().(*ast.AssignStmt)
		if s, isSel := sel.Node().(*ast.SelectorExpr); !ok || !isSel || s.Sel.Name != "Body" || !code.OnLeft(as, code.Unparen(sel)) || stmts[as] {
			continue
		}
		h := hider{b: b}
		if value := code.AssignedTo(as, code.Unparen(sel).Node()); value != nil && h.layer(value, 4) {
			stmts[as] = true
			out = append(out, Replacement{as, h.by})
		}
	}
	if len(out) == 0 {
		return r, nil
	}
	r.Events, r.HandedOn = nil, b.Pass.IsResult(b.Var, b.Fn)
	for _, e := range b.Events {
		left := false
		if sel, ok := code.Unparen(e.At).Parent().Node().(*ast.SelectorExpr); ok && stmts[e.Node] {
			left = code.OnLeft(e.Node.(*ast.AssignStmt), code.Unparen(code.Unparen(e.At).Parent())) && sel.Sel.Name == "Body"
		}
		other := b.Pass.VarOf(e.At.Node().(*ast.Ident)) != b.Var
		switch {
		case left:
			e.Kind = usage.Assigns
		case stmts[e.Node]:
			e.Kind = usage.Reads // what the new body is made from
		case other && e.Kind != usage.Reads && e.Kind != usage.Assigns:
			return r, nil // the first body has another name, and ends by that
		}
		r.HandedOn = r.HandedOn || e.Kind == usage.Escapes
		r.Events = append(r.Events, e)
	}
	return r, out
}

// hider finds out whether a value is made from the body of a response by nothing but
// readers that do not close what they read.
type hider struct {
	b  *response.Response
	by string // the outermost reader
}

// layer reports whether e is such a reader.
func (h *hider) layer(e ast.Expr, depth int) bool {
	p := h.b.Pass
	if depth == 0 {
		return false
	}
	name := func(s string) {
		if h.by == "" {
			h.by = s
		}
	}
	e = ast.Unparen(e)
	if addr, ok := e.(*ast.UnaryExpr); ok && addr.Op == token.AND {
		e = ast.Unparen(addr.X)
	}
	switch e := e.(type) {
	case *ast.Ident:
		v := p.VarOf(e)
		if v == nil || !p.DeclaredIn(v, h.b.Fn) {
			return false
		}
		values := h.values(v)
		return len(values) > 0 && !slices.ContainsFunc(values, func(e ast.Expr) bool { return e == nil || !h.layer(e, depth-1) })
	case *ast.CallExpr:
		if i, ok := knowledge.ReaderMakers[p.FullName(e)]; ok && i < len(e.Args) {
			name(types.ExprString(e.Fun))
			return h.reads(e.Args[i], depth-1)
		}
		for i, arg := range e.Args {
			if wrapper.OfCall(p, e, i) == wrapper.ReadsOnly && h.reads(arg, depth-1) {
				name(types.ExprString(e.Fun))
				return true
			}
		}
	case *ast.CompositeLit:
		for _, elt := range e.Elts {
			if kv, ok := elt.(*ast.KeyValueExpr); ok {
				elt = kv.Value
			}
			if wrapper.OfLiteral(p, e, elt, h.b.Var) == wrapper.ReadsOnly && h.reads(elt, depth-1) {
				name(types.ExprString(e.Type))
				return true
			}
		}
	}
	return false
}

// values lists what a local variable is given, the first result of a call by the call; nil
// stands for what is not known.
func (h *hider) values(v *types.Var) (out []ast.Expr) {
	p := h.b.Pass
	if p.IsParam(v, h.b.Fn) {
		return nil
	}
	for _, use := range p.Uses(h.b.Fn.Cursor, v) {
		if code.Addressed(use) {
			return nil
		}
		if !code.IsAssigned(use) {
			continue
		}
		switch n := use.Parent().Node().(type) {
		case *ast.AssignStmt:
			out = append(out, code.AssignedTo(n, use.Node()))
		case *ast.ValueSpec:
			if len(n.Values) > 0 {
				out = append(out, p.GivenAt(use))
			}
		default:
			out = append(out, nil)
		}
	}
	return out
}

// reads reports whether e is the body, or a reader of it.
func (h *hider) reads(e ast.Expr, depth int) bool {
	if sel, ok := ast.Unparen(e).(*ast.SelectorExpr); ok {
		return sel.Sel.Name == "Body" && h.b.Pass.VarOf(sel.X) == h.b.Var
	}
	if v := h.b.Pass.VarOf(e); v != nil {
		if values := h.values(v); len(values) == 1 && values[0] != nil && depth > 0 {
			return h.reads(values[0], depth-1)
		}
	}
	return h.layer(e, depth)
}
