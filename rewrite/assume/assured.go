package assume

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// EndsUnlessNil reports whether call, once it has returned, has made certain
// that err is nil: require.NoError(t, err), or a loaded helper, at any number of
// levels, that ends the test or the process when it is not.
func EndsUnlessNil(p *code.Pass, call *ast.CallExpr, err *types.Var) bool {
	if err == nil {
		return false
	}
	if x := RequiredNil(p, call); x != nil && p.VarOf(x) == err {
		return true
	}
	return callImplies(p, call, claim{kind: AssuresNil, v: err}, false)
}

// demandsError reports whether call is one of a loaded helper that ends or fails
// the test unless err is set.
func demandsError(p *code.Pass, call *ast.CallExpr, err *types.Var) bool {
	return err != nil && callImplies(p, call, claim{kind: AssuresSet, v: err}, true)
}

// Assured is an assurance about the arguments of a call.
type Assured struct {
	Kind AssuranceKind
	X, Y ast.Expr
	Soft bool
}

// AssuredBy returns what holds of the arguments of call once it has returned.
func AssuredBy(p *code.Pass, call *ast.CallExpr) (out []Assured) {
	known, sig := assurancesOf(p, call)
	for _, a := range known {
		if a.Kind == AssuresAllNil {
			for i := a.Param; i < len(call.Args); i++ {
				kind := AssuresNil
				if call.Ellipsis.IsValid() {
					kind = AssuresAllNil
				}
				out = append(out, Assured{Kind: kind, X: call.Args[i], Soft: a.Soft})
			}
			continue
		}
		if last := max(a.Param, a.Other); last >= len(call.Args) || len(call.Args) < sig.Params().Len()-1 {
			continue // the results of another call
		}
		x := call.Args[a.Param]
		if a.Status {
			x = &ast.SelectorExpr{X: x, Sel: ast.NewIdent("StatusCode")}
		}
		out = append(out, Assured{Kind: a.Kind, X: x, Y: call.Args[a.Other], Soft: a.Soft})
	}
	return out
}

// assurancesOf returns what is known of the function that is called: a loaded
// one, or a literal that a local variable holds.
func assurancesOf(p *code.Pass, call *ast.CallExpr) ([]Assurance, *types.Signature) {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		if s := p.TypesInfo.Selections[sel]; s != nil && s.Kind() == types.MethodExpr {
			return nil, nil // its first argument is the receiver
		}
	}
	if fn := p.Callee(call); fn != nil {
		if known := testifyAssures(fn); known != nil {
			return known, fn.Signature()
		}
		return AssuresOf.Of(p.Facts.Facts, fn), fn.Signature()
	}
	v := p.VarOf(call.Fun)
	lit := p.LiteralOf(v)
	if lit == nil || code.Within(call, lit.Body) || !frozen.Fixed(p, v) {
		return nil, nil
	}
	sig, ok := p.TypesInfo.TypeOf(call.Fun).Underlying().(*types.Signature)
	own, isSig := p.TypesInfo.TypeOf(lit.Cursor.Node().(ast.Expr)).(*types.Signature)
	if !ok || !isSig {
		return nil, nil
	}
	return assurances(p, own, lit), sig
}

// testifyAssures returns what is known of testify's checks of two values and of conditions.
func testifyAssures(fn *types.Func) []Assurance {
	a := Assurance{Param: 1, Other: 2}
	switch name := fn.Name(); {
	case knowledge.ExpectEqual[name]:
		a.Kind = AssuresEqual
	case knowledge.ExpectTrue[name]:
		a.Kind = AssuresTrue
	case knowledge.ExpectFalse[name]:
		a.Kind = AssuresFalse
	default:
		return nil
	}
	if fn.Signature().Recv() != nil {
		a.Param, a.Other = 0, 1
	}
	if a.Kind != AssuresEqual {
		a.Other = a.Param
	}
	a.Soft = true
	switch fn.Pkg().Path() {
	case "github.com/stretchr/testify/require":
		a.Soft = false
	case "github.com/stretchr/testify/assert":
	default:
		return nil
	}
	return []Assurance{a}
}

