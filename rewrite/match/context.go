package match

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"
)

// A Doubt is a use of a context of which is not known whether it is over when
// the call returns.
type Doubt struct {
	At  inspector.Cursor // the expression that the callee gets
	Why string           // in a few words
}

// ctxParam says what fn does with its parameter v, a context or made from one:
// ParamReads if it is done with it when it returns, ParamCloses if it keeps it.
func (p *Pass) ctxParam(v *types.Var, fn *Func) Effect {
	if v.Name() == "" || v.Name() == "_" {
		return ParamReads // nobody can get at it
	}
	t := &ctxTracker{p: p, fn: fn, def: fn.Type, seen: map[*types.Var]bool{}}
	t.variable(v, "")
	switch {
	case t.outlives != "" && !t.guessed:
		return ParamCloses
	case t.outlives != "" || len(t.doubts) > 0:
		return ParamUnknown
	}
	return ParamReads
}

// CtxLifetime asks whether the context in v, assigned by the statement at
// def, can still be in use when fn returns. It returns why in a few words, or
// "" if nothing says so. If there is no doubt either, cancelling it at the end
// of fn changes nothing but that its resources are freed.
func (p *Pass) CtxLifetime(v *types.Var, fn *Func, def ast.Node) (why string, doubts []Doubt) {
	t := &ctxTracker{p: p, fn: fn, def: def, seen: map[*types.Var]bool{}}
	t.variable(v, "")
	return t.outlives, t.doubts
}

type ctxTracker struct {
	p        *Pass
	fn       *Func
	def      ast.Node
	round    ast.Node // if not nil, the statements that the context must not outlive
	seen     map[*types.Var]bool
	outlives string
	guessed  bool // outlives rests on a name alone
	doubts   []Doubt
	// transport is set for a transport, which may hand on what is made from the
	// context with its response.
	transport bool
	depth     int // of the functions that a transport is followed through
}

// variable follows all uses of v, the context itself or, if what is set,
// something made from it.
func (t *ctxTracker) variable(v *types.Var, what string) {
	if t.seen[v] || t.outlives != "" {
		return
	}
	t.seen[v] = true
	name := v.Name()
	if what != "" {
		name += ", made from the context,"
	}
	if !t.p.DeclaredIn(v, t.fn) {
		t.outlives = name + " lives outside the function"
		return
	}
	if t.p.IsResult(v, t.fn) && !t.transport {
		t.outlives = name + " is a result of the function"
		return
	}
	if t.round != nil && (v.Pos() < t.round.Pos() || v.Pos() >= t.round.End()) {
		t.outlives = name + " lives longer than the round of the loop"
		return
	}
	inLoop := t.fn.Flow.InCycle(t.def)
	for _, use := range t.p.Uses(t.fn.Cursor, v) {
		// What stands before the assignment holds the value before it; a
		// literal may run later, wherever it stands.
		if amp, ok := Unparen(use).Parent().Node().(*ast.UnaryExpr); ok && amp.Op == token.AND {
			t.outlives = "the address of " + name + " is taken"
			return
		}
		if use.Node().End() <= t.def.Pos() && !inLoop && t.p.litUse(use, t.fn) == litNone {
			if !InDefer(use) {
				continue
			}
		}
		if assigns(use) {
			continue
		}
		if t.def.Pos() <= use.Node().Pos() && use.Node().End() <= t.def.End() && !inLoop && t.p.litUse(use, t.fn) == litNone {
			continue // ctx, _ = withLimit(ctx): the parent
		}
		t.use(use, name)
		if t.outlives != "" {
			return
		}
	}
}

// use decides on one expression that denotes the context or something made from it.
func (t *ctxTracker) use(c inspector.Cursor, name string) {
	if t.round != nil && InDefer(c) {
		t.outlives = name + " is used by a deferred call"
		return
	}
	switch t.p.litUse(c, t.fn) {
	case litEscapes:
		if t.transport && !t.started(c) {
			return
		}
		t.outlives = name + " is used by a function literal that may run later"
		return
	case litDeferred:
		if c.Node().Pos() < t.def.Pos() {
			t.outlives = name + " is used by an earlier defer, which runs after a deferred cancel"
			return
		}
	case litNone:
		if c.Node().Pos() < t.def.Pos() && InDefer(c) {
			// The argument of an earlier defer is the earlier value.
			return
		}
	}
	t.expr(c, name)
}

