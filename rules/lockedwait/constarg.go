package lockedwait

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
)

// constants are the values of parameters that a call gives as constants.
type constants map[*types.Var]constant.Value

// constantArguments returns the constants that a call passes to the parameters
// of callee that keep their value, and outer beside them, which the arguments may name.
func constantArguments(p *code.Pass, call *ast.CallExpr, callee *code.Func, outer constants) constants {
	out := constants{}
	for v, value := range outer {
		out[v] = value
	}
	if call == nil {
		return out
	}
	for i, param := range code.Params(callee) {
		if param == nil {
			continue
		}
		v, isVar := p.TypesInfo.Defs[param].(*types.Var)
		arg := code.Argument(call, callee, i)
		if !isVar || arg == nil || !frozen.Fixed(p, v) {
			continue
		}
		delete(out, v) // of another call
		if value := valueOf(p, arg, outer); value != nil {
			out[v] = value
		}
	}
	return out
}

// valueOf returns the constant that e is, given the values of some variables;
// nil if it may be anything.
func valueOf(p *code.Pass, e ast.Expr, given constants) constant.Value {
	if v := p.TypesInfo.Types[e].Value; v != nil {
		return v
	}
	switch x := ast.Unparen(e).(type) {
	case *ast.Ident:
		v := p.VarOf(x)
		if v == nil {
			return nil
		}
		if value, ok := given[v]; ok {
			return value
		}
		if v.Kind() == types.LocalVar && frozen.Fixed(p, v) {
			if def := frozen.Definition(p, v); def != nil {
				return p.TypesInfo.Types[def].Value
			}
		}
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			if v := valueOf(p, x.X, given); v != nil {
				return constant.MakeBool(!constant.BoolVal(v))
			}
		}
	case *ast.BinaryExpr:
		switch x.Op {
		case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
			a, b := valueOf(p, x.X, given), valueOf(p, x.Y, given)
			if a != nil && b != nil {
				return constant.MakeBool(constant.Compare(a, x.Op, b))
			}
		}
	}
	return nil
}

// comesOut reports whether cond may come out as taken, given these values.
func comesOut(p *code.Pass, cond ast.Expr, taken bool, given constants) bool {
	v := valueOf(p, cond, given)
	return v == nil || v.Kind() != constant.Bool || constant.BoolVal(v) == taken
}

// askedParams lists the parameters of fn that its conditions ask for, or that it
// passes on to functions of the package, which may ask.
func askedParams(p *code.Pass, fn *code.Func) (out []*types.Var) {
	for _, param := range code.Params(fn) {
		v, ok := (*types.Var)(nil), false
		if param != nil {
			v, ok = p.TypesInfo.Defs[param].(*types.Var)
		}
		if !ok {
			continue
		}
		if _, basic := v.Type().Underlying().(*types.Basic); !basic {
			continue
		}
		asked := slices.ContainsFunc(fn.Flow.Blocks(), func(b *flow.Block) bool { return b.Cond != nil && p.Mentions(b.Cond, v) })
		for _, use := range p.Uses(fn.Cursor, v) {
			call, isArg := code.Unparen(use).Parent().Node().(*ast.CallExpr)
			asked = asked || isArg && p.Declaration(p.Callee(call)) != nil
		}
		if asked {
			out = append(out, v)
		}
	}
	return out
}

// sameFor reports whether two calls give the same to these parameters.
func (c constants) sameFor(d constants, vars []*types.Var) bool {
	for _, v := range vars {
		a, b := c[v], d[v]
		if a == nil && b == nil {
			continue
		}
		if a == nil || b == nil || a.Kind() != b.Kind() || !constant.Compare(a, token.EQL, b) {
			return false
		}
	}
	return true
}
