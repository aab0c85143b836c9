package naming

import (
	"go/ast"
	"go/types"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// ZeroResults returns what a function that c stands in can return when it has
// nothing to return, as expressions in source form; ok is false if one of them
// is an error, of which nobody but the author knows, or has a type without a
// short name.
func ZeroResults(p *code.Pass, fn *code.Func) (zeros []string, ok bool) {
	if fn.Type.Results == nil {
		return nil, true
	}
	for _, field := range fn.Type.Results.List {
		zero, t := "", p.TypesInfo.TypeOf(field.Type)
		id, named := ast.Unparen(field.Type).(*ast.Ident)
		switch u := t.Underlying().(type) {
		case *types.Basic:
			switch {
			case u.Info()&types.IsString != 0:
				zero = `""`
			case u.Info()&types.IsBoolean != 0:
				zero = "false"
			case u.Info()&types.IsNumeric != 0:
				zero = "0"
			}
		case *types.Struct:
			if named {
				zero = id.Name + "{}"
			}
		case *types.Interface, *types.Pointer, *types.Map, *types.Slice, *types.Chan, *types.Signature:
			zero = "nil"
		}
		if _, isParam := types.Unalias(t).(*types.TypeParam); zero == "" || typeis.Error(t) || isParam {
			return nil, false
		}
		for range max(1, len(field.Names)) {
			zeros = append(zeros, zero)
		}
	}
	return zeros, true
}
