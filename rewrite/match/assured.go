package match

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// EndsUnlessNil reports whether call, once it has returned, has made certain
// that err is nil: require.NoError(t, err), or a loaded helper, at any number of
// levels, that ends the test or the process when it is not.
func (p *Pass) EndsUnlessNil(call *ast.CallExpr, err *types.Var) bool {
	if err == nil {
		return false
	}
	if x := p.RequiredNil(call); x != nil && p.VarOf(x) == err {
		return true
	}
	return p.callImplies(call, claim{kind: AssuresNil, v: err}, false)
}

// demandsError reports whether call is one of a loaded helper that ends or fails
// the test unless err is set.
func (p *Pass) demandsError(call *ast.CallExpr, err *types.Var) bool {
	return err != nil && p.callImplies(call, claim{kind: AssuresSet, v: err}, true)
}

// Assured is an assurance about the arguments of a call.
type Assured struct {
	kind AssuranceKind
	x, y ast.Expr
	Soft bool
}

// Assured returns what holds of the arguments of call once it has returned.
func (p *Pass) Assured(call *ast.CallExpr) (out []Assured) {
	known, sig := p.assurancesOf(call)
	for _, a := range known {
		if a.Kind == AssuresAllNil {
			for i := a.Param; i < len(call.Args); i++ {
				kind := AssuresNil
				if call.Ellipsis.IsValid() {
					kind = AssuresAllNil
				}
				out = append(out, Assured{kind: kind, x: call.Args[i], Soft: a.Soft})
			}
			continue
		}
		if last := max(a.Param, a.Other); last >= len(call.Args) || len(call.Args) < sig.Params().Len()-1 {
			continue // the results of another call
		}
		out = append(out, Assured{kind: a.Kind, x: call.Args[a.Param], y: call.Args[a.Other], Soft: a.Soft})
	}
	return out
}

// assurancesOf returns what is known of the function that is called: a loaded
// one, or a literal that a local variable holds.
func (p *Pass) assurancesOf(call *ast.CallExpr) ([]Assurance, *types.Signature) {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		if s := p.TypesInfo.Selections[sel]; s != nil && s.Kind() == types.MethodExpr {
			return nil, nil // its first argument is the receiver
		}
	}
	if fn := p.Callee(call); fn != nil {
		return assuresOf.Of(p.Facts.Facts, fn), fn.Signature()
	}
	v := p.VarOf(call.Fun)
	lit := p.LiteralOf(v)
	if lit == nil || Within(call, lit.Body) || !p.Fixed(v) {
		return nil, nil
	}
	sig, ok := p.TypesInfo.TypeOf(call.Fun).Underlying().(*types.Signature)
	own, isSig := p.TypesInfo.TypeOf(lit.Cursor.Node().(ast.Expr)).(*types.Signature)
	if !ok || !isSig {
		return nil, nil
	}
	return p.assurances(own, lit), sig
}

// callImplies reports whether c holds once call has returned; soft says that a
// failed test is enough.
func (p *Pass) callImplies(call *ast.CallExpr, c claim, soft bool) bool {
	return slices.ContainsFunc(p.Assured(call), func(a Assured) bool {
		if a.Soft && !soft {
			return false
		}
		switch a.kind {
		case AssuresNil, AssuresSet, AssuresAllNil:
			return a.kind == c.kind && p.VarOf(a.x) == c.v
		case AssuresTrue, AssuresFalse:
			return p.implies(a.x, a.kind == AssuresTrue, c)
		}
		return p.equalImplies(a.x, a.y, c) || p.equalImplies(a.y, a.x, c)
	})
}

// equalImplies reports whether c holds if x is equal to y.
func (p *Pass) equalImplies(x, y ast.Expr, c claim) bool {
	if b := p.TypesInfo.Types[y].Value; b != nil && b.Kind() == constant.Bool {
		return p.implies(x, constant.BoolVal(b), c)
	}
	switch v := p.VarOf(x); c.kind {
	case AssuresNil:
		return v == c.v && p.IsNil(y)
	case AssuresSet:
		return v == c.v && p.sentinel(y)
	case AssuresEqual:
		return v == c.v && p.VarOf(y) == c.w
	}
	return false
}

// sentinel reports whether e is an error of a package, such as io.EOF.
func (p *Pass) sentinel(e ast.Expr) bool {
	e = ast.Unparen(e)
	if sel, ok := e.(*ast.SelectorExpr); ok {
		e = sel.Sel
	}
	v := p.VarOf(e)
	return v != nil && !v.IsField() && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() && typeis.Error(v.Type()) &&
		strings.HasPrefix(strings.ToLower(v.Name()), "e") // EOF, ErrClosed
}

// implies reports whether c holds if the condition e came out as taken.
func (p *Pass) implies(e ast.Expr, taken bool, c claim) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			return p.implies(x.X, !taken, c)
		}
	case *ast.BinaryExpr:
		if x.Op == token.LAND && taken || x.Op == token.LOR && !taken {
			return p.implies(x.X, taken, c) || p.implies(x.Y, taken, c)
		}
	case *ast.Ident:
		if v := p.VarOf(x); v != nil && (c.kind == AssuresTrue || c.kind == AssuresFalse) {
			return v == c.v && taken == (c.kind == AssuresTrue)
		}
	}
	if x, isNil, ok := p.NilTest(e, taken); ok {
		return p.VarOf(x) == c.v && (c.kind == AssuresNil && isNil || c.kind == AssuresSet && !isNil)
	}
	if c.kind == AssuresSet && taken && p.ErrorMatch(e, c.v) {
		return true
	}
	x, y, ok := p.compared(e, taken)
	return ok && (p.equalImplies(x, y, c) || p.equalImplies(y, x, c))
}

// compared returns what is equal if the condition e came out as taken.
func (p *Pass) compared(e ast.Expr, taken bool) (x, y ast.Expr, ok bool) {
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
