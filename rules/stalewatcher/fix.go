package stalewatcher

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/dave/dst"
	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// cancelled returns a call of the cancel function by the function itself, if it makes one
// on each way out after the go statement, or has deferred it, or knows there that the
// context is done; else nil.
func (w *watcher) cancelled() ast.Node {
	fn := w.made.Fn
	calls, defers, given := map[ast.Node]bool{}, map[ast.Node]bool{}, map[ast.Node]bool{}
	var own ast.Node
	for _, e := range usage.Track(w.p, w.cancel, fn, usage.Func) {
		switch e.Kind {
		case usage.Closes:
			calls[e.Node] = true
		case usage.DefersClose:
			defers[e.Node] = true
		case usage.ClosesLate:
			if !certain(e.At) {
				continue
			}
			defers[e.Node] = true
		case usage.Assigns:
			if e.Node != w.made.Node() {
				return nil
			}
			given[e.Node] = e.At.Node().Pos() != w.cancel.Pos()
			continue
		default:
			continue
		}
		if own == nil || own.Pos() < w.start.Node().Pos() {
			own = e.At.Node()
		}
	}
	if own == nil || w.reaches(given, w.cancel) {
		return nil
	}
	type state struct{ started, late bool }
	ended := true
	made, start := w.made.Node(), w.start.Node()
	flow.Paths[state]{
		Node: func(n ast.Node, s state) (state, bool) {
			s.started = s.started || n == start
			s.late = s.late || defers[n]
			if n == made {
				ended = ended && (!s.started || s.late)
				return s, false
			}
			return s, !calls[n] && !w.made.WaitsForDone(n)
		},
		Edge: func(cond ast.Expr, taken bool, s state) (state, bool) { return s, !w.made.Ended(cond, taken) },
		Exit: func(_ *flow.Block, s state) { ended = ended && (!s.started || s.late) },
	}.After(fn.Flow, made, state{})
	if !ended {
		return nil
	}
	return own
}

// certain reports whether the call at c is a statement of the deferred literal itself.
func certain(c inspector.Cursor) bool {
	call := code.Unparen(c).Parent()
	_, isStmt := call.Parent().Node().(*ast.ExprStmt)
	body := call.Parent().Parent()
	_, isLit := body.Parent().Node().(*ast.FuncLit)
	if !isStmt || !isLit {
		return false
	}
	for _, s := range body.Node().(*ast.BlockStmt).List {
		if s == call.Parent().Node() {
			return true
		}
		switch s.(type) {
		case *ast.ExprStmt, *ast.AssignStmt, *ast.DeclStmt, *ast.DeferStmt:
		default:
			return false // it may return before
		}
	}
	return false
}

