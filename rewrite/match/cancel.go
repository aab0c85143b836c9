package match

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"
)

// cancelMakers are the functions that return a context and what cancels it,
// with the type of the latter in package context.
var cancelMakers = map[string]string{
	"context.WithCancel": "CancelFunc", "context.WithTimeout": "CancelFunc", "context.WithDeadline": "CancelFunc",
	"context.WithTimeoutCause": "CancelFunc", "context.WithDeadlineCause": "CancelFunc",
	"context.WithCancelCause": "CancelCauseFunc", "os/signal.NotifyContext": "CancelFunc",
}

// Cancel is a context in a function, made by a call that also returns what
// cancels it.
type Cancel struct {
	p    *Pass
	Fn   *Func
	Call *ast.CallExpr
	Def  inspector.Cursor // the statement or spec that takes the results
	Name string           // the function of the standard library that makes it, such as "context.WithTimeout"
	Type string           // the type of what cancels it, in package context
	Ctx  *types.Var       // nil if the context goes elsewhere than to a local variable
	// Wrapper is the loaded function that is called and hands on what Name
	// makes; nil if Name itself is called.
	Wrapper *types.Func
}

// CancelMaker returns the context that the call at c makes; ok is false for
// other calls, for one that panics, and for a context that has ended at once.
func (p *Pass) CancelMaker(c inspector.Cursor) (cc Cancel, ok bool) {
	call := c.Node().(*ast.CallExpr)
	cc = Cancel{p: p, Call: call, Def: Unparen(c).Parent(), Name: p.maker(call)}
	if cc.Name == "" {
		return cc, false
	}
	cc.Type = cancelMakers[cc.Name]
	if fn := p.Callee(call); fn.FullName() != cc.Name {
		cc.Wrapper = fn
	}
	if parent := cc.parent(); parent != nil && p.IsNil(parent) {
		return cc, false
	}
	cc.Fn = p.EnclosingFunc(c)
	return cc, cc.Fn != nil && !cc.endedAtOnce()
}

// parent returns the parent of the context, as far as it is an argument.
func (c *Cancel) parent() ast.Expr {
	for _, arg := range c.Call.Args {
		if IsNamed(c.p.TypesInfo.TypeOf(arg), "context", "Context") {
			return arg
		}
	}
	if c.Wrapper == nil {
		return c.Call.Args[0]
	}
	return nil
}

// Timed reports whether the context ends by itself when its time is up.
func (c *Cancel) Timed() bool {
	switch c.Name {
	case "context.WithTimeout", "context.WithDeadline", "context.WithTimeoutCause", "context.WithDeadlineCause":
		return true
	}
	return false
}

// Node returns the node of the function's flow that makes the context.
func (c *Cancel) Node() ast.Node {
	at, _ := c.p.find(c.Fn.Cursor, c.Call)
	return FlowNode(at, c.Fn)
}

// InLoop reports whether the call can run more than once in one run of the function.
func (c *Cancel) InLoop() bool { return c.Fn.Flow.InCycle(c.Node()) }

// Hoistable says why the call, which is not a statement of a list, cannot move
// in front of the if in whose head it stands, with the variables lhs; "" if it can.
func (c *Cancel) Hoistable(lhs []ast.Expr) string {
	ifs, ok := c.Def.Parent().Node().(*ast.IfStmt)
	if !ok {
		return "the call stands in the head of another statement"
	}
	list, at, ok := StmtList(c.Def.Parent())
	as, isAssign := c.Def.Node().(*ast.AssignStmt)
	switch {
	case !ok:
		return "the call stands in the head of an if behind an else or a label"
	case !isAssign || as.Tok != token.DEFINE:
		return "the call stands in the head of an if, and its variables are declared elsewhere"
	case c.InLoop():
		return "in a loop a deferred cancel would wait for the end of the function"
	}
	around := c.p.TypesInfo.Scopes[ifs].Parent()
	for _, l := range lhs {
		id, ok := l.(*ast.Ident)
		if !ok || IsBlank(id) {
			continue
		}
		used := around.Lookup(id.Name) != nil
		for _, s := range list[at+1:] {
			used = used || mentionsName(s, id.Name)
		}
		if used {
			return "the call stands in the head of an if, and outside of it " + id.Name + " is something else"
		}
	}
	return ""
}

func mentionsName(n ast.Node, name string) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && id.Name == name
		return !found
	})
	return found
}

