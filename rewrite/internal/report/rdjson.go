package report

import (
	"bytes"
	"io"
	"unicode/utf8"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// maxSuggestion is the number of lines up to which a fix becomes a suggestion.
// reviewdog puts only one into a comment, so edits that lie apart, such as an
// import far above, come with all lines between them; and code hosts take only
// lines that the pull request shows.
const maxSuggestion = 50

type rdDocument struct {
	Source      rdSource       `json:"source"`
	Severity    string         `json:"severity"`
	Diagnostics []rdDiagnostic `json:"diagnostics"`
	// The rest is ours; reviewdog passes over it.
	Error   string         `json:"error,omitempty"`
	Skipped []jsonSkipped  `json:"skipped"`
	Summary map[string]int `json:"summary"`
}

type rdSource struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

type rdDiagnostic struct {
	Message     string         `json:"message"`
	Location    rdLocation     `json:"location"`
	Severity    string         `json:"severity"`
	Code        rdCode         `json:"code"`
	Suggestions []rdSuggestion `json:"suggestions,omitempty"`
	Related     []rdRelated    `json:"related_locations,omitempty"`
}

type rdLocation struct {
	Path  string  `json:"path"`
	Range rdRange `json:"range"`
}

type rdRange struct {
	Start rdPosition `json:"start"`
	End   rdPosition `json:"end"`
}

type rdPosition struct {
	Line   int `json:"line"`
	Column int `json:"column,omitempty"`
}

type rdCode struct {
	Value string `json:"value"`
	URL   string `json:"url"`
}

type rdSuggestion struct {
	Range rdRange `json:"range"`
	Text  string  `json:"text"`
}

type rdRelated struct {
	Message  string     `json:"message"`
	Location rdLocation `json:"location"`
}

// RDJSON writes the run for reviewdog. Paths are relative to opt.Dir, where
// reviewdog is to run; columns count bytes there, too. A finding that is in
// this run's diff has its fix as a suggestion of whole lines.
func RDJSON(w io.Writer, run Run, opt Options) error {
	account := document(run, opt)
	doc := rdDocument{
		Source: rdSource{"goroutinefix", homepage}, Severity: "WARNING", Diagnostics: []rdDiagnostic{},
		Error: account.Error, Skipped: account.Skipped, Summary: account.Summary,
	}
	src := newSources(run, opt)
	for i := range run.Findings {
		f := &run.Findings[i]
		d := rdDiagnostic{
			Message:  oneLine(f.Message) + " (" + oneLine(verdict(f)) + ")",
			Location: rdPlace(opt.Dir, f.Place),
			Severity: "WARNING",
			Code:     rdCode{f.Rule, homepage + "#" + f.Rule},
		}
		if settled(f) {
			d.Severity = "INFO"
		}
		for _, r := range f.Related {
			d.Related = append(d.Related, rdRelated{oneLine(r.Message), rdPlace(opt.Dir, r.Place)})
		}
		if s, ok := src.suggestion(f); ok {
			d.Suggestions = []rdSuggestion{s}
		}
		doc.Diagnostics = append(doc.Diagnostics, d)
	}
	return encode(w, doc)
}

func rdPlace(dir string, p finding.Place) rdLocation {
	return rdLocation{relative(dir, p.Path), rdRange{rdPosition{p.Line, p.Column}, rdPosition{p.EndLine, p.EndColumn}}}
}

// suggestion returns the fix of a finding as one replacement of whole lines.
func (s *sources) suggestion(f *finding.Finding) (rdSuggestion, bool) {
	changes := s.fixed(f)
	if f.Status != finding.Fixable || len(changes) != 1 || changes[0].Path != f.Place.Path {
		return rdSuggestion{}, false
	}
	c := changes[0]
	start, end := f.Fix.Edits[0].Start, 0
	for _, e := range f.Fix.Edits {
		start, end = min(start, e.Start), max(end, e.End)
	}
	first, _ := s.position(c.Path, start)
	last, column := s.position(c.Path, end)
	starts := s.starts(c.Path)
	// The lines up to the end of the given one, as they are after the fix.
	lines := func(last int) []byte {
		to := len(c.Old)
		if last < len(starts) {
			to = starts[last]
		}
		return c.New[starts[first-1] : len(c.New)-(len(c.Old)-to)]
	}
	text := lines(last)
	if last > first && column == 1 {
		// Mostly the edits end with the line before.
		if t := lines(last - 1); len(t) == 0 || t[len(t)-1] == '\n' {
			last, text = last-1, t
		}
	}
	// JSON would replace bytes that are no UTF-8, and the suggestion the code.
	if last-first >= maxSuggestion || !utf8.Valid(text) {
		return rdSuggestion{}, false
	}
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	return rdSuggestion{rdRange{rdPosition{Line: first}, rdPosition{Line: last}}, string(text)}, true
}
