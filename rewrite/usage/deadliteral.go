package usage

import (
	"go/ast"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// InDeadLiteral reports whether the identifier at c stands in a function
// literal that nothing ever calls: its variable is only assigned to _.
func InDeadLiteral(p *code.Pass, c inspector.Cursor, fn *code.Func) bool {
	for ; c.Valid() && c != fn.Cursor; c = c.Parent() {
		if _, ok := c.Node().(*ast.FuncLit); !ok {
			continue
		}
		as, ok := c.Parent().Node().(*ast.AssignStmt)
		if !ok || len(as.Lhs) != 1 {
			continue
		}
		v := p.VarOf(as.Lhs[0])
		if v == nil || !p.DeclaredIn(v, fn) || p.IsResult(v, fn) {
			continue
		}
		dead := true
		for _, use := range p.Uses(fn.Cursor, v) {
			if spec, ok := use.Parent().Node().(*ast.ValueSpec); ok && len(spec.Values) == 0 {
				continue
			}
			as, ok := use.Parent().Node().(*ast.AssignStmt)
			dead = dead && ok && len(as.Lhs) == 1 && (code.OnLeft(as, use) || code.IsBlank(as.Lhs[0]))
		}
		if dead {
			return true
		}
	}
	return false
}
