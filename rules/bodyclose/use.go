package bodyclose

import (
	"go/ast"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/mustcall"
	"github.com/goroutinefix/goroutinefix/rewrite/naming"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
	"github.com/goroutinefix/goroutinefix/rules/bodyclose/internal/transport"
)

// ResponseMade returns the response that the call at c creates; ok is false
// for other calls.
func ResponseMade(p *code.Pass, c inspector.Cursor) (r response.Response, ok bool) {
	call := c.Node().(*ast.CallExpr)
	r = response.Response{Pass: p, Call: call, Def: code.Unparen(c).Parent()}
	switch fn := p.Callee(call); {
	case p.FullName(call) == "net/http.ReadResponse":
		r.Parsed = !p.InTest(call.Pos())
		if !r.Parsed {
			return r, false
		}
	case !response.CreatesResponse(p, call):
		if fn == nil || p.InTest(call.Pos()) {
			return r, false
		}
		if r.Wrapper = response.FreshOf(p.Facts, fn); r.Wrapper == nil {
			return r, false
		}
	default:
		if must := response.LetsThrough(p, r.Def, call); must != nil {
			r.Must, r.Def = must, code.Unparen(r.Def).Parent()
		}
	}
	r.Fn = p.EnclosingFunc(c)
	return r, r.Fn != nil && !r.FromMemory() && !transport.OwnConnection(p, call, r.Fn)
}

// names returns names for all results of the call, of which only the response
// and the error get one.
func names(b *response.Response, resp, err string) []string {
	if b.Wrapper == nil {
		return []string{resp, err}
	}
	names := make([]string, b.Pass.Callee(b.Call).Signature().Results().Len())
	for i := range names {
		names[i] = "_"
	}
	names[b.Wrapper.Index], names[len(names)-1] = resp, err
	return names
}

// assignsAll reports whether the statement assigns all results to variables of
// its own block, so that := in place of = would declare nothing else.
func assignsAll(b *response.Response, as *ast.AssignStmt) bool {
	return !slices.ContainsFunc(as.Lhs, func(l ast.Expr) bool {
		v := b.Pass.VarOf(l)
		return !code.IsBlank(l) && (v == nil || !naming.InScopeOf(b.Pass, v, b.Def, b.Fn))
	})
}

// promised reports whether there certainly is a body unless there is an error:
// the response comes from net/http itself.
func promised(b *response.Response) bool {
	if b.Wrapper != nil {
		return b.Wrapper.Promised
	}
	return response.IsClientCall(b.Pass, b.Call)
}

// readWhole returns the statement after the guard that reads the whole body,
// if that is the only thing that touches it and nothing in between leaves.
func readWhole(b *response.Response, g mustcall.Guard) ast.Stmt {
	list, _, ok := code.StmtList(b.Def)
	at := slices.Index(list, g.After)
	if !ok || g.After == nil || at < 0 || !drained(b) {
		return nil
	}
	var touches []ast.Node
	for _, e := range b.Events {
		if sel, ok := code.Unparen(e.At).Parent().Node().(*ast.SelectorExpr); e.Kind != usage.Assigns && (!ok || sel.Sel.Name == "Body") {
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
	_, ok := code.Unparen(c).Parent().Node().(*ast.CallExpr)
	return ok
}

// nilTest reports whether the use at c, resp or resp.Body, is compared with nil.
func nilTest(b *response.Response, c inspector.Cursor) bool {
	c = code.Unparen(c)
	if sel, ok := c.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel.Name == "Body" {
		c = code.Unparen(c.Parent())
	}
	be, ok := c.Parent().Node().(*ast.BinaryExpr)
	if !ok {
		return false
	}
	_, _, isTest := b.Pass.NilTest(be, true)
	return isTest
}

// touchesBody reports whether the function does something with the body, or
// hands the response to something that may.
func touchesBody(b *response.Response) bool {
	touching := map[ast.Node]bool{}
	for _, e := range b.Events {
		if sel, ok := code.Unparen(e.At).Parent().Node().(*ast.SelectorExpr); ok && sel.Sel.Name == "Body" || handedOver(e.At) {
			if b.Pass.VarOf(e.At.Node().(*ast.Ident)) != b.Var {
				return true
			}
			touching[e.Node] = true // or that of another response in the same variable
		}
	}
	return len(touching) > 0 && reaches(b, touching)
}

// reaches reports whether control comes to one of nodes as long as Var holds this response.
func reaches(b *response.Response, nodes map[ast.Node]bool) bool {
	assigned := map[ast.Node]bool{}
	for _, e := range b.Events {
		if e.Kind == usage.Assigns {
			assigned[e.Node] = true
		}
	}
	found := false
	flow.Paths[struct{}]{Node: func(n ast.Node, s struct{}) (struct{}, bool) {
		found = found || nodes[n]
		return s, !found && !assigned[n]
	}}.After(b.Fn.Flow, b.Node(), struct{}{})
	return found
}

// drained reports whether the body is read to its end somewhere, after which
// the connection is free even if nobody closes it.
func drained(b *response.Response) bool {
	return slices.ContainsFunc(b.Events, func(e usage.Event) bool { return drains(b, e) })
}

// drains reports whether e reads the body to its end.
func drains(b *response.Response, e usage.Event) bool {
	for c := range e.At.Enclosing((*ast.CallExpr)(nil)) {
		switch b.Pass.FullName(c.Node().(*ast.CallExpr)) {
		case "io.ReadAll", "io/ioutil.ReadAll", "io.Copy":
			return e.Kind == usage.Reads
		}
		break
	}
	return false
}

// flagged reports whether all that closes the body stands under a bare flag.
func flagged(b *response.Response) bool {
	closes := 0
	for _, e := range b.Events {
		switch e.Kind {
		case usage.Closes, usage.DefersClose, usage.ClosesLate:
			if !mustcall.UnderFlag(e.At, b.Call.Pos()) {
				return false
			}
			closes++
		}
	}
	return closes > 0
}

// usedByEarlierDefer reports whether a defer that stands before the call looks
// at the response.
func usedByEarlierDefer(b *response.Response) bool {
	return slices.ContainsFunc(b.Events, func(e usage.Event) bool {
		d, ok := e.Node.(*ast.DeferStmt)
		return ok && e.Kind == usage.Reads && d.Pos() < b.Call.Pos()
	})
}

// mayBeNil reports whether the function compares the response or its body with
// nil, or hands the response to a function that may.
func mayBeNil(b *response.Response) bool {
	return slices.ContainsFunc(b.Events, func(e usage.Event) bool {
		return e.Kind == usage.Reads && (nilTest(b, e.At) || handedOver(e.At))
	})
}
