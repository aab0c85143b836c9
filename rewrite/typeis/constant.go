package typeis

import "go/constant"

// SmallInt returns the value of a constant that is a non-negative int64.
func SmallInt(v constant.Value) (int64, bool) {
	if v == nil || v.Kind() != constant.Int {
		return 0, false
	}
	n, exact := constant.Int64Val(v)
	return n, exact && n >= 0
}

// BoolConstant reports whether v is true or false.
func BoolConstant(v constant.Value) bool { return v != nil && v.Kind() == constant.Bool }