// WaitsForDone reports whether n receives from the Done channel of the context
// or its parent: after it the context has ended and holds nothing any more. A
// literal that is called where it stands, or deferred, does so if nothing before
// may leave it.
func (c *Cancel) WaitsForDone(n ast.Node) bool {
	done := func(e ast.Expr) bool {
		call, ok := ast.Unparen(e).(*ast.CallExpr)
		if !ok {
			return false
		}
		recv, isDone := c.p.Method(call, "context", "Context", "Done")
		return isDone && c.its(recv)
	}
	if e, ok := n.(ast.Expr); ok && done(e) {
		return true // the head of a range, which ends with it
	}
	waits := func(call *ast.CallExpr) bool {
		lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit)
		if !ok {
			return false
		}
		for _, s := range lit.Body.List {
			switch s := s.(type) {
			case *ast.ExprStmt:
				if wait, ok := ast.Unparen(s.X).(*ast.UnaryExpr); ok && wait.Op == token.ARROW && done(wait.X) {
					return true
				}
			case *ast.AssignStmt, *ast.IncDecStmt, *ast.DeclStmt:
			default:
				return false
			}
		}
		return false
	}
	if d, ok := n.(*ast.DeferStmt); ok && c.Timed() {
		return waits(d.Call)
	}
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.GoStmt:
			return false
		case *ast.CallExpr:
			found = found || waits(n)
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW && done(n.X)
		}
		return !found
	})
	return found
}

// its reports whether e is the context or its parent, which the variable holds
// unless it gets another one later.
func (c *Cancel) its(e ast.Expr) bool {
	v := c.p.VarOf(e)
	if v == nil {
		return false
	}
	if parent := c.parent(); v != c.Ctx && (parent == nil || v != c.p.VarOf(parent)) {
		return false
	}
	return !slices.ContainsFunc(c.p.Uses(c.Fn.Cursor, v), func(use inspector.Cursor) bool {
		return assigns(use) && use.Node().Pos() > c.Call.End()
	})
}

// Doubted returns the first of doubts that the function itself does not settle,
// or nil. Where it cancels after the call, whatever comes of it, and leaves
// without a cancel only because of an error, the author knew that the callee is
// done by then. Who cancels only because of an error has handed the context over.
func (c *Cancel) Doubted(doubts []Doubt, events []Event, exits []Exit) *Doubt {
	for i, d := range doubts {
		at := FlowNode(d.At, c.Fn)
		settled := at != nil && slices.ContainsFunc(events, func(e Event) bool {
			switch e.Kind {
			case Closes:
				return c.leadsTo(at, e.Node)
			case DefersClose, ClosesLate:
				return c.leadsTo(at, e.Node) || c.leadsTo(e.Node, at)
			}
			return false
		})
		settled = settled && !slices.ContainsFunc(exits, func(x Exit) bool { return !c.failed(x) && c.leaves(at, x) })
		if !settled {
			return &doubts[i]
		}
	}
	return nil
}

// failed reports whether the way out x is taken because an error is set.
func (c *Cancel) failed(x Exit) bool {
	at, ok := c.Fn.Cursor.FindByPos(x.Pos, x.Pos)
	if !ok {
		return false
	}
	for up := at; up.Valid() && up != c.Fn.Cursor; up = up.Parent() {
		ifs, ok := up.Parent().Node().(*ast.IfStmt)
		if !ok || up.Node() == ifs.Cond || up.Node() == ast.Node(ifs.Init) {
			continue
		}
		if e, isNil, ok := c.p.NilTest(ifs.Cond, up.Node() == ast.Node(ifs.Body)); ok && !isNil && IsError(c.p.TypesInfo.TypeOf(e)) {
			return true
		}
	}
	return false
}

// leaves reports whether a path leads from a node to the way out x.
func (c *Cancel) leaves(from ast.Node, x Exit) bool {
	found := false
	Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			found = found || n.Pos() == x.Pos
			return s, !found && n != c.Node()
		},
		Exit: func(b *Block, _ struct{}) { found = found || b.End == x.Pos },
	}.After(c.Fn.Flow, from, struct{}{})
	return found
}

// leadsTo reports whether a path leads from one node to another on which no
// other context is made.
func (c *Cancel) leadsTo(from, to ast.Node) bool {
	found := false
	Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
		found = found || n == to
		return s, !found && n != c.Node()
	}}.After(c.Fn.Flow, from, struct{}{})
	return found
}

// Ignored reports whether the cancel function is assigned to _.
func Ignored(events []Event) bool {
	for _, e := range events {
		if as, ok := Unparen(e.At).Parent().Node().(*ast.AssignStmt); ok && e.Kind == Reads && IsBlank(as.Lhs[0]) {
			return true
		}
	}
	return false
}

// GivenTo returns the loaded function that gets the cancel function and
// neither calls nor keeps it, or "" if there is none.
func (c *Cancel) GivenTo(events []Event) string {
	for _, e := range events {
		arg := Unparen(e.At)
		if call, ok := arg.Parent().Node().(*ast.CallExpr); ok && e.Kind == Reads && call.Fun != arg.Node() {
			if fn := c.p.Callee(call); fn != nil {
				return fn.Name()
			}
		}
	}
	return ""
}

// InDeadLiteral reports whether a function literal calls the cancel function
// that itself is never called.
func (c *Cancel) InDeadLiteral(events []Event) bool {
	for _, e := range events {
		if e.Kind == Reads && c.p.inDeadLiteral(e.At, c.Fn) {
			return true
		}
	}
	return false
}
