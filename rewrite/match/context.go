package match

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"
)

// keepsParam reports whether v, a parameter of fn that is a context or made
// from one, may be in use after fn has returned.
func (p *Pass) keepsParam(v *types.Var, fn *Func) bool {
	t := &ctxTracker{p: p, fn: fn, def: fn.Type, seen: map[*types.Var]bool{}}
	t.variable(v, "")
	return t.outlives != ""
}

// CtxLifetime asks whether the context in v, assigned by the statement at
// def, can still be in use when fn returns. It returns why in a few words, or
// "" if it certainly is not: then cancelling it at the end of fn changes
// nothing but that its resources are freed.
func (p *Pass) CtxLifetime(v *types.Var, fn *Func, def ast.Node) string {
	t := &ctxTracker{p: p, fn: fn, def: def, seen: map[*types.Var]bool{}}
	t.variable(v, "")
	return t.outlives
}

type ctxTracker struct {
	p        *Pass
	fn       *Func
	def      ast.Node
	round    ast.Node // if not nil, the statements that the context must not outlive
	seen     map[*types.Var]bool
	outlives string
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
	if t.p.IsResult(v, t.fn) {
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
		t.outlives = name + " is returned"
	case *ast.KeyValueExpr, *ast.CompositeLit:
		t.outlives = name + " is stored in a literal"
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
		if why := t.keeps(call, fn, -1); why != "" {
			t.outlives = name + why
			return
		}
		t.value(outer.Parent(), name)
		return
	}
	t.value(sel, name)
}

// argument is f(ctx): what f returns may live on it, and f itself may keep it.
func (t *ctxTracker) argument(call, c inspector.Cursor, name string) {
	n := call.Node().(*ast.CallExpr)
	switch call.Parent().Node().(type) {
	case *ast.GoStmt:
		t.outlives = name + " is passed to a goroutine"
		return
	case *ast.DeferStmt:
		return // runs before a later defer's turn: the cancel comes after it
	}
	if tv := t.p.TypesInfo.Types[n.Fun]; tv.IsType() {
		t.value(call, name)
		return
	}
	if t.p.isBuiltin(n) {
		if t.p.IsBuiltin(n, "panic") {
			t.outlives = name + " is thrown"
			return
		}
		t.value(call, name)
		return
	}
	fn := t.p.Callee(n)
	if fn == nil {
		t.outlives = name + " is passed to a function value, which may keep it"
		return
	}
	if detached[fn.FullName()] || looksOnly(fn) {
		return
	}
	if why := t.keeps(n, fn, t.argIndex(n, c)); why != "" {
		t.outlives = name + why
		return
	}
	t.value(call, name)
}

func (t *ctxTracker) argIndex(call *ast.CallExpr, c inspector.Cursor) int {
	for i, a := range call.Args {
		if a == c.Node() {
			return i
		}
	}
	return -1
}

// detached lists functions whose result does not depend on the context any
// more once they have returned, though its type could.
var detached = map[string]bool{
	"(*net.Dialer).DialContext": true, "(*crypto/tls.Dialer).DialContext": true, "(*net.ListenConfig).Listen": true,
	"context.Cause": true,
}

// keepers lists functions that go on using the context though their name and
// their results do not say so.
var keepers = map[string]bool{"context.AfterFunc": true}

// starters begin the names of functions that go on working after they return.
var starters = []string{
	"Acquire", "Add", "Async", "Attach", "Background", "Begin", "Bind", "Connect", "Consume", "Dispatch", "Emit", "Enqueue", "Every",
	"Fire", "Follow", "Forward", "Go", "Heartbeat", "Init", "Keep", "Kick", "Launch", "Lease", "Listen", "Lock", "Loop", "Monitor",
	"New", "Notify", "Open", "Poll", "Prefetch", "Preload", "Produce", "Proxy", "Publish", "Pump", "Reap", "Refresh", "Register",
	"Renew", "Run", "Schedule", "Serve", "Set", "Setup", "Spawn", "Start", "Store", "Stream", "Submit", "Subscribe", "Tail", "Track",
	"Trigger", "Use", "Warm", "Watch", "With", "Work", "Worker",
}

// keeps says why the callee may keep argument arg (-1 for its receiver)
// beyond the call, or returns "". What is loaded is known by its summary, the
// standard library by its documentation; of the rest, a function that returns
// data or an error and whose name promises no more is taken to be done with
// the context when it returns, as is the custom. What the results hold is
// followed on its own.
func (t *ctxTracker) keeps(call *ast.CallExpr, fn *types.Func, arg int) string {
	why := " is passed to " + fn.Name() + ", which may go on using it"
	if arg < 0 {
		why = " has a method " + fn.Name() + ", which may go on using it"
	}
	if keepers[fn.FullName()] {
		return why
	}
	if fn.Pkg() == nil {
		return ""
	}
	if path := fn.Pkg().Path(); isStd(path) {
		if !isDone(path) || fn.Name() == "Start" || fn.Name() == "Go" || fn.Name() == "Reset" || strings.HasPrefix(fn.Name(), "Listen") {
			return why
		}
		return ""
	}
	if arg >= 0 {
		switch t.p.Facts.Context(fn, arg) {
		case ParamReads:
			return ""
		case ParamCloses: // known to keep it
			return why
		}
		if !IsNamed(fn.Signature().Params().At(min(arg, fn.Signature().Params().Len()-1)).Type(), "context", "Context") {
			// A request, a response, a command: only what is called like a client's or a handler's method is known.
			switch fn.Name() {
			case "Do", "RoundTrip", "ServeHTTP":
				return ""
			}
			return why
		}
	}
	if fn.Signature().Results().Len() == 0 {
		return why // nothing says when it is done
	}
	if ends := t.p.TypesInfo.TypeOf(call); !DataOnly(ends) {
		return "" // the result is followed
	}
	name := strings.ToUpper(fn.Name()[:1]) + fn.Name()[1:]
	for _, s := range starters {
		if rest, ok := strings.CutPrefix(name, s); ok && (rest == "" || rest[0] < 'a' || rest[0] > 'z') {
			return why
		}
	}
	return ""
}

// isDone reports whether the functions of a package of the standard library,
// but for those that keeps names, are done with their arguments when they
// return or hold them in their results. Containers such as sync.Map are not.
func isDone(path string) bool {
	first, rest, _ := strings.Cut(path, "/")
	switch first {
	case "bufio", "bytes", "context", "encoding", "errors", "fmt", "io", "log", "mime", "strings", "testing", "crypto", "net", "compress", "archive":
		return true
	}
	return first == "database" && rest == "sql" || first == "os" && (rest == "exec" || rest == "signal")
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
