package missingstop

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
	"github.com/goroutinefix/goroutinefix/rules/missingstop/internal/outlive"
)

// valueUse classifies a use of the value. It is not known what becomes of a variable
// that gets a value of others, nor of one that is stopped where a flag is set.
func valueUse(p *code.Pass, use inspector.Cursor, u *Unstopped) (kind usage.EventKind, known bool) {
	if code.IsAssigned(use) {
		return usage.Assigns, newValue(p, use)
	}
	stopped := false
	borrows := func(m *types.Func) bool {
		stopped = slices.Contains(u.Stops, m.Name())
		return stopped || borrowsOf(p.Facts, m)
	}
	if !borrowingUse(p, use, borrows) {
		return usage.Escapes, true
	}
	if !stopped {
		if outlive.PartKept(p, use, u.Fn) {
			return usage.Escapes, true
		}
		return readIn(p, use, u), true
	}
	call := code.Unparen(code.Unparen(use).Parent()).Parent()
	_, isGo := call.Parent().Node().(*ast.GoStmt)
	_, isDefer := call.Parent().Node().(*ast.DeferStmt)
	switch lit := assume.LitUse(p, use, u.Fn); {
	case byFlag(p, call, u):
		return usage.Escapes, false
	case isGo || lit == assume.LitEscapes:
		return usage.Escapes, true
	case lit == assume.LitDeferred:
		return usage.ClosesLate, true
	case isDefer && lit == assume.LitNone:
		return usage.DefersClose, true
	}
	return usage.Closes, true
}

// newValue reports whether the variable at c is declared there without a
// value or gets a new one, as its first result, that nobody else has.
func newValue(p *code.Pass, c inspector.Cursor) bool {
	switch n := c.Parent().Node().(type) {
	case *ast.AssignStmt:
		return n.Lhs[0] == c.Node() && len(n.Rhs) == 1 && (n.Tok == token.DEFINE || n.Tok == token.ASSIGN) && freshValue(p, n.Rhs[0], func(fn *types.Func) bool { return freshOf(p.Facts, fn) })
	case *ast.ValueSpec:
		if len(n.Values) == 0 {
			_, isPtr := types.Unalias(p.TypesInfo.TypeOf(n.Names[0])).(*types.Pointer)
			return !isPtr
		}
		return n.Names[0] == c.Node() && len(n.Values) == 1 && freshValue(p, n.Values[0], func(fn *types.Func) bool { return freshOf(p.Facts, fn) })
	}
	return false
}

// byFlag reports whether the call at c is made only if a local flag is set, or
// not, that the function sets after the start: that tells whether there was one.
func byFlag(p *code.Pass, c inspector.Cursor, u *Unstopped) bool {
	for at := range c.Enclosing((*ast.IfStmt)(nil)) {
		if !code.Within(at.Node(), u.Fn.Body) {
			continue
		}
		set := false
		ast.Inspect(at.Node().(*ast.IfStmt).Cond, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok || p.VarOf(id) == nil || !p.DeclaredIn(p.VarOf(id), u.Fn) {
				return !set
			}
			for _, use := range p.Uses(u.Fn.Cursor, p.VarOf(id)) {
				as, assigns := use.Parent().Node().(*ast.AssignStmt)
				set = set || assigns && as.Tok == token.ASSIGN && as.Pos() > u.Call.Node().Pos() && len(as.Rhs) == 1 && typeis.BoolConstant(p.TypesInfo.Types[as.Rhs[0]].Value)
			}
			return !set
		})
		if set {
			return true
		}
	}
	return false
}

// readIn classifies a use of the value by the literals around it: one that may
// run when the function has returned keeps the value.
func readIn(p *code.Pass, use inspector.Cursor, u *Unstopped) usage.EventKind {
	for c := use; c.Valid() && c != u.Fn.Cursor; c = c.Parent() {
		switch c.Node().(type) {
		case *ast.GoStmt:
			u.Shared = u.Shared || !u.Go || c != u.Def // by others than the goroutine itself
		case *ast.FuncLit:
			here, beside := outlive.LiteralRuns(p, c, u.Fn)
			if !here {
				return usage.Escapes
			}
			u.Shared = u.Shared || beside
		}
	}
	return usage.Reads
}