func (t *ctxTracker) expr(c inspector.Cursor, name string) {
	c = Unparen(c)
	parent := c.Parent()
	switch n := parent.Node().(type) {
	case *ast.SelectorExpr:
		t.selector(parent, name)
	case *ast.CallExpr:
		if n.Fun == c.Node() {
			t.outlives = name + " is called"
			return
		}
		t.argument(parent, c, name)
	case *ast.BinaryExpr, *ast.ExprStmt, *ast.IfStmt, *ast.SwitchStmt, *ast.Field:
	case *ast.DeferStmt: // what a deferred call returns is dropped; it runs before a deferred cancel
	case *ast.UnaryExpr:
		if n.Op != token.ARROW { // <-ctx.Done()
			t.outlives = "the address of " + name + " is taken"
		}
	case *ast.IndexExpr, *ast.StarExpr, *ast.TypeAssertExpr:
		t.value(parent, name)
	case *ast.RangeStmt:
		if n.X == c.Node() && DataOnly(t.p.TypesInfo.TypeOf(n.X)) {
			return
		}
		t.outlives = name + " is ranged over"
	case *ast.AssignStmt, *ast.ValueSpec:
		t.stored(parent, c, name)
	case *ast.ReturnStmt:
		if !t.transport {
			t.outlives = name + " is returned"
		}
	case *ast.KeyValueExpr, *ast.CompositeLit:
		if !t.transport {
			t.outlives = name + " is stored in a literal"
		}
	case *ast.SendStmt:
		t.outlives = name + " is sent on a channel"
	default:
		t.outlives = name + " escapes"
	}
}

// value goes on with an expression whose value may hold on to the context.
func (t *ctxTracker) value(c inspector.Cursor, name string) {
	if typ := t.p.TypesInfo.TypeOf(c.Node().(ast.Expr)); typ != nil && DataOnly(typ) {
		return
	}
	t.expr(c, name)
}

// selector is ctx.Done(), req.Header, client.Do(...): a method may return
// something that lives on the context, a field may hold it.
func (t *ctxTracker) selector(sel inspector.Cursor, name string) {
	outer := Unparen(sel)
	if call, ok := outer.Parent().Node().(*ast.CallExpr); ok && call.Fun == outer.Node() {
		switch outer.Parent().Parent().Node().(type) {
		case *ast.GoStmt:
			t.outlives = name + " is used by a goroutine"
			return
		}
		fn := t.p.Callee(call)
		if fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "context" {
			if fn.Name() == "Done" { // ends with the context, and whoever has it sees that
				t.value(outer.Parent(), name)
			}
			return // Err, Value, Deadline say how it is now
		}
		if fn == nil {
			t.outlives = name + " is used by a function value"
			return
		}
		t.callee(outer.Parent(), sel, fn, -1, name)
		return
	}
	t.value(sel, name)
}

// argument is f(ctx): what f returns may live on it, and f itself may keep it.
func (t *ctxTracker) argument(call, c inspector.Cursor, name string) {
	n := call.Node().(*ast.CallExpr)
	if _, ok := call.Parent().Node().(*ast.GoStmt); ok {
		t.outlives = name + " is passed to a goroutine"
		return
	}
	if tv := t.p.TypesInfo.Types[n.Fun]; tv.IsType() {
		t.value(call, name)
		return
	}
	if t.p.isBuiltin(n) {
		switch {
		case t.p.IsBuiltin(n, "panic"):
			t.outlives = name + " is thrown"
		case t.p.IsBuiltin(n, "copy"):
			t.outlives = name + " is copied"
		default:
			t.value(call, name)
		}
		return
	}
	arg := t.argIndex(n, c)
	fn := t.p.Callee(n)
	if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
		if s := t.p.TypesInfo.Selections[sel]; s != nil && s.Kind() == types.MethodExpr {
			arg-- // T.M(t, ctx)
		}
	}
	if fn != nil {
		t.callee(call, c, fn, arg, name)
		return
	}
	switch t.p.funcValue(n.Fun, arg) {
	case ParamReads:
	case ParamCloses:
		t.outlives = name + " is passed to a function, which may go on using it"
	default:
		t.outlives, t.guessed = name+" is passed to a function value, which may keep it", true
	}
}

func (t *ctxTracker) argIndex(call *ast.CallExpr, c inspector.Cursor) int {
	for i, a := range call.Args {
		if a == c.Node() {
			return i
		}
	}
	return -1
}

// starters begin the names of functions that go on working after they return.
// Of what is unknown anyway, these say that no fix is worth an offer.
var starters = []string{
	"Acquire", "Add", "Async", "Attach", "Background", "Begin", "Bind", "Connect", "Consume", "Dispatch", "Emit", "Enqueue", "Every",
	"Fire", "Follow", "Forward", "Go", "Heartbeat", "Init", "Keep", "Kick", "Launch", "Lease", "Listen", "Lock", "Loop", "Monitor",
	"New", "Notify", "Open", "Poll", "Prefetch", "Preload", "Produce", "Proxy", "Publish", "Pump", "Reap", "Refresh", "Register",
	"Renew", "Run", "Schedule", "Serve", "Set", "Setup", "Spawn", "Start", "Store", "Stream", "Submit", "Subscribe", "Tail", "Track",
	"Trigger", "Use", "Warm", "Watch", "With", "Work", "Worker",
}

