package response

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
)

// withoutBody reports whether a condition that came out as taken says that the
// response has no body, by its status, its length, the method of its request, or the body.
func (b *Response) withoutBody(cond ast.Expr, taken bool) bool {
	return b.noBody(cond, taken) || b.saysEmpty(cond, taken, conditionDepth) || b.headWhere(cond, taken)
}

// demandsEmpty reports whether n is a check of a test that the response has no body, by a
// helper of the program or one of testify's. Where it has one, the test has failed.
func (b *Response) demandsEmpty(n ast.Node) bool {
	es, ok := n.(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := ast.Unparen(es.X).(*ast.CallExpr)
	return ok && slices.ContainsFunc(assume.AssuredBy(b.Pass, call), func(a assume.Assured) bool {
		switch a.Kind {
		case assume.AssuresTrue, assume.AssuresFalse:
			return b.withoutBody(a.X, a.Kind == assume.AssuresTrue)
		case assume.AssuresEqual:
			return b.emptyIfEqual(a.X, a.Y) || b.emptyIfEqual(a.Y, a.X)
		}
		return false
	})
}

// emptyIfEqual reports whether the response has no body if x has the value of the constant y.
func (b *Response) emptyIfEqual(x, y ast.Expr) bool {
	value := b.Pass.TypesInfo.Types[y].Value
	if value == nil {
		return false
	}
	switch value.Kind() {
	case constant.Bool:
		return b.withoutBody(x, constant.BoolVal(value))
	case constant.Int, constant.String:
		return b.emptyValue(ast.Unparen(x), value)
	}
	return false
}

// conditionDepth bounds how many variables a condition is followed through.
const conditionDepth = 3

func (b *Response) saysEmpty(cond ast.Expr, taken bool, depth int) bool {
	switch n := ast.Unparen(cond).(type) {
	case *ast.Ident: // empty := resp.StatusCode == 204
		v := b.Pass.VarOf(n)
		if depth == 0 || v == nil || !b.Pass.DeclaredIn(v, b.Fn) || v.Pos() < b.Call.End() || !frozen.Fixed(b.Pass, v) {
			return false
		}
		c, ok := b.Fn.Cursor.FindByPos(v.Pos(), v.Pos())
		if !ok {
			return false
		}
		value := b.Pass.GivenAt(c)
		return value != nil && b.saysEmpty(value, taken, depth-1)
	case *ast.UnaryExpr:
		return n.Op == token.NOT && b.saysEmpty(n.X, !taken, depth)
	case *ast.BinaryExpr:
		switch {
		case n.Op == token.LAND && taken || n.Op == token.LOR && !taken:
			return b.saysEmpty(n.X, taken, depth) || b.saysEmpty(n.Y, taken, depth)
		case n.Op == token.LAND || n.Op == token.LOR:
			return b.saysEmpty(n.X, taken, depth) && b.saysEmpty(n.Y, taken, depth)
		}
		c, ok := assume.Comparison(b.Pass, n)
		return ok && ((c.Op == token.EQL) == taken && (c.Op == token.EQL || c.Op == token.NEQ)) && b.emptyValue(c.Subject, c.Value)
	}
	return false
}

// emptyValue reports whether the response has no body if what e denotes has the
// given value.
func (b *Response) emptyValue(e ast.Expr, value constant.Value) bool {
	if value.Kind() == constant.String {
		return constant.StringVal(value) == "HEAD" && b.isMethod(e)
	}
	sel, ok := e.(*ast.SelectorExpr)
	n, exact := constant.Int64Val(value)
	if !ok || !exact || b.Pass.VarOf(sel.X) != b.Var || b.Var == nil {
		return false
	}
	switch sel.Sel.Name {
	case "StatusCode":
		return n == 204 || n == 304
	case "ContentLength":
		return n == 0
	}
	return false
}

// isMethod reports whether e is the method of the request: the field of the
// request or of that of the response, or the variable that the request is made with.
func (b *Response) isMethod(e ast.Expr) bool {
	if sel, ok := e.(*ast.SelectorExpr); ok && sel.Sel.Name == "Method" {
		if of, ok := ast.Unparen(sel.X).(*ast.SelectorExpr); ok {
			return of.Sel.Name == "Request" && b.Var != nil && b.Pass.VarOf(of.X) == b.Var
		}
		v := b.Pass.VarOf(sel.X)
		return v != nil && v == b.request() && frozen.ValuesIn(b.Pass, v, b.Fn) <= 1
	}
	v := b.Pass.VarOf(e)
	return v != nil && v == b.methodVar() && !setAfter(b.Pass, v, b.Call.Pos(), b.Fn)
}

// setAfter reports whether v may get a value in fn after a position.
func setAfter(p *code.Pass, v *types.Var, pos token.Pos, fn *code.Func) bool {
	for _, use := range p.Uses(fn.Cursor, v) {
		if _, isField := use.Parent().Node().(*ast.Field); !isField && use.Node().Pos() > pos && !frozen.Keeps(p, use) {
			return true
		}
	}
	return false
}

// request returns the variable of the request that the call sends, or nil.
func (b *Response) request() *types.Var {
	if b.Wrapper != nil || len(b.Call.Args) != 1 || code.CalledAs(b.Call) != "Do" && code.CalledAs(b.Call) != "RoundTrip" {
		return nil
	}
	v := b.Pass.VarOf(b.Call.Args[0])
	if v == nil || !b.Pass.DeclaredIn(v, b.Fn) {
		return nil
	}
	return v
}

// methodVar returns the local variable that holds the method of the request when
// it is made, by one call and in no other place; nil if there is none.
func (b *Response) methodVar() *types.Var {
	req := b.request()
	if req == nil {
		return nil
	}
	var method *types.Var
	for _, use := range b.Pass.Uses(b.Fn.Cursor, req) {
		if sel, ok := use.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel.Name == "Method" && !frozen.Keeps(b.Pass, use.Parent()) {
			return nil
		}
		as, ok := use.Parent().Node().(*ast.AssignStmt)
		if !ok || !code.OnLeft(as, use) {
			continue
		}
		call, ok := ast.Unparen(rhsOr(as)).(*ast.CallExpr)
		if !ok || method != nil {
			return nil
		}
		i, ok := requestMakers[b.Pass.FullName(call)]
		if !ok || i >= len(call.Args) {
			return nil
		}
		if method = b.Pass.VarOf(call.Args[i]); method == nil || setAfter(b.Pass, method, call.Pos(), b.Fn) {
			return nil
		}
	}
	if method == nil || method.IsField() || !b.Pass.DeclaredIn(method, b.Fn) {
		return nil
	}
	return method
}

// rhsOr returns the only right side of an assignment, or nil.
func rhsOr(as *ast.AssignStmt) ast.Expr {
	if len(as.Rhs) != 1 {
		return nil
	}
	return as.Rhs[0]
}

// requestMakers return a request with their argument of that index for a method.
var requestMakers = map[string]int{"net/http.NewRequest": 0, "net/http.NewRequestWithContext": 1}

// headWhere reports whether the method of the request is HEAD wherever cond comes
// out as taken: a condition also chose the method, as in
// "method := HEAD; if full { method = GET } ... if full { read }".
func (b *Response) headWhere(cond ast.Expr, taken bool) bool {
	if !assume.ConstantIn(b.Pass, cond, b.Fn) {
		return false
	}
	method := b.methodVar()
	if method == nil {
		return false
	}
	assumed := assume.Assumptions{P: b.Pass, Fn: b.Fn, Known: map[string]bool{}, Spans: map[string]assume.Span{}}
	assume.Assume(b.Pass, assumed, cond, taken, b.Fn)
	if len(assumed.Known) == 0 {
		return false
	}
	head, decided := false, false
	for _, use := range b.Pass.Uses(b.Fn.Cursor, method) {
		if !code.IsAssigned(use) {
			if !frozen.Keeps(b.Pass, use) {
				return false
			}
			continue
		}
		value := b.Pass.GivenAt(use)
		if spec, ok := use.Parent().Node().(*ast.ValueSpec); ok && len(spec.Values) == 0 {
			continue // "" is GET
		}
		if value == nil || assume.LitUse(b.Pass, use, b.Fn) != assume.LitNone || b.Fn.Flow.InCycle(code.FlowNode(use, b.Fn)) {
			return false
		}
		v := b.Pass.TypesInfo.Types[value].Value
		isHead := v != nil && v.Kind() == constant.String && constant.StringVal(v) == "HEAD"
		switch b.chosen(use.Parent(), method, assumed) {
		case chosenNever:
		case chosenAlways:
			head, decided = isHead, true
		default:
			head = head && isHead
		}
	}
	return decided && head
}

// A choice says whether a statement runs under some assumptions.
type choice uint8

const (
	chosenPerhaps choice = iota
	chosenNever
	chosenAlways
)

// chosen says whether the statement at c, which gives v a value, runs wherever the
// assumptions hold: only ifs may stand between it and the list that declares v.
func (b *Response) chosen(c inspector.Cursor, v *types.Var, a assume.Assumptions) choice {
	out := chosenAlways
	for ; c.Valid() && c != b.Fn.Cursor; c = c.Parent() {
		switch n := c.Parent().Node().(type) {
		case *ast.IfStmt:
			if c.Node() == ast.Node(n.Init) || c.Node() == ast.Node(n.Cond) {
				continue
			}
			taken := c.Node() == ast.Node(n.Body)
			switch {
			case !a.Possible(n.Cond, taken):
				return chosenNever
			case a.Possible(n.Cond, !taken):
				out = chosenPerhaps
			}
		case *ast.BlockStmt, *ast.DeclStmt, *ast.GenDecl, *ast.FuncDecl, *ast.FuncLit:
		case *ast.CaseClause, *ast.CommClause, *ast.ForStmt, *ast.RangeStmt, *ast.LabeledStmt:
			out = chosenPerhaps
		}
	}
	return out
}

// noBody reports whether a condition that came out as taken says that the body
// of the response in Var is nil or http.NoBody.
func (b *Response) noBody(cond ast.Expr, taken bool) bool {
	be, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok || (be.Op == token.EQL) != taken || be.Op != token.EQL && be.Op != token.NEQ || b.Var == nil {
		return false
	}
	for _, side := range [][2]ast.Expr{{be.X, be.Y}, {be.Y, be.X}} {
		sel, ok := ast.Unparen(side[0]).(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Body" || b.Pass.VarOf(sel.X) != b.Var {
			continue
		}
		return NoBody(b.Pass, side[1])
	}
	return false
}

// NoBody reports whether e is nil or http.NoBody.
func NoBody(p *code.Pass, e ast.Expr) bool {
	if p.IsNil(e) {
		return true
	}
	id, ok := ast.Unparen(e).(*ast.Ident)
	if sel, isSel := ast.Unparen(e).(*ast.SelectorExpr); isSel {
		id, ok = sel.Sel, true
	}
	if !ok {
		return false
	}
	obj, ok := p.TypesInfo.Uses[id].(*types.Var)
	return ok && obj.Name() == "NoBody" && obj.Pkg() != nil && obj.Pkg().Path() == "net/http"
}
