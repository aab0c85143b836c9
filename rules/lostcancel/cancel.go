package lostcancel

import (
	"go/ast"
	"go/token"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/ctxcancel"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/lifetime"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// hoistable says why the call, which is not a statement of a list, cannot move
// before the if in whose head it stands, with the variables lhs; "" if it can.
func hoistable(c *ctxcancel.Cancel, lhs []ast.Expr) string {
	ifs, ok := c.Def.Parent().Node().(*ast.IfStmt)
	if !ok {
		return "the call is in the header of another statement"
	}
	list, at, ok := code.StmtList(c.Def.Parent())
	as, isAssign := c.Def.Node().(*ast.AssignStmt)
	switch {
	case !ok:
		return "the call is in the header of an if after an else or a label"
	case !isAssign || as.Tok != token.DEFINE:
		return "the call is in the header of an if, and its variables are declared elsewhere"
	case c.InLoop():
		return "in a loop a deferred cancel would wait for the end of the function"
	}
	around := c.Pass.TypesInfo.Scopes[ifs].Parent()
	for _, l := range lhs {
		id, ok := l.(*ast.Ident)
		if !ok || code.IsBlank(id) {
			continue
		}
		used := around.Lookup(id.Name) != nil
		for _, s := range list[at+1:] {
			used = used || mentionsName(s, id.Name)
		}
		if used {
			return "the call is in the header of an if, and outside of it " + id.Name + " is something else"
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

// doubted returns the first of doubts that the function itself does not settle,
// or nil. Where it cancels after the call, whatever comes of it, and leaves
// without a cancel only because of an error, the author knew that the callee is
// done by then. Who cancels only because of an error has handed the context over.
func doubted(c *ctxcancel.Cancel, doubts []lifetime.Doubt, events []usage.Event, exits []mustcall.Exit) *lifetime.Doubt {
	for i, d := range doubts {
		at := code.FlowNode(d.At, c.Fn)
		settled := at != nil && slices.ContainsFunc(events, func(e usage.Event) bool {
			switch e.Kind {
			case usage.Closes:
				return leadsTo(c, at, e.Node)
			case usage.DefersClose, usage.ClosesLate:
				return leadsTo(c, at, e.Node) || leadsTo(c, e.Node, at)
			}
			return false
		})
		settled = settled && !slices.ContainsFunc(exits, func(x mustcall.Exit) bool { return !failed(c, x) && leaves(c, at, x) })
		if !settled {
			return &doubts[i]
		}
	}
	return nil
}

// failed reports whether the way out x is taken because an error is set.
func failed(c *ctxcancel.Cancel, x mustcall.Exit) bool {
	at, ok := c.Fn.Cursor.FindByPos(x.Pos, x.Pos)
	if !ok {
		return false
	}
	for up := at; up.Valid() && up != c.Fn.Cursor; up = up.Parent() {
		ifs, ok := up.Parent().Node().(*ast.IfStmt)
		if !ok || up.Node() == ifs.Cond || up.Node() == ast.Node(ifs.Init) {
			continue
		}
		if e, isNil, ok := c.Pass.NilTest(ifs.Cond, up.Node() == ast.Node(ifs.Body)); ok && !isNil && typeis.Error(c.Pass.TypesInfo.TypeOf(e)) {
			return true
		}
	}
	return false
}

// leaves reports whether a path leads from a node to the way out x.
func leaves(c *ctxcancel.Cancel, from ast.Node, x mustcall.Exit) bool {
	found := false
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) {
			found = found || n.Pos() == x.Pos
			return s, !found && n != c.Node()
		},
		Exit: func(b *flow.Block, _ struct{}) { found = found || b.End == x.Pos },
	}.After(c.Fn.Flow, from, struct{}{})
	return found
}

// leadsTo reports whether a path leads from one node to another on which no
// other context is made.
func leadsTo(c *ctxcancel.Cancel, from, to ast.Node) bool {
	found := false
	flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
		found = found || n == to
		return s, !found && n != c.Node()
	}}.After(c.Fn.Flow, from, struct{}{})
	return found
}

// isIgnored reports whether the cancel function is assigned to _.
func isIgnored(events []usage.Event) bool {
	for _, e := range events {
		if as, ok := code.Unparen(e.At).Parent().Node().(*ast.AssignStmt); ok && e.Kind == usage.Reads && code.IsBlank(as.Lhs[0]) {
			return true
		}
	}
	return false
}

// givenTo returns the loaded function that gets the cancel function and
// neither calls nor keeps it, or "" if there is none.
func givenTo(c *ctxcancel.Cancel, events []usage.Event) string {
	for _, e := range events {
		arg := code.Unparen(e.At)
		if call, ok := arg.Parent().Node().(*ast.CallExpr); ok && e.Kind == usage.Reads && call.Fun != arg.Node() {
			if fn := c.Pass.Callee(call); fn != nil {
				return fn.Name()
			}
		}
	}
	return ""
}

// endsWithParent reports whether the parent is a context of the same function
// that ends when the function returns at the latest, because its cancel function
// is deferred or called on each path, or it is made from such a one: it takes
// this one with it. In a literal that is called where it stands, or that a group runs as a
// goroutine, the parent may be one of the function around it. mended, which may be nil, reports whether a
// fix defers the cancel function of a call.
func endsWithParent(c *ctxcancel.Cancel, mended func(*ast.CallExpr) bool) bool {
	parent := c.Parent()
	if parent == nil {
		return false
	}
	around := *c
	for {
		if around.InLoop() {
			return around.EndedBefore(parent) // until it has, each iteration adds one
		}
		if around.Ends(parent, mended) {
			return true
		}
		lit := code.Unparen(around.Fn.Cursor)
		call, ok := lit.Parent().Node().(*ast.CallExpr)
		if _, isLit := around.Fn.Cursor.Node().(*ast.FuncLit); !isLit || !ok {
			return false
		}
		_, isStmt := lit.Parent().Parent().Node().(*ast.ExprStmt)
		if member := isStmt && code.CalledAs(call) == "Go"; call.Fun != lit.Node() && !member {
			return false // it may run whenever somebody else calls it
		}
		around.Fn = c.Pass.EnclosingFunc(around.Fn.Cursor)
		if around.Fn == nil {
			return false
		}
	}
}
