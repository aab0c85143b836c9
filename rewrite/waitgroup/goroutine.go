package waitgroup

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/waits"
)

// MayNotEnd reports whether the goroutine goes on until somebody stops it: an
// endless loop, a wait for a context, a condition, another group or a server.
func (g *Goroutine) MayNotEnd() bool {
	for c := range g.Lit.Preorder((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil), (*ast.SelectStmt)(nil), (*ast.UnaryExpr)(nil), (*ast.CallExpr)(nil), (*ast.Ident)(nil)) {
		switch n := c.Node().(type) {
		case *ast.ForStmt:
			if n.Cond == nil {
				return true
			}
		case *ast.RangeStmt:
			_, isChan := g.Pass.TypesInfo.TypeOf(n.X).Underlying().(*types.Chan)
			if _, isVar := ast.Unparen(n.X).(*ast.Ident); isChan && !isVar {
				return true
			}
		case *ast.Ident: // the other end of a pipe
			t := g.Pass.TypesInfo.TypeOf(n)
			if typeis.Named(t, "io", "PipeWriter") || typeis.Named(t, "io", "PipeReader") || typeis.Named(t, "net", "Conn") {
				return true
			}
		case *ast.SelectStmt:
			if len(n.Body.List) == 0 {
				return true
			}
		case *ast.UnaryExpr:
			// <-ctx.Done(), <-ticker.C, <-c.ready: who serves it is not known.
			if _, isVar := ast.Unparen(n.X).(*ast.Ident); n.Op == token.ARROW && !isVar {
				return true
			}
		case *ast.CallExpr:
			name := g.Pass.FullName(n)
			if waits.Waits(g.Pass, n) && name != "time.Sleep" || name == "(*sync.Once).Do" || g.Pass.NeverReturns(n) {
				return true // a Once waits for whoever is in it
			}
		}
	}
	return false
}

// Groups knows where in a package Groups are waited for.
type Groups struct {
	Pass  *code.Pass
	waits map[types.Object]bool // fields and variables with a Wait; nil until asked for
}

// NewGroups returns the Groups of p's package.
func NewGroups(p *code.Pass) *Groups { return &Groups{Pass: p} }

// Goroutine is one go statement, seen together with the WaitGroup calls of
// the declaration around it.
type Goroutine struct {
	Pass   *code.Pass
	Groups *Groups
	Stmt   inspector.Cursor // the go statement
	Parent *code.Func       // the function that it stands in
	Decl   inspector.Cursor // the top-level declaration
	Lit    inspector.Cursor // the literal that it starts; invalid for a call of something else
	Body   *code.Func       // the same
}

// Goroutine returns the go statement at c; nil outside of functions.
func (w *Groups) Goroutine(c inspector.Cursor) *Goroutine {
	g := &Goroutine{Pass: w.Pass, Groups: w, Stmt: c, Parent: w.Pass.EnclosingFunc(c), Decl: c}
	if g.Parent == nil {
		return nil
	}
	for d := range c.Enclosing((*ast.FuncDecl)(nil), (*ast.GenDecl)(nil)) {
		g.Decl = d
	}
	fun := ast.Unparen(c.Node().(*ast.GoStmt).Call.Fun)
	if _, ok := fun.(*ast.FuncLit); ok {
		g.Lit, _ = c.FindNode(fun)
		g.Body = w.Pass.FuncOf(g.Lit)
	}
	return g
}

// AnyWait reports whether the package waits for a group at all, or may leave
// that to a caller.
func (f *Groups) AnyWait() bool {
	f.collect()
	return len(f.waits) > 0
}

func (f *Groups) collect() {
	if f.waits == nil {
		f.waits = map[types.Object]bool{}
		for _, w := range Ops(f.Pass, f.Pass.Inspector.Root()) {
			if w.Name == "Wait" {
				f.waits[w.Key.Root] = true
				if field := f.Pass.FieldOf(w.Recv); field != nil {
					f.waits[field] = true
				}
			}
		}
	}
}

