package usage

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"sync"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/goroutinefix/goroutinefix/rewrite/callers"
	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/typeis"
)

// MethodOf returns the method of a type that is called in place of fn, a method
// of an interface; nil if it is not one with a body.
func MethodOf(typ types.Type, fn *types.Func) *types.Func {
	obj, _, _ := types.LookupFieldOrMethod(typ, true, fn.Pkg(), fn.Name())
	m, ok := obj.(*types.Func)
	if !ok || types.IsInterface(m.Signature().Recv().Type()) {
		return nil
	}
	return m.Origin()
}

// A method of an interface does what the methods do that implement it.
// Other packages, also such as nobody has named, may import this one and bring
// types of their own. So all of them are known only where nothing can come in:
// if the method is not exported, or if no value gets into the interface but by
// a conversion in this package.

// ifaces answers which methods implement those of interfaces of a package.
type ifaces struct {
	mu    sync.Mutex // rules ask at the same time
	known map[ifaceKey]implSet

	// Types are those of all expressions in the files of the pass.
	Types func() []types.Type
	// asserted are the interface types that a value is asserted to be of.
	asserted func() []types.Type
	// ignored holds the names of methods in files that the build leaves out.
	ignored func() map[string]bool
}

type ifaceKey struct {
	iface *types.Named // nil for all that have the method
	fn    *types.Func
}

type implSet struct {
	methods []*types.Func
	closed  bool
}

func IfacesOf(f *code.Facts) *ifaces {
	return code.Of(f, func(f *code.Facts) *ifaces {
		return &ifaces{
			known:    map[ifaceKey]implSet{},
			Types:    sync.OnceValue(func() []types.Type { return staticTypes(f) }),
			asserted: sync.OnceValue(func() []types.Type { return assertedTypes(f) }),
			ignored:  sync.OnceValue(func() map[string]bool { return ignoredMethods(f) }),
		}
	})
}

func (x *ifaces) get(key ifaceKey, work func() implSet) implSet {
	x.mu.Lock()
	b, ok := x.known[key]
	x.mu.Unlock()
	if !ok {
		b = work()
		x.mu.Lock()
		x.known[key] = b
		x.mu.Unlock()
	}
	return b
}

// Implementations returns the methods that a call of fn, a method of an
// interface, can reach. ok is false where others may implement it: only a
// method whose name is not exported belongs to its package alone.
func Implementations(f *code.Facts, fn *types.Func) (impls []*types.Func, ok bool) {
	recv := fn.Signature().Recv()
	if recv == nil || fn.Exported() || fn.Pkg() != f.Pass.Pkg || !types.IsInterface(recv.Type()) {
		return nil, false
	}
	b := IfacesOf(f).get(ifaceKey{fn: fn}, func() implSet { return sealed(f, fn) })
	return b.methods, b.closed && len(b.methods) > 0
}

func sealed(f *code.Facts, fn *types.Func) (b implSet) {
	iface := fn.Signature().Recv().Type().Underlying().(*types.Interface)
	b.closed = !IfacesOf(f).ignored()[fn.Name()]
	for _, obj := range f.Pass.TypesInfo.Defs {
		name, isType := obj.(*types.TypeName)
		if !isType || !declared(f, name.Pos()) || name.IsAlias() || types.IsInterface(name.Type()) {
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
		case named.TypeParams().Len() > 0 || types.IsInterface(method.Signature().Recv().Type()):
			b.closed = false // which instance, or what is embedded, is not known
		case types.Implements(ptr, iface) && !slices.Contains(b.methods, method):
			b.methods = append(b.methods, method)
		}
	}
	sortFuncs(b.methods)
	return b
}

func sortFuncs(fns []*types.Func) {
	slices.SortFunc(fns, func(a, b *types.Func) int { return cmp.Compare(a.Pos(), b.Pos()) })
}

// Implementers returns the methods of this package that implement fn, a method
// of the interface typ; closed says that there are no others.
func Implementers(f *code.Facts, typ types.Type, fn *types.Func) (methods []*types.Func, closed bool) {
	named, ok := types.Unalias(typ).(*types.Named)
	if !ok || !types.IsInterface(named) || named.TypeParams().Len() > 0 {
		return nil, false
	}
	b := IfacesOf(f).get(ifaceKey{named, fn}, func() implSet { return converted(f, named, fn) })
	return b.methods, b.closed
}

