package patch

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// contextLines is the number of unchanged lines around a change.
const contextLines = 3

// maxFuncName is the length in bytes at which git cuts the text after @@.
const maxFuncName = 80

// span says that the lines [A0, A1) of the old text became [B0, B1) of the
// new one. Line numbers count from 0.
type span struct{ a0, a1, b0, b1 int }

// printHunks writes the hunks that turn the lines a into the lines b.
func printHunks(buf *bytes.Buffer, a, b []string) {
	for _, spans := range group(diffLines(a, b)) {
		printHunk(buf, a, b, spans)
	}
}

// printHunk writes one hunk with the given changes.
func printHunk(buf *bytes.Buffer, a, b []string, spans []span) {
	first, last := spans[0], spans[len(spans)-1]
	before := min(contextLines, first.a0)
	after := min(contextLines, len(a)-last.a1)
	a0, a1 := first.a0-before, last.a1+after
	b0, b1 := first.b0-before, last.b1+after

	fmt.Fprintf(buf, "@@ -%s +%s @@", lineRange(a0, a1), lineRange(b0, b1))
	if name := funcName(a[:a0]); name != "" {
		buf.WriteByte(' ')
		buf.WriteString(name)
	}
	buf.WriteByte('\n')

	at := a0
	for _, s := range spans {
		printLines(buf, ' ', a[at:s.a0])
		printLines(buf, '-', a[s.a0:s.a1])
		printLines(buf, '+', b[s.b0:s.b1])
		at = s.a1
	}
	printLines(buf, ' ', a[at:a1])
}

// printLines writes lines with their mark in front.
func printLines(buf *bytes.Buffer, mark byte, lines []string) {
	for _, l := range lines {
		buf.WriteByte(mark)
		buf.WriteString(l)
		if l[len(l)-1] != '\n' {
			buf.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// lineRange formats the lines [start, end), counted from 0, for a hunk
// header: from 1, and an empty range by the line before it.
func lineRange(start, end int) string {
	switch end - start {
	case 0:
		return fmt.Sprintf("%d,0", start)
	case 1:
		return fmt.Sprint(start + 1)
	}
	return fmt.Sprintf("%d,%d", start+1, end-start)
}

// funcName returns the text after @@: by git's default, the last of the
// given lines that starts with a letter, an underscore or a dollar sign. A
// label stands in the first column too, but names no function, and is passed over.
func funcName(before []string) string {
	for i := len(before) - 1; i >= 0; i-- {
		l := before[i]
		c := l[0] | 0x20
		if (c < 'a' || c > 'z') && l[0] != '_' && l[0] != '$' {
			continue
		}
		if isLabel(l) {
			continue
		}
		if len(l) > maxFuncName {
			l = l[:maxFuncName]
			for r, n := utf8.DecodeLastRuneInString(l); r == utf8.RuneError && n == 1; r, n = utf8.DecodeLastRuneInString(l) {
				l = l[:len(l)-1]
			}
		}
		return string(bytes.TrimRight([]byte(l), " \t\r\n\v\f"))
	}
	return ""
}

// isLabel reports whether a line that starts with a letter is a Go label.
func isLabel(line string) bool {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= utf8.RuneSelf:
		default:
			return c == ':'
		}
	}
	return false
}
