package bodyclose

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/response"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rewrite/usage"
)

// readToEnd lists, by index, the parameters of a function that are responses or bodies
// and that it reads to their end on each path to a return.
type readToEnd []int

var readToEndOf = code.Register[readToEnd]("readtoend")

func init() {
	readToEndOf.Compute(func(sig *types.Signature, _ *ast.FuncDecl) bool {
		return slices.ContainsFunc(slices.Collect(sig.Params().Variables()), carriesBody)
	}, func(s *code.Subject) (read readToEnd) {
		for i := range s.Sig.Params().Len() {
			if v := s.Sig.Params().At(i); carriesBody(v) && readsToEnd(s.Pass, s.Fn, v) {
				read = append(read, i)
			}
		}
		return read
	})
}

// carriesBody reports whether v is a response or what may be the body of one.
func carriesBody(v *types.Var) bool {
	return typeis.Response(v.Type()) || typeis.Named(v.Type(), "io", "Reader") || typeis.Named(v.Type(), "io", "ReadCloser")
}

// readsToEnd reports whether each path of fn to a return reads the body that the
// parameter v is, or has, to its end.
func readsToEnd(p *code.Pass, fn *code.Func, v *types.Var) bool {
	reads := map[ast.Node]bool{}
	for _, use := range p.Uses(fn.Cursor, v) {
		if p.EnclosingFunc(use).Cursor == fn.Cursor && endReadBy(p, use) {
			reads[code.FlowNode(use, fn)] = true
		}
	}
	if len(reads) == 0 {
		return false
	}
	all := true
	flow.Paths[struct{}]{
		Node: func(n ast.Node, s struct{}) (struct{}, bool) { return s, !reads[n] },
		Exit: func(*flow.Block, struct{}) { all = false },
	}.FromEntry(fn.Flow, struct{}{})
	return all
}

// endReadBy reports whether the call that a response or body at c is an argument of
// reads that to its end.
func endReadBy(p *code.Pass, c inspector.Cursor) bool {
	if sel, ok := c.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel.Name == "Body" {
		c = c.Parent()
	}
	arg := code.Unparen(c)
	call, ok := arg.Parent().Node().(*ast.CallExpr)
	if !ok {
		return false
	}
	switch p.FullName(call) {
	case "io.ReadAll", "io/ioutil.ReadAll", "io.Copy":
		return ast.Node(call.Args[len(call.Args)-1]) == arg.Node()
	}
	callee := p.Callee(call)
	return callee != nil && slices.Contains(readToEndOf.Of(p.Facts.Facts, callee), slices.Index(call.Args, arg.Node().(ast.Expr)))
}

// emptied reports whether e reads the body to its end, itself or by a helper. A helper
// that may put another body there is unknown, and the response is not looked at any more.
func emptied(b *response.Response, e usage.Event) bool {
	return drains(b, e) || endReadBy(b.Pass, e.At)
}
