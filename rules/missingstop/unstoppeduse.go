package missingstop

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
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
		if partKept(p, use, u.Fn) {
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
			here, beside := litRuns(p, c, u.Fn)
			if !here {
				return usage.Escapes
			}
			u.Shared = u.Shared || beside
		}
	}
	return usage.Reads
}

// litRuns reports whether the literal at c is called while fn runs only, or
// beside it by a goroutine that fn starts.
func litRuns(p *code.Pass, c inspector.Cursor, fn *code.Func) (here, beside bool) {
	at := code.Unparen(c)
	switch n := at.Parent().Node().(type) {
	case *ast.AssignStmt:
		if len(n.Lhs) != 1 {
			return false, false
		}
		v := p.VarOf(n.Lhs[0])
		return p.DeclaredIn(v, fn) && !p.IsResult(v, fn) && onlyCalled(p, v, fn, false), false
	case *ast.CallExpr:
		if n.Fun == at.Node() {
			return true, false
		}
		callee := p.Callee(n)
		if callee == nil || callee.Pkg() == nil {
			return false, false
		}
		name := callee.FullName()
		switch callee.Pkg().Path() {
		case "sort", "slices", "strings", "bytes", "maps":
			return true, false
		case "testing":
			return callee.Name() == "Run" && !runsParallel(c.Node()), false
		}
		if name == "(*sync.WaitGroup).Go" || name == "(*golang.org/x/sync/errgroup.Group).Go" {
			return true, true
		}
		d, i := p.Declaration(callee), slices.IndexFunc(n.Args, func(e ast.Expr) bool { return ast.Unparen(e) == c.Node() })
		calls := d != nil && 0 <= i && i < callee.Signature().Params().Len() && onlyCalled(p, callee.Signature().Params().At(i), d, true)
		return knowledge.CallsBack[name] || calls, false
	}
	return false, false
}

// onlyCalled reports whether fn does no more with the function in v than to
// declare and to call it; itself says that no literal may do so for fn.
func onlyCalled(p *code.Pass, v *types.Var, fn *code.Func, itself bool) bool {
	for _, use := range p.Uses(fn.Cursor, v) {
		switch n := code.Unparen(use).Parent().Node().(type) {
		case *ast.Field:
			continue
		case *ast.AssignStmt:
			if code.OnLeft(n, use) {
				continue
			}
		case *ast.CallExpr:
			_, isGo := code.Unparen(use).Parent().Parent().Node().(*ast.GoStmt)
			if ast.Unparen(n.Fun) == use.Node() && !isGo && (!itself || p.GoroutineFunc(use) == fn.Cursor) && assume.LitUse(p, use, fn) != assume.LitEscapes {
				continue
			}
		}
		return false
	}
	return true
}

// runsParallel reports whether a literal for a subtest calls t.Parallel.
func runsParallel(lit ast.Node) bool {
	found := false
	ast.Inspect(lit, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		found = found || ok && sel.Sel.Name == "Parallel"
		return !found
	})
	return found
}

// partKept reports whether the use of a value at c gives a part of it, by which
// others work with the goroutine, to anybody but fn: a channel, a function or a
// context, from a field or a method.
func partKept(p *code.Pass, c inspector.Cursor, fn *code.Func) bool {
	part := code.Unparen(code.Unparen(c).Parent())
	if _, ok := part.Node().(*ast.SelectorExpr); !ok {
		return false
	}
	if call, ok := part.Parent().Node().(*ast.CallExpr); ok && call.Fun == part.Node() {
		part = code.Unparen(part.Parent())
	}
	t := p.TypesInfo.TypeOf(part.Node().(ast.Expr))
	if t == nil || p.TypesInfo.Types[part.Node().(ast.Expr)].IsVoid() {
		return false
	}
	switch t.Underlying().(type) {
	case *types.Chan, *types.Signature:
	default:
		if !typeis.Named(t, "context", "Context") {
			return false
		}
	}
	return kept(p, part, fn, 0)
}

// kept reports whether what stands at c may be there when fn has returned. A
// local variable is followed.
func kept(p *code.Pass, c inspector.Cursor, fn *code.Func, depth int) bool {
	c = code.Unparen(c)
	var v *types.Var
	switch n := c.Parent().Node().(type) {
	case *ast.UnaryExpr:
		return n.Op != token.ARROW
	case *ast.SendStmt:
		return n.Chan != c.Node()
	case *ast.CallExpr:
		return n.Fun != c.Node() && !p.CallsBuiltin(n)
	case *ast.ExprStmt, *ast.RangeStmt, *ast.SelectorExpr, *ast.BinaryExpr:
		return false
	case *ast.AssignStmt:
		if code.OnLeft(n, c) {
			return false
		}
		if len(n.Lhs) == 1 {
			v = p.VarOf(n.Lhs[0])
		}
	case *ast.ValueSpec:
		if n.Names[0] == c.Node() {
			return false
		}
		if len(n.Names) == 1 {
			v = p.VarOf(n.Names[0])
		}
	}
	if v == nil || depth > 2 || !p.DeclaredIn(v, fn) || p.IsResult(v, fn) {
		return true
	}
	for _, use := range p.Uses(fn.Cursor, v) {
		if assume.LitUse(p, use, fn) == assume.LitEscapes || kept(p, use, fn, depth+1) {
			return true
		}
	}
	return false
}
