package patch

import (
	"strings"

	"github.com/sergi/go-diff/diffmatchpatch"
)

const (
	// maxLines is the number of lines up to which the diff is computed: go-diff
	// gives each distinct line a code point and panics when they run out, at
	// some 1.1 million.
	maxLines = 1_000_000
	// maxCost bounds the square of the number of changed lines, with which the
	// time grows: some seconds.
	maxCost = 1 << 32
)

// splitLines cuts text after each newline. The last line may lack one; no
// line is empty.
func splitLines(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	lines := strings.SplitAfter(string(text), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// diffLines returns the changes that turn a into b: in order, not empty, with
// unchanged lines between them. It depends on nothing but a and b.
func diffLines(a, b []string) []span {
	prefix := 0
	for prefix < len(a) && prefix < len(b) && a[prefix] == b[prefix] {
		prefix++
	}
	a1, b1 := len(a), len(b)
	for a1 > prefix && b1 > prefix && a[a1-1] == b[b1-1] {
		a1--
		b1--
	}
	spans := diffMiddle(a[prefix:a1], b[prefix:b1])
	for i := range spans {
		s := &spans[i]
		s.a0, s.a1, s.b0, s.b1 = s.a0+prefix, s.a1+prefix, s.b0+prefix, s.b1+prefix
	}
	return slide(a, b, spans)
}

// diffMiddle is diffLines for texts without a common start or end.
func diffMiddle(a, b []string) []span {
	if len(a) == 0 && len(b) == 0 {
		return nil
	}
	if len(a) == 0 || len(b) == 0 || len(a)+len(b) > maxLines || cost(a, b) > maxCost {
		return []span{{0, len(a), 0, len(b)}}
	}
	dmp := diffmatchpatch.New()
	dmp.DiffTimeout = 0 // a result must not depend on the load of the machine
	ra, rb, lines := dmp.DiffLinesToRunes(strings.Join(a, ""), strings.Join(b, ""))
	diffs := dmp.DiffCharsToLines(dmp.DiffMainRunes(ra, rb, false), lines)

	var spans []span
	i, j := 0, 0
	open := false
	for _, d := range diffs {
		n := len(splitLines([]byte(d.Text)))
		if n == 0 {
			continue
		}
		if d.Type == diffmatchpatch.DiffEqual {
			i, j, open = i+n, j+n, false
			continue
		}
		if !open {
			spans = append(spans, span{i, i, j, j})
			open = true
		}
		s := &spans[len(spans)-1]
		if d.Type == diffmatchpatch.DiffDelete {
			i += n
		} else {
			j += n
		}
		s.a1, s.b1 = i, j
	}
	return spans
}

// cost estimates the work of a line diff: the square of the number of lines
// that cannot be matched, because the other text has too few of them.
func cost(a, b []string) int {
	count := map[string]int{}
	for _, l := range a {
		count[l]++
	}
	for _, l := range b {
		count[l]--
	}
	n := 0
	for _, c := range count {
		n += max(c, -c)
	}
	return n * n
}

// slide moves each pure insertion or deletion, where it could stand at several
// places with the same effect, to the one that reads best: at the boundary of
// a block or a paragraph rather than inside of one.
func slide(a, b []string, spans []span) []span {
	for i := range spans {
		s := &spans[i]
		// A neighbour must stay apart by one line at least.
		lo, hi := 0, len(a)
		if i > 0 {
			lo = spans[i-1].a1 + 1
		}
		if i+1 < len(spans) {
			hi = spans[i+1].a0 - 1
		}
		switch {
		case s.a0 == s.a1: // an insertion: a window on b moves over equal lines
			d := bestShift(b, s.b0, s.b1, s.a0-lo, hi-s.a1)
			s.a0, s.a1, s.b0, s.b1 = s.a0+d, s.a1+d, s.b0+d, s.b1+d
		case s.b0 == s.b1:
			d := bestShift(a, s.a0, s.a1, s.a0-lo, hi-s.a1)
			s.a0, s.a1, s.b0, s.b1 = s.a0+d, s.a1+d, s.b0+d, s.b1+d
		}
	}
	return spans
}

// bestShift returns by how many lines the group [start, end) of the text moves:
// at most up lines towards the start and down towards the end, 0 when it has
// no other place. Of places that read equally well, the last one wins.
func bestShift(text []string, start, end, up, down int) int {
	best, score := 0, 1<<30
	from, to := 0, 0
	for -from < up && start+from > 0 && text[start+from-1] == text[end+from-1] {
		from--
	}
	for to < down && end+to < len(text) && text[start+to] == text[end+to] {
		to++
	}
	for d := from; d <= to; d++ {
		if s := boundary(text, start+d) + boundary(text, end+d); s <= score {
			best, score = d, s
		}
	}
	return best
}

// boundary rates a cut before text[i]: the lower, the more natural.
// Indentation counts most; then a cut after a blank line is better than one
// before it, and one before a closing bracket is worst.
func boundary(text []string, i int) int {
	if i == 0 || i >= len(text) {
		return 0
	}
	j := i
	for j < len(text) && strings.TrimSpace(text[j]) == "" {
		j++
	}
	if j == len(text) {
		return 0
	}
	rest := strings.TrimLeft(text[j], " \t")
	score := 8 * (len(text[j]) - len(rest))
	if strings.ContainsRune("})]", rune(rest[0])) {
		score += 8 + 4 // it ends the deeper block before it
	}
	if j > i {
		score += 2
	} else if strings.TrimSpace(text[i-1]) == "" {
		score--
	}
	return score
}
