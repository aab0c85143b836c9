package blockingreceive

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// unsignalledConds returns the calls of Wait on a sync.Cond in a field that only
// this package can reach and that nothing in it signals.
func unsignalledConds(p *code.Pass) []*ast.CallExpr {
	waits := map[*types.Var][]*ast.CallExpr{}
	known := map[*types.Var]bool{} // what is done with the field is understood
	made := map[*types.Var]bool{}  // something gives the field a condition; a nil one makes nobody wait
	var order []*types.Var
	root := p.Inspector.Root()
	for c := range root.Preorder((*ast.StructType)(nil)) {
		for _, f := range c.Node().(*ast.StructType).Fields.List {
			for _, name := range f.Names {
				v, ok := p.TypesInfo.Defs[name].(*types.Var)
				if ok && (!v.Exported() || p.Pkg.Name() == "main") && typeis.Named(v.Type(), "sync", "Cond") {
					known[v] = true
					order = append(order, v)
				}
			}
		}
	}
	if len(order) == 0 {
		return nil
	}
	for c := range root.Preorder((*ast.SelectorExpr)(nil), (*ast.KeyValueExpr)(nil), (*ast.CompositeLit)(nil)) {
		switch n := c.Node().(type) {
		case *ast.KeyValueExpr:
			if id, ok := n.Key.(*ast.Ident); ok {
				if v, ok := p.TypesInfo.Uses[id].(*types.Var); ok && known[v.Origin()] {
					known[v.Origin()] = isNewCond(p, n.Value)
					made[v.Origin()] = made[v.Origin()] || !p.IsNil(n.Value)
				}
			}
		case *ast.CompositeLit:
			s, isStruct := types.Unalias(p.TypesInfo.TypeOf(n)).Underlying().(*types.Struct)
			for i, elt := range n.Elts {
				if _, keyed := elt.(*ast.KeyValueExpr); isStruct && !keyed && known[s.Field(i).Origin()] {
					known[s.Field(i).Origin()] = isNewCond(p, elt)
					made[s.Field(i).Origin()] = made[s.Field(i).Origin()] || !p.IsNil(elt)
				}
			}
		case *ast.SelectorExpr:
			v := p.Selected(n)
			if v == nil || !known[v] {
				continue
			}
			at := code.Unparen(c)
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
					if l != at.Node() {
						continue
					}
					known[v] = known[v] && len(parent.Rhs) == len(parent.Lhs) && isNewCond(p, parent.Rhs[i])
					made[v] = made[v] || known[v] && !p.IsNil(parent.Rhs[i])
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
		if _, isPointer := v.Type().(*types.Pointer); isPointer && !made[v] {
			continue
		}
		if known[v] && len(waits[v]) > 0 && !callers.UsedUnseen(p, v) {
			out = append(out, waits[v]...)
		}
	}
	return out
}

// isNewCond reports whether e makes a condition that nobody else has yet.
func isNewCond(p *code.Pass, e ast.Expr) bool {
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

// frozenConds returns the calls of Wait on a sync.Cond in a loop that tests a
// local variable which nothing changes, together with that variable: whatever is
// signalled, the loop waits again.
func frozenConds(p *code.Pass) (out []frozenCond) {
	for c := range p.Inspector.Root().Preorder((*ast.ForStmt)(nil)) {
		loop := c.Node().(*ast.ForStmt)
		cond := ast.Unparen(loop.Cond)
		if not, ok := cond.(*ast.UnaryExpr); ok && not.Op == token.NOT {
			cond = ast.Unparen(not.X)
		}
		if loop.Cond == nil || loop.Post != nil {
			continue
		}
		v, fn := p.VarOf(cond), p.EnclosingFunc(c)
		if v == nil || fn == nil || !p.DeclaredIn(v, fn) || !unchanged(p, v, c, fn) || leavesFor(loop) {
			continue
		}
		for call := range c.Preorder((*ast.CallExpr)(nil)) {
			if p.FullName(call.Node().(*ast.CallExpr)) == "(*sync.Cond).Wait" && p.GoroutineFunc(call) == p.GoroutineFunc(c) {
				out = append(out, frozenCond{call.Node().(*ast.CallExpr), v})
				break
			}
		}
	}
	return out
}

// frozenCond is a wait for a condition that never comes true.
type frozenCond struct {
	Wait *ast.CallExpr
	Var  *types.Var
}

// unchanged reports whether nothing changes v in the loop, or could from elsewhere.
func unchanged(p *code.Pass, v *types.Var, loop inspector.Cursor, fn *code.Func) bool {
	for _, use := range p.Uses(fn.Cursor, v) {
		if frozen.AddressTaken(p, use) || (loop.Contains(use) || assume.LitUse(p, use, fn) != assume.LitNone) && !frozen.Keeps(p, use) {
			return false
		}
	}
	return true
}

// leavesFor reports whether anything in the body may leave the loop.
func leavesFor(loop *ast.ForStmt) (leaves bool) {
	ast.Inspect(loop.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ReturnStmt:
			leaves = true
		case *ast.BranchStmt:
			leaves = leaves || n.Tok == token.BREAK || n.Tok == token.GOTO || n.Label != nil
		case *ast.CallExpr:
			id, ok := n.Fun.(*ast.Ident)
			leaves = leaves || ok && id.Name == "panic"
		}
		return !leaves
	})
	return leaves
}

// waitsWithoutDone returns the calls of Wait on a WaitGroup in a field that only this
// package can reach, to which something adds and for which nothing calls Done.
func waitsWithoutDone(p *code.Pass) (out []*ast.CallExpr) {
	adds, done := map[*types.Var]bool{}, map[*types.Var]bool{}
	waits := map[*types.Var][]*ast.CallExpr{}
	var order []*types.Var
	root := p.Inspector.Root()
	for c := range root.Preorder((*ast.SelectorExpr)(nil), (*ast.KeyValueExpr)(nil)) {
		var v *types.Var
		switch n := c.Node().(type) {
		case *ast.SelectorExpr:
			v = p.Selected(n)
		case *ast.KeyValueExpr:
			if id, ok := n.Key.(*ast.Ident); ok {
				v, _ = p.TypesInfo.Uses[id].(*types.Var)
			}
		}
		if v == nil || !v.IsField() || !typeis.Named(v.Type(), "sync", "WaitGroup") {
			continue
		}
		method, ok := c.Parent().Node().(*ast.SelectorExpr)
		call, isCall := c.Parent().Parent().Node().(*ast.CallExpr)
		switch {
		case !ok || !isCall || ast.Unparen(call.Fun) != ast.Expr(method):
			done[v] = true // somebody else may have it
		case method.Sel.Name == "Wait":
			if waits[v] == nil {
				order = append(order, v)
			}
			waits[v] = append(waits[v], call)
		case method.Sel.Name == "Add":
			n, ok := typeis.SmallInt(p.TypesInfo.Types[call.Args[0]].Value)
			adds[v] = adds[v] || ok && n > 0
			done[v] = done[v] || !ok
		default:
			done[v] = true
		}
	}
	for _, v := range order {
		reachable := v.Exported() && p.Pkg.Name() != "main" || v.Embedded() || v.Pkg() != p.Pkg || isPointer(p, v)
		if adds[v] && !done[v] && !reachable && !p.InTest(v.Pos()) && !callers.UsedUnseen(p, v) {
			out = append(out, waits[v]...)
		}
	}
	return out
}

// isPointer reports whether the field is a pointer, which others may hold, too.
func isPointer(p *code.Pass, v *types.Var) bool {
	_, ok := types.Unalias(v.Type()).(*types.Pointer)
	return ok
}
