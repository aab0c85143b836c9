// Package usage answers what is done with a value that must be closed or called: read,
// closed, deferred, handed on. It looks into the functions that get the value by their
// summaries, and through interfaces where all implementations are known.
package usage

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/wrapper"
)

// EventKind says what happens to a tracked value at one place.
type EventKind uint8

const (
	Reads       EventKind = iota // looked at; the obligation to close stays
	Closes                       // closed here
	DefersClose                  // a deferred call closes the value the variable has now
	ClosesLate                   // a deferred literal closes the value the variable has at exit
	Assigns                      // the variable gets a value here
	Escapes                      // someone else may close it: the obligation moved
	Outlives                     // someone else gets what ends with it: the obligation stays
	Stores                       // put into a struct that only the function has: what becomes of that follows
)

// Event is one use of a tracked value.
type Event struct {
	Kind EventKind
	Node ast.Node         // the node of the function's flow in which it happens; may be nil
	At   inspector.Cursor // the identifier
	Via  inspector.Cursor // for DefersClose, the defer statement
	Lent bool             // a use of what ends with the value, such as the rows of a transaction
	// Sometimes is set for a hand-over to what calls the value on some of its paths only, as
	// for [Sometimes], and runs once: a helper, or the literal of a go statement.
	Sometimes bool
}

// part is what of a resource an expression denotes.
type part uint8

const (
	whole part = iota // the value itself, or the holder of it
	view              // something that reads from it
)

// Track lists what happens in fn to the resource in v, in source order.
func Track(p *code.Pass, v *types.Var, fn *code.Func, res *Resource) []Event {
	t := &tracker{p: p, fn: fn, seen: map[*types.Var]bool{v: true}}
	for _, use := range p.Uses(fn.Cursor, v) {
		if res.isFunc() && InDeadLiteral(p, use, fn) {
			t.emit(Reads, use)
			continue
		}
		t.use(use, use, res, whole, false)
	}
	return t.events
}

type tracker struct {
	p      *code.Pass
	fn     *code.Func
	events []Event
	seen   map[*types.Var]bool // variables tracked so far, aliases included
	// holders are the fields that the value has been found in so far.
	holders map[heldIn]bool
	lent    bool // what is tracked ends with the value: closing it closes nothing else
}

func (t *tracker) emit(kind EventKind, c inspector.Cursor) {
	t.events = append(t.events, Event{Kind: kind, Node: code.FlowNode(c, t.fn), At: c})
}

// use classifies expression c, which denotes the part of the resource res.
// id is the identifier it starts from. shared is set for an alias that is
// assigned more than once: closing it may close something else.
func (t *tracker) use(c, id inspector.Cursor, res *Resource, of part, shared bool) {
	c = code.Unparen(c)
	parent := c.Parent()
	switch n := parent.Node().(type) {
	case *ast.SelectorExpr:
		if n.X == c.Node() {
			t.selector(parent, id, res, of, shared)
			return
		}
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			t.looked(id)
			return
		}
	case *ast.CallExpr:
		t.call(parent, c, id, res, of, shared)
		return
	case *ast.AssignStmt:
		t.assign(n, c, id, res, of, shared)
		return
	case *ast.ValueSpec:
		for _, name := range n.Names {
			if name == c.Node() {
				if len(n.Values) > 0 {
					t.emit(Assigns, id)
				}
				return
			}
		}
		for i, v := range n.Values {
			if v == c.Node() {
				t.alias(n.Names[i], id, res, of)
				return
			}
		}
	case *ast.KeyValueExpr:
		if lit, ok := parent.Parent().Node().(*ast.CompositeLit); ok && n.Value == c.Node() && t.wrapped(parent.Parent(), lit, c, id, res, of, shared) {
			return
		}
	case *ast.CompositeLit:
		if t.wrapped(parent, n, c, id, res, of, shared) {
			return
		}
	case *ast.Field:
		return // the declaration of a parameter or result
	case *ast.ExprStmt:
		t.looked(id)
		return
	}
	if shared || !t.held(c, id, res, of) {
		t.emit(Escapes, id)
	}
}

// looked records a use that leaves the value alone, unless it stands in a
// literal that may run at any time.
func (t *tracker) looked(id inspector.Cursor) {
	_, isGo := code.FlowNode(id, t.fn).(*ast.GoStmt)
	if isGo || assume.LitUse(t.p, id, t.fn) == assume.LitEscapes {
		t.emit(Escapes, id)
		return
	}
	t.emit(Reads, id)
}