// callImplies reports whether c holds once call has returned; soft says that a
// failed test is enough.
func callImplies(p *code.Pass, call *ast.CallExpr, c claim, soft bool) bool {
	return slices.ContainsFunc(AssuredBy(p, call), func(a Assured) bool {
		if a.Soft && !soft {
			return false
		}
		switch a.Kind {
		case AssuresNil, AssuresSet, AssuresAllNil:
			return a.Kind == c.kind && p.VarOf(a.X) == c.v
		case AssuresTrue, AssuresFalse:
			return implies(p, a.X, a.Kind == AssuresTrue, c)
		}
		return equalImplies(p, a.X, a.Y, c) || equalImplies(p, a.Y, a.X, c)
	})
}

// equalImplies reports whether c holds if x is equal to y.
func equalImplies(p *code.Pass, x, y ast.Expr, c claim) bool {
	if b := p.TypesInfo.Types[y].Value; b != nil && b.Kind() == constant.Bool {
		return implies(p, x, constant.BoolVal(b), c)
	}
	switch v := p.VarOf(x); c.kind {
	case AssuresNil:
		return v == c.v && p.IsNil(y)
	case AssuresSet:
		return v == c.v && sentinel(p, y)
	case AssuresEqual:
		if sel, ok := ast.Unparen(x).(*ast.SelectorExpr); ok && c.status {
			return sel.Sel.Name == "StatusCode" && p.VarOf(sel.X) == c.v && p.VarOf(y) == c.w
		}
		return !c.status && v == c.v && p.VarOf(y) == c.w
	}
	return false
}

// sentinel reports whether e is an error of a package, such as io.EOF.
func sentinel(p *code.Pass, e ast.Expr) bool {
	e = ast.Unparen(e)
	if sel, ok := e.(*ast.SelectorExpr); ok {
		e = sel.Sel
	}
	v := p.VarOf(e)
	return v != nil && !v.IsField() && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() && typeis.Error(v.Type()) &&
		strings.HasPrefix(strings.ToLower(v.Name()), "e") // EOF, ErrClosed
}

// implies reports whether c holds if the condition e came out as taken.
func implies(p *code.Pass, e ast.Expr, taken bool, c claim) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			return implies(p, x.X, !taken, c)
		}
	case *ast.BinaryExpr:
		if x.Op == token.LAND && taken || x.Op == token.LOR && !taken {
			return implies(p, x.X, taken, c) || implies(p, x.Y, taken, c)
		}
	case *ast.Ident:
		if v := p.VarOf(x); v != nil && (c.kind == AssuresTrue || c.kind == AssuresFalse) {
			return v == c.v && taken == (c.kind == AssuresTrue)
		}
	}
	if x, isNil, ok := p.NilTest(e, taken); ok {
		return p.VarOf(x) == c.v && (c.kind == AssuresNil && isNil || c.kind == AssuresSet && !isNil)
	}
	if c.kind == AssuresSet && taken && ErrorMatch(p, e, c.v) {
		return true
	}
	x, y, ok := compared(p, e, taken)
	return ok && (equalImplies(p, x, y, c) || equalImplies(p, y, x, c))
}

// compared returns what is equal if the condition e came out as taken.
func compared(p *code.Pass, e ast.Expr, taken bool) (x, y ast.Expr, ok bool) {
	switch e := ast.Unparen(e).(type) {
	case *ast.BinaryExpr:
		if e.Op == token.EQL && taken || e.Op == token.NEQ && !taken {
			return e.X, e.Y, true
		}
	case *ast.CallExpr:
		switch p.FullName(e) {
		case "reflect.DeepEqual", "errors.Is", "github.com/google/go-cmp/cmp.Equal", "github.com/stretchr/testify/assert.ObjectsAreEqual":
			if taken && len(e.Args) == 2 {
				return e.Args[0], e.Args[1], true
			}
		}
	}
	return nil, nil, false
}

// ErrorMatch reports whether cond can only be true if err is set.
func ErrorMatch(p *code.Pass, cond ast.Expr, err *types.Var) bool {
	call, ok := ast.Unparen(cond).(*ast.CallExpr)
	if !ok || len(call.Args) == 0 || p.VarOf(call.Args[0]) != err || err == nil {
		return false
	}
	switch p.FullName(call) {
	case "errors.Is":
		return len(call.Args) == 2 && !p.IsNil(call.Args[1])
	case "errors.As", "errors.AsType", "os.IsTimeout", "os.IsNotExist", "os.IsPermission":
		return true
	}
	return false
}
