package patch

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Visible returns text for people to look at: what in it would drive the
// terminal, turn the direction of text or is no UTF-8 is spelt as an escape of
// Go. Tabs and ends of lines stay. Nothing applies such a diff, so one that
// goes to a program must stay as it is.
func Visible(text []byte) []byte {
	var out bytes.Buffer
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == '\t', r == '\n', r == '\r' && len(text) > 1 && text[1] == '\n':
			out.WriteRune(r)
		case r == utf8.RuneError && n == 1, r < utf8.RuneSelf && drives(r):
			fmt.Fprintf(&out, `\x%02x`, text[0])
		case drives(r):
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.Write(text[:n])
		}
		text = text[n:]
	}
	return out.Bytes()
}

// Color returns the diff as it is [Visible], with the terminal colours that git
// uses: removed lines red, added ones green, hunk headers cyan, file headers
// bold; the reasons above a file are yellow.
func Color(diff []byte) []byte {
	var out bytes.Buffer
	inHunk := false
	for line := range bytes.Lines(Visible(diff)) {
		// Inside a hunk lines start with a space, +, - or \, so these two end it.
		switch line[0] {
		case '@':
			inHunk = true
		case '#', 'd':
			inHunk = false
		}
		color := ""
		switch c := line[0]; {
		case c == '#':
			color = "\x1b[33m"
		case c == '@':
			color = "\x1b[36m"
		case !inHunk:
			color = "\x1b[1m"
		case c == '-':
			color = "\x1b[31m"
		case c == '+':
			color = "\x1b[32m"
		}
		text := bytes.TrimSuffix(line, []byte("\n"))
		if color == "" {
			out.Write(line)
			continue
		}
		out.WriteString(color)
		out.Write(text)
		out.WriteString("\x1b[m")
		out.Write(line[len(text):])
	}
	return out.Bytes()
}