func (t *tracker) selector(sel, id inspector.Cursor, res *Resource, of part, shared bool) {
	n := sel.Node().(*ast.SelectorExpr)
	name := n.Sel.Name
	outer := code.Unparen(sel)
	call, called := outer.Parent().Node().(*ast.CallExpr)
	called = called && call.Fun == outer.Node()
	if res == Stream && t.p.Selected(n) != nil && typeis.DataOnly(t.p.TypesInfo.TypeOf(n)) && !code.Addressed(sel) {
		t.looked(id) // what a reader of the program has counted
		return
	}
	switch {
	case of == view:
		if called && t.readsData(n, call) {
			t.looked(id)
			return
		}
	case res.Held != nil && name == res.Holds:
		if as, ok := outer.Parent().Node().(*ast.AssignStmt); ok && code.OnLeft(as, outer) {
			t.emit(Escapes, id) // it is exchanged
			return
		}
		t.use(sel, id, res.Held, whole, shared)
		return
	case called && slices.Contains(res.Release, name):
		t.closed(outer.Parent(), id, shared)
		return
	case res.Held != nil && !slices.Contains(res.Takes, name), called && slices.Contains(res.Borrow, name):
		t.looked(id)
		if given := res.Gives[name]; given != nil {
			t.given(outer.Parent(), id, given)
		}
		return
	}
	t.emit(Escapes, id)
}

// wrapped goes on with a value of the package that reads from the stream at c, an element
// of the literal at lit; false if it is not known what it does with that.
func (t *tracker) wrapped(lit inspector.Cursor, n *ast.CompositeLit, c, id inspector.Cursor, res *Resource, of part, shared bool) bool {
	if res != Stream {
		return false
	}
	w := wrapper.OfLiteral(t.p, n, c.Node().(ast.Expr), t.p.VarOf(id.Node().(*ast.Ident)))
	if w == wrapper.Unknown {
		return false
	}
	if addr, ok := code.Unparen(lit).Parent().Node().(*ast.UnaryExpr); ok && addr.Op == token.AND {
		lit = code.Unparen(lit).Parent()
	}
	t.reader(w, lit, id, res, of, shared)
	return true
}

// reader goes on with the value at c, which reads from the stream.
func (t *tracker) reader(w wrapper.Kind, c, id inspector.Cursor, res *Resource, of part, shared bool) {
	if w == wrapper.ReadsOnly {
		of = view
	}
	t.use(c, id, res, of, shared)
}

// given goes on with what the call at c returns, which ends with the tracked value. Its
// own close is no close of the value. Who gets it may use it later, unless it is closed
// when the function returns.
func (t *tracker) given(c, id inspector.Cursor, res *Resource) {
	sub := &tracker{p: t.p, fn: t.fn, seen: t.seen, lent: true}
	sub.use(c, id, res, whole, false)
	closed := slices.ContainsFunc(sub.events, func(e Event) bool { return e.Kind == DefersClose || e.Kind == ClosesLate })
	for _, e := range sub.events {
		switch {
		case e.Kind == Outlives, e.Kind == Escapes && !closed:
			e.Kind = Outlives
		default:
			e.Kind = Reads
		}
		e.Lent = true
		t.events = append(t.events, e)
	}
}

// readsData reports whether a method of a decoder or reader returns nothing
// that could keep reading later.
func (t *tracker) readsData(sel *ast.SelectorExpr, call *ast.CallExpr) bool {
	fn, ok := t.p.TypesInfo.Uses[sel.Sel].(*types.Func)
	if !ok || fn.Pkg() == nil {
		return false
	}
	if path := fn.Pkg().Path(); fn.Name() == "Token" && (path == "encoding/json" || path == "encoding/xml") {
		return true
	}
	return typeis.DataOnly(t.p.TypesInfo.TypeOf(call))
}

// closed records the call that closes the value.
func (t *tracker) closed(call, id inspector.Cursor, shared bool) {
	use := assume.LitUse(t.p, id, t.fn)
	stmt := call.Parent()
	_, isGo := stmt.Node().(*ast.GoStmt)
	_, isDefer := stmt.Node().(*ast.DeferStmt)
	switch {
	case shared || isGo || use == assume.LitEscapes:
		t.emit(Escapes, id)
		t.events[len(t.events)-1].Sometimes = !shared && !isGo && t.sometimes(id)
	case use == assume.LitDeferred:
		t.emit(ClosesLate, id)
	case isDefer && use == assume.LitNone:
		t.emit(DefersClose, id)
		t.events[len(t.events)-1].Via = stmt
	default:
		t.emit(Closes, id)
	}
}

// runsOnce reports whether what stands at c in the function runs once for each run of it:
// in no literal but such as are called where they stand, also by a go statement.
func (t *tracker) runsOnce(c inspector.Cursor) bool {
	for ; c.Valid() && c != t.fn.Cursor; c = c.Parent() {
		if lit, ok := c.Node().(*ast.FuncLit); ok {
			call, isCall := code.Unparen(c).Parent().Node().(*ast.CallExpr)
			if !isCall || ast.Unparen(call.Fun) != ast.Expr(lit) {
				return false
			}
		}
	}
	return true
}

