package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// jsonSchema is the version of the format. It changes when a field changes
// its meaning or goes away, not when one is added.
const jsonSchema = 1

type jsonDocument struct {
	Schema   int            `json:"schema"`
	Error    string         `json:"error,omitempty"`
	Findings []jsonFinding  `json:"findings"`
	Skipped  []jsonSkipped  `json:"skipped"`
	Summary  map[string]int `json:"summary"`
	// Elsewhere are the changed files of which other build configurations,
	// which were not checked, have more to say.
	Elsewhere []string `json:"elsewhere,omitempty"`
}

type jsonFinding struct {
	Rule          string        `json:"rule"`
	Category      string        `json:"category"`
	Path          string        `json:"path"`
	Line          int           `json:"line"`
	Column        int           `json:"column"`
	EndLine       int           `json:"end_line"`
	EndColumn     int           `json:"end_column"`
	Function      string        `json:"function"`
	Message       string        `json:"message"`
	Applicability string        `json:"applicability"`
	Status        string        `json:"status"`
	Reason        string        `json:"reason"`
	Fingerprint   string        `json:"fingerprint"`
	Fix           *jsonFix      `json:"fix,omitempty"`
	Related       []jsonRelated `json:"related"`
}

type jsonFix struct {
	Message string     `json:"message"`
	Edits   []jsonEdit `json:"edits"`
}

type jsonEdit struct {
	Path  string `json:"path"`
	Start int    `json:"start"`
	End   int    `json:"end"`
	New   string `json:"new"`
}

type jsonRelated struct {
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

type jsonSkipped struct {
	Package string `json:"package"`
	Reason  string `json:"reason"`
}

// JSON writes the run as one JSON object and a newline. Paths are relative to
// opt.Dir with slashes, lines and columns count from 1 in bytes, edits are byte
// offsets with an exclusive end. The summary counts packages, skipped ones,
// findings, and findings of each status, also of those that are not shown.
func JSON(w io.Writer, run Run, opt Options) error {
	return encode(w, document(run, opt))
}

// encode writes v as JSON and a newline.
func encode(w io.Writer, v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	return writeJSON(w, buf.Bytes())
}

// writeJSON writes a document of one line and escapes what encoding/json
// leaves as it is although a terminal takes it for more than a character.
func writeJSON(w io.Writer, doc []byte) error {
	var out bytes.Buffer
	out.Grow(len(doc))
	for _, r := range string(doc) {
		if drives(r) && r != '\n' {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

func document(run Run, opt Options) jsonDocument {
	doc := jsonDocument{
		Schema:   jsonSchema,
		Findings: make([]jsonFinding, 0, len(run.Findings)),
		Skipped:  make([]jsonSkipped, 0, len(run.Skipped)),
		Summary: map[string]int{
			"packages": run.Packages,
			"skipped":  len(run.Skipped),
			"findings": len(run.Findings),
		},
	}
	if run.Err != nil {
		doc.Error = run.Err.Error()
	}
	n := count(run.Findings)
	for _, s := range statuses {
		doc.Summary[string(s)] = n[s]
	}
	for s, hidden := range run.Hidden {
		doc.Summary[string(s)] += hidden
	}
	for i := range run.Findings {
		doc.Findings = append(doc.Findings, toJSON(&run.Findings[i], opt.Dir))
	}
	for _, path := range run.Elsewhere {
		doc.Elsewhere = append(doc.Elsewhere, relative(opt.Dir, path))
	}
	for _, s := range run.Skipped {
		doc.Skipped = append(doc.Skipped, jsonSkipped{s.Package, s.Reason})
	}
	return doc
}

func toJSON(f *finding.Finding, dir string) jsonFinding {
	j := jsonFinding{
		Rule:          f.Rule,
		Category:      f.Category,
		Path:          relative(dir, f.Place.Path),
		Line:          f.Place.Line,
		Column:        f.Place.Column,
		EndLine:       f.Place.EndLine,
		EndColumn:     f.Place.EndColumn,
		Function:      f.Function,
		Message:       f.Message,
		Applicability: string(f.Applicability),
		Status:        string(f.Status),
		Reason:        f.Reason,
		Fingerprint:   f.Fingerprint(),
		Related:       make([]jsonRelated, 0, len(f.Related)),
	}
	if f.Fix != nil {
		j.Fix = &jsonFix{Message: f.Fix.Message, Edits: make([]jsonEdit, 0, len(f.Fix.Edits))}
		for _, e := range f.Fix.Edits {
			j.Fix.Edits = append(j.Fix.Edits, jsonEdit{relative(dir, e.Path), e.Start, e.End, e.New})
		}
	}
	for _, r := range f.Related {
		j.Related = append(j.Related, jsonRelated{relative(dir, r.Path), r.Line, r.Column, r.Message})
	}
	return j
}
