package match

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// Response is a response that a call returns, with all that its function does to it.
type Response struct {
	p      *Pass
	Fn     *Func
	Call   *ast.CallExpr
	Def    inspector.Cursor // what takes the results: a statement or spec, or an expression
	Var    *types.Var       // nil if the response is discarded
	Err    *types.Var       // the error beside it; nil if that is not in a variable
	Events []Event          // of Var

	// Wrapper is the loaded function that is called and hands on a fresh
	// response; nil if Call is of a client itself.
	Wrapper *FreshResponse
	// Must is the function that takes the results and lets the response through.
	Must *types.Func
	// Parsed is set if the response is read by http.ReadResponse, from a
	// connection that others own.
	Parsed bool
	// HandedOn is set if the response, or its body, goes to the caller on some
	// path.
	HandedOn bool
}

// ResponseMade returns the response that the call at c creates; ok is false
// for other calls.
func (p *Pass) ResponseMade(c inspector.Cursor) (r Response, ok bool) {
	call := c.Node().(*ast.CallExpr)
	r = Response{p: p, Call: call, Def: Unparen(c).Parent()}
	switch fn := p.Callee(call); {
	case p.FullName(call) == "net/http.ReadResponse":
		r.Parsed = !p.InTest(call.Pos())
		if !r.Parsed {
			return r, false
		}
	case !p.CreatesResponse(call):
		if fn == nil || p.InTest(call.Pos()) {
			return r, false
		}
		if r.Wrapper = p.Facts.FreshResponse(fn); r.Wrapper == nil {
			return r, false
		}
	default:
		if must := p.letsThrough(r.Def, call); must != nil {
			r.Must, r.Def = must, Unparen(r.Def).Parent()
		}
	}
	r.Fn = p.EnclosingFunc(c)
	return r, r.Fn != nil && !r.FromMemory() && !p.ownConnection(call, r.Fn)
}

// Bind finds out what becomes of the results of the call. It returns what the
// response is assigned to; ok is false if that is nothing that one could follow.
func (b *Response) Bind() (resp ast.Expr, ok bool) {
	resp, err, ok := b.results(b.targets())
	if !ok {
		return nil, false
	}
	if err != nil {
		b.Err = b.p.VarOf(err)
	}
	if IsBlank(resp) {
		return resp, true
	}
	if b.Var = b.p.VarOf(resp); !b.p.DeclaredIn(b.Var, b.Fn) {
		return nil, false
	}
	b.Events = b.p.TrackResponse(b.Var, b.Fn)
	b.HandedOn = b.p.IsResult(b.Var, b.Fn) || slices.ContainsFunc(b.Events, func(e Event) bool { return e.Kind == Escapes })
	return resp, !b.HandedOn || !b.Parsed && b.onlyReturned()
}

// targets returns what the results of the call are assigned to, and makes Def
// the statement that does so; nil if nothing of the kind happens in a function.
func (b *Response) targets() (lhs []ast.Expr) {
	switch n := b.Def.Node().(type) {
	case *ast.AssignStmt:
		return n.Lhs
	case *ast.ValueSpec:
		b.Def = b.Def.Parent().Parent() // the DeclStmt
		if _, isStmt := b.Def.Node().(*ast.DeclStmt); !isStmt {
			return nil
		}
		for _, id := range n.Names {
			lhs = append(lhs, id)
		}
	}
	return lhs
}

// results returns what the response and its error are assigned to, of all that
// the results of the call are assigned to.
func (b *Response) results(lhs []ast.Expr) (resp, err ast.Expr, ok bool) {
	switch {
	case b.Must != nil:
		if len(lhs) == 1 {
			return lhs[0], nil, true
		}
	case b.Wrapper != nil:
		if n := len(lhs); n == b.p.Callee(b.Call).Signature().Results().Len() {
			return lhs[b.Wrapper.Index], lhs[n-1], true
		}
	case len(lhs) == 2:
		return lhs[0], lhs[1], true
	}
	return nil, nil, false
}

// Names returns names for all results of the call, of which only the response
// and the error get one.
func (b *Response) Names(resp, err string) []string {
	if b.Wrapper == nil {
		return []string{resp, err}
	}
	names := make([]string, b.p.Callee(b.Call).Signature().Results().Len())
	for i := range names {
		names[i] = "_"
	}
	names[b.Wrapper.Index], names[len(names)-1] = resp, err
	return names
}

// AssignsAll reports whether the statement assigns all results to variables of
// its own block, so that := in place of = would declare nothing else.
func (b *Response) AssignsAll(as *ast.AssignStmt) bool {
	return !slices.ContainsFunc(as.Lhs, func(l ast.Expr) bool {
		v := b.p.VarOf(l)
		return !IsBlank(l) && (v == nil || !b.p.InScopeOf(v, b.Def, b.Fn))
	})
}

// Promised reports whether there certainly is a body unless there is an error:
// the response comes from net/http itself.
func (b *Response) Promised() bool {
	if b.Wrapper != nil {
		return b.Wrapper.Promised
	}
	return b.p.IsClientCall(b.Call)
}

