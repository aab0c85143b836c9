package usage

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// A value that is put into a field of a struct which only this function has is not handed
// on yet: whoever gets the struct gets it, and where the struct is dropped, so is the value.
// What the struct does with it is followed as if it were another name of the value.

// Holder is a local struct, or a pointer to one, that a value has been put into.
type Holder struct {
	Var   *types.Var
	Field *types.Var       // that the value is in, or what it is in
	Store inspector.Cursor // the statement that puts it there
}

// HolderOf returns the struct that the expression at c is put into; ok is false unless it
// is in a local variable of fn, which gets a new value, once, and nobody else has it by then.
func HolderOf(p *code.Pass, c inspector.Cursor, fn *code.Func) (h Holder, ok bool) {
	if !h.find(p, c) || h.Field == nil || assume.LitUse(p, c, fn) != assume.LitNone {
		return h, false
	}
	v := h.Var
	if v == nil || v.IsField() || v.Kind() != types.LocalVar || !p.DeclaredIn(v, fn) || p.IsResult(v, fn) || structOf(v.Type()) == nil {
		return h, false
	}
	given := 0
	for _, use := range p.Uses(fn.Cursor, v) {
		if !code.IsAssigned(use) {
			continue
		}
		if spec, isSpec := use.Parent().Node().(*ast.ValueSpec); isSpec && len(spec.Values) == 0 {
			continue
		}
		given++
		value := givenAt(use)
		if value == nil || !newStruct(p, value) || given > 1 || assume.LitUse(p, use, fn) != assume.LitNone {
			return h, false
		}
	}
	_, isPtr := types.Unalias(v.Type()).(*types.Pointer)
	return h, given == 1 || !isPtr
}

// find climbs from the value at c to the variable that it gets into.
func (h *Holder) find(p *code.Pass, c inspector.Cursor) bool {
	for {
		c = code.Unparen(c)
		if n, ok := c.Parent().Node().(*ast.UnaryExpr); ok && n.Op == token.AND && h.Field != nil {
			c = code.Unparen(c.Parent()) // of the literal around the value
		}
		switch n := c.Parent().Node().(type) {
		case *ast.KeyValueExpr:
			key, isName := n.Key.(*ast.Ident)
			if !isName || n.Value != c.Node() {
				return false
			}
			if h.Field = p.FieldNamed(key); h.Field == nil {
				return false
			}
			c = c.Parent().Parent()
		case *ast.CompositeLit:
			s := structOf(p.TypesInfo.TypeOf(n))
			i := slices.Index(n.Elts, c.Node().(ast.Expr))
			if s == nil || i < 0 || i >= s.NumFields() {
				return false
			}
			h.Field, c = s.Field(i).Origin(), c.Parent()
		case *ast.AssignStmt:
			i := slices.Index(n.Rhs, c.Node().(ast.Expr))
			if i < 0 || len(n.Lhs) != len(n.Rhs) {
				return false
			}
			h.Store = c.Parent()
			l := ast.Unparen(n.Lhs[i])
			if sel, ok := l.(*ast.SelectorExpr); ok {
				h.Field, l = selects(p, sel), sel.X
			}
			h.Var = p.VarOf(l)
			return true
		case *ast.ValueSpec:
			i := slices.Index(n.Values, c.Node().(ast.Expr))
			if i < 0 || len(n.Names) != len(n.Values) {
				return false
			}
			h.Store, h.Var = c.Parent(), p.VarOf(n.Names[i])
			return true
		default:
			return false
		}
	}
}

// givenAt returns the one value that the variable at c gets there, or the call that
// returns it as its first result; nil if there is no such value.
func givenAt(c inspector.Cursor) ast.Expr {
	switch n := c.Parent().Node().(type) {
	case *ast.AssignStmt:
		return code.AssignedTo(n, c.Node())
	case *ast.ValueSpec:
		for i, name := range n.Names {
			if name == c.Node() && (len(n.Names) == len(n.Values) || i == 0 && len(n.Values) == 1) {
				return n.Values[i]
			}
		}
	}
	return nil
}

// newStruct reports whether e is a new struct: a literal, new(T), or what a function
// makes that gives it to nobody else.
func newStruct(p *code.Pass, e ast.Expr) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		_, isLit := ast.Unparen(x.X).(*ast.CompositeLit)
		return x.Op == token.AND && isLit
	case *ast.CompositeLit:
		return true
	case *ast.CallExpr:
		if p.IsBuiltin(x, "new") {
			return true
		}
		fn := p.Callee(x)
		return fn != nil && bool(makesStruct.Of(p.Facts.Facts, fn))
	}
	return false
}