// callee decides on a call that gets the context as argument arg, or as its
// receiver if that is -1, and goes on with what the call returns.
func (t *ctxTracker) callee(call, c inspector.Cursor, fn *types.Func, arg int, name string) {
	if t.transport {
		t.transportCallee(call, fn, arg, name)
		return
	}
	why := " is passed to " + fn.Name() + ", which may go on using it"
	if arg < 0 {
		why = " has a method " + fn.Name() + ", which may go on using it"
	}
	switch n := call.Node().(*ast.CallExpr); t.p.ctxEffect(n, fn, arg) {
	case ctxKept:
		t.outlives = name + why
	case ctxGone:
	case ctxHeld:
		if why := t.inFlight(call, fn); why != "" {
			t.doubts = append(t.doubts, Doubt{c, name + why})
		}
		t.value(call, name)
	default:
		if t.p.startsBy(n, fn, arg) {
			t.outlives, t.guessed = name+why, true
			return
		}
		t.doubts = append(t.doubts, Doubt{c, name + why})
		t.value(call, name)
	}
}

// startsBy reports whether the signature or the name of fn, which is unknown,
// says that it goes on working after it has returned.
func (p *Pass) startsBy(call *ast.CallExpr, fn *types.Func, arg int) bool {
	sig := fn.Signature()
	if arg >= 0 && fn.Pkg() != nil && !isStd(fn.Pkg().Path()) && sig.Params().Len() > 0 &&
		!IsNamed(sig.Params().At(min(arg, sig.Params().Len()-1)).Type(), "context", "Context") {
		return true
	}
	if sig.Results().Len() == 0 && (fn.Pkg() == nil || !isStd(fn.Pkg().Path())) {
		return true // nothing says when it is done
	}
	if !DataOnly(p.TypesInfo.TypeOf(call)) {
		return false // the result is followed
	}
	name := strings.ToUpper(fn.Name()[:1]) + fn.Name()[1:]
	return slices.ContainsFunc(starters, func(s string) bool {
		rest, ok := strings.CutPrefix(name, s)
		return ok && (rest == "" || rest[0] < 'a' || rest[0] > 'z')
	})
}

// IsStandard reports whether an import path is one of the standard library, also
// one that only the library itself can import.
func IsStandard(path string) bool {
	return isStd(path) || strings.HasPrefix(path, "internal/") || strings.HasPrefix(path, "vendor/")
}

// isStd reports whether an import path is one of the standard library: its
// first element has no dot.
func isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") && path != "main" && stdRoots[first]
}

var stdRoots = set("archive", "bufio", "bytes", "cmp", "compress", "container", "context", "crypto", "database", "debug", "embed",
	"encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "io", "iter", "log", "maps", "math", "mime",
	"net", "os", "path", "plugin", "reflect", "regexp", "runtime", "slices", "sort", "strconv", "strings", "sync", "syscall", "testing",
	"text", "time", "unicode", "unique", "unsafe", "weak")

func (p *Pass) isBuiltin(call *ast.CallExpr) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok {
		return false
	}
	_, ok = p.TypesInfo.Uses[id].(*types.Builtin)
	return ok
}

// stored follows what is assigned: x := f(ctx).
func (t *ctxTracker) stored(stmt, c inspector.Cursor, name string) {
	var lhs, rhs []ast.Expr
	switch n := stmt.Node().(type) {
	case *ast.AssignStmt:
		lhs, rhs = n.Lhs, n.Rhs
		if onLeft(n, c) {
			return // *p = x, r.f = x: the value is replaced
		}
	case *ast.ValueSpec:
		for _, id := range n.Names {
			lhs = append(lhs, id)
		}
		rhs = n.Values
	}
	for i, l := range lhs {
		if len(lhs) == len(rhs) && rhs[i] != c.Node() || IsBlank(l) {
			continue
		}
		typ := t.p.TypesInfo.TypeOf(l)
		if typ != nil && DataOnly(typ) || isCancel(typ) {
			continue
		}
		v := t.p.VarOf(l)
		if t.intoResponse(l) {
			continue
		}
		if v == nil {
			t.outlives = name + " is stored"
			return
		}
		t.variable(v, name)
	}
}

func isCancel(t types.Type) bool {
	return IsNamed(t, "context", "CancelFunc") || IsNamed(t, "context", "CancelCauseFunc")
}