// Obligation is to close the body.
func (b *Response) Obligation() Obligation {
	o := Obligation{Fn: b.Fn, Call: b.Call, Def: b.Def, Var: b.Var, Err: b.Err, Events: b.Events, Settled: b.withoutBody}
	if b.HandedOn {
		o.Over = b.settled
	}
	return o
}

// readWhole returns the statement behind the guard that reads the whole body,
// if that is the only thing that touches it and nothing in between leaves.
func (b *Response) readWhole(g Guard) ast.Stmt {
	list, _, ok := StmtList(b.Def)
	at := slices.Index(list, g.After)
	if !ok || g.After == nil || at < 0 || !b.Drained() {
		return nil
	}
	var touches []ast.Node
	for _, e := range b.Events {
		if sel, ok := Unparen(e.At).Parent().Node().(*ast.SelectorExpr); e.Kind != Assigns && (!ok || sel.Sel.Name == "Body") {
			touches = append(touches, e.Node)
		}
	}
	for _, s := range list[at+1:] {
		switch s.(type) {
		case *ast.AssignStmt, *ast.ExprStmt, *ast.DeclStmt:
		default:
			return nil
		}
		if len(touches) == 1 && touches[0] == ast.Node(s) {
			return s
		}
	}
	return nil
}

// handedOver reports whether the response itself is an argument of a call.
func handedOver(c inspector.Cursor) bool {
	_, ok := Unparen(c).Parent().Node().(*ast.CallExpr)
	return ok
}

// nilTest reports whether the use at c, resp or resp.Body, is compared with nil.
func (b *Response) nilTest(c inspector.Cursor) bool {
	c = Unparen(c)
	if sel, ok := c.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel.Name == "Body" {
		c = Unparen(c.Parent())
	}
	be, ok := c.Parent().Node().(*ast.BinaryExpr)
	if !ok {
		return false
	}
	_, _, isTest := b.p.NilTest(be, true)
	return isTest
}

// TouchesBody reports whether the function does something with the body, or
// hands the response to something that may.
func (b *Response) TouchesBody() bool {
	touching := map[ast.Node]bool{}
	for _, e := range b.Events {
		if sel, ok := Unparen(e.At).Parent().Node().(*ast.SelectorExpr); ok && sel.Sel.Name == "Body" || handedOver(e.At) {
			if b.p.VarOf(e.At.Node().(*ast.Ident)) != b.Var {
				return true
			}
			touching[e.Node] = true // or that of another response in the same variable
		}
	}
	return len(touching) > 0 && b.reaches(touching)
}

// reaches reports whether control comes to one of nodes as long as Var holds this response.
func (b *Response) reaches(nodes map[ast.Node]bool) bool {
	assigned := map[ast.Node]bool{}
	for _, e := range b.Events {
		if e.Kind == Assigns {
			assigned[e.Node] = true
		}
	}
	found := false
	flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
		found = found || nodes[n]
		return s, !found && !assigned[n]
	}}.After(b.Fn.Flow, b.node(), struct{}{})
	return found
}

// Drained reports whether the body is read to its end somewhere, after which
// the connection is free even if nobody closes it.
func (b *Response) Drained() bool { return slices.ContainsFunc(b.Events, b.drains) }

// drains reports whether e reads the body to its end.
func (b *Response) drains(e Event) bool {
	for c := range e.At.Enclosing((*ast.CallExpr)(nil)) {
		switch b.p.FullName(c.Node().(*ast.CallExpr)) {
		case "io.ReadAll", "io/ioutil.ReadAll", "io.Copy":
			return e.Kind == Reads
		}
		break
	}
	return false
}

// flagged reports whether all that closes the body stands under a bare flag.
func (b *Response) flagged() bool {
	closes := 0
	for _, e := range b.Events {
		switch e.Kind {
		case Closes, DefersClose, ClosesLate:
			if !b.underFlag(e.At) {
				return false
			}
			closes++
		}
	}
	return closes > 0
}

// underFlag reports whether c stands alone in an if that tests a bare
// variable: what the flag means is then not known.
func (b *Response) underFlag(c inspector.Cursor) bool {
	for up := range c.Enclosing((*ast.IfStmt)(nil)) {
		if up.Node().Pos() < b.Call.Pos() {
			break
		}
		ifs := up.Node().(*ast.IfStmt)
		if len(ifs.Body.List) > 1 {
			continue
		}
		cond := ast.Unparen(ifs.Cond)
		if not, ok := cond.(*ast.UnaryExpr); ok && not.Op == token.NOT {
			cond = ast.Unparen(not.X)
		}
		if _, ok := cond.(*ast.Ident); ok {
			return true
		}
	}
	return false
}

// usedByEarlierDefer reports whether a defer that stands before the call looks
// at the response.
func (b *Response) usedByEarlierDefer() bool {
	return slices.ContainsFunc(b.Events, func(e Event) bool {
		d, ok := e.Node.(*ast.DeferStmt)
		return ok && e.Kind == Reads && d.Pos() < b.Call.Pos()
	})
}

// mayBeNil reports whether the function compares the response or its body with
// nil, or hands the response to a function that may.
func (b *Response) mayBeNil() bool {
	return slices.ContainsFunc(b.Events, func(e Event) bool {
		return e.Kind == Reads && (b.nilTest(e.At) || handedOver(e.At))
	})
}
