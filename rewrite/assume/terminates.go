package assume

import (
	"go/ast"
	"go/token"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
)

// IsPlain reports whether s has no control flow of its own and starts nothing.
func IsPlain(s ast.Stmt) bool {
	switch s.(type) {
	case *ast.ExprStmt, *ast.AssignStmt, *ast.IncDecStmt, *ast.DeclStmt, *ast.DeferStmt:
		return true
	}
	return false
}

// Terminates reports whether control never reaches the end of block: it is
// the terminating statement of the language specification, with jumps and
// with calls that do not return.
func Terminates(p *code.Pass, block *ast.BlockStmt) bool {
	if len(block.List) == 0 {
		return false
	}
	return terminates(p, block.List[len(block.List)-1])
}

func terminates(p *code.Pass, s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok != token.FALLTHROUGH
	case *ast.ExprStmt:
		call, ok := ast.Unparen(s.X).(*ast.CallExpr)
		return ok && p.NeverReturns(call)
	case *ast.BlockStmt:
		return Terminates(p, s)
	case *ast.IfStmt:
		return s.Else != nil && Terminates(p, s.Body) && terminates(p, s.Else)
	}
	return false
}
