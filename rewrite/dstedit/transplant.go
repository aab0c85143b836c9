package dstedit

import (
	"bytes"
	"go/scanner"
	"go/token"
	"slices"
	"strings"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// hunk replaces the lines [start,end) of one text by the lines [from,to) of
// another; lines count from 0.
type hunk struct {
	start, end int
	from, to   int
}

// splitLines splits text after each "\n"; the last line may lack it.
func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	lines := strings.SplitAfter(text, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// diffLines returns the hunks that turn the lines of a into those of b,
// sorted, separated by at least one common line.
func diffLines(a, b string) []hunk {
	dmp := diffmatchpatch.New()
	dmp.DiffTimeout = 0 // the result must not depend on the load of the machine
	ra, rb, lines := dmp.DiffLinesToRunes(a, b)
	diffs := dmp.DiffCharsToLines(dmp.DiffMainRunes(ra, rb, false), lines)

	var hunks []hunk
	i, j := 0, 0
	open := false
	for _, d := range diffs {
		n := len(splitLines(d.Text))
		if d.Type == diffmatchpatch.DiffEqual {
			i, j, open = i+n, j+n, false
			continue
		}
		if !open {
			hunks = append(hunks, hunk{i, i, j, j})
			open = true
		}
		if d.Type == diffmatchpatch.DiffDelete {
			i += n
		} else {
			j += n
		}
		h := &hunks[len(hunks)-1]
		h.end, h.to = i, j
	}
	return hunks
}

// srcLine is a line of the original source.
type srcLine struct {
	start int    // byte offset in the source
	text  string // without line ending
	eol   string // "\n", "\r\n" or, at the end of the file, ""
}

func (l srcLine) end() int { return l.start + len(l.text) + len(l.eol) }

// sourceLines returns the lines of src[r.start:r.end].
func sourceLines(src []byte, r region) []srcLine {
	var lines []srcLine
	at := r.start
	for _, s := range splitLines(string(src[r.start:r.end])) {
		text := strings.TrimSuffix(s, "\n")
		if text != s {
			text = strings.TrimSuffix(text, "\r")
		}
		lines = append(lines, srcLine{start: at, text: text, eol: s[len(text):]})
		at += len(s)
	}
	return lines
}

// squash returns line without white space.
func squash(line string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n', '\v', '\f':
			return -1
		}
		return r
	}, line)
}

// mapLines maps each formatted line to the index of its original line. The map
// is strict: lines must agree in all but white space, in the same order; only
// surplus blank lines of the original are passed over.
func mapLines(formatted []string, orig []srcLine) ([]int, error) {
	m := make([]int, len(formatted))
	j := 0
	for i, line := range formatted {
		want := squash(line)
		for want != "" && j < len(orig) && squash(orig[j].text) == "" {
			j++
		}
		if j == len(orig) || squash(orig[j].text) != want {
			return nil, refuse("the declaration is not laid out in gofmt's lines")
		}
		m[i] = j
		j++
	}
	for ; j < len(orig); j++ {
		if squash(orig[j].text) != "" {
			return nil, refuse("the declaration is not laid out in gofmt's lines")
		}
	}
	return m, nil
}

// transplant carries the difference between the formatted declaration base and
// its edited form over to the region r of src and returns it as edits of src.
func transplant(src []byte, r region, base, edited string) ([]Edit, error) {
	old, changed := splitLines(base), splitLines(edited)
	orig := sourceLines(src, r)
	m, err := mapLines(old, orig)
	if err != nil {
		return nil, err
	}
	t := &transplanter{
		old: old, new: changed, orig: orig, lines: m,
		oldInside: insideTokens(base), newInside: insideTokens(edited),
		eol: defaultEOL(src),
	}
	for i := range old {
		if strings.TrimSuffix(old[i], "\n") != orig[m[i]].text {
			t.dirty = true
		}
	}
	var edits []Edit
	for _, h := range diffLines(base, edited) {
		e, ok, err := t.edit(h, r)
		if err != nil {
			return nil, err
		}
		if ok {
			edits = append(edits, e)
		}
	}
	return edits, nil
}

