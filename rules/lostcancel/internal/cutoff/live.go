package cutoff

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/assume"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// liveState is what a path remembers.
type liveState struct {
	vars   uint64     // the variables that hold the context or live on it, by number
	err    *types.Var // the error beside what lives on it: while it is set, there is nothing
	failed *types.Var // an error that is set
	cancel ast.Node   // what has cancelled the context, or will when the function returns
}

// liveWalk follows what lives on a context along the paths of a function.
type liveWalk struct {
	p       *code.Pass
	fn      *code.Func
	here    ast.Node // the call that makes the context; nil for a parameter
	cancels map[ast.Node]bool
	num     map[*types.Var]int
	spoilt  map[*types.Var]bool             // what a literal may touch or assign
	uses    map[ast.Node][]inspector.Cursor // by node of the flow
	found   func(*ast.ReturnStmt, types.Type, liveState)
	dead    func() // a return of something that does not live on the context
}

func newLiveWalk(p *code.Pass, fn *code.Func) *liveWalk {
	w := &liveWalk{p: p, fn: fn, num: map[*types.Var]int{}, spoilt: map[*types.Var]bool{}, uses: map[ast.Node][]inspector.Cursor{}, dead: func() {}}
	for c := range fn.Cursor.Preorder((*ast.Ident)(nil)) {
		v, ok := p.TypesInfo.ObjectOf(c.Node().(*ast.Ident)).(*types.Var)
		if !ok || v.IsField() || typeis.DataOnly(v.Type()) && !typeis.HTTP(v.Type()) {
			continue
		}
		if n := code.FlowNode(c, fn); n != nil {
			w.uses[n] = append(w.uses[n], c)
		}
		if assume.LitUse(p, c, fn) != assume.LitNone && !plainField(c) || code.Addressed(c) {
			w.spoilt[v] = true
		}
	}
	return w
}

// bit is the variable's place in a state; 0 for one that is not followed.
func (w *liveWalk) bit(v *types.Var) uint64 {
	if v == nil || !w.p.DeclaredIn(v, w.fn) {
		return 0
	}
	if isContext := typeis.Named(v.Type(), "context", "Context"); w.spoilt[v] && (!isContext || w.assignedLate(v)) {
		return 0
	}
	i, ok := w.num[v]
	if !ok {
		i = len(w.num)
		w.num[v] = i
	}
	if i > 63 {
		return 0
	}
	return 1 << i
}

// assignedLate reports whether v gets a value where that is not seen: in a
// literal or through its address.
func (w *liveWalk) assignedLate(v *types.Var) bool {
	return slices.ContainsFunc(w.p.Uses(w.fn.Cursor, v), func(use inspector.Cursor) bool {
		return code.Addressed(use) || code.IsAssigned(use) && assume.LitUse(w.p, use, w.fn) != assume.LitNone
	})
}

func (w *liveWalk) after(n ast.Node, s liveState) { w.paths().After(w.fn.Flow, n, s) }

func (w *liveWalk) fromEntry(s liveState) { w.paths().FromEntry(w.fn.Flow, s) }

func (w *liveWalk) paths() flow.Paths[liveState] {
	return flow.Paths[liveState]{Node: w.node, Edge: w.edge}
}

// product reports whether a type is that of something to read from, not of the
// context or of the request.
func product(t types.Type) bool {
	return t != nil && !typeis.Named(t, "context", "Context") && !typeis.Named(t, "net/http", "Request") && !typeis.Error(t) && !typeis.CancelFunc(t)
}

// drop forgets what has been read, closed or shown to be nil.
func (w *liveWalk) drop(s liveState) liveState {
	for v, i := range w.num {
		if i < 64 && product(v.Type()) {
			s.vars &^= 1 << i
		}
	}
	return s
}

func (w *liveWalk) node(n ast.Node, s liveState) (liveState, bool) {
	if n == w.here {
		return s, false
	}
	if w.cancels[n] {
		if _, isDefer := n.(*ast.DeferStmt); !isDefer && w.drop(s) == s {
			return s, false // cancelled before there is anything
		}
		if s.cancel == nil {
			s.cancel = n
		}
		return s, true
	}
	switch n := n.(type) {
	case *ast.ReturnStmt:
		w.returns(n, s)
		return s, true
	case *ast.AssignStmt:
		return w.assign(n, n.Lhs, n.Rhs, s), true
	case *ast.ValueSpec:
		lhs := make([]ast.Expr, len(n.Names))
		for i, id := range n.Names {
			lhs[i] = id
		}
		return w.assign(n, lhs, n.Values, s), true
	}
	if w.touches(n, s) {
		s = w.drop(s)
	}
	return s, true
}

