package missingsignal

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/channel"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/flow"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
	"github.com/goroutinefix/goroutinefix/rules/missingsignal/internal/outcome"
)

// word is what a function does with a channel that it gets as a parameter, or with a
// function, which gives the word when it is called. The zero
// value says that nothing is known.
type word struct {
	Known bool
	Gives bool // on some way it gives the word, or starts who does
	Sends bool // and a send does
	Skips bool // on some way out after an error it does not
	Hands bool // somebody gets the channel of whom nothing is known
	Waits bool // it waits for the word, and for nothing else, whatever happens
}

// words is what a function does with its parameters that are channels, or functions,
// which may give the word on one.
var words = code.Register[[]word]("words")

func init() {
	words.Compute(takesWord, func(s *code.Subject) (out []word) {
		for i := range s.Sig.Params().Len() {
			v := s.Sig.Params().At(i)
			if !typeis.Chan(v.Type()) && !isFunc(v) || s.Sig.Variadic() && i == s.Sig.Params().Len()-1 || v.Name() == "" {
				continue
			}
			if out == nil {
				out = make([]word, s.Sig.Params().Len())
			}
			out[i] = follow(s.Pass, s.Fn, v).summary()
		}
		return out
	})
}

func takesWord(sig *types.Signature, _ *ast.FuncDecl) bool {
	for v := range sig.Params().Variables() {
		if typeis.Chan(v.Type()) || isFunc(v) {
			return true
		}
	}
	return false
}

// wordOf returns what fn does with its argument i.
func wordOf(p *code.Pass, fn *types.Func, i int) word {
	if fn == nil || i < 0 {
		return word{}
	}
	if all := words.Of(p.Facts.Facts, fn); i < len(all) {
		return all[i]
	}
	return word{}
}

// summary returns what the function does with the channel.
func (s *signal) summary() word {
	if s.lost {
		return word{}
	}
	w := word{Known: true}
	for _, g := range s.gives {
		w.Gives, w.Hands, w.Sends = w.Gives || g.real, w.Hands || !g.real, w.Sends || g.send
	}
	w.Skips = w.Gives && len(s.skips()) > 0
	w.Waits = len(s.waits) > 0 && s.waitsSurely()
	return w
}

// waitsSurely reports whether the function comes to one of its waits on each way out.
func (s *signal) waitsSurely() bool {
	at := map[ast.Node]bool{}
	for _, w := range s.waits {
		if !w.start.Valid() {
			at[code.FlowNode(w.at, s.fn)] = !s.perhaps(w)
		}
	}
	surely := true
	flow.Paths[struct{}]{
		Node: func(n ast.Node, st struct{}) (struct{}, bool) { return st, surely && !at[n] },
		Exit: func(*flow.Block, struct{}) { surely = false },
	}.FromEntry(s.fn.Flow, struct{}{})
	return surely && len(at) > 0
}

// perhaps reports whether a wait comes only if the left side of && or || says so.
func (s *signal) perhaps(w wait) bool {
	return w.op.Kind != channel.Range && code.Conditional(w.op.Op, code.FlowNode(w.at, s.fn))
}

// skip is a way out after an error on which the word is not given.
type skip struct {
	ret *ast.ReturnStmt // nil for the end of the function
	via *part           // what the function has called or started instead, which may leave it out
}

// skips returns the ways out after an error on which the function does not give the word.
func (s *signal) skips() (out []skip) {
	failed := map[*ast.ReturnStmt]bool{}
	sig := s.p.Signature(s.fn)
	returnsError := sig != nil && sig.Results().Len() > 0 && typeis.Error(sig.Results().At(sig.Results().Len()-1).Type())
	s.walk(nil, walker{
		exit: func(b *flow.Block, st state) {
			ret := outcome.Returned(b)
			if failed[ret] {
				return
			}
			via := s.partOf(st.part)
			switch {
			case returnsError && (ret == nil || len(ret.Results) == 0 || !s.setError(ret, st)):
				return
			case !returnsError && via == nil && (ret == nil || !s.afterError(ret)):
				return
			}
			failed[ret] = true
			out = append(out, skip{ret, via})
		},
	})
	return out
}

// afterError reports whether ret stands where an error is set, in the body of a test of it.
func (s *signal) afterError(ret *ast.ReturnStmt) bool {
	c, ok := s.p.Find(s.fn.Cursor, ret)
	if !ok {
		return false
	}
	for c != s.fn.Cursor {
		if test, isIf := c.Parent().Node().(*ast.IfStmt); isIf && c.Node() != ast.Node(test.Init) {
			x, isNil, ok := s.p.NilTest(test.Cond, c.Node() == ast.Node(test.Body))
			if ok && !isNil && errorVar(s.p, x) != nil {
				return true
			}
		}
		c = c.Parent()
	}
	return false
}

// setError reports whether the error that ret returns is not nil.
func (s *signal) setError(ret *ast.ReturnStmt, st state) bool {
	e := ast.Unparen(ret.Results[len(ret.Results)-1])
	if v := s.p.VarOf(e); v != nil {
		return st.err == v || v.Parent() == s.p.Pkg.Scope() || v.Pkg() != nil && v.Parent() == v.Pkg().Scope()
	}
	switch x := e.(type) {
	case *ast.SelectorExpr: // the error of a package, such as io.EOF
		v, ok := s.p.TypesInfo.Uses[x.Sel].(*types.Var)
		return ok && !v.IsField()
	case *ast.CompositeLit, *ast.UnaryExpr:
		return true
	case *ast.CallExpr:
		switch s.p.FullName(x) {
		case "errors.New", "fmt.Errorf":
			return true
		}
		if part := s.partOf(st.part); part != nil && part.call.Expr == x {
			return true
		}
		// An error made of one that is set, as in wrap(err).
		for _, arg := range x.Args {
			if v := s.p.VarOf(arg); v != nil && v == st.err {
				return true
			}
		}
	}
	return false
}

// comesFrom reports whether a path leads to ret on which the word is given.
func (s *signal) comesFrom(ret *ast.ReturnStmt) (given bool) {
	for n := range s.gives {
		flow.Paths[struct{}]{Node: func(n ast.Node, st struct{}) (struct{}, bool) {
			given = given || n == ast.Node(ret)
			return st, !given
		}}.After(s.fn.Flow, n, struct{}{})
	}
	return given
}
