package bodyclose

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/memory"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// unclosed returns the paths on which the body is not closed.
//
// Precision: that a later iteration takes another response is not believed where a
// counter chooses the iterations that close the body: all but the last, mostly.
func unclosed(b *response.Response, o mustcall.Obligation) mustcall.Unmet {
	o.First = true
	unmet := mustcall.Check(b.Pass, o)
	if closedByCounter(b) {
		unmet.Exits = slices.DeleteFunc(unmet.Exits, func(e mustcall.Exit) bool { return e.Assigns })
	}
	return unmet
}

// closedByCounter reports whether the loop of the call closes the body under a
// condition on a counter of its iterations.
func closedByCounter(b *response.Response) bool {
	loop, ok := innermostLoop(b.Def, b.Fn)
	if !ok {
		return false
	}
	for _, e := range b.Events {
		if e.Kind != usage.Closes {
			continue
		}
		for ifs := range e.At.Enclosing((*ast.IfStmt)(nil)) {
			if ifs.Node().Pos() < loop.Node().Pos() {
				break
			}
			if countsIterations(b.Pass, ifs.Node().(*ast.IfStmt).Cond, loop) {
				return true
			}
		}
	}
	return false
}

// innermostLoop returns the innermost loop of fn around c.
func innermostLoop(c inspector.Cursor, fn *code.Func) (inspector.Cursor, bool) {
	for loop := range c.Enclosing((*ast.ForStmt)(nil), (*ast.RangeStmt)(nil)) {
		return loop, loop.Node().Pos() > fn.Cursor.Node().Pos()
	}
	return inspector.Cursor{}, false
}

// countsIterations reports whether cond looks at a number that loop counts up or down.
func countsIterations(p *code.Pass, cond ast.Expr, loop inspector.Cursor) bool {
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
				if (n.Tok == token.ADD_ASSIGN || n.Tok == token.SUB_ASSIGN) && code.OnLeft(n, use) {
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

// unread returns the first way out that a path comes to without having read the
// body to its end, itself or by a helper, which would have freed the connection; ok is
// false if there is none.
func unread(b *response.Response, unmet mustcall.Unmet) (e mustcall.Exit, ok bool) {
	if slices.ContainsFunc(b.Events, func(e usage.Event) bool { return emptied(b, e) }) {
		o := b.Obligation()
		o.Events = slices.Clone(o.Events)
		for i, e := range o.Events {
			if emptied(b, e) {
				o.Events[i].Kind = usage.Closes
			}
		}
		unmet = unclosed(b, o)
	}
	if len(unmet.Exits) > 0 {
		return unmet.Exits[0], true
	}
	return e, false
}

// wantsError reports whether the function is a test that asks its error for
// anything but whether there is one: which one it is, its type or its text. It
// expects an error then, beside which there is no response.
func wantsError(b *response.Response) bool {
	if b.Err == nil || !b.Pass.InTest(b.Call.Pos()) {
		return false
	}
	sets, reached := mustcall.ErrorSets(b.Pass, b.Obligation()), map[ast.Node]bool{}
	flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
		reached[n] = true
		return s, !sets[n]
	}}.After(b.Fn.Flow, b.Node(), struct{}{})
	wants := false
	for _, use := range b.Pass.Uses(b.Fn.Cursor, b.Err) {
		if !reached[code.FlowNode(use, b.Fn)] || code.IsAssigned(use) {
			continue
		}
		switch n := code.Unparen(use).Parent().Node().(type) {
		case *ast.BinaryExpr:
			if b.Pass.IsNil(n.X) || b.Pass.IsNil(n.Y) {
				return false
			}
			wants = true
		case *ast.TypeAssertExpr:
			wants = true
		case *ast.CallExpr:
			switch b.Pass.FullName(n) {
			case "fmt.Sprint", "fmt.Sprintf", "fmt.Sprintln", "errors.Is", "errors.As", "errors.AsType":
				wants = true
			}
		}
	}
	return wants
}

// endsOtherwise reports whether a response that is parsed comes from a connection
// that a parameter gives, or that the function closes. Whether the first is used
// again is for the caller to say, and the second is not. A function that takes one
// response after the other uses it again.
func endsOtherwise(b *response.Response) bool {
	return b.Parsed && len(b.Call.Args) == 2 && !b.Fn.Flow.InCycle(b.Node()) && memory.EndsElsewhere(b.Pass, b.Call.Args[0], b.Fn, memory.Depth)
}
