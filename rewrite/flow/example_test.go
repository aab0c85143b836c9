package flow_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"log"

	"github.com/goroutinefix/goroutinefix/rewrite/flow"
)

// Which lines of a function return without having called done?
func ExamplePaths() {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "f.go", `package p

func f(ok, again bool, done func()) {
	if !ok {
		return
	}
	for again {
		done()
		return
	}
	done()
}
`, parser.SkipObjectResolution)
	if err != nil {
		log.Fatal(err)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	if _, err := new(types.Config).Check("p", fset, []*ast.File{file}, info); err != nil {
		log.Fatal(err)
	}
	fn := file.Decls[0].(*ast.FuncDecl)
	graph := flow.New(fn.Body, info, func(*ast.CallExpr) bool { return false })
	flow.Paths[bool]{ // the state: whether done has been called
		Node: func(n ast.Node, called bool) (bool, bool) {
			if s, ok := n.(*ast.ExprStmt); ok {
				_, isCall := s.X.(*ast.CallExpr)
				called = called || isCall
			}
			return called, true
		},
		Exit: func(b *flow.Block, called bool) {
			if !called {
				fmt.Println("line", fset.Position(b.End).Line)
			}
		},
	}.FromEntry(graph, false)
	// Output: line 5
}