// defaultEOL returns the first line ending of src.
func defaultEOL(src []byte) string {
	if i := bytes.IndexByte(src, '\n'); i > 0 && src[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// transplanter is the state of one transplant.
type transplanter struct {
	old, new             []string
	orig                 []srcLine
	lines                []int // old line -> orig line
	oldInside, newInside map[int]bool
	dirty                bool // some original line differs from its formatted form
	eol                  string
}

// edit returns the edit of the original lines for h; false if there is none.
// It refuses to replace what the formatted declaration does not have in the same
// form: a carriage return inside a line, a comment, a blank line in between.
func (t *transplanter) edit(h hunk, r region) (Edit, bool, error) {
	if t.dirty {
		h = t.trimSpacing(h)
		if h.start == h.end && h.from == h.to {
			return Edit{}, false, nil
		}
	}
	from, to := t.span(h)
	for _, l := range t.orig[from:to] {
		if strings.Contains(l.text, "\r") {
			return Edit{}, false, refuse("a carriage return would be lost")
		}
	}
	for i := h.start; i < h.end; i++ {
		if !slices.Equal(commentsOn(t.old[i]), commentsOn(t.orig[t.lines[i]].text)) {
			return Edit{}, false, refuse("formatting would change a comment")
		}
	}
	if h.start < h.end && to-from > h.end-h.start {
		return Edit{}, false, refuse("a blank line that gofmt would not have left would be lost")
	}
	eol := t.endingAt(from)
	var lines []string
	for i := h.from; i < h.to; i++ {
		line := strings.TrimSuffix(t.new[i], "\n")
		if t.dirty && !t.newInside[i] {
			line = t.indentLike(line, h)
		}
		// A line that takes the place of one keeps its ending.
		if h.to-h.from == to-from && t.orig[from+i-h.from].eol != "" {
			lines = append(lines, line+t.orig[from+i-h.from].eol)
			continue
		}
		lines = append(lines, line+eol)
	}
	// A line whose translation equals the original is no change.
	for len(lines) > 0 && from < to && lines[0] == t.orig[from].text+t.orig[from].eol {
		lines, from = lines[1:], from+1
	}
	for len(lines) > 0 && from < to && lines[len(lines)-1] == t.orig[to-1].text+t.orig[to-1].eol {
		lines, to = lines[:len(lines)-1], to-1
	}
	text := strings.Join(lines, "")
	e := Edit{Start: r.end, End: r.end}
	if from < len(t.orig) {
		e.Start = t.orig[from].start
		e.End = e.Start
	}
	if to > from {
		e.End = t.orig[to-1].end()
	}
	// Without a line ending at the end of the file the new end has none.
	if to == len(t.orig) && to > 0 && t.orig[to-1].eol == "" {
		text = strings.TrimSuffix(text, eol)
		if from == to && text != "" {
			text = eol + text
		}
	}
	e.New = text
	return e, e.Start != e.End || e.New != "", nil
}

// span returns the original lines [from,to) that h replaces.
func (t *transplanter) span(h hunk) (from, to int) {
	switch {
	case h.start < h.end:
		return t.lines[h.start], t.lines[h.end-1] + 1
	case h.start == 0:
		return 0, 0
	case squash(t.old[h.start-1]) == "" && h.start < len(t.old):
		// After all blank lines that formatting merges into one.
		return t.lines[h.start], t.lines[h.start]
	default:
		at := t.lines[h.start-1] + 1
		return at, at
	}
}

// endingAt returns the line ending of the lines around the original line i.
func (t *transplanter) endingAt(i int) string {
	for _, k := range []int{i - 1, i} {
		if k >= 0 && k < len(t.orig) && t.orig[k].eol != "" {
			return t.orig[k].eol
		}
	}
	return t.eol
}

// trimSpacing returns h without the lines at its ends that only change spacing
// inside a line, such as the alignment of comments, which a declaration that
// is not gofmt-clean does not need.
func (t *transplanter) trimSpacing(h hunk) hunk {
	same := func(i, j int) bool {
		a, b := t.old[i], t.new[j]
		return !t.oldInside[i] && !t.newInside[j] && squash(a) == squash(b) && depth(a) == depth(b)
	}
	for h.start < h.end && h.from < h.to && same(h.start, h.from) {
		h.start, h.from = h.start+1, h.from+1
	}
	for h.start < h.end && h.from < h.to && same(h.end-1, h.to-1) {
		h.end, h.to = h.end-1, h.to-1
	}
	return h
}

// depth returns the number of tabs that line begins with.
func depth(line string) int { return len(line) - len(strings.TrimLeft(line, "\t")) }

// indentLike returns line, which is indented by tabs, with the indentation
// that the original lines nearest to h have at the same depth.
func (t *transplanter) indentLike(line string, h hunk) string {
	n := depth(line)
	if n == 0 {
		return line
	}
	if ws, ok := t.nearest(h, func(d int) bool { return d == n }); ok {
		return ws + line[n:]
	}
	// No line of that depth: take the unit from the nearest indented line.
	unit := "\t"
	t.nearestLine(h, func(i int) bool {
		d := depth(t.old[i])
		ws := leading(t.orig[t.lines[i]].text)
		if d == 0 || len(ws)%d != 0 || strings.Repeat(ws[:len(ws)/d], d) != ws {
			return false
		}
		unit = ws[:len(ws)/d]
		return true
	})
	return strings.Repeat(unit, n) + line[n:]
}

// nearest returns the original indentation of the line nearest to h whose
// formatted depth is accepted.
func (t *transplanter) nearest(h hunk, accept func(depth int) bool) (ws string, ok bool) {
	ok = t.nearestLine(h, func(i int) bool {
		if !accept(depth(t.old[i])) {
			return false
		}
		ws = leading(t.orig[t.lines[i]].text)
		return true
	})
	return ws, ok
}

// nearestLine calls try with the formatted lines in the order of their
// distance from h until it returns true; it reports whether it did.
func (t *transplanter) nearestLine(h hunk, try func(i int) bool) bool {
	usable := func(i int) bool {
		return i >= 0 && i < len(t.old) && !t.oldInside[i] && squash(t.old[i]) != ""
	}
	for i := h.start; i < h.end; i++ {
		if usable(i) && try(i) {
			return true
		}
	}
	for k := 0; k <= len(t.old); k++ {
		for _, i := range []int{h.start - 1 - k, h.end + k} {
			if usable(i) && try(i) {
				return true
			}
		}
	}
	return false
}

// leading returns the white space that line begins with.
func leading(line string) string {
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// commentsOn returns the comments that begin on a line, as far as it holds them.
func commentsOn(line string) (list []string) {
	if !strings.Contains(line, "//") && !strings.Contains(line, "/*") {
		return nil
	}
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", fset.Base(), len(line)), []byte(line), func(token.Position, string) {}, scanner.ScanComments)
	for {
		_, tok, lit := s.Scan()
		switch tok {
		case token.EOF:
			return list
		case token.COMMENT:
			list = append(list, strings.TrimSpace(lit))
		}
	}
}

// insideTokens returns the lines of text, which is Go source without package
// clause, that begin inside a raw string or a block comment.
func insideTokens(text string) map[int]bool {
	inside := make(map[int]bool)
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), nil, scanner.ScanComments)
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return inside
		}
		if tok != token.STRING && tok != token.COMMENT {
			continue
		}
		first := strings.Count(text[:file.Offset(pos)], "\n")
		for i := range strings.Count(strings.TrimRight(lit, "\n"), "\n") {
			inside[first+1+i] = true
		}
	}
}
