// Package wrapper answers what a value of the package that reads from a stream does with its
// end: whether its Close closes the stream, too.
package wrapper

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
)

// Kind says what a value that reads from a stream has to do with its end.
type Kind uint8

const (
	Unknown   Kind = iota // nothing is known: it may close the stream at any time
	ReadsOnly             // it cannot be closed, or its Close does not close the stream
	ClosesToo             // its Close closes the stream, and nothing else does
)

// OfCall says what the result of a call, of a function of this package, does with
// the stream that is its argument i: such a function puts it in a value and returns that.
func OfCall(p *code.Pass, call *ast.CallExpr, i int) Kind {
	fn := p.Callee(call)
	if fn == nil || fn.Signature().Recv() != nil || fn.Signature().Variadic() || i >= fn.Signature().Params().Len() {
		return Unknown
	}
	d := p.Declaration(fn)
	if d == nil {
		return Unknown
	}
	lit := returnedLiteral(p, d)
	if lit == nil {
		return Unknown
	}
	v := fn.Signature().Params().At(i)
	for _, elt := range lit.Elts {
		value := elt
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			value = kv.Value
		}
		if p.VarOf(value) == v && v != nil && len(p.Uses(d.Cursor, v)) == 2 { // its declaration, and this
			return OfLiteral(p, lit, value, v)
		}
	}
	return Unknown
}

// returnedLiteral returns the literal that fn does nothing but to return, or its address.
func returnedLiteral(p *code.Pass, fn *code.Func) *ast.CompositeLit {
	list := fn.Body.List
	if len(list) == 0 || len(list) > 2 {
		return nil
	}
	ret, ok := list[len(list)-1].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return nil
	}
	value := ret.Results[0]
	if len(list) == 2 { // x := &T{...}; return x
		as, ok := list[0].(*ast.AssignStmt)
		if !ok || as.Tok != token.DEFINE || len(as.Lhs) != 1 || len(as.Rhs) != 1 || p.VarOf(value) == nil || p.VarOf(value) != p.VarOf(as.Lhs[0]) {
			return nil
		}
		value = as.Rhs[0]
	}
	if addr, ok := ast.Unparen(value).(*ast.UnaryExpr); ok && addr.Op == token.AND {
		value = addr.X
	}
	lit, _ := ast.Unparen(value).(*ast.CompositeLit)
	return lit
}

// OfLiteral says what the value of a literal, of a structure of this package, does with
// the stream that its element value is. What else the literal gets must not mention v,
// the variable that the stream comes from.
func OfLiteral(p *code.Pass, lit *ast.CompositeLit, value ast.Expr, v *types.Var) Kind {
	named, ok := types.Unalias(p.TypesInfo.TypeOf(lit)).(*types.Named)
	if !ok || named.Obj().Pkg() != p.Pkg || named.TypeParams().Len() > 0 || !seesAll(p) {
		return Unknown
	}
	st, ok := named.Underlying().(*types.Struct)
	if !ok {
		return Unknown
	}
	var field *types.Var
	for i, elt := range lit.Elts {
		kv, keyed := elt.(*ast.KeyValueExpr)
		switch {
		case keyed && ast.Unparen(kv.Value) == ast.Unparen(value):
			field = p.FieldNamed(kv.Key.(*ast.Ident))
		case !keyed && ast.Unparen(elt) == ast.Unparen(value) && i < st.NumFields():
			field = st.Field(i)
		case v != nil && p.Mentions(elt, v):
			return Unknown
		}
	}
	if field == nil {
		return Unknown
	}
	return kindOf(p, named, field)
}

// kindOf says what the methods of a type do with the stream in a field.
func kindOf(p *code.Pass, named *types.Named, field *types.Var) Kind {
	obj, index, _ := types.LookupFieldOrMethod(types.NewPointer(named), true, p.Pkg, "Close")
	var closer *code.Func
	promoted := false
	switch fn := obj.(type) {
	case nil:
	case *types.Func:
		if len(index) > 1 {
			if promoted = named.Underlying().(*types.Struct).Field(index[0]) == field; !promoted {
				return Unknown
			}
			break
		}
		if closer = p.Declaration(fn); closer == nil {
			return Unknown
		}
	default:
		return Unknown // a field
	}
	closes := promoted
	for _, at := range p.Index().Fields[field] {
		if sel, ok := at.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel == at.Node() {
			at = at.Parent()
		}
		switch fieldUse(p, at) {
		case other:
			return Unknown
		case closed:
			if closer == nil || !closer.Cursor.Contains(at) {
				return Unknown
			}
			closes = true
		}
	}
	if closes {
		return ClosesToo
	}
	return ReadsOnly
}

// seesAll reports whether p is a pass over all files of its package: what a domain
// computes of one function does not look into the methods of a type.
func seesAll(p *code.Pass) bool {
	for c := range p.Inspector.Root().Children() {
		return len(p.Files) > 0 && c.Node() == ast.Node(p.Files[0])
	}
	return false
}

// use is what is done with a stream.
type use uint8

const (
	other use = iota
	read
	closed
)

// fieldUse says what is done with the stream in the field that c selects.
func fieldUse(p *code.Pass, c inspector.Cursor) use {
	c = code.Unparen(c)
	if fn := p.EnclosingFunc(c); fn == nil || fn.Cursor != fn.Outermost() {
		return other // a literal may run at any time
	}
	switch n := c.Parent().Node().(type) {
	case *ast.BinaryExpr:
		return read
	case *ast.SelectorExpr:
		call, ok := code.Unparen(c.Parent()).Parent().Node().(*ast.CallExpr)
		if !ok || n.X != c.Node() || ast.Unparen(call.Fun) != ast.Expr(n) {
			return other
		}
		switch n.Sel.Name {
		case "Read":
			return read
		case "Close":
			return closed
		}
	case *ast.CallExpr:
		if i, ok := knowledge.Readers[p.FullName(n)]; ok && i == slices.Index(n.Args, c.Node().(ast.Expr)) {
			return read
		}
	}
	return other
}
