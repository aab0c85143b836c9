package report

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/rewritetest/longform"
)

type sarifLocation struct {
	Message          struct{ Text string }
	PhysicalLocation struct {
		ArtifactLocation struct{ URI string }
		Region           map[string]int
	}
}

type sarifDocument struct {
	Version string
	Runs    []struct {
		ColumnKind string
		Tool       struct {
			Driver struct {
				Name, SemanticVersion string
				Rules                 []struct {
					ID   string
					Help struct{ Text, Markdown string }
				}
			}
		}
		Invocations []struct {
			ExecutionSuccessful        bool
			ToolExecutionNotifications []struct {
				Level   string
				Message struct{ Text string }
			}
		}
		Results []struct {
			RuleID              string
			RuleIndex           int
			Level               string
			Locations           []sarifLocation
			PartialFingerprints map[string]string
			Suppressions        []struct{ Kind string }
			CodeFlows           []struct {
				ThreadFlows []struct {
					Locations []struct{ Location sarifLocation }
				}
			}
			Fixes []struct {
				ArtifactChanges []struct {
					Replacements []struct {
						DeletedRegion   map[string]int
						InsertedContent struct{ Text string }
					}
				}
			}
		}
	}
}

func TestSARIFSchema(t *testing.T) {
	s := sample(t)
	runs := map[string]Run{"sample": s.run, "all": all, "none": {}, "failed": {Err: fmt.Errorf("no go.mod")}, "many": many(100)}
	for name, run := range runs {
		for _, version := range []string{"", "(devel)", "v1.2.3", "v0.0.0-20260102030405-abcdef012345+dirty"} {
			t.Run(name+version, func(t *testing.T) {
				opt := s.options()
				opt.Version = version
				doc := render(t, "sarif", run, opt)
				validate(t, "sarif-schema-2.1.0.json", doc)
				if !strings.Contains(doc, `"results":[`) || strings.Contains(doc, ":-1") || strings.Count(doc, ":[]") > strings.Count(doc, `"results":[]`) {
					t.Errorf("says what is absent, or not that there are no results:\n%s", doc)
				}
			})
		}
	}
}

func TestSARIF(t *testing.T) {
	s := sample(t)
	var doc sarifDocument
	decode(t, s.format("sarif"), &doc)
	run := doc.Runs[0]
	if run.ColumnKind != "utf16CodeUnits" || run.Tool.Driver.SemanticVersion != "1.2.3" || !run.Invocations[0].ExecutionSuccessful || len(run.Results) != 3 {
		t.Fatalf("got %+v", run)
	}
	if help := run.Tool.Driver.Rules[0].Help.Markdown; !strings.Contains(help, "## Why it leaks\n\nThe connection stays, and two goroutines (\\*T).\n") ||
		!strings.Contains(help, "```diff\n resp := get()\n+defer resp.Body.Close()\n```") {
		t.Errorf("help:\n%s", help)
	}
	// The most important first: what is in the program, not in its tests.
	r := run.Results[0]
	if r.RuleID != "blockingsend" || run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID || r.Level != "warning" {
		t.Errorf("first result %+v", r)
	}
	if uri := r.Locations[0].PhysicalLocation.ArtifactLocation.URI; uri != "pkg/gr%C3%B6%C3%9Fe,%201%25.go" {
		t.Errorf("uri %s", uri)
	}
	// Each step is where its text is, counted as JavaScript does.
	lines := strings.Split(blocking, "\n")
	var steps []string
	for _, l := range r.CodeFlows[0].ThreadFlows[0].Locations {
		region := l.Location.PhysicalLocation.Region
		units := utf16.Encode([]rune(lines[region["startLine"]-1]))
		steps = append(steps, string(utf16.Decode(units[region["startColumn"]-1:region["endColumn"]-1])))
	}
	if got := strings.Join(steps, "; "); got != "make(chan int); go func; ch <- 1; return 0" {
		t.Errorf("steps %s", got)
	}
	fix := r.Fixes[0].ArtifactChanges[0].Replacements[0]
	if fix.InsertedContent.Text != "make(chan int, 1)" || fix.DeletedRegion["startColumn"] != 18 || fix.DeletedRegion["startLine"] != 4 {
		t.Errorf("fix %+v", fix)
	}
	if !strings.HasSuffix(run.Results[2].Locations[0].PhysicalLocation.ArtifactLocation.URI, "_test.go") {
		t.Error("tests do not come last")
	}
}

