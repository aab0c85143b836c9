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

// valid returns s as a document of UTF-8 can hold it.
func valid(s string) string { return string([]rune(s)) }

func fuzzRun(path, text, now string, n int) Run {
	place := finding.Place{Path: filepath.Join("/root", path), Line: n, Column: n, EndLine: n, EndColumn: n}
	f := finding.Finding{
		Rule: "r", Category: text, Package: path, Function: text, Place: place, Message: text,
		Applicability: finding.Safe, Outcome: finding.Outcome{Status: finding.Fixable, Reason: text},
		Fix:     &finding.Fix{Message: text, Edits: []finding.Edit{{Path: place.Path, Start: n, End: n, New: now}}},
		Related: []finding.Related{{Place: place, Message: text}},
	}
	bare := f
	bare.Fix, bare.Related, bare.Status = nil, nil, finding.NoFix
	return Run{
		Findings: []finding.Finding{f, bare}, Packages: n,
		Skipped: []finding.Skipped{{Package: path, Reason: text}}, Err: errors.New(text),
	}
}

func addSeeds(f *testing.F) {
	f.Add("pkg/x.go", "resp.Body is not closed", "\tdefer resp.Body.Close()\n", 1)
	f.Add("a\x1b[31m.go", "line\nbreak \u2028 \u202e \x9b31m", "\xff\x00", -1)
	f.Add("<&>\"\\", "</script>\x7f", "\r\n", 1<<40)
	f.Add("", "", "", 0)
}

// FuzzJSON reads the document back.
func FuzzJSON(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, path, text, now string, n int) {
		run := fuzzRun(path, text, now, n)
		var buf bytes.Buffer
		if err := JSON(&buf, run, Options{Dir: "/root"}); err != nil {
			t.Fatal(err)
		}
		if strings.Count(buf.String(), "\n") != 1 {
			t.Errorf("not one line: %q", buf.String())
		}
		dec := json.NewDecoder(&buf)
		dec.DisallowUnknownFields()
		var doc jsonDocument
		if err := dec.Decode(&doc); err != nil {
			t.Fatal(err)
		}
		if doc.Schema != 1 || len(doc.Findings) != 2 || len(doc.Skipped) != 1 || doc.Error != valid(text) ||
			doc.Summary["findings"] != 2 || doc.Summary["packages"] != n || doc.Summary["fixable"] != 1 || doc.Summary["no-fix"] != 1 {
			t.Fatalf("got %+v", doc)
		}
		if s := doc.Skipped[0]; s.Package != valid(path) || s.Reason != valid(text) {
			t.Errorf("skipped %+v", s)
		}
		for i, got := range doc.Findings {
			want := toJSON(&run.Findings[i], "/root")
			for _, s := range []struct{ got, want string }{
				{got.Rule, want.Rule}, {got.Category, text}, {got.Path, want.Path}, {got.Function, text}, {got.Message, text},
				{got.Reason, text}, {got.Fingerprint, run.Findings[i].Fingerprint()}, {got.Status, want.Status},
			} {
				if s.got != valid(s.want) {
					t.Errorf("got %q, want %q", s.got, s.want)
				}
			}
			if got.Line != n || got.Column != n || got.EndLine != n || got.EndColumn != n || (got.Fix != nil) != (i == 0) {
				t.Errorf("got %+v", got)
			}
			if got.Fix != nil && (len(got.Fix.Edits) != 1 || got.Fix.Edits[0] != (jsonEdit{valid(want.Path), n, n, valid(now)})) {
				t.Errorf("edits %+v", got.Fix.Edits)
			}
		}
	})
}

// FuzzText checks that nothing of a name or a message drives the terminal or
// makes a line of its own.
func FuzzText(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, path, text, now string, n int) {
		run := fuzzRun(path, text, now, n)
		run.Err = nil
		var buf bytes.Buffer
		if err := Text(&buf, run, Options{Dir: "/root"}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(buf.String(), "\n"), "\n")
		if len(lines) != 5 { // two findings, a related place, a skipped package, the summary
			t.Errorf("%d lines: %q", len(lines), lines)
		}
		for _, line := range lines {
			if i := strings.IndexFunc(strings.TrimPrefix(line, "\t"), drives); i >= 0 {
				t.Errorf("a control character in %q", line)
			}
		}
		run = Run{Err: errors.New(text), Packages: 1}
		buf.Reset()
		if err := Text(&buf, run, Options{Dir: "/root"}); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(buf.String()) {
			if !strings.HasPrefix(line, "goroutinefix: ") && !strings.HasPrefix(line, "0 findings") || strings.IndexFunc(strings.ReplaceAll(strings.TrimRight(line, "\n"), "\t", ""), drives) >= 0 { // tabs indent stack traces
				t.Errorf("an error gives %q", line)
			}
		}
	})
}