func converted(f *code.Facts, named *types.Named, fn *types.Func) (b implSet) {
	iface := named.Underlying().(*types.Interface)
	b.closed = private(f, named) && !IfacesOf(f).ignored()[fn.Name()]
	for _, t := range IfacesOf(f).Types() {
		switch {
		case !types.Implements(t, iface):
			continue
		case typeis.TypeParam(t):
			b.closed = false
			continue
		case types.IsInterface(t):
			// What is in another interface can be converted. That one may be closed, too.
			other, ok := t.(*types.Named)
			b.closed = b.closed && ok && private(f, other)
			continue
		}
		m := MethodOf(t, fn)
		if m == nil || m.Signature().Recv() == nil {
			b.closed = false
		} else if !slices.Contains(b.methods, m) {
			b.methods = append(b.methods, m)
		}
	}
	sortFuncs(b.methods)
	return b
}

// private reports whether a value gets into the interface named only where this
// package converts it.
func private(f *code.Facts, named *types.Named) bool {
	obj := named.Obj()
	if obj.Pkg() != f.Pass.Pkg || named.TypeParams().Len() > 0 {
		return false
	}
	if slices.ContainsFunc(IfacesOf(f).asserted(), func(t types.Type) bool { return types.Identical(t, named) }) {
		return false
	}
	if f.Pass.Pkg.Name() == "main" {
		return true // nobody imports it; what its own tests bring along is among the ignored methods
	}
	return !leaks(f, named)
}

// leaks reports whether other packages can get at a variable, a parameter or an
// element of a type of this package.
func leaks(f *code.Facts, named *types.Named) bool {
	scope := f.Pass.Pkg.Scope()
	for _, name := range scope.Names() {
		obj := scope.Lookup(name)
		if !declared(f, obj.Pos()) {
			continue
		}
		switch obj := obj.(type) {
		case *types.Func, *types.Var:
			if obj.Exported() && mentionsType(obj.Type(), named) {
				return true
			}
		case *types.TypeName:
			if typeLeaks(f, obj, named) {
				return true
			}
		}
	}
	return false
}

func typeLeaks(f *code.Facts, obj *types.TypeName, named *types.Named) bool {
	if obj.IsAlias() {
		return mentionsType(obj.Type(), named)
	}
	t, ok := obj.Type().(*types.Named)
	if !ok {
		return true
	}
	for m := range t.Methods() {
		if m.Exported() && mentionsType(m.Signature(), named) {
			return true
		}
	}
	for p := range t.TypeParams().TypeParams() {
		if mentionsType(p.Constraint(), named) {
			return true
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for field := range u.Fields() {
			if field.Exported() && mentionsType(field.Type(), named) {
				return true
			}
		}
		return false
	case *types.Interface:
		for m := range u.Methods() {
			if mentionsType(m.Signature(), named) {
				return true
			}
		}
		return false
	default:
		return mentionsType(u, named)
	}
}

// mentionsType reports whether t is written with the type named. Of other named
// types it looks at the arguments only.
func mentionsType(t types.Type, named *types.Named) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		if t.Obj() == named.Obj() {
			return true
		}
		for arg := range t.TypeArgs().Types() {
			if mentionsType(arg, named) {
				return true
			}
		}
	case *types.TypeParam:
		_, ok := t.Constraint().(*types.Named)
		return ok && mentionsType(t.Constraint(), named)
	case interface{ Elem() types.Type }: // pointer, slice, array, channel, map
		m, isMap := t.(*types.Map)
		return mentionsType(t.Elem(), named) || isMap && mentionsType(m.Key(), named)
	case *types.Signature:
		for p := range t.TypeParams().TypeParams() {
			if mentionsType(p, named) {
				return true
			}
		}
		return mentionsType(t.Params(), named) || mentionsType(t.Results(), named)
	case *types.Tuple:
		for v := range t.Variables() {
			if mentionsType(v.Type(), named) {
				return true
			}
		}
	case *types.Struct:
		for v := range t.Fields() {
			if mentionsType(v.Type(), named) {
				return true
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			if mentionsType(m.Signature(), named) {
				return true
			}
		}
		for e := range t.EmbeddedTypes() {
			if mentionsType(e, named) {
				return true
			}
		}
	case *types.Union:
		for term := range t.Terms() {
			if mentionsType(term.Type(), named) {
				return true
			}
		}
	}
	return false
}

