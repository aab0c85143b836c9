// Package typeis answers what a type is, and what values of it can hold. It knows
// no syntax.
package typeis

import "go/types"

// Named reports whether t is pkg.name or a pointer to it.
func Named(t types.Type, pkg, name string) bool {
	if t == nil {
		return false
	}
	t = types.Unalias(t)
	if ptr, ok := t.(*types.Pointer); ok {
		t = types.Unalias(ptr.Elem())
	}
	n, ok := t.(*types.Named)
	if !ok {
		return false
	}
	o := n.Obj()
	return o.Name() == name && o.Pkg() != nil && o.Pkg().Path() == pkg
}

// Error reports whether t is the predeclared type error.
func Error(t types.Type) bool {
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}

// Chan reports whether t is a channel.
func Chan(t types.Type) bool {
	_, ok := t.Underlying().(*types.Chan)
	return ok
}

// CancelFunc reports whether t is one of the types of functions that cancel a context.
func CancelFunc(t types.Type) bool {
	return Named(t, "context", "CancelFunc") || Named(t, "context", "CancelCauseFunc")
}

// TypeParam reports whether t is a type parameter.
func TypeParam(t types.Type) bool {
	_, ok := types.Unalias(t).(*types.TypeParam)
	return ok
}

// Callback reports whether t is the type of a cancel function.
func Callback(t types.Type) bool {
	if CancelFunc(t) {
		return true
	}
	sig, ok := types.Unalias(t).(*types.Signature)
	return ok && sig.Params().Len() == 0 && sig.Results().Len() == 0
}

// Bool reports whether t is the type bool.
func Bool(t types.Type) bool { return types.Identical(t, types.Typ[types.Bool]) }

// Errors reports whether t is []error, the type of variadic errors.
func Errors(t types.Type) bool {
	s, ok := t.(*types.Slice)
	return ok && Error(s.Elem())
}

// Array reports whether t is an array.
func Array(t types.Type) bool {
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Array)
	return ok
}

// Map reports whether t is a map.
func Map(t types.Type) bool {
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Map)
	return ok
}

// Pointer reports whether t is a pointer.
func Pointer(t types.Type) bool {
	_, ok := types.Unalias(t).(*types.Pointer)
	return ok
}

// GroupPointer reports whether t is *sync.WaitGroup.
func GroupPointer(t types.Type) bool {
	_, isPtr := types.Unalias(t).(*types.Pointer)
	return isPtr && Named(t, "sync", "WaitGroup")
}

// Deref returns what t points to; t itself if it is no pointer.
func Deref(t types.Type) types.Type {
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		return ptr.Elem()
	}
	return t
}

// HasField reports whether field is one of s.
func HasField(s *types.Struct, field *types.Var) bool {
	for f := range s.Fields() {
		if f == field {
			return true
		}
	}
	return false
}

// String reports whether t is a string.
func String(t types.Type) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

// HTTP reports whether t is a request or a response of net/http, or a pointer to one.
func HTTP(t types.Type) bool {
	return Named(t, "net/http", "Request") || Named(t, "net/http", "Response")
}

// Erroneous reports whether t implements error.
func Erroneous(t types.Type) bool {
	return types.Implements(t, types.Universe.Lookup("error").Type().Underlying().(*types.Interface))
}

// Testing reports whether t is a test, benchmark or fuzz target.
func Testing(t types.Type) bool {
	for _, name := range []string{"T", "B", "F", "TB", "PB"} {
		if Named(t, "testing", name) {
			return true
		}
	}
	return false
}

// Request reports whether t is *http.Request.
func Request(t types.Type) bool {
	_, isPtr := types.Unalias(t).(*types.Pointer)
	return isPtr && Named(t, "net/http", "Request")
}

// Conn reports whether t has the methods by which a connection is told from
// other streams.
func Conn(t types.Type) bool {
	m, _, _ := types.LookupFieldOrMethod(t, true, nil, "RemoteAddr")
	_, isMethod := m.(*types.Func)
	return isMethod
}

// Response reports whether t is *http.Response.
func Response(t types.Type) bool {
	_, isPtr := types.Unalias(t).(*types.Pointer)
	return isPtr && Named(t, "net/http", "Response")
}

// Number reports whether t is a number: a size or a limit.
func Number(t types.Type) bool {
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsNumeric != 0
}
