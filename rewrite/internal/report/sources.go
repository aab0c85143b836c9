package report

import (
	"bytes"
	"os"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/plan"
)

// sources holds the texts of files as they were analysed.
type sources struct {
	read  func(path string) ([]byte, error)
	texts map[string][]byte
	lines map[string][]int // offset of the start of each line
}

func newSources(run Run, opt Options) *sources {
	s := &sources{read: opt.ReadFile, texts: map[string][]byte{}, lines: map[string][]int{}}
	if s.read == nil {
		s.read = os.ReadFile
	}
	for _, c := range run.Changes {
		s.texts[c.Path] = c.Old
	}
	return s
}

// text returns the text of a file, or nil when it cannot be read.
func (s *sources) text(path string) []byte {
	text, ok := s.texts[path]
	if !ok {
		text, _ = s.read(path)
		s.texts[path] = text
	}
	return text
}

// starts returns the offset at which each line of a file starts.
func (s *sources) starts(path string) []int {
	if lines, ok := s.lines[path]; ok {
		return lines
	}
	lines := []int{0}
	for i, c := range s.text(path) {
		if c == '\n' {
			lines = append(lines, i+1)
		}
	}
	s.lines[path] = lines
	return lines
}

// line returns a line of a file without its end; lines count from 1.
func (s *sources) line(path string, n int) []byte {
	starts, text := s.starts(path), s.text(path)
	if n < 1 || n > len(starts) {
		return nil
	}
	text = text[starts[n-1]:]
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		text = text[:i]
	}
	return bytes.TrimSuffix(text, []byte("\r"))
}

// position returns the line and the column in bytes, both from 1, of an offset.
func (s *sources) position(path string, offset int) (line, column int) {
	starts := s.starts(path)
	line, found := slices.BinarySearch(starts, offset)
	if found {
		line++
	}
	return line, offset - starts[line-1] + 1
}

// utf16Column turns a column in bytes into one in UTF-16 code units. A byte
// that is no UTF-8 counts as the one character that is shown for it, and a
// column that lies outside of its line stays as it is.
func (s *sources) utf16Column(path string, line, column int) int {
	text := s.line(path, line)
	if column < 1 || column-1 > len(text) {
		return max(column, 1)
	}
	units := 1
	for text = text[:column-1]; len(text) > 0; {
		r, n := utf8.DecodeRune(text)
		units += utf16.RuneLen(r)
		text = text[n:]
	}
	return units
}

// fixed returns what the fix of a finding alone makes of its files, or nil
// when it has none or the files are not the ones that were analysed.
func (s *sources) fixed(f *finding.Finding) []finding.FileChange {
	if f.Fix == nil {
		return nil
	}
	byPath := map[string][]finding.Edit{}
	var paths []string
	for _, e := range f.Fix.Edits {
		if byPath[e.Path] == nil {
			paths = append(paths, e.Path)
		}
		byPath[e.Path] = append(byPath[e.Path], e)
	}
	slices.Sort(paths)
	var changes []finding.FileChange
	for _, path := range paths {
		old := s.text(path)
		after, ok := applied(old, byPath[path])
		if !ok {
			return nil
		}
		changes = append(changes, finding.FileChange{Path: path, Old: old, New: after, Package: f.Package})
	}
	return changes
}

// applied returns text with edits, and false if they do not fit it or each other.
// Equal edits, such as two fixes that add the same import, are one.
func applied(text []byte, edits []finding.Edit) ([]byte, bool) {
	edits = slices.Clone(edits)
	slices.SortFunc(edits, compareEdits)
	edits = slices.Compact(edits)
	last := 0
	for i, e := range edits {
		if e.Start < last || e.End < e.Start || e.End > len(text) || i > 0 && e.Start == edits[i-1].Start {
			return nil, false
		}
		last = e.End
	}
	return plan.Apply(text, edits), true
}
