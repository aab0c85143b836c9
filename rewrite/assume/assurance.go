package assume

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Assurance is what certainly holds of the arguments of a function once it has
// returned, because else it ends the test or the process.
type Assurance struct {
	Kind  AssuranceKind
	Param int // index of the parameter
	Other int // of the one that Param is equal to
	// Status is set if not Param, a response, but its status is equal to the other.
	Status bool
	// Soft is set if it may be otherwise, but then the test has failed.
	Soft bool
}

// AssuranceKind says what holds.
type AssuranceKind uint8

const (
	AssuresNil    AssuranceKind = iota + 1 // the argument is nil
	AssuresSet                             // it is not nil
	AssuresAllNil                          // all variadic arguments are nil
	AssuresEqual                           // two arguments are equal, or the one matches the other as an error
	AssuresTrue
	AssuresFalse
)

var AssuresOf = code.Register[[]Assurance]("assures")

func init() {
	AssuresOf.Compute(mayAssure, func(s *code.Subject) []Assurance {
		if s.NeverReturns() {
			return nil
		}
		return assurances(s.Pass, s.Sig, s.Fn)
	})
}

// claim is an assurance about variables.
type claim struct {
	kind   AssuranceKind
	v, w   *types.Var
	status bool // it is the status of v that is equal to w
}

// GuardsError returns the index of an error argument that is nil whenever fn returns.
func GuardsError(f *code.Facts, fn *types.Func) (int, bool) {
	for _, a := range AssuresOf.Of(f.Facts, fn) {
		if a.Kind == AssuresNil && !a.Soft && typeis.Error(fn.Origin().Signature().Params().At(a.Param).Type()) {
			return a.Param, true
		}
	}
	return 0, false
}

// fewStatements is how long a helper is at most of which more is asked than
// whether it checks an error.
const fewStatements = 12

// assurances returns what fn, which has the signature sig, makes certain of its
// arguments before it returns.
func assurances(p *code.Pass, sig *types.Signature, fn *code.Func) (out []Assurance) {
	if p.MayRecover(fn) {
		return nil // it may come back from what should have ended it
	}
	short := len(fn.Body.List) <= fewStatements
	add := func(c claim, i, j int) {
		if holds(p, fn, c, false) {
			out = append(out, Assurance{Kind: c.kind, Param: i, Other: j, Status: c.status})
		} else if short && c.kind != AssuresNil && holds(p, fn, c, true) {
			out = append(out, Assurance{Kind: c.kind, Param: i, Other: j, Status: c.status, Soft: true})
		}
	}
	var comparable, responses []int
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		if !short && !typeis.Error(v.Type()) || !checkable(v.Type()) || !steady(p, v, fn) {
			continue
		}
		switch t := v.Type(); {
		case typeis.Error(t):
			add(claim{kind: AssuresNil, v: v}, i, i)
			add(claim{kind: AssuresSet, v: v}, i, i)
		case typeis.Bool(t):
			add(claim{kind: AssuresTrue, v: v}, i, i)
			add(claim{kind: AssuresFalse, v: v}, i, i)
		case typeis.Errors(t):
			if sig.Variadic() && i == sig.Params().Len()-1 && allNil(p, fn, v) {
				out = append(out, Assurance{Kind: AssuresAllNil, Param: i, Other: i})
			}
			continue
		case typeis.Response(t):
			responses = append(responses, i)
			continue
		case plain(t): // of which only more than one says something
		default:
			add(claim{kind: AssuresNil, v: v}, i, i)
			add(claim{kind: AssuresSet, v: v}, i, i)
		}
		for _, j := range comparable {
			if (plain(v.Type()) || plain(sig.Params().At(j).Type())) && !types.Identical(v.Type(), sig.Params().At(j).Type()) {
				continue
			}
			add(claim{kind: AssuresEqual, v: sig.Params().At(j), w: v}, j, i)
		}
		comparable = append(comparable, i)
	}
	for _, i := range responses {
		for _, j := range comparable {
			if w := sig.Params().At(j); plain(w.Type()) {
				add(claim{kind: AssuresEqual, v: sig.Params().At(i), w: w, status: true}, i, j)
			}
		}
	}
	return out
}

// holds reports whether fn returns only where c is certain; soft says that a
// failed test is enough.
func holds(p *code.Pass, fn *code.Func, c claim, soft bool) bool {
	tested, returns := false, false
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			certain := nodeImplies(p, n, c, soft)
			tested = tested || certain
			return s, !certain && !(soft && FailsTest(p, n)) && !returns
		},
		Edge: func(cond ast.Expr, taken bool, s struct{}) (struct{}, bool) {
			certain := implies(p, named(p, cond, fn), taken, c)
			tested = tested || certain
			return s, !certain
		},
		Exit: func(*flow.Block, struct{}) { returns = true },
	}.FromEntry(fn.Flow, struct{}{})
	return tested && !returns
}

