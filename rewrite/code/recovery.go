package code

import (
	"go/ast"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
)

// MayRecover reports whether fn may come back from a panic of its own: it defers
// a literal or a function of the package that recovers, or something that is not
// known.
func (p *Pass) MayRecover(fn *Func) bool {
	for c := range fn.Cursor.Preorder((*ast.DeferStmt)(nil)) {
		if p.GoroutineFunc(c) == fn.Cursor && p.recoversAs(c.Node().(*ast.DeferStmt).Call, c) {
			return true
		}
	}
	return false
}

// recoversAs reports whether call, which is deferred at c, may stop a panic. Only
// a function that is deferred itself does, by a call of its own.
func (p *Pass) recoversAs(call *ast.CallExpr, c inspector.Cursor) bool {
	if lit, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
		at, found := c.FindNode(lit)
		return !found || p.callsRecover(at)
	}
	if p.CallsBuiltin(call) {
		return p.IsBuiltin(call, "recover")
	}
	fn := p.Callee(call)
	if fn == nil || fn.Pkg() == nil {
		return true
	}
	if body := p.Declaration(fn); body != nil {
		return p.callsRecover(body.Cursor)
	}
	return !knowledge.Std(fn.Pkg().Path())
}

// callsRecover reports whether the function at c calls recover itself.
func (p *Pass) callsRecover(c inspector.Cursor) bool {
	for call := range c.Preorder((*ast.CallExpr)(nil)) {
		if p.IsBuiltin(call.Node().(*ast.CallExpr), "recover") {
			return true
		}
	}
	return false
}

// Recovers reports whether fn has deferred calls that might send or close.
func (p *Pass) Recovers(fn *Func) bool { return p.callsRecover(fn.Cursor) }
