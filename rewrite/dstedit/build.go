package dstedit

import (
	"go/token"
	"strings"

	"github.com/dave/dst"
)

// Ident returns the identifier name.
func Ident(name string) *dst.Ident { return dst.NewIdent(name) }

// Sel returns the selector x.sel.
func Sel(x, sel string) *dst.SelectorExpr {
	return &dst.SelectorExpr{X: Ident(x), Sel: Ident(sel)}
}

// SelectorPath returns the selector x.names[0].names[1]... of an expression.
func SelectorPath(x dst.Expr, names ...string) dst.Expr {
	for _, name := range names {
		x = &dst.SelectorExpr{X: x, Sel: Ident(name)}
	}
	return x
}

// Star returns *x, a dereference or a pointer type.
func Star(x dst.Expr) *dst.StarExpr { return &dst.StarExpr{X: x} }

// Addr returns &x.
func Addr(x dst.Expr) *dst.UnaryExpr { return &dst.UnaryExpr{Op: token.AND, X: x} }

// If returns the statement "if cond { body... }".
func If(cond dst.Expr, body ...dst.Stmt) *dst.IfStmt {
	return &dst.IfStmt{Cond: cond, Body: &dst.BlockStmt{List: body}}
}

// Go returns the statement "go func() { body... }()", over several lines.
func Go(body ...dst.Stmt) *dst.GoStmt {
	body = copies(body)
	lit := &dst.FuncLit{Type: &dst.FuncType{Func: true, Params: &dst.FieldList{}}, Body: &dst.BlockStmt{List: body}}
	return &dst.GoStmt{Call: Call(lit)}
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

// ChanOfSignals returns the type "chan struct{}".
func ChanOfSignals() *dst.ChanType {
	return &dst.ChanType{Dir: dst.SEND | dst.RECV, Value: &dst.StructType{Fields: &dst.FieldList{Opening: true, Closing: true}}}
}

// Zeros returns the expressions that texts spell: "0", `""`, "T{}", or a name.
func Zeros(texts []string) (out []dst.Expr) {
	for _, text := range texts {
		typ, isComposite := strings.CutSuffix(text, "{}")
		switch {
		case isComposite:
			out = append(out, &dst.CompositeLit{Type: Ident(typ)})
		case text == "0":
			out = append(out, Int(text))
		case text[0] == '"':
			out = append(out, &dst.BasicLit{Kind: token.STRING, Value: text})
		default:
			out = append(out, Ident(text))
		}
	}
	return out
}

// NilTest returns the comparison "name op nil", where op is token.EQL or
// token.NEQ.
func NilTest(name string, op token.Token) *dst.BinaryExpr {
	return &dst.BinaryExpr{X: Ident(name), Op: op, Y: Ident("nil")}
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