// Waited reports whether somebody in the package waits for the group of op, or
// it comes from a caller who does.
func (f *Groups) Waited(op Op) bool {
	f.collect()
	if field := f.Pass.FieldOf(op.Recv); field != nil {
		return f.waits[field]
	}
	return f.waits[op.Key.Root] || isParam(op.Key.Root)
}

// isParam reports whether o is a pointer from a caller, who waits.
func isParam(o types.Object) bool {
	v, ok := o.(*types.Var)
	if !ok || v.Kind() != types.ParamVar {
		return false
	}
	_, isPtr := types.Unalias(v.Type()).(*types.Pointer)
	return isPtr
}

// Ops lists the WaitGroup calls of the declaration around the go statement.
func (g *Goroutine) Ops() []Op { return Ops(g.Pass, g.Decl) }

// Within reports whether an object is declared inside the literal, other than
// as a parameter that stands for something outside.
func (g *Goroutine) Within(o types.Object) bool {
	return o.Pos() >= g.Lit.Node().Pos() && o.Pos() < g.Lit.Node().End()
}

// Direct returns the list of the goroutine's statements and the index in it
// of the call of op, if that is a statement there.
func (g *Goroutine) Direct(op Op) (list []ast.Stmt, at int, ok bool) {
	list = g.Body.Body.List
	at = slices.IndexFunc(list, func(s ast.Stmt) bool {
		es, ok := s.(*ast.ExprStmt)
		return ok && ast.Unparen(es.X) == ast.Expr(op.Call)
	})
	return list, at, at >= 0
}

// Local reports whether the group is a variable of the declaration itself.
func (g *Goroutine) Local(key code.Path) bool {
	v, ok := key.Root.(*types.Var)
	return ok && key.Fields == "" && v.Kind() == types.LocalVar
}

// Used reports whether the goroutine uses the variable that the group is
// reached from for anything else, such as a call of one of its methods.
func (g *Goroutine) Used(key code.Path) bool {
	if key.Fields == "" {
		return false
	}
	for _, use := range g.Pass.Uses(g.Lit, key.Root) {
		sel, ok := code.Unparen(use).Parent().Node().(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if s := g.Pass.TypesInfo.Selections[sel]; s != nil && s.Kind() != types.FieldVal && !g.isOp(sel) {
			return true
		}
	}
	return false
}

// isOp reports whether sel is the method of a call on a WaitGroup.
func (g *Goroutine) isOp(sel *ast.SelectorExpr) bool {
	return slices.ContainsFunc(Ops(g.Pass, g.Lit), func(o Op) bool { return ast.Unparen(o.Call.Fun) == ast.Expr(sel) })
}

// PassedOn reports whether the goroutine hands the group to another function.
func (g *Goroutine) PassedOn(key code.Path) bool {
	known := map[ast.Node]bool{}
	for _, o := range Ops(g.Pass, g.Lit) {
		ast.Inspect(o.Recv, func(n ast.Node) bool {
			if n != nil {
				known[n] = true
			}
			return true
		})
	}
	for c := range g.Lit.Preorder((*ast.Ident)(nil), (*ast.SelectorExpr)(nil)) {
		if known[c.Node()] || c.Node().Pos() == key.Root.Pos() {
			continue
		}
		e := c.Node().(ast.Expr)
		if !typeis.Named(g.Pass.TypesInfo.TypeOf(e), "sync", "WaitGroup") {
			continue
		}
		if k, ok := Key(g.Pass, e); ok && k == key {
			return true
		}
	}
	return false
}

// OpOf returns the call of a WaitGroup's method that s is.
func (g *Goroutine) OpOf(s ast.Stmt) (Op, bool) {
	es, ok := s.(*ast.ExprStmt)
	if !ok {
		return Op{}, false
	}
	o, ok := opAt(g.Pass, g.Decl, ast.Unparen(es.X))
	return o, ok
}
