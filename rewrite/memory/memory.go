// Package memory answers whether a reader, or the body of a response, is in memory only:
// there is no connection that anything must be closed for.
package memory

import (
	"go/ast"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// Depth bounds how many readers on top of each other are looked through.
const Depth = 6

// Backed reports whether e, a reader in fn, reads from memory only.
func Backed(p *code.Pass, e ast.Expr, fn *code.Func, depth int) bool {
	t := p.TypesInfo.TypeOf(e)
	switch {
	case depth == 0 || t == nil:
		return false
	case typeis.Named(t, "bytes", "Buffer") || typeis.Named(t, "bytes", "Reader") || typeis.Named(t, "strings", "Reader"):
		return true
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		if tv := p.TypesInfo.Types[e.Fun]; tv.IsType() && len(e.Args) == 1 { // io.Reader(buf)
			return Backed(p, e.Args[0], fn, depth-1)
		}
		if !knowledge.MemoryReaders[p.FullName(e)] || e.Ellipsis.IsValid() {
			return p.FullName(e) == "io.TeeReader" && Backed(p, e.Args[0], fn, depth-1)
		}
		for _, arg := range e.Args {
			if typeis.Number(p.TypesInfo.TypeOf(arg)) {
				continue
			}
			if !Backed(p, arg, fn, depth-1) {
				return false
			}
		}
		return true
	case *ast.SelectorExpr: // rw.Reader of a bufio.ReadWriter
		return typeis.Named(p.TypesInfo.TypeOf(e.X), "bufio", "ReadWriter") && e.Sel.Name == "Reader" && Backed(p, e.X, fn, depth-1)
	case *ast.Ident:
		return holdsMemory(p, p.VarOf(e), fn, depth)
	}
	return false
}

// holdsMemory reports whether v, a local reader of fn, gets nothing but readers
// of memory.
func holdsMemory(p *code.Pass, v *types.Var, fn *code.Func, depth int) bool {
	outer := fn.Outermost()
	if v == nil || v.IsField() || v.Pos() < outer.Node().Pos() || v.Pos() >= outer.Node().End() {
		return false
	}
	found := false
	for _, use := range p.Uses(outer, v) {
		var value ast.Expr
		switch n := use.Parent().Node().(type) {
		case *ast.Field, *ast.RangeStmt:
			return false
		case *ast.AssignStmt:
			if !code.OnLeft(n, use) {
				continue
			}
			if value = code.AssignedTo(n, use.Node()); value == nil || len(n.Lhs) != len(n.Rhs) {
				return false
			}
		case *ast.ValueSpec:
			i := slices.IndexFunc(n.Names, func(id *ast.Ident) bool { return id == use.Node() })
			switch {
			case i < 0 || len(n.Values) == 0:
				continue
			case len(n.Values) != len(n.Names):
				return false
			}
			value = n.Values[i]
		case *ast.UnaryExpr:
			return false // whoever has its address may change it
		case *ast.SelectorExpr:
			value = resetTo(p, use.Parent())
			if value == nil {
				continue
			}
		default:
			continue
		}
		if !Backed(p, value, fn, depth-1) {
			return false
		}
		found = true
	}
	return found
}

// resetTo returns what a reader reads from after the call of its method Reset
// that the selector at c belongs to; nil if that is something else.
func resetTo(p *code.Pass, c inspector.Cursor) ast.Expr {
	call, ok := code.Unparen(c).Parent().Node().(*ast.CallExpr)
	if !ok || call.Fun != code.Unparen(c).Node() || c.Node().(*ast.SelectorExpr).Sel.Name != "Reset" || len(call.Args) != 1 {
		return nil
	}
	return call.Args[0]
}

// EndsElsewhere is endsOtherwise for e, a connection or a reader on top of it.
func EndsElsewhere(p *code.Pass, e ast.Expr, fn *code.Func, depth int) bool {
	if depth == 0 {
		return false
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		name := p.FullName(e)
		if !knowledge.MemoryReaders[name] && name != "io.TeeReader" && !p.TypesInfo.Types[e.Fun].IsType() {
			return false
		}
		return slices.ContainsFunc(e.Args, func(arg ast.Expr) bool { return EndsElsewhere(p, arg, fn, depth-1) })
	case *ast.SelectorExpr: // rw.Reader of a bufio.ReadWriter
		return typeis.Named(p.TypesInfo.TypeOf(e.X), "bufio", "ReadWriter") && EndsElsewhere(p, e.X, fn, depth-1)
	case *ast.Ident:
		v := p.VarOf(e)
		if v == nil || !p.DeclaredIn(v, fn) {
			return false
		}
		if p.IsParam(v, fn) {
			return true
		}
		return slices.ContainsFunc(p.Uses(fn.Cursor, v), func(use inspector.Cursor) bool {
			if value := p.GivenAt(use); value != nil {
				return EndsElsewhere(p, value, fn, depth-1)
			}
			sel, ok := use.Parent().Node().(*ast.SelectorExpr)
			return ok && sel.Sel.Name == "Close" && sel.X == use.Node()
		})
	}
	return false
}
