package assume

import (
	"go/constant"
	"go/token"
	"math"
	"testing"
)

func TestSpan(t *testing.T) {
	num := func(op token.Token, n int64) comparison { return comparison{Op: op, Value: constant.MakeInt64(n)} }
	str := func(op token.Token, s string) comparison { return comparison{Op: op, Value: constant.MakeString(s)} }
	all := Span{lo: math.MinInt64, hi: math.MaxInt64}
	length := Span{lo: 0, hi: math.MaxInt64}
	for _, tt := range []struct {
		name  string
		start Span
		known []comparison // that came out as true
		ask   comparison
		yes   bool // it can come out as true
		no    bool // it can come out as false
	}{
		{"complement", all, []comparison{num(token.GTR, 0)}, num(token.LEQ, 0), false, true},
		{"next integer", all, []comparison{num(token.GTR, 0)}, num(token.LSS, 1), false, true},
		{"overlap", all, []comparison{num(token.GTR, 0)}, num(token.GTR, 5), true, true},
		{"implied", all, []comparison{num(token.GTR, 5)}, num(token.GTR, 0), true, false},
		{"equal", all, []comparison{num(token.EQL, 3)}, num(token.NEQ, 3), false, true},
		{"equal to another", all, []comparison{num(token.EQL, 3)}, num(token.EQL, -3), false, true},
		{"negative", all, []comparison{num(token.EQL, -3)}, num(token.LSS, -2), true, false},
		{"squeezed", all, []comparison{num(token.GEQ, 1), num(token.LEQ, 2), num(token.NEQ, 1)}, num(token.EQL, 2), true, false},
		{"squeezed from above", all, []comparison{num(token.GEQ, 1), num(token.NEQ, 2), num(token.LEQ, 2)}, num(token.EQL, 1), true, false},
		{"length", length, []comparison{num(token.NEQ, 0)}, num(token.GTR, 0), true, false},
		{"no negative length", length, nil, num(token.LSS, 0), false, true},
		{"one apart", all, []comparison{num(token.NEQ, 12)}, num(token.EQL, 1), true, true},
		{"least", all, nil, num(token.LSS, math.MinInt64), true, true},
		{"beyond", all, []comparison{num(token.GTR, math.MaxInt64)}, num(token.GTR, 0), true, true},
		{"string", all, []comparison{str(token.EQL, "a")}, str(token.EQL, "b"), false, true},
		{"string not", all, []comparison{str(token.NEQ, "a")}, str(token.EQL, "a"), false, true},
		{"part of a string", all, []comparison{str(token.NEQ, "ab")}, str(token.EQL, "a"), true, true},
		{"string of zeros", all, []comparison{str(token.NEQ, "a\x00b")}, str(token.EQL, "a"), true, true},
	} {
		s, ok := tt.start, true
		for _, c := range tt.known {
			if s, ok = s.and(c, true); !ok {
				t.Fatalf("%s: nothing left", tt.name)
			}
		}
		if _, yes := s.and(tt.ask, true); yes != tt.yes {
			t.Errorf("%s: can be true: %v, want %v", tt.name, yes, tt.yes)
		}
		if _, no := s.and(tt.ask, false); no != tt.no {
			t.Errorf("%s: can be false: %v, want %v", tt.name, no, tt.no)
		}
	}
	two, _ := all.oneOf([]constant.Value{constant.MakeString("a"), constant.MakeString("b")})
	one, ok := two.and(str(token.EQL, "a"), false)
	if _, again := one.and(str(token.EQL, "b"), false); !ok || again {
		t.Errorf("of a and b, neither is left: %v, %v", ok, again)
	}
}
