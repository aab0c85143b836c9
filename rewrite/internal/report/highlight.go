package report

import (
	"go/scanner"
	"go/token"
	"html"
	"html/template"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/internal/patch"
)

// highlighted returns the lines of a Go file as HTML, with a class for each
// kind of token. The scanner of the language knows its tokens best, it costs
// nothing when no page is written, and a file with a mistake in it is shown as
// far as it goes.
func highlighted(src []byte) []template.HTML {
	text := strings.ReplaceAll(string(src), "\r", "") // the scanner leaves them out of literals
	var lines []template.HTML
	var b strings.Builder
	write := func(class, s string) {
		for i, part := range strings.Split(s, "\n") {
			if i > 0 {
				lines = append(lines, template.HTML(b.String()))
				b.Reset()
			}
			if part = html.EscapeString(string(patch.Visible([]byte(part)))); part == "" {
				continue
			}
			if class != "" {
				part = `<i class="` + class + `">` + part + `</i>`
			}
			b.WriteString(part)
		}
	}
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), func(token.Position, string) {}, scanner.ScanComments)
	last := 0
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			break
		}
		class, at := tokenClass(tok), file.Offset(pos)
		if class == "" {
			continue
		}
		end := at + len(lit)
		write("", text[last:at])
		write(class, text[at:end])
		last = end
	}
	write("", text[last:])
	return append(lines, template.HTML(b.String()))
}

// tokenClass returns the class of a token, "" for the ones that stand out by
// themselves.
func tokenClass(tok token.Token) string {
	switch {
	case tok.IsKeyword():
		return "k"
	case tok == token.COMMENT:
		return "c"
	case tok == token.STRING || tok == token.CHAR:
		return "s"
	case tok == token.INT || tok == token.FLOAT || tok == token.IMAG:
		return "n"
	}
	return ""
}
