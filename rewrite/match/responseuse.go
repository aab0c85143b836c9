package match

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"
)

// Response is a response that a call returns, with all that its function does to it.
type Response struct {
	p      *Pass
	Fn     *Func
	Call   *ast.CallExpr
	Def    inspector.Cursor // the statement or spec that takes the results
	Var    *types.Var       // nil if the response is discarded
	Err    *types.Var       // the error beside it; nil if that is not in a variable
	Events []Event          // of Var
}

// ResponseMade returns the response that the call at c creates; ok is false
// for other calls.
func (p *Pass) ResponseMade(c inspector.Cursor) (r Response, ok bool) {
	call := c.Node().(*ast.CallExpr)
	if !p.CreatesResponse(call) {
		return r, false
	}
	r = Response{p: p, Fn: p.EnclosingFunc(c), Call: call, Def: Unparen(c).Parent()}
	return r, r.Fn != nil
}

// Targets returns what the results of the call are assigned to, and makes Def
// the statement that does so; nil if nothing of the kind happens in a function.
func (b *Response) Targets() (lhs []ast.Expr) {
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

// Obligation is to close the body.
func (b *Response) Obligation() Obligation {
	return Obligation{Fn: b.Fn, Call: b.Call, Def: b.Def, Var: b.Var, Err: b.Err, Events: b.Events}
}

// ReadWhole returns the statement behind the guard that reads the whole body,
// if that is the only thing that touches it and nothing in between leaves.
func (b *Response) ReadWhole(g Guard) ast.Stmt {
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
	for _, e := range b.Events {
		if sel, ok := Unparen(e.At).Parent().Node().(*ast.SelectorExpr); ok && sel.Sel.Name == "Body" || handedOver(e.At) {
			return true
		}
	}
	return false
}

// Drained reports whether the body is read to its end somewhere, after which
// the connection is free even if nobody closes it.
func (b *Response) Drained() bool {
	for _, e := range b.Events {
		for c := range e.At.Enclosing((*ast.CallExpr)(nil)) {
			switch b.p.FullName(c.Node().(*ast.CallExpr)) {
			case "io.ReadAll", "io/ioutil.ReadAll", "io.Copy":
				return e.Kind == Reads
			}
			break
		}
	}
	return false
}

// Flagged reports whether all that closes the body stands under a bare flag.
func (b *Response) Flagged() bool {
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
