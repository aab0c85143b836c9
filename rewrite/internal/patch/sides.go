package patch

import "bytes"

// Hunks returns the hunks that turn the old text into the new one, as in
// [Unified], without the headers of a file.
func Hunks(old, now []byte) []byte {
	var buf bytes.Buffer
	printHunks(&buf, splitLines(old), splitLines(now))
	return buf.Bytes()
}

// Row is a line of a diff with two sides: line numbers from 1, and 0 on the
// side that has no such line.
type Row struct {
	Old, New int
	Changed  bool
}

// Sides returns the hunks of a diff for two columns, each a list of rows. Lines
// that replace others stand beside them.
func Sides(old, now []byte) [][]Row {
	a, b := splitLines(old), splitLines(now)
	var hunks [][]Row
	for _, spans := range group(diffLines(a, b)) {
		first, last := spans[0], spans[len(spans)-1]
		a0 := first.a0 - min(contextLines, first.a0)
		b0 := first.b0 - (first.a0 - a0)
		end := last.a1 + min(contextLines, len(a)-last.a1)
		var rows []Row
		i, j := a0, b0
		same := func(until int) {
			for ; i < until; i, j = i+1, j+1 {
				rows = append(rows, Row{Old: i + 1, New: j + 1})
			}
		}
		for _, s := range spans {
			same(s.a0)
			for i < s.a1 || j < s.b1 {
				r := Row{Changed: true}
				if i < s.a1 {
					i++
					r.Old = i
				}
				if j < s.b1 {
					j++
					r.New = j
				}
				rows = append(rows, r)
			}
		}
		same(end)
		hunks = append(hunks, rows)
	}
	return hunks
}

// group puts changes whose contexts touch or overlap together.
func group(spans []span) [][]span {
	var groups [][]span
	for len(spans) > 0 {
		n := 1
		for n < len(spans) && spans[n].a0-spans[n-1].a1 <= 2*contextLines {
			n++
		}
		groups = append(groups, spans[:n])
		spans = spans[n:]
	}
	return groups
}
