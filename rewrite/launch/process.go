package launch

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// OncePerProcess reports whether the function at c, a declaration or literal,
// runs once in the life of a process as far as the package shows: main.main,
// init, TestMain, the function of a command, one that parses the flags, asks for signals or
// serves HTTP by itself, what initialises a package variable,
// what a sync.Once calls, and functions that only such functions call, outside of loops. What such a
// function starts may well stay until the end.
func OncePerProcess(p *code.Pass, c inspector.Cursor) bool { return once(p, c, map[ast.Node]bool{}) }

func once(p *code.Pass, c inspector.Cursor, seen map[ast.Node]bool) bool {
	if seen[c.Node()] {
		return false // it calls itself
	}
	seen[c.Node()] = true
	if f := p.FuncOf(c); f != nil && (isCommand(p, f) || isProgram(p, f)) {
		return true
	}
	if lit, ok := c.Node().(*ast.FuncLit); ok {
		call := code.Unparen(c).Parent()
		ce, isCall := call.Node().(*ast.CallExpr)
		if isCall {
			switch name := p.FullName(ce); {
			case name == "(*sync.Once).Do", name == "sync.OnceFunc", name == "sync.OnceValue", name == "sync.OnceValues":
				return true
			case ast.Unparen(ce.Fun) != ast.Expr(lit):
				return false
			}
			return onceAt(p, call, seen)
		}
		return false
	}
	d := c.Node().(*ast.FuncDecl)
	fn, _ := p.TypesInfo.Defs[d.Name].(*types.Func)
	if fn == nil || d.Recv == nil && (d.Name.Name == "init" || d.Name.Name == "main" && p.Pkg.Name() == "main" || d.Name.Name == "TestMain") {
		return true
	}
	if fn.Exported() && p.Pkg.Name() != "main" {
		return false
	}
	called := false
	for _, use := range p.Index().Funcs[fn] {
		at := use
		if sel, ok := at.Parent().Node().(*ast.SelectorExpr); ok && sel.Sel == use.Node() {
			at = at.Parent()
		}
		call, ok := code.Unparen(at).Parent().Node().(*ast.CallExpr)
		if !ok {
			return false // a value: who knows who calls it
		}
		if name := p.FullName(call); name == "(*sync.Once).Do" || name == "sync.OnceFunc" {
			called = true
			continue
		}
		if ast.Unparen(call.Fun) != code.Unparen(at).Node() || !onceAt(p, code.Unparen(at).Parent(), seen) {
			return false
		}
		called = true
	}
	return called
}

// onceAt reports whether what stands at c runs once in the life of a process.
func onceAt(p *code.Pass, c inspector.Cursor, seen map[ast.Node]bool) bool {
	fn := p.EnclosingFunc(c)
	if fn == nil {
		return true // initialises a package variable
	}
	node := code.FlowNode(c, fn)
	return node != nil && !fn.Flow.InCycle(node) && once(p, fn.Cursor, seen)
}

// isProgram reports whether fn, outside of tests, does what only the program itself does.
func isProgram(p *code.Pass, fn *code.Func) bool {
	if p.InTest(fn.Body.Pos()) {
		return false
	}
	for c := range fn.Cursor.Preorder((*ast.CallExpr)(nil)) {
		if knowledge.ProgramCalls[p.FullName(c.Node().(*ast.CallExpr))] {
			return true
		}
	}
	return false
}

// isCommand reports whether fn is what a command line runs.
func isCommand(p *code.Pass, fn *code.Func) bool {
	if sig := p.Signature(fn); sig != nil && sig.Params().Len() == 2 {
		ptr, _ := types.Unalias(sig.Params().At(0).Type()).(*types.Pointer)
		if ptr != nil && types.Identical(sig.Params().At(1).Type(), types.NewSlice(types.Typ[types.String])) {
			if named, ok := types.Unalias(ptr.Elem()).(*types.Named); ok && named.Obj().Name() == "Command" {
				return true
			}
		}
	}
	for _, field := range fn.Type.Params.List {
		t := p.TypesInfo.TypeOf(field.Type)
		for _, path := range []string{"github.com/urfave/cli", "github.com/urfave/cli/v2", "github.com/urfave/cli/v3"} {
			if typeis.Named(t, path, "Context") || typeis.Named(t, path, "Command") {
				return true
			}
		}
		if typeis.Named(t, "github.com/spf13/cobra", "Command") {
			return true
		}
	}
	return false
}
