package match

import (
	"go/ast"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

// What the tests from outside look into.
var AssuresOf = assuresOf

const LongBody = longBody

func (p *Pass) Find(root inspector.Cursor, n ast.Node) (inspector.Cursor, bool) {
	return p.find(root, n)
}

func (p *Pass) FunctionAround(v *types.Var) (inspector.Cursor, bool) { return p.functionAround(v) }
