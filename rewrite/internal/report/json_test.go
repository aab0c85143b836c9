package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// validate checks a document against a schema in testdata.
func validate(t *testing.T, schema, doc string) {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	sch, err := c.Compile("testdata/" + schema)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(doc))
	if err != nil {
		t.Fatalf("%v in\n%s", err, doc)
	}
	if err := sch.Validate(v); err != nil {
		t.Errorf("%#v", err)
	}
}

// decode decodes a document and refuses anything after it.
func decode(t *testing.T, doc string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(doc), v); err != nil {
		t.Fatalf("%v in\n%s", err, doc)
	}
}

// TestJSONSchema holds the published schema to what is written: it describes
// every field, and every finding and line is as it says.
func TestJSONSchema(t *testing.T) {
	var schema any
	text, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	decode(t, string(text), &schema)
	closed(schema)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", schema); err != nil {
		t.Fatal(err)
	}
	check := func(at, doc string) {
		t.Helper()
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(doc))
		if err != nil {
			t.Fatalf("%v in\n%s", err, doc)
		}
		if err := c.MustCompile("schema.json" + at).Validate(v); err != nil {
			t.Errorf("%#v\nin %s", err, doc)
		}
	}
	s := sample(t)
	for _, run := range []Run{s.run, all, many(30), {}, {Err: errors.New("no go.mod")}} {
		check("", render(t, "json", run, s.options()))
		for line := range strings.Lines(render(t, "jsonl", run, s.options())) {
			check("#/$defs/line", line)
		}
	}
	for _, s := range statuses {
		if !bytes.Contains(text, []byte(`"`+string(s)+`": {`)) {
			t.Errorf("the summary of the schema lacks %s", s)
		}
	}
}

// closed forbids what a schema does not describe.
func closed(schema any) {
	switch v := schema.(type) {
	case map[string]any:
		if _, ok := v["properties"].(map[string]any); ok {
			v["additionalProperties"] = false
		}
		for _, x := range v {
			closed(x)
		}
	case []any:
		for _, x := range v {
			closed(x)
		}
	}
}

// TestJSONL checks that the lines are the parts of the document of JSON.
func TestJSONL(t *testing.T) {
	for _, run := range []Run{all, {}, sample(t).run} {
		opt := Options{Dir: wd}
		lines := strings.SplitAfter(render(t, "jsonl", run, opt), "\n")
		if last := lines[len(lines)-1]; last != "" {
			t.Fatalf("no newline after %q", last)
		}
		lines = lines[:len(lines)-1]
		end, found := lines[len(lines)-1], strings.TrimSuffix(strings.Join(lines[:len(lines)-1], ","), "\n")
		found = strings.ReplaceAll(found, "\n,", ",")
		got := strings.Replace(end, `{"schema":1,`, `{"schema":1,"findings":[`+found+`],`, 1)
		if want := render(t, "json", run, opt); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		for _, l := range lines[:len(lines)-1] {
			if strings.Contains(l, `"schema"`) {
				t.Errorf("a finding has a schema: %s", l)
			}
		}
	}
}

