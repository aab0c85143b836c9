package plan

import (
	"fmt"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// TestChooseManyInOneDeclaration has findings 0 to 5 in one function and 6 in
// another; the edits of 1 touch those of 0, and 3 has no fix.
func TestChooseManyInOneDeclaration(t *testing.T) {
	var found []finding.Finding
	for i := range 7 {
		f := finding.Finding{Message: fmt.Sprint(i), Function: "F", Place: finding.Place{Path: "x.go", Offset: 10 * i}}
		if i == 6 {
			f.Function = "G"
		}
		found = append(found, f)
	}
	completed := 0
	complete := func(i int) finding.Finding {
		completed++
		f := found[i]
		if i != 3 {
			start := 10 * i
			if i == 1 {
				start = 5
			}
			f.Fix = &finding.Fix{Edits: []finding.Edit{{Path: "x.go", Start: start, End: start + 5, New: "x"}}}
		}
		return f
	}
	all := func(finding.Finding) bool { return true }
	tests := []struct {
		limit     Limit
		want      string
		completed int
	}{
		{Limit{Decl: 1}, "06", 2}, // no fix is computed that is not needed
		{Limit{Decl: 2}, "026", 4},
		{Limit{Decl: 9}, "02456", 7},
		{Limit{Decl: 9, All: 3}, "024", 5},
	}
	for _, tt := range tests {
		completed = 0
		c := NewLedger(found).Choose(found, all, complete, tt.limit)
		got := ""
		for _, f := range c.Findings {
			got += f.Message
		}
		if got != tt.want || completed != tt.completed {
			t.Errorf("%+v: chose %s and completed %d, want %s and %d", tt.limit, got, completed, tt.want, tt.completed)
		}
		if _, err := c.Edits(); err != nil {
			t.Errorf("%+v: %v", tt.limit, err)
		}
	}
}
