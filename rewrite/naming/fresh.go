// Package naming answers questions about the names at a place of the source: what is
// visible there, which name is free for a new variable, what a return can write for
// the results.
package naming

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// givenNames are the names that new variables got.
type givenNames struct{ by map[string][]givenName }

// givenName is where a name for a new variable was asked for.
type givenName struct {
	stmt  ast.Node
	scope *types.Scope
}

// FreshName returns the first of names, then of names with digits appended
// them, that is free for a new variable declared by the statement at stmt: it
// is visible from nowhere around, even if declared further down, and the list
// of statements does not use it for anything. "" if there is none.
//
// A name that was returned for another statement is not free where that one
// sees it or is seen: a driver that knows nothing of ours applies both fixes to
// the same text.
func FreshName(p *code.Pass, stmt inspector.Cursor, names ...string) string {
	used := map[string]bool{}
	ast.Inspect(stmt.Parent().Node(), func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			used[id.Name] = true
		}
		return true
	})
	scope := p.TypesInfo.Scopes[p.FileOf(stmt.Node().Pos())].Innermost(stmt.Node().Pos())
	given := code.State[givenNames](p)
	free := func(name string) bool {
		if used[name] || scope == nil || slices.ContainsFunc(given.by[name], func(g givenName) bool {
			return g.stmt != stmt.Node() && (encloses(g.scope, scope) || encloses(scope, g.scope))
		}) {
			return false
		}
		_, visible := scope.LookupParent(name, token.NoPos)
		return visible == nil
	}
	all := slices.Clone(names)
	for i := '2'; i <= '9'; i++ {
		for _, name := range names {
			all = append(all, name+string(i))
		}
	}
	i := slices.IndexFunc(all, free)
	if i < 0 {
		return ""
	}
	if given.by == nil {
		given.by = map[string][]givenName{}
	}
	given.by[all[i]] = append(given.by[all[i]], givenName{stmt.Node(), scope})
	return all[i]
}

// encloses reports whether inner is outer or lies in it.
func encloses(outer, inner *types.Scope) bool {
	for ; inner != nil; inner = inner.Parent() {
		if inner == outer {
			return true
		}
	}
	return false
}

// Redeclared reports whether name, which the language declares, may mean
// something else in the declaration around c: it is declared there, at any
// depth, or in what is around it.
func Redeclared(p *code.Pass, name string, c inspector.Cursor) bool {
	pos := c.Node().Pos()
	if scope, _ := p.TypesInfo.Scopes[p.FileOf(pos)].Innermost(pos).LookupParent(name, token.NoPos); scope != types.Universe {
		return true
	}
	for decl := range c.Enclosing((*ast.FuncDecl)(nil), (*ast.GenDecl)(nil)) {
		for id := range decl.Preorder((*ast.Ident)(nil)) {
			if id := id.Node().(*ast.Ident); id.Name == name && p.TypesInfo.Defs[id] != nil {
				return true
			}
		}
	}
	return false
}
