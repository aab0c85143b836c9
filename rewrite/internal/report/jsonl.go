package report

import "io"

// jsonlEnd is the last line of JSONL: a [jsonDocument] without the findings.
type jsonlEnd struct {
	Schema  int            `json:"schema"`
	Error   string         `json:"error,omitempty"`
	Skipped []jsonSkipped  `json:"skipped"`
	Summary map[string]int `json:"summary"`

	Elsewhere []string `json:"elsewhere,omitempty"`
}

// JSONL writes one finding a line, each the same object as in the findings of
// [JSON], and then one line with what is left of that document: schema, error,
// skipped, summary and elsewhere. Only the last line has a schema, so a reader that has
// not seen it has not seen everything.
func JSONL(w io.Writer, run Run, opt Options) error {
	doc := document(run, opt)
	for i := range doc.Findings {
		if err := encode(w, &doc.Findings[i]); err != nil {
			return err
		}
	}
	return encode(w, jsonlEnd{doc.Schema, doc.Error, doc.Skipped, doc.Summary, doc.Elsewhere})
}
