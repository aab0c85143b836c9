package report

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// mdText returns s, on one line, as markdown that shows exactly s: no markup,
// no HTML, and on code hosts no mention of a person and no link to an issue.
func mdText(s string) string {
	s = oneLine(s)
	var b strings.Builder
	if at := mdBlock.FindStringSubmatchIndex(s); at != nil {
		b.WriteString(s[:at[2]] + `\`)
		s = s[at[2]:]
		b.WriteByte(s[0])
		s = s[1:]
	}
	words := strings.SplitAfter(s, " ")
	for _, w := range words {
		if strings.HasPrefix(w, "https://") && !strings.ContainsAny(w, "<>&`[]|\\*~") {
			b.WriteString(w)
			continue
		}
		for i, r := range w {
			switch r {
			case '\\', '`', '*', '_', '[', ']', '|', '~', '$':
				b.WriteByte('\\')
				b.WriteRune(r)
			case '<':
				b.WriteString("&lt;")
			case '>':
				b.WriteString("&gt;")
			case '&':
				b.WriteString("&amp;")
			case '@', '#':
				b.WriteRune(r)
				if next, _ := utf8.DecodeRuneInString(w[i+1:]); next > ' ' && next != utf8.RuneError {
					b.WriteString("<!-- -->") // ends what would become a mention
				}
			default:
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// mdBlock matches what starts a heading, a list, a quotation or a line across
// the page; the group is the character to escape.
var mdBlock = regexp.MustCompile(`^(?:\d*)([-+=#.)])(?:[-+=#.)]|\s|$)`)

// mdCode returns s, on one line, as a code span.
func mdCode(s string) string {
	s = oneLine(s)
	if s == "" {
		return ""
	}
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	if len(fence) > 1 {
		s = " " + s + " "
	}
	return fence + s + fence
}

// mdCell returns markdown for a cell of a table, where a bar counts even in code.
func mdCell(markdown string) string {
	return strings.ReplaceAll(strings.ReplaceAll(markdown, `\|`, "|"), "|", `\|`)
}

// mdFence returns code as a fenced block.
func mdFence(language, code string) string {
	fence := strings.Repeat("`", max(3, longestRun(code, '`')+1))
	if code != "" && !strings.HasSuffix(code, "\n") {
		code += "\n"
	}
	return fence + language + "\n" + code + fence + "\n"
}

// longestRun returns how often c stands in a row in s, at most.
func longestRun(s string, c rune) int {
	longest, n := 0, 0
	for _, r := range s {
		if r != c {
			n = 0
			continue
		}
		n++
		longest = max(longest, n)
	}
	return longest
}
