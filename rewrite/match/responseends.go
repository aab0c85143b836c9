package match

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// EndsWithFunction reports whether the request is made with a context that the
// function cancels when it returns: that ends the connection and its
// goroutines, whether the body is closed or not.
func (b *Response) EndsWithFunction() bool {
	c := &Cancel{Pass: b.p, Fn: b.Fn, Call: b.Call, Def: b.Def}
	if c.InLoop() {
		return false // until then, each round adds one
	}
	return slices.ContainsFunc(b.Call.Args, func(arg ast.Expr) bool { return c.takes(arg, 3) })
}

// takes reports whether e is a context that ends when the function returns, or a
// request that is made with one; depth bounds how many requests in between are
// looked through.
func (c *Cancel) takes(e ast.Expr, depth int) bool {
	t := c.Pass.TypesInfo.TypeOf(e)
	if typeis.Named(t, "context", "Context") {
		return c.Ends(e, nil)
	}
	if call, ok := ast.Unparen(e).(*ast.CallExpr); ok && depth > 0 {
		switch c.Pass.FullName(call) {
		case "net/http.NewRequestWithContext", "(*net/http.Request).WithContext", "(*net/http.Request).Clone":
			return c.takes(call.Args[0], 0)
		}
		return false
	}
	v := c.Pass.VarOf(e)
	if depth == 0 || !typeis.Named(t, "net/http", "Request") || !c.Pass.DeclaredIn(v, c.Fn) {
		return false
	}
	for _, use := range c.Pass.Uses(c.Fn.Cursor, v) {
		as, ok := use.Parent().Node().(*ast.AssignStmt)
		if ok && as.Pos() < c.Call.Pos() && as.Lhs[0] == use.Node() && len(as.Rhs) == 1 && c.takes(as.Rhs[0], depth-1) {
			return true
		}
	}
	return false
}

// Head reports whether the response certainly has no body, because the method of
// the request is HEAD.
func (b *Response) Head() bool {
	if b.Wrapper != nil {
		return false
	}
	switch CalledAs(b.Call) {
	case "Head":
		return true
	case "Do", "RoundTrip":
		return len(b.Call.Args) == 1 && b.asksForHead(b.Call.Args[0])
	}
	return false
}

// asksForHead reports whether e is a variable of the function that holds no
// request but one of method HEAD.
func (b *Response) asksForHead(e ast.Expr) bool {
	v := b.p.VarOf(e)
	if v == nil || !b.p.DeclaredIn(v, b.Fn) {
		return false
	}
	made := false
	for _, use := range b.p.Uses(b.Fn.Cursor, v) {
		if sel, ok := use.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel.Name == "Method" {
			return false // may get another one
		}
		if !IsAssigned(use) {
			continue
		}
		as, ok := use.Parent().Node().(*ast.AssignStmt)
		if !ok || len(as.Rhs) != 1 || !b.p.requestsHead(as.Rhs[0]) {
			return false
		}
		made = true
	}
	return made
}

// requestsHead reports whether e makes a request of method HEAD.
func (p *Pass) requestsHead(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	i, ok := requestMakers[p.FullName(call)]
	if !ok || i >= len(call.Args) {
		return false
	}
	v := p.TypesInfo.Types[call.Args[i]].Value
	return v != nil && v.Kind() == constant.String && constant.StringVal(v) == "HEAD"
}

// Unclosed returns the paths on which the body is not closed.
//
// Precision: that a later round takes another response is not believed where a
// counter chooses the rounds that close the body: all but the last, mostly.
func (b *Response) Unclosed(o Obligation) Unmet {
	o.First = true
	unmet := b.p.Unmet(o)
	if b.closedByCounter() {
		unmet.Exits = slices.DeleteFunc(unmet.Exits, func(e Exit) bool { return e.Assigns })
	}
	return unmet
}