// TestSARIFMessages has code in a message that SARIF takes for a link.
func TestSARIFMessages(t *testing.T) {
	s := sample(t)
	s.run.Findings[0].Message = "handlers[0](ch) and\ntheirs[https](//evil.example)"
	got := s.format("sarif")
	if !strings.Contains(got, `"text":"handlers[0] (ch) and theirs[https] (//evil.example)"`) {
		t.Errorf("got\n%s", got)
	}
}

func TestSARIFIncomplete(t *testing.T) {
	var doc sarifDocument
	decode(t, render(t, "sarif", all, Options{Dir: wd, Rules: pages}), &doc)
	run := doc.Runs[0]
	if inv := run.Invocations[0]; inv.ExecutionSuccessful || len(inv.ToolExecutionNotifications) != 1 ||
		inv.ToolExecutionNotifications[0].Message.Text != "not analysed: m/bad: bad.go:1:1: expected 'package'" {
		t.Errorf("invocation %+v", run.Invocations)
	}
	if len(run.Results) != len(all.Findings) {
		t.Fatalf("%d results for %d findings", len(run.Results), len(all.Findings))
	}
	quiet := 0
	for _, r := range run.Results {
		region := r.Locations[0].PhysicalLocation.Region
		for _, n := range []string{"startLine", "startColumn", "endLine", "endColumn"} {
			if region[n] < 1 {
				t.Errorf("%s is %d", n, region[n])
			}
		}
		if len(r.Locations) != 1 || len(r.PartialFingerprints) != 1 {
			t.Errorf("result %+v", r)
		}
		if len(r.Suppressions) > 0 {
			quiet++
		}
	}
	if quiet != 3 {
		t.Errorf("%d results are suppressed, want the fixed, the suppressed and the baselined one", quiet)
	}
}

// TestSARIFLimit has more findings than GitHub takes.
// TestSARIFLimit has more results than the host takes, which in the short form is
// less than GitHub.
func TestSARIFLimit(t *testing.T) {
	most := 2500
	if longform.Wanted() {
		most = maxResults
	}
	run := many(most + 5)
	important := finding.Finding{Rule: "bodyclose", Package: "m", Place: place("z.go", 1), Message: "last, but most important", Applicability: finding.Safe, Outcome: finding.Outcome{Status: finding.Fixable}}
	run.Findings = append(run.Findings, important)
	var doc sarifDocument
	var short strings.Builder
	if err := sarifUpTo(&short, run, Options{Dir: wd}, most); err != nil {
		t.Fatal(err)
	}
	text := short.String()
	if most == maxResults {
		text = render(t, "sarif", run, Options{Dir: wd})
	}
	decode(t, text, &doc)
	r := doc.Runs[0]
	if len(r.Results) != most {
		t.Errorf("%d results", len(r.Results))
	}
	found := false
	for _, x := range r.Results[:most/2] {
		found = found || x.Locations[0].PhysicalLocation.ArtifactLocation.URI == "z.go"
	}
	notes := r.Invocations[0].ToolExecutionNotifications
	want := fmt.Sprintf("6 of %d findings are left out, because GitHub takes %d results", most+6, most)
	if !found || len(notes) != 1 || notes[0].Message.Text != want {
		t.Errorf("found %v, notifications %+v", found, notes)
	}
}

func TestUTF16Column(t *testing.T) {
	s := newSources(Run{}, Options{ReadFile: func(string) ([]byte, error) { return []byte("ab\n\tü𝄞x\xffy\r\nlast"), nil }})
	tests := []struct{ line, column, want int }{
		{1, 1, 1}, {1, 3, 3}, {1, 9, 9}, {2, 2, 2}, {2, 4, 3}, {2, 8, 5}, {2, 9, 6}, {2, 10, 7}, {2, 11, 8}, {3, 5, 5}, {4, 2, 2}, {0, 0, 1},
	}
	for _, tt := range tests {
		if got := s.utf16Column("x", tt.line, tt.column); got != tt.want {
			t.Errorf("line %d, column %d: got %d, want %d", tt.line, tt.column, got, tt.want)
		}
	}
}
