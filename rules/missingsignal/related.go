package missingsignal

import (
	"go/ast"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
)

// enclosing returns the statement of the function around n that is the largest which
// does not hold any of others.
func (s *signal) enclosing(n ast.Node, others ...ast.Node) ast.Node {
	c, ok := s.p.Find(s.fn.Cursor, n)
	if !ok {
		return n
	}
	out := n
	for ; c.Valid() && c != s.fn.Cursor; c = c.Parent() {
		if slices.ContainsFunc(others, func(o ast.Node) bool { return o != nil && code.Within(o, c.Node()) }) {
			break
		}
		if _, isStmt := c.Node().(ast.Stmt); isStmt {
			out = c.Node()
		}
	}
	return out
}

// leaves reports whether control may leave a statement otherwise than at its end.
func leaves(n ast.Node) (out bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt, *ast.BranchStmt:
			out = true
		}
		return !out
	})
	return out
}

// related returns the variables that the conditions around n within stmt are about, and those
// that are assigned there or depend on these.
func (s *signal) related(stmt ast.Node) map[*types.Var]bool {
	vars := map[*types.Var]bool{}
	note := func(e ast.Node) {
		if e == nil {
			return
		}
		ast.Inspect(e, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if v, ok := s.p.TypesInfo.ObjectOf(id).(*types.Var); ok && !v.IsField() && v != s.v {
					vars[v] = true
				}
			}
			return true
		})
	}
	ast.Inspect(stmt, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.IfStmt:
			note(n.Cond)
		case *ast.SwitchStmt:
			if n.Tag != nil {
				note(n.Tag)
			}
		case *ast.CaseClause:
			for _, e := range n.List {
				note(e)
			}
		case *ast.CommClause:
			if n.Comm != nil {
				note(n.Comm)
			}
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				note(l)
			}
		case *ast.IncDecStmt:
			note(n.X)
		}
		return true
	})
	for range 3 { // what is derived from them, and what they are derived from, but not by a call
		ast.Inspect(s.fn.Body, func(n ast.Node) bool {
			as, ok := n.(*ast.AssignStmt)
			if !ok {
				return true
			}
			for _, r := range as.Rhs {
				if frozen.MentionsAny(s.p, r, vars) {
					for _, l := range as.Lhs {
						if v := s.p.VarOf(l); v != nil {
							vars[v] = true
						}
					}
				}
			}
			for i, l := range as.Lhs {
				if v := s.p.VarOf(l); v == nil || !vars[v] || len(as.Lhs) != len(as.Rhs) {
					continue
				}
				if _, isCall := ast.Unparen(as.Rhs[i]).(*ast.CallExpr); !isCall {
					note(as.Rhs[i])
				}
			}
			return true
		})
	}
	return vars
}
