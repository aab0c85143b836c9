package match

import (
	"go/ast"
	"go/types"
)

// UnsignalledConds returns the calls of Wait on a sync.Cond in a field that only
// this package can reach and that nothing in it signals.
func (p *Pass) UnsignalledConds() []*ast.CallExpr {
	waits := map[*types.Var][]*ast.CallExpr{}
	known := map[*types.Var]bool{} // what is done with the field is understood
	var order []*types.Var
	root := p.Inspector.Root()
	for c := range root.Preorder((*ast.StructType)(nil)) {
		for _, f := range c.Node().(*ast.StructType).Fields.List {
			for _, name := range f.Names {
				v, ok := p.TypesInfo.Defs[name].(*types.Var)
				if ok && (!v.Exported() || p.Pkg.Name() == "main") && IsNamed(v.Type(), "sync", "Cond") {
					known[v] = true
					order = append(order, v)
				}
			}
		}
	}
	if len(order) == 0 {
		return nil
	}
	table := &fieldTable{p: p}
	for c := range root.Preorder((*ast.SelectorExpr)(nil), (*ast.KeyValueExpr)(nil), (*ast.CompositeLit)(nil)) {
		switch n := c.Node().(type) {
		case *ast.KeyValueExpr:
			if id, ok := n.Key.(*ast.Ident); ok {
				if v, ok := p.TypesInfo.Uses[id].(*types.Var); ok && known[v.Origin()] && !p.isNewCond(n.Value) {
					known[v.Origin()] = false
				}
			}
		case *ast.CompositeLit:
			s, isStruct := types.Unalias(p.TypesInfo.TypeOf(n)).Underlying().(*types.Struct)
			for i, elt := range n.Elts {
				if _, keyed := elt.(*ast.KeyValueExpr); isStruct && !keyed && known[s.Field(i).Origin()] && !p.isNewCond(elt) {
					known[s.Field(i).Origin()] = false
				}
			}
		case *ast.SelectorExpr:
			v := p.selected(n)
			if v == nil || !known[v] {
				continue
			}
			at := Unparen(c)
			switch parent := at.Parent().Node().(type) {
			case *ast.SelectorExpr:
				call, isCall := at.Parent().Parent().Node().(*ast.CallExpr)
				switch {
				case parent.Sel.Name == "L":
				case isCall && ast.Unparen(call.Fun) == ast.Expr(parent) && parent.Sel.Name == "Wait":
					waits[v] = append(waits[v], call)
				default:
					known[v] = false // Signal, Broadcast, a method value
				}
			case *ast.AssignStmt:
				for i, l := range parent.Lhs {
					if l == at.Node() && (len(parent.Rhs) != len(parent.Lhs) || !p.isNewCond(parent.Rhs[i])) {
						known[v] = false
					}
				}
				for _, r := range parent.Rhs {
					known[v] = known[v] && r != at.Node()
				}
			case *ast.BinaryExpr:
			default:
				known[v] = false
			}
		}
	}
	var out []*ast.CallExpr
	for _, v := range order {
		if known[v] && len(waits[v]) > 0 && !table.elsewhere(v.Name()) {
			out = append(out, waits[v]...)
		}
	}
	return out
}

// isNewCond reports whether e makes a condition that nobody else has yet.
func (p *Pass) isNewCond(e ast.Expr) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		return p.FullName(x) == "sync.NewCond"
	case *ast.CompositeLit:
		return true
	case *ast.UnaryExpr:
		_, isLit := ast.Unparen(x.X).(*ast.CompositeLit)
		return isLit
	}
	return p.IsNil(e)
}
