package endlessgoroutine

import (
	"go/ast"
	"go/token"
	"go/types"
	"regexp"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/intent"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// startedAgain says why what stands at c runs again and again in the life of a
// process: it is in a loop without a bound, in an HTTP handler, in a test, or
// in a function that is called from such a place. It returns "" unless that is
// certain: a condition on anything that outlives the iteration may mean that it
// happens once.
//
// A test counts for what is started in test files: a process that is tested
// runs it once.
func startedAgain(p *code.Pass, c inspector.Cursor) string {
	return repeats(p, c, p.InTest(c.Node().Pos()), map[ast.Node]bool{})
}

func repeats(p *code.Pass, c inspector.Cursor, inTest bool, seen map[ast.Node]bool) string {
	fn := p.EnclosingFunc(c)
	if fn == nil || seen[fn.Cursor.Node()] || len(seen) > 4 {
		return ""
	}
	seen[fn.Cursor.Node()] = true
	node := code.FlowNode(c, fn)
	if node == nil {
		return ""
	}
	if fn.Flow.InCycle(node) {
		for _, l := range channel.Loops(c, fn, token.NoPos) {
			if body := unbounded(p, l); body != nil && !guarded(p, c, fn, body) {
				return "each iteration of the loop"
			}
		}
	}
	if guarded(p, c, fn, fn.Body) {
		return ""
	}
	switch {
	case isHandler(p, fn):
		return "each request"
	case inTest && isTest(p, fn):
		return "each run of the test"
	}
	if lit, ok := fn.Cursor.Node().(*ast.FuncLit); ok {
		call := code.Unparen(fn.Cursor).Parent()
		if ce, ok := call.Node().(*ast.CallExpr); ok && ast.Unparen(ce.Fun) == ast.Expr(lit) {
			return repeats(p, call, inTest, seen)
		}
		return ""
	}
	o, _ := p.TypesInfo.Defs[fn.Cursor.Node().(*ast.FuncDecl).Name].(*types.Func)
	for _, use := range p.Index().Calls[o] {
		if why := repeats(p, use, inTest, seen); why != "" {
			return why
		}
	}
	return ""
}

// unbounded returns the body of a loop that goes on as long as there is work:
// it has no condition, or ranges over a channel.
func unbounded(p *code.Pass, l ast.Stmt) *ast.BlockStmt {
	switch l := l.(type) {
	case *ast.ForStmt:
		if l.Cond == nil && l.Init == nil && l.Post == nil {
			return l.Body
		}
	case *ast.RangeStmt:
		if typeis.Chan(p.TypesInfo.TypeOf(l.X)) {
			return l.Body
		}
	}
	return nil
}

func isHandler(p *code.Pass, fn *code.Func) bool {
	sig := p.Signature(fn)
	return sig != nil && sig.Params().Len() == 2 && sig.Results().Len() == 0 && !p.InTest(fn.Body.Pos()) &&
		typeis.Named(sig.Params().At(0).Type(), "net/http", "ResponseWriter") && typeis.Named(sig.Params().At(1).Type(), "net/http", "Request")
}

// isTest reports whether fn is a test or benchmark, or the literal of a subtest.
func isTest(p *code.Pass, fn *code.Func) bool {
	sig := p.Signature(fn)
	if sig == nil || !p.InTest(fn.Body.Pos()) || sig.Params().Len() != 1 || sig.Results().Len() != 0 || sig.Recv() != nil {
		return false
	}
	t := sig.Params().At(0).Type()
	return typeis.Named(t, "testing", "T") || typeis.Named(t, "testing", "B")
}

// guarded reports whether a condition in region, which is the body of fn or of
// a loop, decides whether control comes to c, and depends on more than what
// is new in each run of region.
func guarded(p *code.Pass, c inspector.Cursor, fn *code.Func, region *ast.BlockStmt) bool {
	found := false
	check := func(e ast.Expr) {
		found = found || e != nil && !newValue(p, e, fn, region, 0)
	}
	ast.Inspect(region, func(n ast.Node) bool {
		// In a loop, what stands after may end it after the first iteration.
		if n == nil || n.Pos() > c.Node().Pos() && region == fn.Body || n == c.Node() || found {
			return false
		}
		switch n := n.(type) {
		case *ast.SendStmt:
			found = true // may be a place in a semaphore
		case *ast.FuncLit:
			return code.Within(c.Node(), n)
		case *ast.IfStmt:
			check(n.Cond)
		case *ast.SwitchStmt:
			check(n.Tag)
			for _, s := range n.Body.List {
				for _, e := range s.(*ast.CaseClause).List {
					check(e)
				}
			}
		case *ast.ForStmt:
			check(n.Cond)
		case *ast.RangeStmt:
			if !typeis.Chan(p.TypesInfo.TypeOf(n.X)) {
				check(n.X)
			}
		}
		return true
	})
	return found
}

// newValue reports whether the value of e depends on nothing that outlives a run of
// region, and on no function but those of the standard library.
func newValue(p *code.Pass, e ast.Expr, fn *code.Func, region *ast.BlockStmt, depth int) bool {
	ok := depth < 4
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			ok = false
		case *ast.CallExpr:
			if p.TypesInfo.Types[n.Fun].IsType() || p.CallsBuiltin(n) {
				return ok
			}
			f := p.Callee(n)
			if f == nil || f.Pkg() == nil || !knowledge.Std(f.Pkg().Path()) || f.Pkg().Path() == "sync" || f.Pkg().Path() == "sync/atomic" || f.Pkg().Path() == "os" {
				ok = false
			} else if f.Signature().Recv() != nil && depth > 0 {
				for _, a := range n.Args { // what it is called on may well be old: listener.Accept()
					ok = ok && newValue(p, a, fn, region, depth+1)
				}
				return false
			}
		case *ast.UnaryExpr:
			return ok && n.Op != token.ARROW // what is received is new
		case *ast.Ident:
			v := p.VarOf(n)
			if v == nil || v.IsField() {
				return ok
			}
			ok = ok && newVar(p, v, fn, region, depth)
		}
		return ok
	})
	return ok
}

