package patch

import "bytes"

// Color returns the diff with the terminal colours that git uses: removed
// lines red, added ones green, hunk headers cyan, file headers bold; the
// reasons above a file are yellow.
func Color(diff []byte) []byte {
	var out bytes.Buffer
	inHunk := false
	for line := range bytes.Lines(diff) {
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
