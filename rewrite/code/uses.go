package code

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// This file answers what "nothing changes it" means, for all who ask: whether a
// variable, a length or a bound is what it was. The answer is yes only if every
// use is on a list of harmless ones; what is on no list counts as a change.

// IsAssigned reports whether the identifier at c gets a value or is declared there:
// by an assignment, also one like "+=", by ++ or --, in the head of a range, or in
// a declaration.
func IsAssigned(c inspector.Cursor) bool {
	at := Unparen(c)
	switch n := at.Parent().Node().(type) {
	case *ast.AssignStmt:
		return OnLeft(n, at)
	case *ast.IncDecStmt:
		return true
	case *ast.RangeStmt:
		return n.Key == at.Node() || n.Value == at.Node()
	case *ast.ValueSpec:
		for _, name := range n.Names {
			if name == at.Node() {
				return true
			}
		}
	}
	return false
}

// Addressed reports whether the address of the identifier at c is taken by "&".
// See package frozen for all the other ways.
func Addressed(c inspector.Cursor) bool {
	amp, ok := Unparen(c).Parent().Node().(*ast.UnaryExpr)
	return ok && amp.Op == token.AND
}

// Mentions reports whether n holds an identifier that denotes obj.
func (p *Pass) Mentions(n ast.Node, obj types.Object) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && p.TypesInfo.ObjectOf(id) == obj {
			found = true
		}
		return !found
	})
	return found
}

// IsParam reports whether v is a parameter of fn.
func (p *Pass) IsParam(v *types.Var, fn *Func) bool {
	for _, field := range fn.Type.Params.List {
		for _, name := range field.Names {
			if p.TypesInfo.Defs[name] == v {
				return true
			}
		}
	}
	return false
}

// FieldNamed returns the field that id denotes, or nil.
func (p *Pass) FieldNamed(id *ast.Ident) *types.Var {
	v, ok := p.TypesInfo.ObjectOf(id).(*types.Var)
	if !ok || !v.IsField() {
		return nil
	}
	return v.Origin()
}

// StoredIn returns the field that the value at c is stored in, if that is all
// that its place does with it.
func (p *Pass) StoredIn(c inspector.Cursor) *types.Var {
	c = Unparen(c)
	switch n := c.Parent().Node().(type) {
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && n.Value == c.Node() {
			return p.FieldNamed(key)
		}
	case *ast.AssignStmt:
		for i, r := range n.Rhs {
			if r == c.Node() && len(n.Lhs) == len(n.Rhs) {
				if sel, ok := n.Lhs[i].(*ast.SelectorExpr); ok {
					return p.FieldNamed(sel.Sel)
				}
			}
		}
	}
	return nil
}

// DeclaredNil reports whether v is declared by a statement of the function
// around fn, without a value.
func (p *Pass) DeclaredNil(v *types.Var, fn *Func) bool {
	c, ok := fn.Outermost().FindByPos(v.Pos(), v.Pos())
	if !ok {
		return false
	}
	spec, ok := c.Parent().Node().(*ast.ValueSpec)
	return ok && len(spec.Values) == 0
}

// AssignedTo returns the expression whose first or only value as gives to lhs; nil if
// that is not the first value of a call.
func AssignedTo(as *ast.AssignStmt, lhs ast.Node) ast.Expr {
	for i, l := range as.Lhs {
		if ast.Node(l) != lhs {
			continue
		}
		switch {
		case len(as.Lhs) == len(as.Rhs):
			return as.Rhs[i]
		case len(as.Rhs) == 1 && i == 0:
			return as.Rhs[0]
		}
	}
	return nil
}

// Conditional reports whether a receive within node is evaluated only if the left
// side of && or || says so.
func Conditional(op inspector.Cursor, node ast.Node) bool {
	for c := op; c.Valid() && c.Node() != node; c = c.Parent() {
		be, ok := c.Parent().Node().(*ast.BinaryExpr)
		if ok && (be.Op == token.LAND || be.Op == token.LOR) && be.Y == c.Node() {
			return true
		}
	}
	return false
}

// usesBeforeIndex is the number of questions about one declaration that are
// answered by walking it. Few declarations are asked about more often, but one
// with very many calls is asked for each of them, and again about each test.
const usesBeforeIndex = 8

// usesIndex holds where the objects of one declaration are used.
type usesIndex struct {
	asked int
	uses  map[types.Object][]inspector.Cursor // nil until it is worth it
}

// Uses yields a cursor for each identifier below root that denotes obj,
// its declaration included, in source order.
func (p *Pass) Uses(root inspector.Cursor, obj types.Object) []inspector.Cursor {
	if v, ok := obj.(*types.Var); obj == nil || ok && v == nil {
		return nil
	}
	var out []inspector.Cursor
	if index := p.usesIndex(root); index != nil {
		for _, c := range index[obj] {
			if root.Contains(c) {
				out = append(out, c)
			}
		}
		return out
	}
	name := obj.Name()
	for c := range root.Preorder((*ast.Ident)(nil)) {
		// The name is compared first: it is the cheaper question.
		if id := c.Node().(*ast.Ident); id.Name == name && p.TypesInfo.ObjectOf(id) == obj {
			out = append(out, c)
		}
	}
	return out
}

// usesIndex returns where the declaration around c uses its objects, or nil
// if c lies in none or it does not pay to know.
func (p *Pass) usesIndex(c inspector.Cursor) map[types.Object][]inspector.Cursor {
	if c.Node() == nil {
		return nil // the root of all files
	}
	decl := c
	for ; decl.Valid(); decl = decl.Parent() {
		if up := decl.Parent(); up.Valid() {
			if _, ok := up.Node().(*ast.File); ok {
				break
			}
		}
	}
	if !decl.Valid() || decl.Node() == nil {
		return nil
	}
	index := p.uses[decl.Node()]
	if index == nil {
		if p.uses == nil {
			p.uses = map[ast.Node]*usesIndex{}
		}
		index = &usesIndex{}
		p.uses[decl.Node()] = index
	}
	if index.asked++; index.asked <= usesBeforeIndex {
		return nil
	}
	if index.uses == nil {
		index.uses = map[types.Object][]inspector.Cursor{}
		for c := range decl.Preorder((*ast.Ident)(nil)) {
			obj := p.TypesInfo.ObjectOf(c.Node().(*ast.Ident))
			index.uses[obj] = append(index.uses[obj], c)
		}
	}
	return index.uses
}

// MentionedIn reports whether one of list mentions v.
func (p *Pass) MentionedIn(list []ast.Expr, v types.Object) bool {
	for _, e := range list {
		if p.Mentions(e, v) {
			return true
		}
	}
	return false
}

// GivenAt returns the one value that the variable at c is given there, or nil.
func (p *Pass) GivenAt(c inspector.Cursor) ast.Expr {
	switch n := c.Parent().Node().(type) {
	case *ast.AssignStmt:
		if OnLeft(n, c) && len(n.Lhs) == len(n.Rhs) {
			return AssignedTo(n, c.Node())
		}
	case *ast.ValueSpec:
		for i, name := range n.Names {
			if name == c.Node() && i < len(n.Values) && len(n.Names) == len(n.Values) {
				return n.Values[i]
			}
		}
	}
	return nil
}

// Selected returns the field that x selects; nil if it selects none.
func (p *Pass) Selected(x *ast.SelectorExpr) *types.Var {
	sel := p.TypesInfo.Selections[x]
	if sel == nil || sel.Kind() != types.FieldVal {
		return nil
	}
	return sel.Obj().(*types.Var).Origin()
}
