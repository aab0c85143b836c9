package rewrite_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// many returns a file of n functions with k calls of bad each, and what it
// should become.
func many(n, k int) (src, want string) {
	var b strings.Builder
	b.WriteString("package m\n\nfunc bad()  {}\nfunc good() {}\n")
	for i := range n {
		fmt.Fprintf(&b, "\nfunc f%d(x int) {\n", i)
		for j := range k {
			fmt.Fprintf(&b, "\tif x > %d {\n\t\tx -= %d\n\t}\n\tbad() // %d\n", j, j, j)
		}
		b.WriteString("}\n")
	}
	src = b.String()
	return src, strings.ReplaceAll(src, "\tbad()", "\tgood()")
}

// TestManyFindings has 500 findings, in the long form 2,000, in one file: one iteration for each would
// take minutes.
func TestManyFindings(t *testing.T) {
	// 20 functions with 100 each take five times as long as 200 with 10.
	shapes, total := [][2]int{{50, 10}}, 500
	if longform.Wanted() {
		shapes, total = [][2]int{{200, 10}, {2000, 1}}, 2000
	}
	for _, shape := range shapes {
		src, want := many(shape[0], shape[1])
		start := time.Now()
		res := run(t, rewrite.Config{Rules: []rule.Rule{callRule("bad", rename("good"))}}, map[string]string{"m.go": src})
		t.Logf("%d functions with %d findings each: %v", shape[0], shape[1], time.Since(start).Round(time.Millisecond))
		if len(res.Findings) != total || len(res.Changes) != 1 {
			t.Fatalf("%d findings, %d changes", len(res.Findings), len(res.Changes))
		}
		// gofmt aligns the comments of neighbouring lines, so compare without spacing.
		if got := string(res.Changes[0].New); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
			t.Error("not every call was mended, or more than that")
		}
	}
}
