package frozen_test

import (
	"go/types"
	"strconv"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/code/codetest"
	"github.com/goroutinefix/goroutinefix/rewrite/frozen"
)

func TestLoopBound(t *testing.T) {
	tests := []struct{ loop, want string }{
		{"for i := 0; i < 3; i++ {}", "3"},
		{"for i := 0; i < len(xs); i++ {}", "len xs"},
		{"for range xs {}", "len xs"},
		{"for i := 1; i <= 3; i++ {}", "3"},
		{"for i := 1; i < 3; i++ {}", "unknown"},
		{"for i := 0; i <= 3; i++ {}", "unknown"},
		{"for i := len(xs); i > 0; i-- {}", "len xs"},
		{"for i := 3; i >= 1; i-- {}", "3"},
		{"for i := 3; i >= 0; i-- {}", "unknown"},
		{"for i := 3; i > 0; i-- { i++ }", "unknown"},
		{"for range 4 {}", "4"},
		{"for range [5]int{} {}", "5"},
		{"for i := range len(xs) { _ = i }", "len xs"},
		{"for i := 0; i < n; i++ {}", "unknown"},
		{"for i := 0; i < 3; i += 2 {}", "unknown"},
		{"for i := 0; i < 3; i++ { i-- }", "unknown"},
		{"for range n {}", "unknown"},
		{"for range c {}", "unknown"},
		{"for {}", "unknown"},
	}
	for _, tt := range tests {
		p := codetest.Load(t, "func f(xs []int, n int, c chan int) {\n"+tt.loop+"\n}")
		b, ok := frozen.LoopBound(p, codetest.Function(t, p, "f").Body.List[0])
		got := "unknown"
		switch {
		case ok && b.Of != nil:
			got = "len " + types.ExprString(b.Of)
		case ok:
			got = strconv.FormatInt(b.Const, 10)
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.loop, got, tt.want)
		}
	}
}
