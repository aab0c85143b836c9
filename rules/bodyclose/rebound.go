package bodyclose

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// rebound is "resp.Body = gzip.NewReader(resp.Body)": what is closed later is not the
// body that came with the response.
func (b *bodyLeak) rebound(m rule.Match) (rule.Match, bool) {
	if b.Var == nil || b.Parsed {
		return m, false
	}
	r, at := hidden(&b.Response)
	if len(at) == 0 || r.EndsWithFunction() || r.Head() {
		return m, false
	}
	i := slices.IndexFunc(at, func(h hiding) bool { return comesOpen(&r, h.stmt) })
	if i < 0 {
		return m, false // it is closed, or handed on, before
	}
	h := at[i]
	name := b.Var.Name()
	m.Message = name + ".Body is replaced by a reader of " + h.by + ", which does not close what it reads, so the connection and two goroutines of the first body leak"
	m.Related = []rule.Related{{Pos: h.stmt.Pos(), End: h.stmt.End(), Message: "replaced here before the first body is closed"}}
	if r.HandedOn {
		return m.None("whoever gets " + name + " goes on reading the first body, so that the new one has to close both"), true
	}
	b.Response = r
	// What is closed after it, also by a deferred literal, is the new body.
	switch place := placeOf(&b.Response, mustcall.Unmet{Overwritten: true}); {
	case place.Why != "":
		return m.None(place.Why), true
	case place.Kind != deferred:
		return m.None("a deferred close would keep the connection for too long"), true
	default:
		return b.offer(m, "Defer closing the first body", func(d *dstedit.Decl) error {
			return insertAfter(d, place.Guard, deferClose(name))
		}), true
	}
}

// comesOpen reports whether control comes to stmt with a body that is not closed, not
// deferred to be closed, and that nobody else has.
func comesOpen(b *response.Response, stmt ast.Stmt) bool {
	over := map[ast.Node]bool{}
	for _, e := range b.Events {
		switch e.Kind {
		case usage.Reads, usage.ClosesLate:
		default:
			over[e.Node] = over[e.Node] || e.Node != ast.Node(stmt)
		}
	}
	return mustcall.MayMeet(b.Pass, b.Obligation(), func(n ast.Node) (now, late, stop bool) { return n == ast.Node(stmt), false, over[n] })
}

// hiding is a statement that replaces the body of a response by a reader of it.
type hiding struct {
	stmt *ast.AssignStmt
	by   string // what makes the reader
}

// hidden returns the response with what happens to its first body, and where that is
// replaced by a reader that does not close it; nil if it is not, or if something else has it.
func hidden(b *response.Response) (response.Response, []hiding) {
	r := *b
	var out []hiding
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
			out = append(out, hiding{as, h.by})
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
			if usage.WrapperCall(p, e, i) == usage.ReadsOnly && h.reads(arg, depth-1) {
				name(types.ExprString(e.Fun))
				return true
			}
		}
	case *ast.CompositeLit:
		for _, elt := range e.Elts {
			if kv, ok := elt.(*ast.KeyValueExpr); ok {
				elt = kv.Value
			}
			if usage.WrapperLiteral(p, e, elt, h.b.Var) == usage.ReadsOnly && h.reads(elt, depth-1) {
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
