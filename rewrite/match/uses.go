package match

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

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