// sometimes reports whether the literal of a go statement around c calls the function there
// on some of its paths only.
func (t *tracker) sometimes(c inspector.Cursor) bool {
	v := t.p.VarOf(c.Node().(*ast.Ident))
	for lit := range c.Enclosing((*ast.FuncLit)(nil)) {
		_, isGo := code.Unparen(lit).Parent().Parent().Node().(*ast.GoStmt)
		return isGo && t.runsOnce(c) && v != nil && paramEffect(t.p, v, t.p.FuncOf(lit), Func) == Sometimes
	}
	return false
}

// passesContext reports whether a call gets a context, or the channel of one.
func passesContext(p *code.Pass, call *ast.CallExpr) bool {
	found := false
	for _, arg := range call.Args {
		ast.Inspect(arg, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			found = found || ok && typeis.Named(p.TypesInfo.TypeOf(e), "context", "Context")
			return !found
		})
	}
	return found
}

func (t *tracker) call(call, c, id inspector.Cursor, res *Resource, of part, shared bool) {
	n := call.Node().(*ast.CallExpr)
	if n.Fun == c.Node() {
		if res.isFunc() {
			t.closed(call, id, shared)
			return
		}
		t.emit(Escapes, id)
		return
	}
	if tv := t.p.TypesInfo.Types[n.Fun]; tv.IsType() { // a conversion
		t.use(call, id, res, of, shared)
		return
	}
	arg := -1
	for i, a := range n.Args {
		if a == c.Node() {
			arg = i
		}
	}
	fn := t.p.Callee(n)
	if arg < 0 || fn == nil {
		t.emit(Escapes, id)
		return
	}
	name := fn.FullName()
	if takes(res.Lend, name, arg) {
		t.looked(id)
		return
	}
	if takes(res.Wrap, name, arg) {
		t.use(call, id, res, view, false)
		return
	}
	if res == Stream {
		if w := wrapper.OfCall(t.p, n, arg); w != wrapper.Unknown {
			t.reader(w, call, id, res, of, shared)
			return
		}
	}
	effect, known := Unknown, false
	if res.Known != nil && of == whole {
		effect, known = res.Known(t.p, n, name)
	}
	if !known && !res.isFunc() && knowledge.LooksOnly(fn) {
		effect, known = Borrows, true
	}
	if !known {
		effect = Param(t.p.Facts, fn, arg)
	}
	switch {
	case effect == Borrows:
		t.looked(id)
	case effect == Releases && !res.isFunc(): // a callee that may cancel has taken it over
		t.closed(call, id, shared)
	default:
		t.emit(Escapes, id)
		t.events[len(t.events)-1].Sometimes = effect == Sometimes && fn.Signature().Results().Len() == 0 && t.runsOnce(id) && !passesContext(t.p, n)
	}
}

func (t *tracker) assign(n *ast.AssignStmt, c, id inspector.Cursor, res *Resource, of part, shared bool) {
	if code.OnLeft(n, c) {
		if assume.LitUse(t.p, id, t.fn) != assume.LitNone {
			t.emit(Escapes, id) // assigned by a literal
			return
		}
		t.emit(Assigns, id)
		return
	}
	for i, v := range n.Rhs {
		if v != c.Node() || i >= len(n.Lhs) {
			continue
		}
		if name, ok := n.Lhs[i].(*ast.Ident); ok {
			t.alias(name, id, res, of)
			return
		}
	}
	if shared || !t.held(c, id, res, of) {
		t.emit(Escapes, id)
	}
}

// alias goes on tracking under another local name.
func (t *tracker) alias(name *ast.Ident, id inspector.Cursor, res *Resource, of part) {
	if name.Name == "_" {
		t.looked(id)
		return
	}
	v, _ := t.p.TypesInfo.ObjectOf(name).(*types.Var)
	if v == nil || res.isFunc() || !t.p.DeclaredIn(v, t.fn) || t.p.IsResult(v, t.fn) || assume.LitUse(t.p, id, t.fn) != assume.LitNone {
		t.emit(Escapes, id)
		return
	}
	if t.seen[v] {
		return
	}
	t.seen[v] = true
	uses := t.p.Uses(t.fn.Cursor, v)
	assigned := 0
	for _, use := range uses {
		if code.IsAssigned(use) {
			assigned++
		}
	}
	t.emit(Reads, id)
	for _, use := range uses {
		if !code.IsAssigned(use) {
			t.use(use, use, res, of, assigned > 1 && !t.lent)
		}
	}
}

// OnlyRead reports whether the resource that the expression at c in fn denotes is read
// there, and nothing else.
func OnlyRead(p *code.Pass, c inspector.Cursor, fn *code.Func, res *Resource) bool {
	t := &tracker{p: p, fn: fn, seen: map[*types.Var]bool{}}
	t.use(c, c, res, whole, false)
	for _, e := range t.events {
		if e.Kind != Reads {
			return false
		}
	}
	return len(t.events) > 0
}
