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

// TestCloseSaysTheLastState has a fix that became unsafe by another one: what it
// says is why, and its edits stay those of the unchanged text.
func TestCloseSaysTheLastState(t *testing.T) {
	first := finding.Finding{Message: "m", Function: "F", Applicability: finding.Safe, Fix: &finding.Fix{Message: "Close it", Edits: []finding.Edit{{Path: "x.go", Start: 3, End: 3, New: "x"}}}}
	last := first
	last.Applicability = finding.Unsafe
	last.Outcome = finding.Outcome{Status: finding.UnsafeHidden}
	last.Fix = &finding.Fix{Message: "Close it, which cuts something off", Edits: []finding.Edit{{Path: "x.go", Start: 9, End: 9, New: "x"}}}
	all, _ := NewLedger([]finding.Finding{first}).Close([]finding.Finding{last}, func(int) finding.Finding { return last })
	if len(all) != 1 || all[0].Applicability != finding.Unsafe || all[0].Status != finding.UnsafeHidden {
		t.Fatalf("closed with %+v", all)
	}
	if fix := all[0].Fix; fix.Message != last.Fix.Message || fix.Edits[0].Start != 3 {
		t.Errorf("the fix is %+v, want the message of the last state and the edits of the first", fix)
	}
	if first.Fix.Message != "Close it" {
		t.Error("the finding that was given has changed")
	}
}
