// Package assume answers what conditions say about values: which conditions are known at
// a statement, which paths they exclude, what a check or an assertion helper of a test
// leaves as nil.
package assume

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
)

// Assumptions are conditions whose outcome is known at some statement: those
// of the ifs around it, and of those before it that would have left. A later
// test of the same condition comes out the same way, as in
// "if d > 0 { ctx, cancel = ... } ... if d > 0 { cancel() }". The same condition is
// one about the same variables: an inner err is another one than that around it.
type Assumptions struct {
	P     *code.Pass
	Fn    *code.Func      // the function that they are about
	Known map[string]bool // by [condition]
	Spans map[string]Span // of what is compared with constants, by [condition]
}

// assumed is what is worked out about conditions once for a rule.
type assumed struct {
	conditions map[ast.Expr]string        // by condition
	opposites  map[*ast.BinaryExpr]string // by opposite
	constants  map[constantCond]bool      // by ConstantIn
	constant   map[constantKey]bool       // by constantVar
	errs       map[errKey]*ErrUses        // by ErrUses
}

// condition tells apart what conditions ask: their text, and where the
// variables in it are declared.
func condition(p *code.Pass, cond ast.Expr) string {
	m := code.State[assumed](p)
	key, known := m.conditions[cond]
	if !known {
		if m.conditions == nil {
			m.conditions = map[ast.Expr]string{}
		}
		key = newCondition(p, cond)
		m.conditions[cond] = key
	}
	return key
}

func newCondition(p *code.Pass, cond ast.Expr) string {
	cond = ast.Unparen(cond)
	key := []byte(types.ExprString(cond))
	ast.Inspect(cond, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if obj := p.TypesInfo.ObjectOf(id); obj != nil && obj.Pos().IsValid() {
				key = strconv.AppendInt(append(key, ' '), int64(obj.Pos()), 10)
			}
		}
		return true
	})
	return string(key)
}

// leaves reports whether control does not come to the end of list, as far as
// its last statement tells.
func leaves(p *code.Pass, list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	switch s := list[len(list)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		return ok && p.NeverReturns(call)
	}
	return false
}

// Assumed returns what holds at c. Conditions with calls in them or with
// variables that fn assigns more than once are left out.
func Assumed(p *code.Pass, c inspector.Cursor, fn *code.Func) Assumptions {
	return AssumedIn(p, c, fn, fn)
}

// AssumedIn is Assumed for c in a literal fn of the function outer, about the
// conditions that hold in both.
func AssumedIn(p *code.Pass, c inspector.Cursor, fn, outer *code.Func) Assumptions {
	out := Assumptions{p, outer, map[string]bool{}, map[string]Span{}}
	for child := c; child.Valid() && child != fn.Cursor; child = child.Parent() {
		if list, i, ok := code.StmtList(child); ok {
			for _, s := range list[:i] {
				// After "if cond { return }" cond is false.
				if guard, ok := s.(*ast.IfStmt); ok && guard.Else == nil && leaves(p, guard.Body.List) {
					Assume(p, out, guard.Cond, false, outer)
				}
				if sw, ok := s.(*ast.SwitchStmt); ok {
					assumePassed(p, out, sw, outer)
				}
			}
		}
		switch n := child.Parent().Node().(type) {
		case *ast.IfStmt:
			switch child.Node() {
			case ast.Node(n.Body):
				Assume(p, out, n.Cond, true, outer)
			case ast.Node(n.Else):
				Assume(p, out, n.Cond, false, outer)
			}
		case *ast.CaseClause:
			sw, ok := child.Parent().Parent().Parent().Node().(*ast.SwitchStmt)
			if _, isStmt := child.Node().(ast.Stmt); ok && isStmt {
				assumeCase(p, out, sw, n, outer)
			}
		case *ast.RangeStmt:
			if child.Node() == ast.Node(n.Body) {
				assumeElement(p, out, n, outer)
			}
		}
	}
	return out
}

// FlagsAt returns the values of the flags that are set beside the statement at
// c: in "started = true; go f()", a later test of started tells whether the
// goroutine runs. Only flags that get one constant besides their first value count.
func FlagsAt(p *code.Pass, c inspector.Cursor) Assumptions {
	out := Assumptions{p, nil, map[string]bool{}, map[string]Span{}}
	list, _, _ := code.StmtList(c)
	for _, s := range list {
		as, ok := s.(*ast.AssignStmt)
		if !ok || len(as.Lhs) != 1 || len(as.Rhs) != 1 || as.Tok != token.ASSIGN {
			continue
		}
		id, isIdent := as.Lhs[0].(*ast.Ident)
		if v := p.TypesInfo.Types[as.Rhs[0]].Value; isIdent && v != nil && v.Kind() == constant.Bool {
			out.Known[condition(p, id)] = constant.BoolVal(v)
		}
	}
	return out
}

