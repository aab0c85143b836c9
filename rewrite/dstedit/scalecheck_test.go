package dstedit

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"maps"
	"slices"
	"strings"
)

// scaleFile is a source to edit, and what is known of it.
type scaleFile struct {
	fset     *token.FileSet
	file     *ast.File
	tf       *token.File
	edited   *File
	src      []byte
	clean    bool
	comments map[string]int
	found    map[ast.Decl]*scalePlaces
}

func newScaleFile(fset *token.FileSet, file *ast.File, src []byte) *scaleFile {
	s := &scaleFile{fset: fset, file: file, tf: fset.File(file.Package), edited: NewFile(fset, file, src), src: src, found: map[ast.Decl]*scalePlaces{}}
	s.clean = gofmtClean(plain(src))
	s.comments, _ = comments(string(src))
	return s
}

// plain returns src as gofmt knows it, without CRLF and byte order mark.
func plain(src []byte) string { return strings.TrimPrefix(lf(string(src)), bom) }

func (s *scaleFile) places(decl ast.Decl) *scalePlaces {
	if s.found[decl] == nil {
		s.found[decl] = findPlaces(decl, func(pos, end token.Pos) string {
			return string(s.src[s.tf.Offset(pos):s.tf.Offset(end)])
		})
	}
	return s.found[decl]
}

// wrongFile returns what is wrong with the file after the edits of several
// declarations.
func (s *scaleFile) wrongFile(edits []Edit) string {
	if len(edits) == 0 {
		return ""
	}
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Or(a.Start-b.Start, a.End-b.End) })
	edits = slices.Compact(edits) // the same import, several times
	got := Apply(s.src, edits)
	after, err := comments(string(got))
	switch {
	case err != nil:
		return err.Error()
	case !maps.Equal(s.comments, after):
		return "the comments of the file differ"
	case s.clean && !gofmtClean(plain(got)):
		return "the file is no longer gofmt-clean"
	}
	return ""
}

// wrongDecl returns what is wrong with the edits of one declaration, which
// should have done to it what place says and nothing else.
func (s *scaleFile) wrongDecl(decl ast.Decl, op scaleOp, place scalePlace, edits []Edit) string {
	r, err := cut(s.fset, s.src, decl)
	if err != nil {
		return err.Error()
	}
	var imports, own []Edit
	for _, e := range edits {
		switch {
		case strings.HasPrefix(op.name, "Import ") && e.End <= headOf(s.tf, s.file, s.src).end && e.End <= r.start:
			imports = append(imports, e)
		case r.start <= e.Start && e.End <= r.end:
			own = append(own, e)
		default:
			return "an edit lies outside of the declaration"
		}
	}
	edits = own
	got := r.apply(s.src, edits)
	before, after := scan(s.src[r.start:r.end]), scan(got)
	if len(imports) > 0 {
		if reason := s.wrongImports(imports); reason != "" {
			return reason
		}
	}
	// The same edit by hand, as text.
	want := scan(s.operate(r, place.want)).code
	if strings.HasPrefix(op.name, "Import ") {
		want, after.code = unalias(want), unalias(after.code)
	}
	if !slices.Equal(after.code, want) {
		i := 0
		for i < len(want) && i < len(after.code) && want[i] == after.code[i] {
			i++
		}
		return fmt.Sprintf("the code differs from what was asked at token %d: got %q, want %q", i,
			after.code[i:min(i+5, len(after.code))], want[i:min(i+5, len(want))])
	}
	a, b := before.comments, after.comments
	if op.moves {
		a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	}
	if !slices.Equal(a, b) {
		return "the comments differ"
	}
	return s.wrongLines(r, op, place, edits)
}

