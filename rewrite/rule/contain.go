package rule

import (
	"go/ast"
	"runtime/debug"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/summary"
)

// manyPanics is after how many panics a rule is given up on a package.
const manyPanics = 20

// find returns what the rule finds. A panic costs the findings in the declaration
// that the rule was looking at: it looks at the others again, without that one.
// Where it is not known which it was, where there are too many, or where the
// driver does not ask for internal errors, the panic goes on.
func (r *runner) find() (matches []Match, internal []error) {
	masked := map[ast.Decl]bool{}
	p := r.pass
	for {
		found, err := r.attempt(p)
		if err == nil {
			return found, internal
		}
		decl := p.At()
		if r.opt.Summaries == nil || decl == nil || masked[decl] || len(masked) == manyPanics {
			panic(err)
		}
		err.Function = declName(decl, r.pass.TypesInfo)
		internal = append(internal, err)
		masked[decl] = true
		p = r.pass.Mask(masked)
	}
}

// attempt runs the rule once.
func (r *runner) attempt(p *code.Pass) (found []Match, err *summary.PanicError) {
	defer func() {
		if v := recover(); v != nil {
			err = &summary.PanicError{Rule: "rule " + r.rule.Name, Package: r.pass.Pkg.Path(), Value: v, Stack: debug.Stack()}
		}
	}()
	return r.rule.Find(p), nil
}
