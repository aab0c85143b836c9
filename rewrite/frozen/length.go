package frozen

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"unicode/utf8"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// knownLen returns how many elements e, which is ranged over, has, if that is
// known here: an array, a literal, or a variable that holds one and whose length
// nothing changes.
func knownLen(p *code.Pass, e ast.Expr) (n int64, ok bool) { return lenWithin(p, e, 5) }

func lenWithin(p *code.Pass, e ast.Expr, depth int) (n int64, ok bool) {
	e = ast.Unparen(e)
	t := p.TypesInfo.TypeOf(e)
	if t == nil || depth == 0 {
		return 0, false
	}
	if a, isArr := t.Underlying().(*types.Array); isArr {
		return a.Len(), true
	}
	if v := p.TypesInfo.Types[e].Value; v != nil && v.Kind() == constant.String {
		s := constant.StringVal(v)
		return int64(len(s)), len(s) == utf8.RuneCountInString(s)
	}
	switch x := e.(type) {
	case *ast.CompositeLit:
		return literalLen(p, x)
	case *ast.Ident:
		v := p.VarOf(x)
		if v == nil || !frozenLen(p, v) {
			return 0, false
		}
		if def := Definition(p, v); def != nil {
			return lenWithin(p, def, depth-1)
		}
	case *ast.SliceExpr:
		return sliceLen(p, x, depth)
	case *ast.CallExpr:
		return callLen(p, x, depth)
	}
	return 0, false
}

// literalLen counts the elements of a literal. In a map, keys that are not
// constant may be the same.
func literalLen(p *code.Pass, lit *ast.CompositeLit) (n int64, ok bool) {
	typ := p.TypesInfo.TypeOf(lit).Underlying()
	next := int64(0)
	for _, elt := range lit.Elts {
		kv, keyed := elt.(*ast.KeyValueExpr)
		if keyed {
			key := p.TypesInfo.Types[kv.Key].Value
			if key == nil && len(lit.Elts) > 1 {
				return 0, false
			}
			if at, isInt := typeis.SmallInt(key); isInt && !typeis.Map(typ) {
				next = at
			}
		}
		next++
		n = max(n, next)
	}
	if typeis.Map(typ) {
		n = int64(len(lit.Elts))
	}
	return n, true
}

// sliceLen is for a part of something of a known length.
func sliceLen(p *code.Pass, x *ast.SliceExpr, depth int) (n int64, ok bool) {
	low, high := int64(0), int64(0)
	if x.Low != nil {
		if low, ok = typeis.SmallInt(p.TypesInfo.Types[x.Low].Value); !ok {
			return 0, false
		}
	}
	if x.High == nil {
		high, ok = lenWithin(p, x.X, depth-1)
	} else {
		high, ok = typeis.SmallInt(p.TypesInfo.Types[x.High].Value)
	}
	return high - low, ok && high >= low
}

// callLen is for conversions, make, and append of single elements.
func callLen(p *code.Pass, call *ast.CallExpr, depth int) (n int64, ok bool) {
	switch {
	case p.TypesInfo.Types[call.Fun].IsType() && len(call.Args) == 1:
		return lenWithin(p, call.Args[0], depth-1)
	case p.IsBuiltin(call, "make") && len(call.Args) > 1 && !typeis.Map(p.TypesInfo.TypeOf(call)):
		return typeis.SmallInt(p.TypesInfo.Types[call.Args[1]].Value)
	case p.IsBuiltin(call, "append") && !call.Ellipsis.IsValid():
		n, ok = lenWithin(p, call.Args[0], depth-1)
		return n + int64(len(call.Args)-1), ok
	}
	return 0, false
}

// Definition returns the one value that a declaration gives v; nil if it is
// declared without one, or together with others by one call.
func Definition(p *code.Pass, v *types.Var) (value ast.Expr) {
	at, ok := ScopeOf(p, v)
	if !ok {
		return nil
	}
	c, ok := at.FindByPos(v.Pos(), v.Pos())
	if !ok {
		return nil
	}
	switch n := c.Parent().Node().(type) {
	case *ast.AssignStmt:
		for i, l := range n.Lhs {
			if l == c.Node() && len(n.Lhs) == len(n.Rhs) {
				return n.Rhs[i]
			}
		}
	case *ast.ValueSpec:
		for i, l := range n.Names {
			if l == c.Node() && len(n.Names) == len(n.Values) {
				return n.Values[i]
			}
		}
	}
	return nil
}

// IsZero reports whether e is a constant zero value, or nil.
func IsZero(p *code.Pass, e ast.Expr) bool {
	v := p.TypesInfo.Types[e].Value
	if v == nil {
		return p.IsNil(e)
	}
	switch v.Kind() {
	case constant.Bool:
		return !constant.BoolVal(v)
	case constant.String:
		return constant.StringVal(v) == ""
	}
	return constant.Sign(v) == 0
}

// Sign returns 1 or -1 for an integer that is at least or at most zero, whatever
// happens, and 0 if it is not known which. A constant zero is neither.
func Sign(p *code.Pass, e ast.Expr, depth int) int {
	if v := p.TypesInfo.Types[e].Value; v != nil {
		return constant.Sign(v)
	}
	if t := p.TypesInfo.TypeOf(e); t != nil {
		if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsUnsigned != 0 {
			return 1
		}
	}
	switch x := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		if x.Op == token.SUB {
			return -Sign(p, x.X, depth)
		}
	case *ast.BinaryExpr:
		a, b := Sign(p, x.X, depth), Sign(p, x.Y, depth)
		switch {
		case (x.Op == token.MUL || x.Op == token.QUO) && a != 0 && b != 0:
			return a * b
		case x.Op == token.ADD && a == b, x.Op == token.SUB && a == -b:
			return a
		}
	case *ast.CallExpr:
		if p.IsBuiltin(x, "len") || p.IsBuiltin(x, "cap") {
			return 1
		}
		if p.TypesInfo.Types[x.Fun].IsType() && len(x.Args) == 1 && depth > 0 {
			if b, ok := p.TypesInfo.TypeOf(x.Args[0]).Underlying().(*types.Basic); ok && b.Info()&types.IsUnsigned == 0 {
				return Sign(p, x.Args[0], depth-1) // a big unsigned one may be negative then
			}
		}
	case *ast.Ident:
		if v := p.VarOf(x); v != nil && depth > 0 && Fixed(p, v) {
			if def := Definition(p, v); def != nil {
				return Sign(p, def, depth-1)
			}
		}
	}
	return 0
}

// SizeOf returns the constant value of e, nil if it has none.
func SizeOf(p *code.Pass, e ast.Expr) (v constant.Value) {
	if e != nil {
		v = p.TypesInfo.Types[e].Value
	}
	return v
}
