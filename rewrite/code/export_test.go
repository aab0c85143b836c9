package code

import (
	"go/types"

	"golang.org/x/tools/go/ast/inspector"
)

const LongBody = longBody

func (p *Pass) FunctionAround(v *types.Var) (inspector.Cursor, bool) { return p.functionAround(v) }
