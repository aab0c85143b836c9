package rewrite_test

import (
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

var badRules = []rule.Rule{callRule("bad", rename("good")), callRule("other", rename("good"))}

// edited returns the fix that replaces old, which must be in src once, by text.
func edited(t *testing.T, f finding.Finding, src, old, text string) *finding.Fix {
	t.Helper()
	if strings.Count(src, old) != 1 {
		t.Fatalf("%q is not in the source once", old)
	}
	start := strings.Index(src, old)
	return &finding.Fix{Message: "Mend", Edited: true, Edits: []finding.Edit{{Path: f.Place.Path, Start: start, End: start + len(old), New: text}}}
}

func TestSettledFindingsAreNotFixed(t *testing.T) {
	src := strings.Replace(source, "bad() // with a comment", "bad() //goroutinefix:ignore findbad it is good", 1)
	res := run(t, rewrite.Config{Rules: badRules[:1], Review: func(found []finding.Finding) {
		if found[1].Status != finding.Suppressed || found[1].Reason != "it is good" {
			t.Errorf("reviewed before it is suppressed: %+v", found[1])
		}
		found[2].Status = finding.Baselined
	}}, map[string]string{"m.go": src})
	if got, want := statuses(res), "findbad:fixable findbad:suppressed findbad:baselined"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if want := strings.Replace(src, "\tbad()", "\tgood()", 1); len(res.Changes) != 1 || string(res.Changes[0].New) != want {
		t.Errorf("changes: %s", res.Changes[0].New)
	}
}

func TestFixThatUncoversASuppressedFindingIsDropped(t *testing.T) {
	const comment = "\t//goroutinefix:ignore findbad it is good\n"
	src := strings.Replace(source, "\tbad() // with", comment+"\tbad() // with", 1)
	res := run(t, rewrite.Config{Rules: badRules, Review: func(found []finding.Finding) {
		found[2].Fix = edited(t, found[2], src, comment+"\tbad() // with a comment\n\tother()", "\tbad() // with a comment\n\tgood()")
	}}, map[string]string{"m.go": src})
	if got, want := statuses(res), "findbad:fixable findbad:suppressed findother:conflict findbad:fixable"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEditedFixesComeFirst(t *testing.T) {
	res := run(t, rewrite.Config{Rules: badRules, Review: func(found []finding.Finding) {
		found[2].Fix = edited(t, found[2], source, "\tother()\n", "\tgood() // edited\n")
	}}, map[string]string{"m.go": source})
	if got, want := statuses(res), "findbad:fixable findbad:fixable findother:fixable findbad:fixable"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want := strings.NewReplacer("\tbad()", "\tgood()", "\tother()", "\tgood() // edited").Replace(source)
	if len(res.Changes) != 1 || string(res.Changes[0].New) != want {
		t.Errorf("changes: %s", res.Changes[0].New)
	}
}

func TestEditOfATextThatHasChangedIsDropped(t *testing.T) {
	res := run(t, rewrite.Config{Rules: badRules, Review: func(found []finding.Finding) {
		found[1].Fix = edited(t, found[1], source, "\tbad() // with a comment\n", "\tgood() // edited\n")
		found[2].Fix = edited(t, found[2], source, "\tother()\n", "\tgood() // edited, too\n")
	}}, map[string]string{"m.go": source})
	if got, want := statuses(res), "findbad:fixable findbad:fixable findother:conflict findbad:fixable"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMistakesInDirectives(t *testing.T) {
	src := strings.Replace(source, "bad() // with a comment", "bad() //goroutinefix:ignore findbad,findother it is good", 1)
	res := run(t, rewrite.Config{Rules: badRules, Known: []string{"findbad", "findother"}}, map[string]string{"m.go": src})
	if got, want := statuses(res), "findbad:fixable findbad:suppressed directive:no-fix findother:fixable findbad:fixable"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := res.Findings[2].Message, "goroutinefix:ignore suppresses no finding of findother; remove it"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// After a panic of a rule nobody knows what it would have found.
	panics := rule.Rule{Name: "findother", Doc: "Panics.", Find: nil}
	res = run(t, rewrite.Config{Rules: []rule.Rule{badRules[0], panics}, Known: []string{"findbad", "findother"}}, map[string]string{"m.go": src})
	if got, want := statuses(res), "findbad:fixable findbad:suppressed findbad:fixable"; got != want || len(res.Internal) != 1 || res.Complete["example.com/m"] {
		t.Errorf("got %s and %v, want %s", got, res.Internal, want)
	}
}