// staticTypes returns the types of all expressions, type arguments included, in
// the files of the pass: a value that is converted to an interface has one of them.
func staticTypes(f *code.Facts) []types.Type {
	seen, distinct := map[types.Type]bool{}, typeutil.Map{}
	var add func(t types.Type)
	add = func(t types.Type) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		t = types.Unalias(t)
		switch u := t.(type) {
		case *types.Tuple:
			for v := range u.Variables() {
				add(v.Type())
			}
			return
		case *types.Basic, *types.Signature, *types.Slice, *types.Map, *types.Chan, *types.Array:
			// They have no methods, but what is in them may be ranged over or received.
			if e, ok := u.(interface{ Elem() types.Type }); ok {
				add(e.Elem())
			}
			if m, ok := u.(*types.Map); ok {
				add(m.Key())
			}
			if s, ok := u.(*types.Signature); ok { // an iterator, or a callback's arguments
				add(s.Params())
				add(s.Results())
			}
			return
		}
		distinct.Set(t, true)
		if named, ok := t.(*types.Named); ok && !types.IsInterface(named) {
			if _, isStruct := named.Underlying().(*types.Struct); !isStruct {
				add(named.Underlying())
			}
		}
	}
	for _, file := range f.Pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok && f.Pass.TypesInfo.Types[e].IsValue() {
				add(f.Pass.TypesInfo.Types[e].Type)
			}
			if id, ok := n.(*ast.Ident); ok {
				if v, isVar := f.Pass.TypesInfo.Defs[id].(*types.Var); isVar {
					add(v.Type()) // it may get its values from a range clause
				}
				for t := range f.Pass.TypesInfo.Instances[id].TypeArgs.Types() {
					add(t)
				}
			}
			return true
		})
	}
	return distinct.Keys()
}

// assertedTypes returns the interface types of all type assertions and type switches.
func assertedTypes(f *code.Facts) (list []types.Type) {
	add := func(e ast.Expr) {
		if t := f.Pass.TypesInfo.TypeOf(e); e != nil && t != nil && types.IsInterface(t) {
			list = append(list, t)
		}
	}
	for _, file := range f.Pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeAssertExpr:
				if n.Type != nil {
					add(n.Type)
				}
			case *ast.TypeSwitchStmt:
				for _, s := range n.Body.List {
					for _, e := range s.(*ast.CaseClause).List {
						add(e)
					}
				}
			}
			return true
		})
	}
	return list
}

// ignoredMethods returns the names of the methods in the files beside the
// package that are not part of it here: another build, or a test, has them.
func ignoredMethods(f *code.Facts) map[string]bool {
	names := map[string]bool{}
	for _, name := range beside(f) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil || file.Name.Name != f.Pass.Pkg.Name() && f.Pass.Pkg.Name() != "main" {
			continue // an external test gets at an interface only if one of these files exports it
		}
		for _, d := range file.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Recv != nil {
				names[d.Name.Name] = true
			}
		}
	}
	return names
}

// beside returns the Go files in the directories of the pass that are not part of it.
func beside(f *code.Facts) []string {
	if f.Lazily() {
		return nil // a dependency as it is built here
	}
	var names []string
	for _, file := range f.Pass.Files {
		names = append(names, f.Pass.Fset.File(file.FileStart).Name())
	}
	list, _ := callers.Neighbours(names)
	return list
}

// declared reports whether pos is in the files of the pass.
func declared(f *code.Facts, pos token.Pos) bool {
	return slices.ContainsFunc(f.Pass.Files, func(file *ast.File) bool { return file.FileStart <= pos && pos < file.FileEnd })
}

// paramOfAny returns what every one of fns does with its argument i.
func paramOfAny(f *code.Facts, fns []*types.Func, i int) Effect {
	effect := Param(f, fns[0], i)
	for _, fn := range fns[1:] {
		if Param(f, fn, i) != effect {
			return Unknown
		}
	}
	return effect
}