// nodeImplies reports whether c is certain after the node n of a flow.
func nodeImplies(p *code.Pass, n ast.Node, c claim, soft bool) bool {
	var list []ast.Expr
	switch n := n.(type) {
	case *ast.ExprStmt:
		list = []ast.Expr{n.X}
	case *ast.AssignStmt:
		list = n.Rhs
	case *ast.ReturnStmt:
		list = n.Results
	}
	return slices.ContainsFunc(list, func(e ast.Expr) bool {
		call, ok := ast.Unparen(e).(*ast.CallExpr)
		if !ok {
			return false
		}
		if x := RequiredNil(p, call); x != nil && c.kind == AssuresNil && p.VarOf(x) == c.v {
			return true
		}
		return callImplies(p, call, c, soft)
	})
}

// named returns the condition whose outcome cond, a variable that is assigned
// once, holds; else cond itself.
func named(p *code.Pass, cond ast.Expr, fn *code.Func) ast.Expr {
	v := p.VarOf(cond)
	if v == nil || !p.DeclaredIn(v, fn) || !frozen.Fixed(p, v) {
		return cond
	}
	for _, use := range p.Uses(fn.Cursor, v) {
		if as, ok := use.Parent().Node().(*ast.AssignStmt); ok && as.Tok == token.DEFINE && len(as.Lhs) == 1 && len(as.Rhs) == 1 {
			return as.Rhs[0]
		}
	}
	return cond
}

// allNil reports whether fn returns only if all elements of v are nil: it
// ranges over them first of all, and no iteration is left with one that is set.
func allNil(p *code.Pass, fn *code.Func, v *types.Var) bool {
	for i, s := range fn.Body.List {
		if es, ok := s.(*ast.ExprStmt); ok && nodeImplies(p, es, claim{kind: AssuresAllNil, v: v}, false) {
			return true
		}
		loop, ok := s.(*ast.RangeStmt)
		if !ok && !IsPlain(s) {
			return false
		}
		if !ok || p.VarOf(loop.X) != v || loop.Value == nil {
			continue
		}
		elem := p.VarOf(loop.Value)
		if elem == nil || slices.ContainsFunc(fn.Body.List[:i], func(s ast.Stmt) bool { return terminates(p, s) }) || leavesEarly(loop.Body) || !steady(p, elem, fn) {
			return false
		}
		c, left := claim{kind: AssuresNil, v: elem}, false
		flow.Paths[struct{}]{
			Node: func(n ast.Node, s struct{}) (struct{}, bool) { return s, !nodeImplies(p, n, c, false) },
			Edge: func(cond ast.Expr, taken bool, s struct{}) (struct{}, bool) { return s, !implies(p, cond, taken, c) },
			Iteration: func(l ast.Stmt, _ struct{}) bool {
				left = left || l == loop
				return l != loop
			},
			Exit: func(*flow.Block, struct{}) { left = true },
		}.FromBody(fn.Flow, loop, struct{}{})
		return !left
	}
	return false
}

// leavesEarly reports whether body holds a jump or a return, which may leave its loop early.
func leavesEarly(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			found = true
		case *ast.BranchStmt:
			found = found || n.Tok != token.CONTINUE || n.Label != nil
		}
		return !found
	})
	return found
}

// steady reports whether v, a parameter or the variable of a loop, always holds
// what it was first given.
func steady(p *code.Pass, v *types.Var, fn *code.Func) bool {
	if v.Name() == "" || v.Name() == "_" {
		return false
	}
	for _, use := range p.Uses(fn.Cursor, v) {
		if use.Node().Pos() == v.Pos() {
			continue // where it is declared
		}
		if u, ok := code.Unparen(use).Parent().Node().(*ast.UnaryExpr); ok && u.Op == token.AND {
			return false
		}
		if code.IsAssigned(code.Unparen(use)) || LitUse(p, use, fn) == LitEscapes {
			return false
		}
	}
	return true
}

func checkable(t types.Type) bool {
	if _, ok := t.(*types.TypeParam); ok {
		return true
	}
	i, ok := types.Unalias(t).(*types.Interface)
	return plain(t) || typeis.Response(t) || typeis.Error(t) || typeis.Bool(t) || typeis.Errors(t) || ok && i.Empty()
}

// plain reports whether values of t are numbers or strings.
func plain(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&(types.IsInteger|types.IsString) != 0
}

// mayAssure is a cheap look at a function: could it check its arguments?
func mayAssure(sig *types.Signature, d *ast.FuncDecl) bool {
	names, others := map[string]bool{}, 0
	for v := range sig.Params().Variables() {
		if checkable(v.Type()) {
			names[v.Name()] = true
			if !plain(v.Type()) && !typeis.Response(v.Type()) {
				others++
			}
		}
	}
	return (others > 0 || len(names) > 1) && len(d.Body.List) <= fewStatements && asks(d.Body, names)
}

// asks reports whether body tests, ranges over or passes on one of names.
func asks(body *ast.BlockStmt, names map[string]bool) bool {
	found := false
	mention := func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && names[id.Name]
		return !found
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			for _, arg := range n.Args {
				ast.Inspect(arg, mention)
			}
		case *ast.BinaryExpr:
			ast.Inspect(n, mention)
		case *ast.RangeStmt:
			ast.Inspect(n.X, mention)
		case *ast.IfStmt:
			ast.Inspect(n.Cond, mention)
		}
		return !found
	})
	return found
}