func TestGitLab(t *testing.T) {
	run := all
	run.Findings = append(run.Findings[:len(run.Findings):len(run.Findings)], run.Findings[0], run.Findings[0])
	run.Findings = append(run.Findings, finding.Finding{Rule: "r", Place: place("a_test.go", 1), Message: "m", Outcome: finding.Outcome{Status: finding.NoFix}})
	for _, r := range []Run{sample(t).run, many(30), {}, {Err: errors.New("no go.mod")}} {
		validate(t, "gitlab-schema.json", render(t, "gitlab", r, Options{Dir: wd + "/pkg", Root: wd}))
	}
	doc := render(t, "gitlab", run, Options{Dir: wd + "/pkg", Root: wd})
	validate(t, "gitlab-schema.json", doc)
	var issues []struct {
		Description string
		CheckName   string `json:"check_name"`
		Fingerprint string
		Severity    string
		Location    struct {
			Path  string
			Lines struct{ Begin int }
		}
	}
	decode(t, doc, &issues)
	if len(issues) != len(run.Findings)+1 {
		t.Fatalf("%d issues for %d findings and one skipped package", len(issues), len(run.Findings))
	}
	seen := map[string]bool{}
	severities := map[string]int{}
	for _, i := range issues {
		if seen[i.Fingerprint] || i.Fingerprint == "" {
			t.Errorf("fingerprint %q is not unique", i.Fingerprint)
		}
		seen[i.Fingerprint] = true
		severities[i.Severity]++
		if i.Description == "" || i.CheckName == "" || i.Location.Path == "" || i.Location.Lines.Begin < 1 {
			t.Errorf("something is missing in %+v", i)
		}
	}
	first := issues[0]
	if first.Location.Path != "pkg/x.go" || first.Location.Lines.Begin != 42 || first.CheckName != "blockingsend" || first.Fingerprint != run.Findings[0].Fingerprint() {
		t.Errorf("got %+v", first)
	}
	if severities["info"] != 3 || severities["minor"] != 1 || severities["blocker"] != 1 || severities["major"] != len(run.Findings)-4 {
		t.Errorf("severities %v", severities)
	}
}

func TestRDJSON(t *testing.T) {
	s := sample(t)
	for _, run := range []Run{s.run, all, {Err: errors.New("no go.mod")}} {
		validate(t, "rdjson-schema.json", render(t, "rdjson", run, s.options()))
	}
	var doc struct {
		Diagnostics []struct {
			Message  string
			Location struct {
				Path  string
				Range struct{ Start, End struct{ Line, Column int } }
			}
			Suggestions []struct {
				Range struct{ Start, End struct{ Line, Column int } }
				Text  string
			}
		}
	}
	decode(t, s.format("rdjson"), &doc)
	if len(doc.Diagnostics) != 3 {
		t.Fatalf("%d diagnostics", len(doc.Diagnostics))
	}
	src := newSources(s.run, s.options())
	for i, d := range doc.Diagnostics {
		f := &s.run.Findings[i]
		if p := d.Location.Range; p.Start.Line != f.Place.Line || p.Start.Column != f.Place.Column || p.End.Column != f.Place.EndColumn {
			t.Errorf("range %+v for %+v", p, f.Place)
		}
		if len(d.Suggestions) != 1 {
			t.Fatalf("%d suggestions", len(d.Suggestions))
		}
		// Put the lines in, as a code host does; it knows one kind of line end.
		sug := d.Suggestions[0]
		lines := strings.SplitAfter(string(src.text(f.Place.Path)), "\n")
		end := "\n"
		if strings.HasSuffix(lines[0], "\r\n") {
			end = "\r\n"
		}
		got := strings.Join(lines[:sug.Range.Start.Line-1], "") + sug.Text + end + strings.Join(lines[sug.Range.End.Line:], "")
		if want := string(src.fixed(f)[0].New); got != want {
			t.Errorf("the suggestion makes\n%s\nwant\n%s", got, want)
		}
		if n := sug.Range.End.Line - sug.Range.Start.Line; n > 1 {
			t.Errorf("the suggestion spans %d lines", n)
		}
	}
}

// TestNotText has bytes that JSON cannot hold next to a fix: to suggest the
// line would be to change them.
func TestNotText(t *testing.T) {
	s := &tree{t: t, dir: t.TempDir(), run: Run{Packages: 1}}
	s.write("a.go", "package a\n\nvar c = make(chan int) // \xff\n")
	s.add("blockingsend", "a.go", "c", "c =", "m", "make(chan int)", "make(chan int, 1)", "Buffer c")
	s.add("blockingsend", "a.go", "c", "var", "m", "\xff", "\xfe", "Change it")
	s.finish()
	if got := s.format("rdjson"); strings.Contains(got, "suggestions") {
		t.Errorf("got %s", got)
	}
	if got := s.format("sarif"); strings.Count(got, `"artifactChanges"`) != 1 {
		t.Errorf("got %s", got)
	}
}
