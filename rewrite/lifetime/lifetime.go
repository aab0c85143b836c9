// Package lifetime follows a context through a function, and through those that it
// calls: whether something may still use it when the function returns.
package lifetime

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// A Doubt is a use of a context of which is not known whether it is over when
// the call returns.
type Doubt struct {
	At  inspector.Cursor // the expression that the callee gets
	Why string           // in a few words
}

// ctxParam says what fn does with its parameter v, a context or made from one:
// Borrows if it is done with it when it returns, Releases if it keeps it.
func ctxParam(p *code.Pass, v *types.Var, fn *code.Func) usage.Effect {
	if v.Name() == "" || v.Name() == "_" {
		return usage.Borrows // nobody can get at it
	}
	t := &ContextTracker{Pass: p, Fn: fn, Def: fn.Type, Seen: map[*types.Var]bool{}}
	t.Follow(v, "")
	switch {
	case t.Outlives != "" && !t.guessed:
		return usage.Releases
	case t.Outlives != "" || len(t.doubts) > 0:
		return usage.Unknown
	}
	return usage.Borrows
}

// CtxLifetime asks whether the context in v, assigned by the statement at
// def, can still be in use when fn returns. It returns why in a few words, or
// "" if nothing says so. If there is no doubt either, cancelling it at the end
// of fn changes nothing but that its resources are freed.
func CtxLifetime(p *code.Pass, v *types.Var, fn *code.Func, def ast.Node) (why string, doubts []Doubt) {
	t := &ContextTracker{Pass: p, Fn: fn, Def: def, Seen: map[*types.Var]bool{}}
	t.Follow(v, "")
	return t.Outlives, t.doubts
}

// Doubts returns the uses of which is not known whether they are over.
func (t *ContextTracker) Doubts() []Doubt { return t.doubts }

// ContextTracker follows a context through a function: what is made from it, and
// whether something may use it later than the function or Within.
type ContextTracker struct {
	Pass   *code.Pass
	Fn     *code.Func
	Def    ast.Node
	Within ast.Node // if not nil, the statements that the context must not outlive
	// Before, if not nil, are the nodes of the flow that come before the context is to end,
	// and it ends before the function returns: a deferred call that uses it comes too late,
	// and what stands elsewhere, in the source after Def, does not count.
	Before   map[ast.Node]bool
	Seen     map[*types.Var]bool
	Outlives string
	guessed  bool // outlives rests on a name alone
	doubts   []Doubt
	// transport is set for a transport, which may hand on what is made from the
	// context with its response.
	transport bool
	depth     int // of the functions that a transport is followed through
}

// Follow follows all uses of v, the context itself or, if what is set,
// something made from it.
func (t *ContextTracker) Follow(v *types.Var, what string) {
	if t.Seen[v] || t.Outlives != "" {
		return
	}
	t.Seen[v] = true
	name := v.Name()
	if what != "" {
		name += ", made from the context,"
	}
	if !t.Pass.DeclaredIn(v, t.Fn) {
		t.Outlives = name + " lives outside the function"
		return
	}
	if t.Pass.IsResult(v, t.Fn) && !t.transport {
		t.Outlives = name + " is a result of the function"
		return
	}
	if t.Within != nil && (v.Pos() < t.Within.Pos() || v.Pos() >= t.Within.End()) {
		t.Outlives = name + " lives longer than the iteration of the loop"
		return
	}
	inLoop := t.Fn.Flow.InCycle(t.Def)
	for _, use := range t.Pass.Uses(t.Fn.Cursor, v) {
		// What stands before the assignment holds the value before it; a
		// literal may run later, wherever it stands.
		if amp, ok := code.Unparen(use).Parent().Node().(*ast.UnaryExpr); ok && amp.Op == token.AND {
			t.Outlives = "the address of " + name + " is taken"
			return
		}
		if use.Node().End() <= t.Def.Pos() && !inLoop && assume.LitUse(t.Pass, use, t.Fn) == assume.LitNone {
			if !code.InDefer(use) {
				continue
			}
		}
		if code.IsAssigned(use) {
			continue
		}
		if t.Before != nil && !inLoop && use.Node().Pos() > t.Def.End() && !t.Before[code.FlowNode(use, t.Fn)] {
			continue
		}
		if t.Def.Pos() <= use.Node().Pos() && use.Node().End() <= t.Def.End() && !inLoop && assume.LitUse(t.Pass, use, t.Fn) == assume.LitNone {
			continue // ctx, _ = withLimit(ctx): the parent
		}
		t.Use(use, name)
		if t.Outlives != "" {
			return
		}
	}
}

