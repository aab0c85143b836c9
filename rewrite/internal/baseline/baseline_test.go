package baseline

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

func leak(function string) finding.Finding {
	return finding.Finding{Rule: "bodyclose", Package: "m", Function: function, Message: "resp <leaks>", Outcome: finding.Outcome{Status: finding.Fixable}}
}

func everything(string, string) bool { return true }

func TestRoundTrip(t *testing.T) {
	suppressed := leak("C")
	suppressed.Status = finding.Suppressed
	b := New([]finding.Finding{leak("B"), leak("A"), leak("B"), suppressed})
	const want = `{
  "version": 1,
  "findings": [
    {"rule":"bodyclose","package":"m","function":"A","message":"resp <leaks>","fingerprint":"XX","count":1},
    {"rule":"bodyclose","package":"m","function":"B","message":"resp <leaks>","fingerprint":"XX","count":2}
  ]
}
`
	a, bb := leak("A"), leak("B")
	text := strings.NewReplacer(a.Fingerprint(), "XX", bb.Fingerprint(), "XX").Replace(string(b.Bytes()))
	if text != want {
		t.Errorf("got %s", text)
	}
	path := filepath.Join(t.TempDir(), "b.json")
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	again, err := Read(path)
	if err != nil || !bytes.Equal(again.Bytes(), b.Bytes()) || again.Len() != 3 {
		t.Errorf("read back: %s, %v", again.Bytes(), err)
	}
	if got := string(New(nil).Bytes()); got != "{\n  \"version\": 1,\n  \"findings\": []\n}\n" {
		t.Errorf("empty: %s", got)
	}
}

func TestApply(t *testing.T) {
	b := New([]finding.Finding{leak("A"), leak("B"), leak("B")})
	found := []finding.Finding{leak("A"), leak("A"), leak("B")}
	b.Apply(found)
	var got []string
	for _, f := range found {
		got = append(got, string(f.Status))
	}
	if s := strings.Join(got, " "); s != "baselined fixable baselined" {
		t.Errorf("statuses %s", s)
	}
	stale := b.Stale(everything)
	if len(stale) != 1 || stale[0].Function != "B" || stale[0].Count != 1 {
		t.Errorf("stale %v", stale)
	}
	if n := b.Without(stale).Len(); n != 2 {
		t.Errorf("%d left", n)
	}
	if s := b.Stale(func(_, pkg string) bool { return pkg != "m" }); len(s) != 0 {
		t.Errorf("of a package that was not analysed %v is stale", s)
	}
}

// TestWith renews a baseline with a run over a part of what it covers.
func TestWith(t *testing.T) {
	other := leak("Z")
	other.Package = "n"
	old := New([]finding.Finding{leak("A"), leak("B"), leak("B"), other})
	b := New([]finding.Finding{leak("B")}).With(old, func(_, pkg string) bool { return pkg == "m" })
	if text := string(b.Bytes()); b.Len() != 2 || !strings.Contains(text, `"Z"`) || strings.Contains(text, `"A"`) {
		t.Errorf("got %s", text)
	}
}

func TestErrors(t *testing.T) {
	good := string(New([]finding.Finding{leak("A")}).Bytes())
	tests := []struct {
		text string
		line int
		want string
	}{
		{"", 1, "the file is empty"},
		{"{\n\"version\": 1,\n", 3, "the file ends too early"},
		{"{\n\"version\": 1,\n}", 3, "invalid character '}'"},
		{"{\n\"version\": \"x\"}", 2, `"version" holds a string`},
		{"{\"version\": 1, \"x\": 1}", 1, `unknown field "x"`},
		{"{\"version\": 2}", 1, "version is 2, this program reads version 1"},
		{good + "\n{}", 8, "after the end"},
		{strings.Replace(good, `"count":1`, `"count":0`, 1), 4, "count is 0"},
		{strings.Replace(good, `"function":"A"`, `"function":"B"`, 1), 4, "the fingerprint is not"},
		{strings.Replace(good, `"count":1`, `"counts":1`, 1), 4, `unknown field "counts"`},
		{"<<<<<<< HEAD\n" + good, 1, "invalid character '<'"},
	}
	for _, tt := range tests {
		_, line, err := parse([]byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) || line != tt.line {
			t.Errorf("%q: line %d: %v; want line %d: %s", tt.text, line, err, tt.line, tt.want)
		}
	}
	if _, err := Read("none.json"); err == nil || !strings.Contains(err.Error(), "goroutinefix baseline -o none.json") {
		t.Errorf("missing file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(New([]finding.Finding{leak("A"), leak("B"), leak("B")}).Bytes())
	f.Add([]byte(`{"version": 1, "findings": [{}, 1, null]}`))
	f.Add([]byte("{\n\"version\": "))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, line, err := parse(data)
		if err != nil {
			if n := bytes.Count(data, []byte("\n")) + 1; line < 1 || line > n {
				t.Errorf("line %d of %d: %v", line, n, err)
			}
			return
		}
		again, _, err := parse(b.Bytes())
		if err != nil || !bytes.Equal(again.Bytes(), b.Bytes()) {
			t.Errorf("%q is written as %s (%v)", data, b.Bytes(), err)
		}
	})
}