// wrongLines says when more lines are replaced than the edit is about, and
// when blank lines come or go.
func (s *scaleFile) wrongLines(r region, op scaleOp, place scalePlace, edits []Edit) string {
	touched, long := 1, false
	for _, w := range place.want {
		n := s.line(w.end) - s.line(w.pos) + 1
		touched += n
		long = long || n > 1 && w.text == ""
	}
	if op.moves {
		touched += 2 // the braces of a block that has become empty
	}
	replaced, blank := 0, 0
	// A line that only gets another place, indentation or alignment is kept.
	left := map[string]int{}
	for _, e := range edits {
		for _, line := range splitLines(e.New) {
			left[squash(line)]++
			if squash(line) == "" {
				blank++
			}
		}
	}
	for _, e := range edits {
		gone := splitLines(string(s.src[e.Start:e.End]))
		inside := insideTokens(string(s.src[e.Start:e.End]))
		for i, line := range gone {
			// Comments go where their statement goes.
			if left[squash(line)]--; left[squash(line)] < 0 && !inside[i] && len(scan([]byte(line)).code) > 0 {
				replaced++
			}
			if squash(line) == "" {
				blank--
			}
		}
	}
	switch {
	case replaced > touched:
		return fmt.Sprintf("%d lines were replaced, the edit is about %d", replaced, touched)
	case op.name == "AppendArg" && blank == -1:
		// After a comment gofmt keeps a blank line before the bracket,
		// after an argument it does not.
	case !op.moves && !long && blank != 0:
		return fmt.Sprintf("%+d blank lines", blank)
	// Without its only statement a block keeps no blank lines around a comment.
	case op.moves && (blank > 1 || blank < -3) && !(long && op.name == "Delete"):
		return fmt.Sprintf("%+d blank lines by a move", blank)
	}
	return ""
}

// operate returns the source of the region after surgery.
func (s *scaleFile) operate(r region, ops []surgery) []byte {
	var edits []Edit
	for _, o := range ops {
		edits = append(edits, Edit{s.tf.Offset(o.pos), s.tf.Offset(o.end), " " + o.text + " "})
	}
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Or(a.Start-b.Start, a.End-b.End) })
	return r.apply(s.src, edits)
}

// wrongImports checks that the imports are the old ones and one more.
func (s *scaleFile) wrongImports(edits []Edit) string {
	got := Apply(s.src, edits)
	file, err := parser.ParseFile(token.NewFileSet(), "", got, parser.ImportsOnly)
	if err != nil {
		return err.Error()
	}
	specs := func(f *ast.File) map[string]int {
		all := map[string]int{}
		for _, spec := range f.Imports {
			all[specName(spec)+" "+importPath(spec)]++
		}
		return all
	}
	before, after := specs(s.file), specs(file)
	added := 0
	for spec, n := range after {
		if n != before[spec] {
			added += n - before[spec]
			if !strings.HasSuffix(spec, "/ring") {
				return "the imports differ in " + spec
			}
		}
		delete(before, spec)
	}
	if added != 1 || len(before) > 0 {
		return fmt.Sprintf("%d imports were added, %d are gone", added, len(before))
	}
	return ""
}

// unalias gives the name of the imported package its plain form.
func unalias(code []string) []string {
	out := slices.Clone(code)
	for i, tok := range out {
		if strings.HasPrefix(tok, "ringpkg") && i+2 < len(out) && out[i+2] == "Marked" {
			out[i] = "ring"
		}
	}
	return out
}

// scanned is a text as tokens.
type scanned struct{ code, comments []string }

// scan returns the tokens of text without those that gofmt adds and drops with
// line breaks: semicolons, and commas at the end of a list.
func scan(text []byte) (out scanned) {
	fset := token.NewFileSet()
	var s scanner.Scanner
	s.Init(fset.AddFile("", fset.Base(), len(text)), text, nil, scanner.ScanComments)
	for {
		_, tok, lit := s.Scan()
		switch tok {
		case token.EOF:
			return out
		case token.SEMICOLON:
			continue
		case token.COMMENT:
			lines := strings.Split(lit, "\n")
			for i := range lines {
				lines[i] = strings.TrimSpace(lines[i])
			}
			out.comments = append(out.comments, strings.Join(lines, "\n"))
			continue
		case token.RPAREN, token.RBRACE, token.RBRACK:
			if n := len(out.code); n > 0 && out.code[n-1] == "," {
				out.code = out.code[:n-1]
			}
		}
		if lit == "" || tok.IsOperator() {
			lit = tok.String()
		}
		out.code = append(out.code, strings.ReplaceAll(lit, "\r", ""))
	}
}

// line returns the line of pos, whatever line directives say.
func (s *scaleFile) line(pos token.Pos) int { return s.tf.PositionFor(pos, false).Line }