func newVar(p *code.Pass, v *types.Var, fn *code.Func, region *ast.BlockStmt, depth int) bool {
	if p.IsParam(v, fn) {
		return region == fn.Body
	}
	if v.Pos() < region.Pos() || v.Pos() >= region.End() {
		return false
	}
	for _, use := range p.Uses(fn.Cursor, v) {
		if code.Addressed(use) {
			return false
		}
		var values []ast.Expr
		switch n := use.Parent().Node().(type) {
		case *ast.AssignStmt:
			if code.OnLeft(n, use) {
				values = n.Rhs
			}
		case *ast.ValueSpec:
			if code.IsAssigned(use) {
				values = n.Values
			}
		case *ast.RangeStmt:
			if n.X != use.Node() && !typeis.Chan(p.TypesInfo.TypeOf(n.X)) {
				values = []ast.Expr{n.X}
			}
		}
		for _, e := range values {
			if !newValue(p, e, fn, region, depth+1) {
				return false
			}
		}
	}
	return true
}

// lasting is how a comment says that something is for the life of the process.
var lasting = regexp.MustCompile(`\bfor ?ever\b|\b(lifetime|life|lives|long as|until|till)\b.*\b(process|program|application|app|binary)\b`)

// lasts reports whether a comment on the lines of n or right above them, or the
// documentation of one of the functions, says that n is for the life of the process.
func lasts(p *code.Pass, n ast.Node, fns ...*code.Func) bool {
	if intent.Commented(p, n.Pos(), n.End(), lasting.MatchString) {
		return true
	}
	for _, fn := range fns {
		if d, ok := fn.Cursor.Node().(*ast.FuncDecl); ok && lasting.MatchString(strings.ToLower(strings.ReplaceAll(d.Doc.Text(), "\n", " "))) {
			return true
		}
	}
	return false
}