// structOf returns the struct that t is, or points to.
func structOf(t types.Type) *types.Struct {
	if t == nil {
		return nil
	}
	if ptr, ok := t.Underlying().(*types.Pointer); ok {
		t = ptr.Elem()
	}
	s, _ := t.Underlying().(*types.Struct)
	return s
}

// selects returns the field of what x selects from by which the selection goes: an
// embedded one for what it promotes. It returns nil for a method of the value itself.
func selects(p *code.Pass, x *ast.SelectorExpr) *types.Var {
	sel := p.TypesInfo.Selections[x]
	if sel == nil || sel.Kind() == types.MethodExpr || sel.Kind() == types.MethodVal && len(sel.Index()) == 1 {
		return nil
	}
	s := structOf(sel.Recv())
	if s == nil {
		return nil
	}
	return s.Field(sel.Index()[0]).Origin()
}

// held follows the value of part of, of which the expression at c in the function is
// put into a struct there; false if it is put into none that is the function's own.
func (t *tracker) held(c, id inspector.Cursor, res *Resource, of part) bool {
	h, ok := HolderOf(t.p, c, t.fn)
	if !ok {
		return false
	}
	key := heldIn{h.Var, h.Field}
	if t.holders[key] {
		t.emit(Stores, id)
		return true
	}
	if t.holders == nil {
		t.holders = map[heldIn]bool{}
	}
	t.holders[key] = true
	sub := &tracker{p: t.p, fn: t.fn, seen: t.seen, holders: t.holders, lent: t.lent}
	for _, use := range t.p.Uses(t.fn.Cursor, h.Var) {
		sub.holderUse(use, h, res, of)
	}
	if sub.before(h) {
		return false // somebody had it before
	}
	t.emit(Stores, id)
	t.events = append(t.events, sub.events...)
	return true
}

// TrackHeld lists what happens in fn to a struct that the value at c, of whatever kind, is
// put into; ok is false if that is none of the function's own. See [HolderOf].
func TrackHeld(p *code.Pass, c inspector.Cursor, fn *code.Func) (events []Event, ok bool) {
	t := &tracker{p: p, fn: fn, seen: map[*types.Var]bool{}}
	ok = t.held(c, c, nil, whole)
	return t.events, ok
}

// heldIn is a field of a variable.
type heldIn struct{ v, field *types.Var }

// holderUse classifies a use of a struct that holds the value.
func (t *tracker) holderUse(use inspector.Cursor, h Holder, res *Resource, of part) {
	c := code.Unparen(use)
	if sel, ok := c.Parent().Node().(*ast.SelectorExpr); ok && sel.X == c.Node() && selects(t.p, sel) == h.Field {
		outer := code.Unparen(c.Parent())
		if as, ok := outer.Parent().Node().(*ast.AssignStmt); ok && code.OnLeft(as, outer) {
			if ast.Node(as) != h.Store.Node() {
				t.emit(Escapes, use) // it holds something else from here on
			}
			return
		}
		if res != nil && t.p.Selected(sel) == h.Field && res.Type(h.Field.Type()) {
			t.use(c.Parent(), use, res, of, false)
			return
		}
		t.emit(Escapes, use)
		return
	}
	switch {
	case code.IsAssigned(use):
	case leavesAlone(t.p, use, h.Field.Name()):
		t.emit(Reads, use)
	case t.held(c, use, res, of):
	default:
		t.emit(Escapes, use)
	}
}

// before reports whether somebody else gets the struct before the value is in it.
func (t *tracker) before(h Holder) bool {
	store := code.FlowNode(h.Store, t.fn)
	if store == nil {
		return true
	}
	starts := map[ast.Node]bool{}
	for _, e := range t.events {
		if e.Kind != Escapes {
			continue
		}
		if e.Node == nil || e.Node == store {
			return true
		}
		starts[e.Node] = true
	}
	for n := range starts {
		found := false
		flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			found = found || n == store
			return s, !found && !t.declares(n, h.Var)
		}}.After(t.fn.Flow, n, struct{}{})
		if found {
			return true
		}
	}
	return false
}

// declares reports whether n declares v, which is another variable from there on.
func (t *tracker) declares(n ast.Node, v *types.Var) bool {
	return n.Pos() <= v.Pos() && v.Pos() < n.End()
}

// leavesAlone reports whether the use of a struct at c neither gives it to anybody nor
// does anything with the field of the given name: it selects another field, compares it
// with nil, or gives it to functions that do no more.
func leavesAlone(p *code.Pass, c inspector.Cursor, field string) bool {
	k := keeping{p: p}
	k.use(c)
	return !k.kept && !slices.Contains(k.fields, field)
}