func Assume(p *code.Pass, out Assumptions, cond ast.Expr, taken bool, fn *code.Func) {
	switch x := ast.Unparen(cond).(type) {
	case *ast.Ident:
		if value := boundTo(p, x, fn); value != nil {
			Assume(p, out, value, taken, fn)
		}
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			Assume(p, out, x.X, !taken, fn)
			return
		}
	case *ast.BinaryExpr:
		if x.Op == token.LAND && taken || x.Op == token.LOR && !taken {
			Assume(p, out, x.X, taken, fn)
			Assume(p, out, x.Y, taken, fn)
			return
		}
		if x.Op == token.LAND || x.Op == token.LOR {
			return
		}
	}
	if !ConstantIn(p, cond, fn) {
		return
	}
	out.Known[condition(p, cond)] = taken
	if be, ok := ast.Unparen(cond).(*ast.BinaryExpr); ok {
		if be.Op == token.EQL || be.Op == token.NEQ || negated[be.Op] != 0 && isInteger(p, be.X) && isInteger(p, be.Y) {
			out.Known[opposite(p, be)] = !taken
		}
	}
	if c, ok := Comparison(p, cond); ok {
		out.narrow(c, taken)
	}
}

// boundTo returns the condition that a variable is declared with, which stands
// for it as long as neither gets another value: ok := a && b.
func boundTo(p *code.Pass, id *ast.Ident, fn *code.Func) ast.Expr {
	v := p.VarOf(id)
	if !frozen.Fixed(p, v) {
		return nil
	}
	c, ok := fn.Outermost().FindByPos(v.Pos(), v.Pos())
	if !ok {
		return nil
	}
	value := p.GivenAt(c)
	if value == nil || value.Pos() < fn.Body.Pos() {
		return nil
	}
	return value
}

// opposite is condition for the comparison that comes out the other way, as with
// == and !=.
func opposite(p *code.Pass, be *ast.BinaryExpr) string {
	m := code.State[assumed](p)
	key, known := m.opposites[be]
	if !known {
		not := *be
		not.Op = negated[be.Op]
		if m.opposites == nil {
			m.opposites = map[*ast.BinaryExpr]string{}
		}
		key = newCondition(p, &not)
		m.opposites[be] = key
	}
	return key
}

// ConstantIn reports whether cond has the same value whenever fn evaluates it,
// as far as one can see: no call, no variable that is assigned twice.
func ConstantIn(p *code.Pass, cond ast.Expr, fn *code.Func) bool {
	key := constantCond{cond, fn.Body}
	m := code.State[assumed](p)
	ok, known := m.constants[key]
	if known {
		return ok
	}
	ok = true
	ast.Inspect(cond, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr, *ast.IndexExpr:
			if call, isCall := n.(*ast.CallExpr); isCall && p.IsBuiltin(call, "len") && fixedLength(p, call.Args[0]) {
				return true
			}
			ok = false
		case *ast.Ident:
			v, isVar := p.TypesInfo.Uses[n].(*types.Var)
			if !isVar {
				return true
			}
			ok = ok && constantVar(p, v, fn)
		}
		return ok
	})
	if m.constants == nil {
		m.constants = map[constantCond]bool{}
	}
	m.constants[key] = ok
	return ok
}

// constantCond names the question of [ConstantIn].
type constantCond struct {
	cond ast.Expr
	fn   *ast.BlockStmt
}

// constantKey names the question of [constantVar].
type constantKey struct {
	v  *types.Var
	fn *ast.BlockStmt
}

// constantVar reports whether fn sees v with one value only. It is asked for
// each call about all tests before it, which may be as many.
func constantVar(p *code.Pass, v *types.Var, fn *code.Func) bool {
	key := constantKey{v, fn.Body}
	m := code.State[assumed](p)
	known, ok := m.constant[key]
	if ok {
		return known
	}
	if v.IsField() {
		known = !setsField(p, v, fn)
	} else {
		known = frozen.ValuesIn(p, v, fn) <= 1
	}
	if m.constant == nil {
		m.constant = map[constantKey]bool{}
	}
	m.constant[key] = known
	return known
}

// setsField reports whether fn may give a field a value, of whatever struct.
func setsField(p *code.Pass, field *types.Var, fn *code.Func) bool {
	for _, use := range p.Uses(fn.Cursor, field) {
		sel := use.Parent()
		if x, ok := sel.Node().(*ast.SelectorExpr); ok && x.Sel == use.Node() && !frozen.Keeps(p, sel) {
			return true
		}
	}
	return false
}

// Possible reports whether cond can come out as taken.
func (a Assumptions) Possible(cond ast.Expr, taken bool) bool {
	if len(a.Known) == 0 && len(a.Spans) == 0 {
		return true
	}
	if known, ok := a.Known[condition(a.P, cond)]; ok {
		return known == taken
	}
	switch x := ast.Unparen(cond).(type) {
	case *ast.UnaryExpr:
		if x.Op == token.NOT {
			return a.Possible(x.X, !taken)
		}
	case *ast.BinaryExpr:
		switch {
		case x.Op == token.LAND && taken || x.Op == token.LOR && !taken:
			return a.Possible(x.X, taken) && a.Possible(x.Y, taken)
		case x.Op == token.LAND || x.Op == token.LOR:
			return a.Possible(x.X, taken) || a.Possible(x.Y, taken)
		}
	case *ast.Ident:
		if a.Fn != nil {
			if value := boundTo(a.P, x, a.Fn); value != nil {
				return a.Possible(value, taken)
			}
		}
	}
	if c, ok := Comparison(a.P, cond); ok {
		key := condition(a.P, c.Subject)
		if s, known := a.Spans[key]; known {
			_, ok := s.and(c, taken)
			return ok
		}
	}
	return true
}