// closedByCounter reports whether the loop of the call closes the body under a
// condition on a counter of its rounds.
func (b *Response) closedByCounter() bool {
	loop, ok := innermostLoop(b.Def, b.Fn)
	if !ok {
		return false
	}
	for _, e := range b.Events {
		if e.Kind != Closes {
			continue
		}
		for ifs := range e.At.Enclosing((*ast.IfStmt)(nil)) {
			if ifs.Node().Pos() < loop.Node().Pos() {
				break
			}
			if b.p.countsRounds(ifs.Node().(*ast.IfStmt).Cond, loop) {
				return true
			}
		}
	}
	return false
}

// innermostLoop returns the innermost loop of fn around c.
func innermostLoop(c inspector.Cursor, fn *Func) (inspector.Cursor, bool) {
	for loop := range c.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil)) {
		return loop, loop.Node().Pos() > fn.Cursor.Node().Pos()
	}
	return inspector.Cursor{}, false
}

// countsRounds reports whether cond looks at a number that loop counts up or down.
func (p *Pass) countsRounds(cond ast.Expr, loop inspector.Cursor) bool {
	counted := func(id *ast.Ident) bool {
		v := p.VarOf(id)
		if v == nil {
			return false
		}
		basic, ok := v.Type().Underlying().(*types.Basic)
		if !ok || basic.Info()&types.IsInteger == 0 {
			return false
		}
		for _, use := range p.Uses(loop, v) {
			switch n := use.Parent().Node().(type) {
			case *ast.IncDecStmt:
				return true
			case *ast.RangeStmt:
				if n.Key == use.Node() && n == loop.Node() {
					return true
				}
			case *ast.AssignStmt:
				if (n.Tok == token.ADD_ASSIGN || n.Tok == token.SUB_ASSIGN) && OnLeft(n, use) {
					return true
				}
			}
		}
		return false
	}
	found := false
	ast.Inspect(cond, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && counted(id)
		return !found
	})
	return found
}

// Unread returns the first way out that a path comes to without having read the
// body to its end, which would have freed the connection; ok is false if there
// is none.
func (b *Response) Unread(unmet Unmet) (e Exit, ok bool) {
	if b.Drained() {
		o := b.Obligation()
		o.Events = slices.Clone(o.Events)
		for i, e := range o.Events {
			if b.drains(e) {
				o.Events[i].Kind = Closes
			}
		}
		unmet = b.Unclosed(o)
	}
	if len(unmet.Exits) > 0 {
		return unmet.Exits[0], true
	}
	return e, false
}

// WantsError reports whether the function is a test that asks its error for
// anything but whether there is one: which one it is, its type or its text. It
// expects an error then, beside which there is no response.
func (b *Response) WantsError() bool {
	if b.Err == nil || !b.p.InTest(b.Call.Pos()) {
		return false
	}
	w := &unmetWalk{p: b.p, o: b.Obligation(), errSet: map[ast.Node]bool{}, derived: map[*types.Var]bool{}}
	w.followErr()
	reached := map[ast.Node]bool{}
	flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
		reached[n] = true
		return s, !w.errSet[n]
	}}.After(b.Fn.Flow, b.node(), struct{}{})
	wants := false
	for _, use := range b.p.Uses(b.Fn.Cursor, b.Err) {
		if !reached[FlowNode(use, b.Fn)] || IsAssigned(use) {
			continue
		}
		switch n := Unparen(use).Parent().Node().(type) {
		case *ast.BinaryExpr:
			if b.p.IsNil(n.X) || b.p.IsNil(n.Y) {
				return false
			}
			wants = true
		case *ast.TypeAssertExpr:
			wants = true
		case *ast.CallExpr:
			switch b.p.FullName(n) {
			case "fmt.Sprint", "fmt.Sprintf", "fmt.Sprintln", "errors.Is", "errors.As", "errors.AsType":
				wants = true
			}
		}
	}
	return wants
}