// offer returns m with the fix that lets the goroutine listen to its context.
func (w *watcher) offer(m rule.Match) rule.Match {
	if lit, ok := ast.Unparen(w.call.Fun).(*ast.FuncLit); !ok || ast.Node(lit) != w.body.Cursor.Node() {
		return m.None("the function that the goroutine runs does not know the context")
	}
	name, doubt, why := w.context()
	if why != "" {
		return m.None(why)
	}
	blank, _ := w.ctxExpr.(*ast.Ident)
	fix := func(d *dstedit.Decl) error {
		if code.IsBlank(w.ctxExpr) {
			if err := d.Rename(blank, name); err != nil {
				return err
			}
		}
		done := dstedit.ExprStmt(dstedit.Recv(dstedit.Call(dstedit.Sel(name, "Done"))))
		for i, wait := range w.waits {
			var body []dst.Stmt
			if wait.leaves || w.caused || i < len(w.waits)-1 { // what comes next is not evaluated earlier than before
				body = append(body, dstedit.Return())
			}
			clause := dstedit.CommCase(done, body...)
			var err error
			if wait.recv != nil {
				err = d.WrapRecv(wait.recv, clause)
			} else {
				err = d.AppendCase(wait.sel, clause)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	message := "Let the goroutine end when " + name + " is done"
	if doubt == "" {
		for _, wait := range w.waits {
			for _, ch := range wait.chans {
				if !w.onlyClosed(ch, depth) {
					doubt = "a value that is sent on " + types.ExprString(ch) + " later is not received by it any more"
				}
			}
		}
	}
	if doubt == "" && w.made.Wrapper != nil {
		doubt = "what " + w.made.Wrapper.Name() + " returns may be done earlier"
	}
	if doubt != "" {
		return m.Unsafe(message+": "+doubt, fix)
	}
	return m.Safe(message, fix)
}

// context returns the name of the context in the goroutine, with what is not known of it.
// why says what stands against its use there.
func (w *watcher) context() (name, doubt, why string) {
	p, fn, v := w.p, w.made.Fn, w.made.Ctx
	if code.IsBlank(w.ctxExpr) {
		as, ok := w.made.Def.Node().(*ast.AssignStmt)
		if !ok || as.Tok != token.DEFINE {
			return "", "", "the context has no name"
		}
		if name = naming.FreshName(p, w.made.Def, "ctx", "watched"); name == "" {
			return "", "", "there is no free name for the context"
		}
		return name, "", ""
	}
	if v == nil {
		return "", "", "the context is not in a variable of the function"
	}
	for _, wait := range w.waits {
		at := token.NoPos
		if at = w.body.Body.Rbrace; wait.recv != nil {
			at = wait.recv.Pos()
		}
		if !naming.Visible(p, v, at) {
			return "", "", v.Name() + " means something else in the goroutine"
		}
	}
	if p.IsResult(v, fn) {
		return "", "", v.Name() + " is a result, which a return assigns"
	}
	later, made, start := map[ast.Node]bool{}, w.made.Node(), w.start.Node()
	for _, use := range p.Uses(fn.Cursor, v) {
		if code.Addressed(use) {
			return "", "", "the address of " + v.Name() + " is taken"
		}
		if !code.IsAssigned(use) {
			continue
		}
		node := code.FlowNode(use, fn)
		if node == nil || p.EnclosingFunc(use).Cursor != fn.Cursor {
			if use.Node().Pos() == v.Pos() {
				continue // a parameter
			}
			return "", "", v.Name() + " is assigned by a function literal"
		}
		if use.Node().Pos() != v.Pos() {
			later[node] = true
		}
		if node == made || use.Node().Pos() < made.Pos() || use.Node().Pos() > start.Pos() {
			continue
		}
		call, ok := ast.Unparen(value(use)).(*ast.CallExpr)
		switch {
		case ok && p.FullName(call) == "context.WithValue" && p.VarOf(call.Args[0]) == v:
		case !ok || !p.MentionedIn(call.Args, v) || strings.HasPrefix(p.FullName(call), "context.With") && !knowledge.Cancellable[p.FullName(call)]:
			return "", "", v.Name() + " is assigned again before the goroutine starts"
		default:
			doubt = "what " + types.ExprString(call.Fun) + " makes of " + v.Name() + " may be done earlier"
		}
	}
	if w.reaches(later, v) {
		return "", "", v.Name() + " is assigned again while the goroutine may run"
	}
	return v.Name(), doubt, ""
}

// reaches reports whether control comes from the go statement to one of nodes, which
// assign v, without a new variable v.
func (w *watcher) reaches(nodes map[ast.Node]bool, v *types.Var) bool {
	found := false
	flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
		found = found || nodes[n]
		return s, !found && !w.declares(n, v)
	}}.After(w.made.Fn.Flow, w.start.Node(), struct{}{})
	return found
}

// declares reports whether control that comes to n makes a new variable v.
func (w *watcher) declares(n ast.Node, v *types.Var) bool {
	return n.Pos() <= v.Pos() && v.Pos() < n.End()
}

// value returns the one value that an assignment gives the variable at c; else c itself.
func value(c inspector.Cursor) ast.Expr {
	if as, ok := c.Parent().Node().(*ast.AssignStmt); ok && len(as.Lhs) >= 1 && len(as.Rhs) == 1 {
		return as.Rhs[0]
	}
	return c.Node().(ast.Expr)
}