// Use decides on one expression that denotes the context or something made from it.
func (t *ContextTracker) Use(c inspector.Cursor, name string) {
	if (t.Within != nil || t.Before != nil) && code.InDefer(c) {
		t.Outlives = name + " is used by a deferred call"
		return
	}
	switch assume.LitUse(t.Pass, c, t.Fn) {
	case assume.LitEscapes:
		if t.transport && !t.started(c) {
			return
		}
		t.Outlives = name + " is used by a function literal that may run later"
		return
	case assume.LitDeferred:
		if c.Node().Pos() < t.Def.Pos() {
			t.Outlives = name + " is used by an earlier defer, which runs after a deferred cancel"
			return
		}
	case assume.LitNone:
		if c.Node().Pos() < t.Def.Pos() && code.InDefer(c) {
			// The argument of an earlier defer is the earlier value.
			return
		}
	}
	t.expr(c, name)
}

func (t *ContextTracker) expr(c inspector.Cursor, name string) {
	c = code.Unparen(c)
	parent := c.Parent()
	switch n := parent.Node().(type) {
	case *ast.SelectorExpr:
		t.selector(parent, name)
	case *ast.CallExpr:
		if n.Fun == c.Node() {
			t.Outlives = name + " is called"
			return
		}
		t.argument(parent, c, name)
	case *ast.BinaryExpr, *ast.ExprStmt, *ast.IfStmt, *ast.SwitchStmt, *ast.Field:
	case *ast.DeferStmt: // what a deferred call returns is dropped; it runs before a deferred cancel
	case *ast.UnaryExpr:
		if n.Op != token.ARROW { // <-ctx.Done()
			t.Outlives = "the address of " + name + " is taken"
		}
	case *ast.IndexExpr, *ast.StarExpr, *ast.TypeAssertExpr:
		t.value(parent, name)
	case *ast.RangeStmt:
		if n.X == c.Node() && typeis.DataOnly(t.Pass.TypesInfo.TypeOf(n.X)) {
			return
		}
		t.Outlives = name + " is ranged over"
	case *ast.AssignStmt, *ast.ValueSpec:
		t.stored(parent, c, name)
	case *ast.ReturnStmt:
		if !t.transport {
			t.Outlives = name + " is returned"
		}
	case *ast.KeyValueExpr, *ast.CompositeLit:
		if !t.transport {
			t.Outlives = name + " is stored in a literal"
		}
	case *ast.SendStmt:
		t.Outlives = name + " is sent on a channel"
	default:
		t.Outlives = name + " escapes"
	}
}

// value goes on with an expression whose value may hold on to the context.
func (t *ContextTracker) value(c inspector.Cursor, name string) {
	if typ := t.Pass.TypesInfo.TypeOf(c.Node().(ast.Expr)); typ != nil && typeis.DataOnly(typ) {
		return
	}
	t.expr(c, name)
}

// selector is ctx.Done(), req.Header, client.Do(...): a method may return
// something that lives on the context, a field may hold it.
func (t *ContextTracker) selector(sel inspector.Cursor, name string) {
	outer := code.Unparen(sel)
	if call, ok := outer.Parent().Node().(*ast.CallExpr); ok && call.Fun == outer.Node() {
		switch outer.Parent().Parent().Node().(type) {
		case *ast.GoStmt:
			t.Outlives = name + " is used by a goroutine"
			return
		}
		fn := t.Pass.Callee(call)
		if fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "context" {
			if fn.Name() == "Done" { // ends with the context, and whoever has it sees that
				t.value(outer.Parent(), name)
			}
			return // Err, Value, Deadline say how it is now
		}
		if fn == nil {
			t.Outlives = name + " is used by a function value"
			return
		}
		t.callee(outer.Parent(), sel, fn, -1, name)
		return
	}
	t.value(sel, name)
}

