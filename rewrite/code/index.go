package code

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"sync"

	"golang.org/x/tools/go/ast/inspector"
)

// PackageIndex holds where a package uses its functions and fields. To look for
// that in the whole package for each candidate would be quadratic in its size.
// All lists are in the order of the files, and of the text within a file.
type PackageIndex struct {
	Declared map[*types.Func]inspector.Cursor   // functions of the package -> their declarations
	Funcs    map[*types.Func][]inspector.Cursor // functions -> the identifiers that use them
	Calls    map[*types.Func][]inspector.Cursor // functions -> the calls of them, also by a local variable
	Fields   map[*types.Var][]inspector.Cursor  // Fields -> the selections of them
	globals  map[*types.Var][]inspector.Cursor  // package variables -> the identifiers that denote them
	Assigned map[*types.Var][]ast.Expr          // variables and fields -> the left sides of assignments
	Closed   map[*types.Var]bool                // channels that are closed
	Named    map[string][]inspector.Cursor      // Fields by name -> the identifiers that use them
	Methods  map[string]bool                    // the methods of interfaces
	Resets   map[*types.Var][]inspector.Cursor  // timers -> the calls of Reset
}

// Index returns the index of the package, which all rules share.
func (p *Pass) Index() *PackageIndex { return Shared(p, newIndex) }

func newIndex(p *Pass) *PackageIndex {
	x := &PackageIndex{
		Declared: map[*types.Func]inspector.Cursor{}, Funcs: map[*types.Func][]inspector.Cursor{}, Calls: map[*types.Func][]inspector.Cursor{},
		Fields: map[*types.Var][]inspector.Cursor{}, globals: map[*types.Var][]inspector.Cursor{}, Assigned: map[*types.Var][]ast.Expr{}, Closed: map[*types.Var]bool{},
		Named: map[string][]inspector.Cursor{}, Methods: map[string]bool{}, Resets: map[*types.Var][]inspector.Cursor{},
	}
	root := p.Inspector.Root()
	for c := range root.Preorder((*ast.Ident)(nil), (*ast.SelectorExpr)(nil), (*ast.AssignStmt)(nil), (*ast.CallExpr)(nil), (*ast.FuncDecl)(nil), (*ast.InterfaceType)(nil)) {
		switch n := c.Node().(type) {
		case *ast.Ident:
			p.indexIdent(x, c, n)
		case *ast.SelectorExpr:
			if v := p.Selected(n); v != nil {
				x.Fields[v] = append(x.Fields[v], c)
			}
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				if v := p.VarOrField(l); v != nil {
					x.Assigned[v] = append(x.Assigned[v], l)
				}
			}
		case *ast.CallExpr:
			p.indexCall(x, c, n)
		case *ast.FuncDecl:
			if fn, ok := p.TypesInfo.Defs[n.Name].(*types.Func); ok && n.Body != nil {
				x.Declared[fn] = c
			}
		case *ast.InterfaceType:
			for _, field := range n.Methods.List {
				for _, id := range field.Names {
					x.Methods[id.Name] = true
				}
			}
		}
	}
	return x
}

// newDecls lists the declarations of the files, sorted by position.
func (p *Pass) newDecls() (decls []inspector.Cursor) {
	for file := range p.Inspector.Root().Children() {
		for d := range file.Children() {
			if _, ok := d.Node().(ast.Decl); ok {
				decls = append(decls, d)
			}
		}
	}
	slices.SortFunc(decls, func(a, b inspector.Cursor) int { return int(a.Node().Pos() - b.Node().Pos()) })
	return decls
}

func (p *Pass) indexIdent(x *PackageIndex, c inspector.Cursor, id *ast.Ident) {
	switch o := p.TypesInfo.ObjectOf(id).(type) {
	case *types.Func:
		if fn := o.Origin(); fn.Pkg() == p.Pkg && p.TypesInfo.Uses[id] == types.Object(o) {
			x.Funcs[fn] = append(x.Funcs[fn], c)
		}
	case *types.Var:
		switch {
		case o.Pkg() != p.Pkg:
		case o.IsField() && p.TypesInfo.Defs[id] == nil:
			x.Named[id.Name] = append(x.Named[id.Name], c)
		case o.Parent() == p.Pkg.Scope():
			x.globals[o] = append(x.globals[o], c)
		}
	}
}

func (p *Pass) indexCall(x *PackageIndex, c inspector.Cursor, call *ast.CallExpr) {
	if fn := p.Callee(call); fn != nil && fn.Pkg() == p.Pkg {
		x.Calls[fn] = append(x.Calls[fn], c)
	}
	if p.IsBuiltin(call, "close") && len(call.Args) == 1 {
		if v := p.VarOrField(call.Args[0]); v != nil {
			x.Closed[v] = true
		}
	}
	if recv, ok := p.Method(call, "time", "Timer", "Reset"); ok {
		if v := p.LastVar(recv); v != nil {
			x.Resets[v] = append(x.Resets[v], c)
		}
	}
}

// VarOrField returns the variable that e denotes, or the field that it selects; nil if it does neither.
func (p *Pass) VarOrField(e ast.Expr) *types.Var {
	e = ast.Unparen(e)
	if x, ok := e.(*ast.SelectorExpr); ok {
		return p.Selected(x)
	}
	return p.VarOf(e)
}

// CursorAt returns the innermost node at pos.
func (p *Pass) CursorAt(pos token.Pos) (inspector.Cursor, bool) {
	if d, ok := p.DeclAt(pos); ok {
		return narrow(d, pos).FindByPos(pos, pos)
	}
	return p.Inspector.Root().FindByPos(pos, pos)
}

// DeclAt returns the declaration of a file around pos.
func (p *Pass) DeclAt(pos token.Pos) (inspector.Cursor, bool) {
	p.shared.mu.Lock()
	if p.shared.decls == nil {
		p.shared.decls = sync.OnceValue(p.newDecls)
	}
	get := p.shared.decls
	p.shared.mu.Unlock()
	decls := get()
	i, found := slices.BinarySearchFunc(decls, pos, func(d inspector.Cursor, pos token.Pos) int { return int(d.Node().Pos() - pos) })
	if !found {
		i--
	}
	if i < 0 || pos >= decls[i].Node().End() {
		return inspector.Cursor{}, false
	}
	return decls[i], true
}

// VarUses yields the identifiers of the package that denote v, a local or a package
// variable, in the order of the text.
func (p *Pass) VarUses(v *types.Var) []inspector.Cursor {
	if v.Parent() == p.Pkg.Scope() {
		return p.Index().globals[v]
	}
	if d, ok := p.DeclAt(v.Pos()); ok {
		return p.Uses(d, v)
	}
	return nil
}
