package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// wd is an absolute directory on every system.
var wd, _ = filepath.Abs("wd")

func place(name string, line int) finding.Place {
	return finding.Place{Path: filepath.Join(wd, filepath.FromSlash(name)), Line: line, Column: 2, EndLine: line, EndColumn: 9, Offset: 10, EndOffset: 17}
}

// all has a finding of each status.
var all = Run{
	Packages: 12,
	Findings: []finding.Finding{
		{
			Rule: "blockingsend", Category: "Timeout", Package: "m/pkg", Function: "Fetch", Place: place("pkg/x.go", 42),
			Message: "sender blocks forever when ctx ends first", Applicability: finding.Safe, Outcome: finding.Outcome{Status: finding.Fixable},
			Fix:     &finding.Fix{Message: "Buffer ch so the sender cannot block", Edits: []finding.Edit{{Path: filepath.Join(wd, "pkg", "x.go"), Start: 812, End: 812, New: ", 1 && <x>"}}},
			Related: []finding.Related{{Place: place("pkg/x.go", 30), Message: "the channel is made here"}},
		},
		{Rule: "bodyclose", Place: place("a.go", 2), Message: "resp.Body is never closed", Applicability: finding.Safe, Outcome: finding.Outcome{Status: finding.Fixed}, Fix: &finding.Fix{}},
		{Rule: "lostcancel", Place: place("a.go", 3), Message: "cancel is lost", Applicability: finding.Unsafe, Outcome: finding.Outcome{Status: finding.UnsafeHidden}},
		{Rule: "bodyclose", Place: place("a.go", 4), Message: "m", Applicability: finding.Unsafe, Outcome: finding.Outcome{Status: finding.UnsafeHidden}},
		{Rule: "r", Place: place("a.go", 5), Message: "m", Applicability: finding.Safe, Outcome: finding.Outcome{Status: finding.Conflict, Reason: "overlaps"}},
		{Rule: "r", Place: place("a.go", 6), Message: "m", Applicability: finding.Safe, Outcome: finding.Outcome{Status: finding.WouldNotCompile, Reason: "x is\nunused"}},
		{Rule: "r", Place: place("a.go", 7), Message: "m", Applicability: finding.None, Outcome: finding.Outcome{Status: finding.Generated}},
		{Rule: "r", Place: place("a.go", 8), Message: "m", Applicability: finding.None, Outcome: finding.Outcome{Status: finding.Cgo}},
		{Rule: "r", Place: place("../b\x1b[31m.go", 9), Message: "m\nn", Applicability: finding.None, Outcome: finding.Outcome{Status: finding.NoFix, Reason: "the channel escapes"}},
		{Rule: "r", Place: place("a.go", 10), Message: "m", Applicability: finding.Safe, Outcome: finding.Outcome{Status: finding.Suppressed, Reason: "the pool closes it"}},
		{Rule: "r", Place: place("a.go", 11), Message: "m", Applicability: finding.Unsafe, Outcome: finding.Outcome{Status: finding.Baselined}},
		// A comment that suppresses nothing is no leak, and of no rule.
		{Rule: "directive", Place: place("a.go", 12), Message: "this goroutinefix:ignore comment suppresses nothing", Applicability: finding.None, Outcome: finding.Outcome{Status: finding.NoFix}},
	},
	Skipped:   []finding.Skipped{{Package: "m/bad", Reason: "bad.go:1:1: expected 'package'"}},
	Hidden:    map[finding.Status]int{finding.Old: 2, finding.Excluded: 1, finding.Generated: 1},
	Elsewhere: []string{filepath.Join(wd, "a.go")},
}

const allText = `pkg/x.go:42:2: sender blocks forever when ctx ends first (blockingsend, safe fix)
	pkg/x.go:30:2: the channel is made here
a.go:2:2: resp.Body is never closed (bodyclose, fixed)
a.go:3:2: cancel is lost (lostcancel, unsafe fix)
a.go:4:2: m (bodyclose, unsafe fix)
a.go:5:2: m (r, fix dropped, conflict: overlaps)
a.go:6:2: m (r, fix dropped, would not compile: x is unused)
a.go:7:2: m (r, no fix: generated file)
a.go:8:2: m (r, no fix: cgo file)
../b [31m.go:9:2: m n (r, no fix: the channel escapes)
a.go:12:2: this goroutinefix:ignore comment suppresses nothing (directive, no fix)
skipped m/bad: bad.go:1:1: expected 'package'

              findings  fixable  fixed  unsafe  conflict  no compile  generated  cgo  no fix  suppressed  baselined
blockingsend         1        1      -       -         -           -          -    -       -           -          -
bodyclose            2        -      1       1         -           -          -    -       -           -          -
directive            1        -      -       -         -           -          -    -       1           -          -
lostcancel           1        -      -       1         -           -          -    -       -           -          -
r                    7        -      -       -         1           1          1    1       1           1          1
all                 12        1      1       2         1           1          1    1       2           1          1
12 findings in 12 packages: 1 fixable, 1 fixed, 2 with an unsafe fix (bodyclose, lostcancel; use -unsafe), 1 in conflict, 1 whose fix would not compile, 1 in generated files, 1 in cgo files, 2 without a fix, 1 suppressed, 1 baselined; 1 excluded finding not shown; 1 finding in generated files not shown (use -generated); 2 old findings not shown; 1 changed file in packages that other configurations build with more files (check those, too, with -matrix); incomplete: 1 skipped
`

