package mustcall

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// The law of moves. A deferred call runs before all that was deferred earlier,
// and its function, its receiver and its arguments have the values that they had
// at the defer statement. So it may change its place only if it is the release
// and nothing else, "cancel()" or "resp.Body.Close()", if no other call is
// deferred between the old place and the new one, and if the variable gets no
// other value there. Everywhere else a second defer
// is put before it and the old one stays: the second runs last, and releasing twice
// does no harm.

// MovesFreely reports whether a release of the variable v that fn defers at one
// of two places of the source may as well be deferred at the other.
func MovesFreely(p *code.Pass, fn *code.Func, v *types.Var, from, to token.Pos) bool {
	return !defersBetween(p, fn, from, to) && !slices.ContainsFunc(p.Uses(fn.Cursor, v), func(use inspector.Cursor) bool {
		return code.IsAssigned(use) && from <= use.Node().Pos() && use.Node().Pos() < to
	})
}

// defersBetween reports whether fn may defer a call between two places of the
// source, at any depth. What a literal defers has run when the literal returns.
// With a goto in the function, what lies between is not known.
func defersBetween(p *code.Pass, fn *code.Func, from, to token.Pos) bool {
	found := false
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt:
			found = found || from <= n.Pos() && n.Pos() < to
		case *ast.BranchStmt:
			found = found || n.Tok == token.GOTO
		}
		return !found
	})
	return found
}
