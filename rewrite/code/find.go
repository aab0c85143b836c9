package code

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
)

// Find returns the cursor of n, a node of the package below root. A search in the tree walks
// past all that comes before n, and the same node is asked about by one rule many times.
func (p *Pass) Find(root inspector.Cursor, n ast.Node) (inspector.Cursor, bool) {
	c, known := p.found[n]
	if known {
		return c, c.Valid() && root.Contains(c)
	}
	c, ok := narrow(root, n.Pos()).FindNode(n)
	if !ok {
		c, ok = root.FindNode(n)
	}
	if ok {
		if p.found == nil {
			p.found = map[ast.Node]inspector.Cursor{}
		}
		p.found[n] = c
	}
	return c, ok
}

// longBody is the number of statements from which on it pays to look for the right one first.
const longBody = 32

// narrow returns the statement of a function's body at pos, if c is a function with very
// many; else c itself.
func narrow(c inspector.Cursor, pos token.Pos) inspector.Cursor {
	var body *ast.BlockStmt
	var at edge.Kind
	switch n := c.Node().(type) {
	case *ast.FuncDecl:
		body, at = n.Body, edge.FuncDecl_Body
	case *ast.FuncLit:
		body, at = n.Body, edge.FuncLit_Body
	}
	if body == nil || len(body.List) < longBody {
		return c
	}
	i, found := slices.BinarySearchFunc(body.List, pos, func(s ast.Stmt, pos token.Pos) int { return int(s.Pos() - pos) })
	if !found {
		i--
	}
	if i < 0 || pos >= body.List[i].End() {
		return c
	}
	return c.ChildAt(at, -1).ChildAt(edge.BlockStmt_List, i)
}

// FindAnywhere is find where nothing is known but the package: it looks in the declaration
// around n only.
func (p *Pass) FindAnywhere(n ast.Node) (inspector.Cursor, bool) {
	root := p.Inspector.Root()
	if d, ok := p.DeclAt(n.Pos()); ok {
		if c, ok := p.Find(d, n); ok {
			return c, true
		}
	}
	return p.Find(root, n)
}

// Evaluates returns the node of fn's flow that evaluates n, which is in fn; nil if none does.
func (p *Pass) Evaluates(fn *Func, n ast.Node) ast.Node {
	c, ok := p.Find(fn.Cursor, n)
	if !ok {
		return nil
	}
	return FlowNode(c, fn)
}

// functionAround returns the function literal or declaration in which v, a local variable,
// a parameter or a result, is declared.
func (p *Pass) functionAround(v *types.Var) (inspector.Cursor, bool) {
	if c, known := p.within[v]; known {
		return c, c.Valid()
	}
	var fn inspector.Cursor
	if at, ok := p.CursorAt(v.Pos()); ok {
		for c := range at.Enclosing((*ast.FuncLit)(nil), (*ast.FuncDecl)(nil)) {
			fn = c
			break
		}
	}
	if p.within == nil {
		p.within = map[*types.Var]inspector.Cursor{}
	}
	p.within[v] = fn
	return fn, fn.Valid()
}