func TestText(t *testing.T) {
	one := all.Findings[:1]
	tests := []struct {
		name string
		run  Run
		opt  Options
		want string
	}{
		{"all", all, Options{Dir: wd}, allText},
		{"nothing", Run{Packages: 3}, Options{Dir: wd}, ""},
		{"nothing, verbose", Run{Packages: 1}, Options{Dir: wd, Verbose: true}, "no findings in 1 package\n"},
		{"skipped only", Run{Packages: 3, Skipped: all.Skipped}, Options{Dir: wd},
			"skipped m/bad: bad.go:1:1: expected 'package'\n0 findings in 3 packages; incomplete: 1 skipped\n"},
		{"failed", Run{Err: errors.New("no go.mod\nreally")}, Options{Dir: wd},
			"goroutinefix: no go.mod\ngoroutinefix: really\n"},
		{"failed later", Run{Packages: 2, Err: errors.New("write a.go: read-only")}, Options{Dir: wd},
			"goroutinefix: write a.go: read-only\n0 findings in 2 packages; incomplete\n"},
		{"color", Run{Packages: 1, Findings: one[:1]}, Options{Dir: wd, Color: true},
			"\x1b[1mpkg/x.go:42:2\x1b[m: sender blocks forever when ctx ends first \x1b[32m(blockingsend, safe fix)\x1b[m\n" +
				"\tpkg/x.go:30:2: the channel is made here\n1 finding in 1 package: 1 fixable\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var buf bytes.Buffer
			if err := Text(&buf, tt.run, tt.opt); err != nil {
				t.Fatal(err)
			}
			if buf.String() != tt.want {
				t.Errorf("got\n%s\nwant\n%s", buf.String(), tt.want)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	var buf bytes.Buffer
	if err := JSON(&buf, Run{Findings: all.Findings[:1], Skipped: all.Skipped, Packages: 2}, Options{Dir: wd}); err != nil {
		t.Fatal(err)
	}
	want := `{"schema":1,"findings":[{"rule":"blockingsend","category":"Timeout","path":"pkg/x.go","line":42,"column":2,"end_line":42,"end_column":9,` +
		`"function":"Fetch","message":"sender blocks forever when ctx ends first","applicability":"safe","status":"fixable","reason":"","fingerprint":"` +
		all.Findings[0].Fingerprint() + `","fix":{"message":"Buffer ch so the sender cannot block","edits":[{"path":"pkg/x.go","start":812,"end":812,"new":", 1 && <x>"}]},` +
		`"related":[{"path":"pkg/x.go","line":30,"column":2,"message":"the channel is made here"}]}],` +
		`"skipped":[{"package":"m/bad","reason":"bad.go:1:1: expected 'package'"}],` +
		`"summary":{"baselined":0,"cgo":0,"conflict":0,"findings":1,"fixable":1,"fixed":0,"generated":0,"no-fix":0,"outside":0,"packages":2,"skipped":1,"suppressed":0,"unsafe-hidden":0,"would-not-compile":0}}` + "\n"
	if buf.String() != want {
		t.Errorf("got\n%s\nwant\n%s", buf.String(), want)
	}
}

// TestJSONEmpty checks that lists are there when they are empty, and that a
// failed run is a document, too.
func TestJSONEmpty(t *testing.T) {
	var buf bytes.Buffer
	if err := JSON(&buf, Run{Err: errors.New("no go.mod")}, Options{Dir: wd}); err != nil {
		t.Fatal(err)
	}
	if w := `{"schema":1,"error":"no go.mod","findings":[],"skipped":[],"summary":{`; !strings.HasPrefix(buf.String(), w) {
		t.Errorf("got %s, want it to start with %s", buf.String(), w)
	}
	buf.Reset()
	if err := JSON(&buf, all, Options{Dir: wd}); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Findings []struct {
			Related []struct{} `json:"related"`
		}
		Summary map[string]int
	}
	if err := json.Unmarshal(buf.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, s := range statuses {
		sum += doc.Summary[string(s)]
	}
	if hidden := all.Hidden[finding.Generated]; sum != len(all.Findings)+hidden || len(doc.Findings) != len(all.Findings) {
		t.Errorf("%d findings in the statuses, %d in the list, want %d and %d not shown", sum, len(doc.Findings), len(all.Findings), hidden)
	}
	if bytes.Contains(buf.Bytes(), []byte("null")) {
		t.Errorf("null in %s", buf.Bytes())
	}
}

func TestProblems(t *testing.T) {
	var buf bytes.Buffer
	if err := Problems(&buf, all, Options{Dir: wd}); err != nil {
		t.Fatal(err)
	}
	if w := "skipped m/bad: bad.go:1:1: expected 'package'\n"; buf.String() != w {
		t.Errorf("got %q, want %q", buf.String(), w)
	}
}

func TestFormats(t *testing.T) {
	for _, name := range Formats() {
		if Format(name) == nil {
			t.Errorf("format %s has no writer", name)
		}
	}
	if Format("none") != nil || Machine("text") || !Machine("json") {
		t.Error("wrong answer about a format")
	}
}