func (w *liveWalk) assign(n ast.Node, lhs, rhs []ast.Expr, s liveState) liveState {
	next := s
	anyLive := false
	for i, l := range lhs {
		r := ast.Expr(nil)
		switch {
		case len(lhs) == len(rhs):
			r = rhs[i]
		case len(rhs) == 1 && i == 0:
			r = rhs[0]
		}
		v := w.p.VarOf(l)
		isLive := r != nil && w.live(r, s)
		if isLive && product(w.p.TypesInfo.TypeOf(l)) {
			anyLive = true
		}
		if v == nil {
			continue
		}
		if typeis.Error(v.Type()) {
			if next.failed == v {
				next.failed = nil
			}
			if next.err == v {
				next.err = nil
			}
			if r != nil && i < len(rhs) && len(lhs) == len(rhs) && w.setsError(r) {
				next.failed = v
			}
			continue
		}
		if b := w.bit(v); isLive {
			next.vars |= b
		} else if len(rhs) > 0 || n != nil {
			next.vars &^= b
		}
	}
	if anyLive {
		if len(lhs) > len(rhs) {
			if v := w.p.VarOf(lhs[len(lhs)-1]); v != nil && typeis.Error(v.Type()) {
				next.err = v
			}
		}
		return next
	}
	if w.touches(n, s) {
		next = w.drop(next)
	}
	return next
}

// setsError reports whether e is certainly an error that is set.
func (w *liveWalk) setsError(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	name := w.p.FullName(call)
	return name == "errors.New" || name == "fmt.Errorf"
}

// touches reports whether n does more with what lives on the context than to
// look at its plain fields.
func (w *liveWalk) touches(n ast.Node, s liveState) bool {
	for _, use := range w.uses[n] {
		v := w.p.VarOf(use.Node().(*ast.Ident))
		if !product(v.Type()) || s.vars&w.bit(v) == 0 || code.IsAssigned(use) || plainField(use) {
			continue
		}
		switch parent := code.Unparen(use).Parent().Node().(type) {
		case *ast.BinaryExpr:
			continue
		case *ast.CallExpr:
			if fn := w.p.Callee(parent); fn != nil && fn.Pkg() != nil && (fn.Pkg().Path() == "fmt" || fn.Pkg().Path() == "log") {
				continue
			}
		}
		return true
	}
	return false
}

// plainField reports whether the response at c is only asked for its status or
// another field that is not the body.
func plainField(c inspector.Cursor) bool {
	sel, ok := code.Unparen(c).Parent().Node().(*ast.SelectorExpr)
	if !ok {
		return false
	}
	switch sel.Sel.Name {
	case "Status", "StatusCode", "Header", "ContentLength", "Request", "Proto", "TLS", "Uncompressed", "Trailer":
		return true
	}
	return false
}

func (w *liveWalk) edge(cond ast.Expr, taken bool, s liveState) (liveState, bool) {
	if x, isNil, ok := w.p.NilTest(cond, taken); ok {
		v := w.p.VarOf(x)
		switch {
		case v == nil:
		case typeis.Error(v.Type()) && !isNil:
			if s.failed = v; v == s.err {
				s = w.drop(s)
			}
		case typeis.Error(v.Type()) && s.failed == v:
			return s, false
		case isNil && s.vars&w.bit(v) != 0:
			s = w.drop(s)
		}
		return s, true
	}
	if taken && s.err != nil && w.p.Mentions(cond, s.err) || w.saysEmpty(cond, taken) {
		s = w.drop(s)
	}
	return s, true
}

// saysEmpty reports whether a condition that came out as taken says that the
// response has no body: by its status, its length or the method.
func (w *liveWalk) saysEmpty(cond ast.Expr, taken bool) bool {
	be, ok := ast.Unparen(cond).(*ast.BinaryExpr)
	if !ok || be.Op != token.EQL && be.Op != token.NEQ || (be.Op == token.EQL) != taken {
		return false
	}
	for _, side := range [][2]ast.Expr{{be.X, be.Y}, {be.Y, be.X}} {
		if w.isHead(side[1]) {
			return true
		}
		sel, ok := ast.Unparen(side[0]).(*ast.SelectorExpr)
		if !ok {
			continue
		}
		v := w.p.TypesInfo.Types[side[1]].Value
		switch sel.Sel.Name {
		case "Body":
			return true
		case "ContentLength":
			return v != nil && v.ExactString() == "0"
		case "StatusCode":
			return v != nil && (v.ExactString() == "204" || v.ExactString() == "304" || v.ExactString() == "101")
		}
	}
	return false
}

// returns looks at what a return statement hands to the caller.
func (w *liveWalk) returns(ret *ast.ReturnStmt, s liveState) {
	var results []ast.Expr
	if w.fn.Type.Results != nil {
		for _, field := range w.fn.Type.Results.List {
			for _, id := range field.Names {
				if v := w.p.VarOf(id); v != nil && product(v.Type()) && w.spoilt[v] {
					return // a deferred literal may close it
				}
				results = append(results, id)
			}
		}
	}
	if len(ret.Results) > 0 {
		results = ret.Results
	}
	if len(results) == 0 {
		return
	}
	// With an error, nobody reads what comes along.
	last := results[len(results)-1]
	if t := w.p.TypesInfo.TypeOf(last); len(results) > 1 && t != nil && !w.p.IsNil(last) && (typeis.Error(t) || typeis.Erroneous(t)) {
		if v := w.p.VarOf(last); v == nil || v == s.failed {
			return
		}
	}
	for _, r := range results {
		t := w.p.TypesInfo.TypeOf(r)
		if tuple, ok := t.(*types.Tuple); ok {
			if tuple.Len() == 0 {
				return
			}
			t = tuple.At(0).Type()
		}
		if product(t) && !typeis.Erroneous(t) && w.live(r, s) {
			w.found(ret, t, s)
			return
		}
	}
	if !w.p.IsNil(results[0]) {
		w.dead()
	}
}
