// Package baseline keeps the account of the findings that a code base had
// when it adopted the tool, so that only new ones are reported. It counts
// findings by rule, package, function and message, without line numbers: an
// edit elsewhere in the file changes nothing.
package baseline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// version is the version of the file format.
const version = 1

// Entry stands for Count findings that are alike.
type Entry struct {
	Rule        string `json:"rule"`
	Package     string `json:"package"`
	Function    string `json:"function"`
	Message     string `json:"message"`
	Fingerprint string `json:"fingerprint"`
	Count       int    `json:"count"`
}

// Baseline is a set of known findings.
type Baseline struct {
	entries map[string]Entry // by fingerprint
	left    map[string]int   // how often each may still occur in this run
}

// New returns the baseline that holds exactly the given findings, but for
// those that a comment suppresses.
func New(found []finding.Finding) *Baseline {
	b := &Baseline{entries: map[string]Entry{}}
	for i := range found {
		f := &found[i]
		if f.Status == finding.Suppressed || f.Status == finding.Excluded {
			continue
		}
		fp := f.Fingerprint()
		e, ok := b.entries[fp]
		if !ok {
			e = Entry{f.Rule, f.Package, f.Function, f.Message, fp, 0}
		}
		e.Count++
		b.entries[fp] = e
	}
	b.reset()
	return b
}

// Read reads the file at path.
func Read(path string) (*Baseline, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("baseline %s: no such file; make it with: goroutinefix baseline -o %s", path, path)
		}
		return nil, fmt.Errorf("baseline: %w", err)
	}
	b, line, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("baseline %s:%d: %w", path, line, err)
	}
	return b, nil
}

// parse reads the content of a file. With the error comes its line.
func parse(data []byte) (b *Baseline, line int, err error) {
	var doc struct {
		Version  int               `json:"version"`
		Findings []json.RawMessage `json:"findings"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	at := func(offset int64) int { return 1 + bytes.Count(data[:min(int(offset), len(data))], []byte("\n")) }
	if err := dec.Decode(&doc); err != nil {
		offset := dec.InputOffset()
		if s := (*json.SyntaxError)(nil); errors.As(err, &s) {
			offset = max(s.Offset-1, 0)
		} else if t := (*json.UnmarshalTypeError)(nil); errors.As(err, &t) {
			offset = t.Offset
			err = fmt.Errorf("%q holds a %s", t.Field, t.Value)
		} else if errors.Is(err, io.EOF) {
			err = errors.New("the file is empty")
		} else if errors.Is(err, io.ErrUnexpectedEOF) {
			err, offset = errors.New("the file ends too early"), int64(len(data))
		}
		return nil, at(offset), plain(err)
	}
	if rest := bytes.TrimSpace(data[dec.InputOffset():]); len(rest) > 0 {
		return nil, at(int64(bytes.LastIndex(data, rest))), errors.New("there is something after the end of the document; was a merge resolved wrongly?")
	}
	if doc.Version != version {
		return nil, 1, fmt.Errorf("version is %d, this program reads version %d", doc.Version, version)
	}
	b = &Baseline{entries: map[string]Entry{}}
	from := 0
	for _, raw := range doc.Findings {
		start := from + bytes.Index(data[from:], raw)
		from = start + len(raw)
		var e Entry
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&e); err != nil {
			return nil, at(int64(start)), plain(err)
		}
		f := finding.Finding{Rule: e.Rule, Package: e.Package, Function: e.Function, Message: e.Message}
		switch {
		case e.Count < 1:
			return nil, at(int64(start)), fmt.Errorf("count is %d, want 1 or more", e.Count)
		case e.Fingerprint != f.Fingerprint():
			return nil, at(int64(start)), errors.New("the fingerprint is not the one of this rule, package, function and message")
		}
		// Both sides of a merge may have added the same entry.
		e.Count = max(e.Count, b.entries[e.Fingerprint].Count)
		b.entries[e.Fingerprint] = e
	}
	b.reset()
	return b, 0, nil
}

func plain(err error) error { return errors.New(strings.TrimPrefix(err.Error(), "json: ")) }

func (b *Baseline) reset() {
	b.left = map[string]int{}
	for fp, e := range b.entries {
		b.left[fp] = e.Count
	}
}

// Apply gives the status baselined to the findings that b knows, the first
// ones first, and remembers which entries they leave over.
func (b *Baseline) Apply(found []finding.Finding) {
	b.reset()
	for i := range found {
		f := &found[i]
		fp := f.Fingerprint()
		if f.Status != finding.Suppressed && f.Status != finding.Excluded && b.left[fp] > 0 {
			b.left[fp]--
			f.Outcome, f.Fix = finding.Outcome{Status: finding.Baselined}, nil
		}
	}
}

// Stale returns what of the entries Apply has left over, where judged, asked
// with rule and package, says that they would have been found again. The
// count of an entry is how many are gone.
func (b *Baseline) Stale(judged func(rule, pkg string) bool) []Entry {
	var stale []Entry
	for fp, n := range b.left {
		if e := b.entries[fp]; n > 0 && judged(e.Rule, e.Package) {
			e.Count = n
			stale = append(stale, e)
		}
	}
	sortEntries(stale)
	return stale
}

// Without returns b less the given entries.
func (b *Baseline) Without(stale []Entry) *Baseline {
	next := &Baseline{entries: map[string]Entry{}}
	for fp, e := range b.entries {
		if i := slices.IndexFunc(stale, func(s Entry) bool { return s.Fingerprint == fp }); i >= 0 {
			e.Count -= stale[i].Count
		}
		if e.Count > 0 {
			next.entries[fp] = e
		}
	}
	next.reset()
	return next
}

// With returns b together with the entries of old that judged does not speak
// of: what this run could not have found again stays.
func (b *Baseline) With(old *Baseline, judged func(rule, pkg string) bool) *Baseline {
	for fp, e := range old.entries {
		if _, known := b.entries[fp]; !known && !judged(e.Rule, e.Package) {
			b.entries[fp] = e
		}
	}
	b.reset()
	return b
}

// Len returns the number of findings that b stands for.
func (b *Baseline) Len() int {
	n := 0
	for _, e := range b.entries {
		n += e.Count
	}
	return n
}

// Bytes returns the content of the file: sorted, one finding a line, so that
// a change of one is a change of one line.
func (b *Baseline) Bytes() []byte {
	entries := make([]Entry, 0, len(b.entries))
	for _, e := range b.entries {
		entries = append(entries, e)
	}
	sortEntries(entries)
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\n  \"version\": %d,\n  \"findings\": [", version)
	for i, e := range entries {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n    ")
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(e) // strings and a number
		out.Truncate(out.Len() - 1)
	}
	if len(entries) > 0 {
		out.WriteString("\n  ")
	}
	out.WriteString("]\n}\n")
	return out.Bytes()
}

func sortEntries(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Function, b.Function), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Message, b.Message), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
}
