package missingstop

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
)

// channels records the channels in fields that only methods of their type send
// on or close.
func (t *lifetimes) channels() {
	for _, f := range channel.Fields(t.p) {
		if f.Sendable {
			continue
		}
		methods, known := map[*types.Func]bool{}, true
		for _, u := range slices.Concat(f.Sends, f.Closes) {
			fn := t.in(u.Op)
			known = known && t.method(fn, f.Field)
			methods[fn] = methods[fn] || u.Kind == channel.Close
		}
		if !known || len(methods) == 0 {
			continue
		}
		t.enders[f.Field] = methods
		for _, u := range f.Recvs {
			t.recvs[u.Op.Node()] = f.Field
		}
	}
}

// contexts records the contexts whose cancel function is kept in a field that
// only methods of its type call.
func (t *lifetimes) contexts() {
	if len(t.p.IgnoredFiles) > 0 || len(t.p.OtherFiles) > 0 {
		return
	}
	made := map[*types.Var]int{} // how often a context field gets a value
	root := t.p.Inspector.Root()
	for c := range root.Preorder((*ast.AssignStmt)(nil)) {
		as := c.Node().(*ast.AssignStmt)
		for _, l := range as.Lhs {
			if x, ok := ast.Unparen(l).(*ast.SelectorExpr); ok && t.p.Selected(x) != nil {
				made[t.p.Selected(x)]++
			}
		}
		if len(as.Lhs) != 2 || len(as.Rhs) != 1 {
			continue
		}
		call, ok := ast.Unparen(as.Rhs[0]).(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			continue
		}
		if name := t.p.FullName(call); name != "context.WithCancel" && name != "context.WithCancelCause" {
			continue
		}
		o := origin{cancel: t.place(as.Lhs[1], c)}
		if o.cancel == nil || o.cancel.Exported() || !t.rootOrParam(call.Args[0], c, &o) {
			continue
		}
		fields := []*types.Var{t.p.VarOf(as.Lhs[0])}
		if x, ok := ast.Unparen(as.Lhs[0]).(*ast.SelectorExpr); ok {
			fields[0] = t.p.Selected(x)
		} else if v := fields[0]; v != nil {
			for _, use := range t.p.Uses(t.p.EnclosingFunc(c).Outermost(), v) {
				if f := t.p.StoredIn(use); f != nil {
					fields = append(fields, f)
					made[f]++
				}
			}
		}
		for _, v := range fields {
			if v != nil {
				t.derived[v] = o
			}
		}
	}
	for v, o := range t.derived {
		methods, ok := t.calls(o.cancel)
		if !ok || v.IsField() && made[v] != 1 {
			delete(t.derived, v)
			continue
		}
		t.enders[o.cancel] = methods
	}
}

// place returns the field that a new cancel function is kept in, and nowhere else.
func (t *lifetimes) place(lhs ast.Expr, def inspector.Cursor) *types.Var {
	if x, ok := ast.Unparen(lhs).(*ast.SelectorExpr); ok {
		return t.p.Selected(x)
	}
	v := t.p.VarOf(lhs)
	if v == nil || v.Kind() != types.LocalVar {
		return nil
	}
	var field *types.Var
	for _, use := range t.p.Uses(t.p.EnclosingFunc(def).Outermost(), v) {
		if code.IsAssigned(use) && use.Parent() == def {
			continue
		}
		f := t.p.StoredIn(use)
		if f == nil || field != nil {
			return nil
		}
		field = f
	}
	return field
}

// rootOrParam notes what a context is derived from: one that never ends, or a
// parameter of the declared function around it.
func (t *lifetimes) rootOrParam(e ast.Expr, c inspector.Cursor, o *origin) bool {
	if ctxcancel.RootContext(t.p, e) {
		return true
	}
	o.parent = t.p.VarOf(e)
	fn := t.in(c)
	return o.parent != nil && fn != nil && ctxcancel.ParamIndex(fn, o.parent) >= 0
}

// calls returns the methods that call the function in field; ok is false if
// anything else is done with it but to give it a value.
func (t *lifetimes) calls(field *types.Var) (methods map[*types.Func]bool, ok bool) {
	methods = map[*types.Func]bool{}
	for _, c := range t.p.Index().Fields[field] {
		sel := code.Unparen(c)
		switch n := sel.Parent().Node().(type) {
		case *ast.CallExpr:
			fn := t.in(sel)
			if n.Fun != sel.Node() || !t.method(fn, field) {
				return nil, false
			}
			methods[fn] = true
		case *ast.AssignStmt:
			if !code.OnLeft(n, sel) {
				return nil, false
			}
		case *ast.BinaryExpr:
		default:
			return nil, false
		}
	}
	return methods, len(methods) > 0
}