// argument is f(ctx): what f returns may live on it, and f itself may keep it.
func (t *ContextTracker) argument(call, c inspector.Cursor, name string) {
	n := call.Node().(*ast.CallExpr)
	if _, ok := call.Parent().Node().(*ast.GoStmt); ok {
		t.Outlives = name + " is passed to a goroutine"
		return
	}
	if tv := t.Pass.TypesInfo.Types[n.Fun]; tv.IsType() {
		t.value(call, name)
		return
	}
	if t.Pass.CallsBuiltin(n) {
		switch {
		case t.Pass.IsBuiltin(n, "panic"):
			t.Outlives = name + " is passed to panic"
		case t.Pass.IsBuiltin(n, "copy"):
			t.Outlives = name + " is copied"
		default:
			t.value(call, name)
		}
		return
	}
	arg := t.argIndex(n, c)
	fn := t.Pass.Callee(n)
	if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
		if s := t.Pass.TypesInfo.Selections[sel]; s != nil && s.Kind() == types.MethodExpr {
			arg-- // T.M(t, ctx)
		}
	}
	if fn != nil {
		t.callee(call, c, fn, arg, name)
		return
	}
	switch funcValue(t.Pass, n.Fun, arg) {
	case usage.Borrows:
	case usage.Releases:
		t.Outlives = name + " is passed to a function, which may go on using it"
	default:
		t.Outlives, t.guessed = name+" is passed to a function value, which may keep it", true
	}
}

func (t *ContextTracker) argIndex(call *ast.CallExpr, c inspector.Cursor) int {
	for i, a := range call.Args {
		if a == c.Node() {
			return i
		}
	}
	return -1
}

// callee decides on a call that gets the context as argument arg, or as its
// receiver if that is -1, and goes on with what the call returns.
func (t *ContextTracker) callee(call, c inspector.Cursor, fn *types.Func, arg int, name string) {
	if t.transport {
		t.transportCallee(call, fn, arg, name)
		return
	}
	why := " is passed to " + fn.Name() + ", which may go on using it"
	if arg < 0 {
		why = " has a method " + fn.Name() + ", which may go on using it"
	}
	switch n := call.Node().(*ast.CallExpr); ctxEffect(t.Pass, n, fn, arg) {
	case knowledge.ContextKept:
		t.Outlives = name + why
	case knowledge.ContextGone:
	case knowledge.ContextHeld:
		if why := t.inFlight(call, fn); why != "" {
			t.doubts = append(t.doubts, Doubt{c, name + why})
		}
		t.value(call, name)
	default:
		if startsBy(t.Pass, n, fn, arg) {
			t.Outlives, t.guessed = name+why, true
			return
		}
		t.doubts = append(t.doubts, Doubt{c, name + why})
		t.value(call, name)
	}
}

// startsBy reports whether the signature or the name of fn, which is unknown,
// says that it goes on working after it has returned.
func startsBy(p *code.Pass, call *ast.CallExpr, fn *types.Func, arg int) bool {
	sig := fn.Signature()
	if arg >= 0 && fn.Pkg() != nil && !knowledge.Std(fn.Pkg().Path()) && sig.Params().Len() > 0 &&
		!typeis.Named(sig.Params().At(min(arg, sig.Params().Len()-1)).Type(), "context", "Context") {
		return true
	}
	if sig.Results().Len() == 0 && (fn.Pkg() == nil || !knowledge.Std(fn.Pkg().Path())) {
		return true // nothing says when it is done
	}
	if !typeis.DataOnly(p.TypesInfo.TypeOf(call)) {
		return false // the result is followed
	}
	name := strings.ToUpper(fn.Name()[:1]) + fn.Name()[1:]
	return slices.ContainsFunc(knowledge.Starters, func(s string) bool {
		rest, ok := strings.CutPrefix(name, s)
		return ok && (rest == "" || rest[0] < 'a' || rest[0] > 'z')
	})
}

// stored follows what is assigned: x := f(ctx).
func (t *ContextTracker) stored(stmt, c inspector.Cursor, name string) {
	var lhs, rhs []ast.Expr
	switch n := stmt.Node().(type) {
	case *ast.AssignStmt:
		lhs, rhs = n.Lhs, n.Rhs
		if code.OnLeft(n, c) {
			return // *p = x, r.f = x: the value is replaced
		}
	case *ast.ValueSpec:
		for _, id := range n.Names {
			lhs = append(lhs, id)
		}
		rhs = n.Values
	}
	for i, l := range lhs {
		if len(lhs) == len(rhs) && rhs[i] != c.Node() || code.IsBlank(l) {
			continue
		}
		typ := t.Pass.TypesInfo.TypeOf(l)
		if typ != nil && typeis.DataOnly(typ) || typeis.CancelFunc(typ) {
			continue
		}
		v := t.Pass.VarOf(l)
		if t.intoResponse(l) {
			continue
		}
		if v == nil {
			t.Outlives = name + " is stored"
			return
		}
		t.Follow(v, name)
	}
}

// Mentions reports whether n mentions the context or something made from it.
func (t *ContextTracker) Mentions(n ast.Node) bool {
	for v := range t.Seen {
		if t.Pass.Mentions(n, v) {
			return true
		}
	}
	return false
}
