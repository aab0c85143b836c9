package dstedit

import (
	"go/token"

	"github.com/dave/dst"
)

// Ident returns the identifier name.
func Ident(name string) *dst.Ident { return dst.NewIdent(name) }

// Sel returns the selector x.sel.
func Sel(x, sel string) *dst.SelectorExpr {
	return &dst.SelectorExpr{X: Ident(x), Sel: Ident(sel)}
}

// Call returns the call fun(args...).
func Call(fun dst.Expr, args ...dst.Expr) *dst.CallExpr {
	return &dst.CallExpr{Fun: fun, Args: args}
}

// Int returns the integer literal with the given text, such as "1".
func Int(text string) *dst.BasicLit {
	return &dst.BasicLit{Kind: token.INT, Value: text}
}

// Recv returns the receive expression <-x.
func Recv(x dst.Expr) *dst.UnaryExpr { return &dst.UnaryExpr{Op: token.ARROW, X: x} }

// Defer returns the statement "defer call".
func Defer(call *dst.CallExpr) *dst.DeferStmt { return &dst.DeferStmt{Call: call} }

// ExprStmt returns the statement that evaluates x.
func ExprStmt(x dst.Expr) *dst.ExprStmt { return &dst.ExprStmt{X: x} }

// Assign returns the statement "lhs tok rhs", where tok is token.ASSIGN or
// token.DEFINE.
func Assign(lhs dst.Expr, tok token.Token, rhs dst.Expr) *dst.AssignStmt {
	return &dst.AssignStmt{Lhs: []dst.Expr{lhs}, Tok: tok, Rhs: []dst.Expr{rhs}}
}

// VarDecl returns the statement "var name typ".
func VarDecl(name string, typ dst.Expr) dst.Stmt {
	return &dst.DeclStmt{Decl: &dst.GenDecl{
		Tok:   token.VAR,
		Specs: []dst.Spec{&dst.ValueSpec{Names: []*dst.Ident{Ident(name)}, Type: typ}},
	}}
}

// Return returns the statement "return results...".
func Return(results ...dst.Expr) *dst.ReturnStmt { return &dst.ReturnStmt{Results: results} }

// CommCase returns the clause "case comm: body..."; a nil comm makes it the
// default clause.
func CommCase(comm dst.Stmt, body ...dst.Stmt) *dst.CommClause {
	return &dst.CommClause{Comm: comm, Body: body}
}

// Select returns the select statement with the given clauses, one a line.
func Select(clauses ...*dst.CommClause) *dst.SelectStmt {
	s := &dst.SelectStmt{Body: &dst.BlockStmt{}}
	for _, c := range clauses {
		layOut(c)
		c.Decs.Before, c.Decs.After = dst.NewLine, dst.NewLine
		s.Body.List = append(s.Body.List, c)
	}
	return s
}
