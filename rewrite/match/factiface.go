package match

import (
	"cmp"
	"go/ast"
	"go/types"
	"slices"
)

// implementations returns the methods that a call of fn, a method of an
// interface, can reach. ok is false where others may implement it: only a
// method whose name is not exported belongs to its package alone.
func (f *Facts) implementations(fn *types.Func) (impls []*types.Func, ok bool) {
	recv := fn.Signature().Recv()
	if recv == nil || fn.Exported() || fn.Pkg() != f.pass.Pkg {
		return nil, false
	}
	iface, ok := recv.Type().Underlying().(*types.Interface)
	if !ok {
		return nil, false
	}
	for _, obj := range f.pass.TypesInfo.Defs {
		name, isType := obj.(*types.TypeName)
		if !isType || !f.declared(name) || name.IsAlias() || types.IsInterface(name.Type()) {
			continue
		}
		named, isNamed := name.Type().(*types.Named)
		if !isNamed {
			continue // a type parameter
		}
		ptr := types.NewPointer(named)
		m, _, _ := types.LookupFieldOrMethod(ptr, true, fn.Pkg(), fn.Name())
		method, isMethod := m.(*types.Func)
		switch {
		case !isMethod:
			continue
		case named.TypeParams().Len() > 0 || types.IsInterface(method.Signature().Recv().Type()):
			return nil, false // which instance, or what is embedded, is not known
		case types.Implements(ptr, iface) && !slices.Contains(impls, method):
			impls = append(impls, method)
		}
	}
	slices.SortFunc(impls, func(a, b *types.Func) int { return cmp.Compare(a.Pos(), b.Pos()) })
	return impls, len(impls) > 0
}

// declared reports whether obj is declared in the files of the pass.
func (f *Facts) declared(obj types.Object) bool {
	return slices.ContainsFunc(f.pass.Files, func(file *ast.File) bool { return file.FileStart <= obj.Pos() && obj.Pos() < file.FileEnd })
}

// paramOfAny returns what every one of fns does with its argument i.
func (f *Facts) paramOfAny(fns []*types.Func, i int) Effect {
	effect := f.Param(fns[0], i)
	for _, fn := range fns[1:] {
		if f.Param(fn, i) != effect {
			return ParamUnknown
		}
	}
	return effect
}
