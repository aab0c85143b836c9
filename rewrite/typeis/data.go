package typeis

import "go/types"

// OwnsResource reports whether somebody may have to release a value of type t:
// a function, a channel, something with Close, Stop or Unlock, or a struct or
// pointer to one that holds such.
func OwnsResource(t types.Type) bool { return ownsResource(t, map[types.Type]bool{}) }

func ownsResource(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] || Error(t) {
		return false
	}
	seen[t] = true
	for _, name := range []string{"Close", "Stop", "Unlock", "Release", "Cancel", "Rollback"} {
		if o, _, _ := types.LookupFieldOrMethod(t, true, nil, name); o != nil {
			if _, isFunc := o.(*types.Func); isFunc {
				return true
			}
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Signature, *types.Chan:
		return true
	case *types.Interface:
		return true // who knows what is in it
	case *types.Pointer:
		return ownsResource(u.Elem(), seen)
	case *types.Slice:
		return ownsResource(u.Elem(), seen)
	case *types.Array:
		return ownsResource(u.Elem(), seen)
	case *types.Map:
		return ownsResource(u.Elem(), seen)
	case *types.Struct:
		for f := range u.Fields() {
			if ownsResource(f.Type(), seen) {
				return true
			}
		}
	}
	return false
}

// DataOnly reports whether a value of type t holds nothing but data: no
// interface but error, no function, no channel. Such a value cannot keep a
// context or a connection in use.
func DataOnly(t types.Type) bool { return dataOnly(t, map[types.Type]bool{}) }

func dataOnly(t types.Type, seen map[types.Type]bool) bool {
	if t == nil || seen[t] || Error(t) {
		return true
	}
	seen[t] = true
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() != types.UnsafePointer
	case *types.Pointer:
		return dataOnly(u.Elem(), seen)
	case *types.Slice:
		return dataOnly(u.Elem(), seen)
	case *types.Array:
		return dataOnly(u.Elem(), seen)
	case *types.Map:
		return dataOnly(u.Key(), seen) && dataOnly(u.Elem(), seen)
	case *types.Struct:
		for f := range u.Fields() {
			if !dataOnly(f.Type(), seen) {
				return false
			}
		}
		return true
	case *types.Tuple:
		for v := range u.Variables() {
			if !dataOnly(v.Type(), seen) {
				return false
			}
		}
		return true
	}
	return false
}
