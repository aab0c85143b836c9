package dstedit

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"strings"
)

// addImports returns the edits that add list to the imports of src. dst and
// astutil swallow comments or merge groups here, so this works on the text.
func addImports(src []byte, list []newImport) ([]Edit, error) {
	if len(list) == 0 {
		return nil, nil
	}
	got := src
	for _, imp := range list {
		h, err := parseImports(got)
		if err != nil {
			return nil, err
		}
		e, err := h.add(imp)
		if err != nil {
			return nil, err
		}
		got = Apply(got, []Edit{e})
	}
	h, err := parseImports(src)
	if err != nil {
		return nil, err
	}
	old := string(src[:h.end()])
	text := string(got[:len(got)-(len(src)-len(old))])
	if gofmtClean(lf(strings.TrimPrefix(old, bom))) {
		// A new line may change how the comments around it are aligned.
		text = formatHeader(text, h.eol)
	}
	var edits []Edit
	a, b := splitLines(old), splitLines(text)
	offset := func(i int) int { return len(strings.Join(a[:i], "")) }
	for _, k := range diffLines(old, text) {
		edits = append(edits, Edit{offset(k.start), offset(k.end), strings.Join(b[k.from:k.to], "")})
	}
	return edits, nil
}

// formatHeader formats text, the package clause and imports of a file, and
// keeps its byte order mark and its line endings eol.
func formatHeader(text, eol string) string {
	body, marked := strings.CutPrefix(text, bom)
	out, err := format.Source([]byte(lf(body)))
	if err != nil || string(out) == lf(body) {
		return text
	}
	body = strings.ReplaceAll(string(out), "\n", eol)
	if marked {
		body = bom + body
	}
	return body
}

// imports is the package clause and the imports of a source.
type imports struct {
	src   []byte
	eol   string
	file  *ast.File
	tf    *token.File
	decls []*ast.GenDecl
}

func parseImports(src []byte) (*imports, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", src, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return nil, refuse("the imports do not parse: %s", oneLine(err))
	}
	h := &imports{src: src, eol: defaultEOL(src), file: file, tf: fset.File(file.Package)}
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			h.decls = append(h.decls, g)
		}
	}
	return h, nil
}

// end returns the byte offset after the line of the last import or, without
// one, of the package clause.
func (h *imports) end() int {
	last := h.file.Name.End()
	if n := len(h.decls); n > 0 {
		last = h.decls[n-1].End()
	}
	return h.lineEnd(last)
}

// line returns the line number of pos, whatever line directives say.
func (h *imports) line(pos token.Pos) int { return h.tf.PositionFor(pos, false).Line }

// lineStart returns the offset of the start of the line of pos.
func (h *imports) lineStart(pos token.Pos) int {
	return bytes.LastIndexByte(h.src[:h.tf.Offset(pos)], '\n') + 1
}

// lineEnd returns the offset after the line of pos.
func (h *imports) lineEnd(pos token.Pos) int {
	at := h.tf.Offset(pos)
	if i := bytes.IndexByte(h.src[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(h.src)
}

// endsAlone reports whether only comments follow pos on its line, and the line
// has an ending.
func (h *imports) endsAlone(pos token.Pos) bool {
	rest := string(h.src[h.tf.Offset(pos):h.lineEnd(pos)])
	return strings.HasSuffix(rest, "\n") && onlyComments(rest)
}

// startsAlone reports whether only white space precedes pos on its line.
func (h *imports) startsAlone(pos token.Pos) bool {
	return strings.TrimSpace(string(h.src[h.lineStart(pos):h.tf.Offset(pos)])) == ""
}

// importGroup is a run of specs of a block without a blank line between them.
type importGroup struct {
	block *ast.GenDecl
	specs []*ast.ImportSpec
}

// add returns the edit that adds imp.
func (h *imports) add(imp newImport) (Edit, error) {
	var groups []importGroup
	var singles []*ast.GenDecl
	var empty *ast.GenDecl
	for _, g := range h.decls {
		switch {
		case g.Lparen.IsValid() && len(g.Specs) == 0:
			empty = g
		case onlyC(g):
		case !g.Lparen.IsValid():
			singles = append(singles, g)
		case h.wellLaidOut(g):
			groups = append(groups, h.groups(g)...)
		}
	}
	if len(groups) > 0 {
		return h.addToGroups(groups, imp), nil
	}
	if len(singles) > 0 {
		return h.addToSingles(singles, imp)
	}
	if empty != nil {
		from, to := h.tf.Offset(empty.Lparen), h.tf.Offset(empty.Rparen)+1
		if strings.TrimSpace(string(h.src[from+1:to-1])) == "" {
			return Edit{from, to, "(" + h.eol + "\t" + imp.spec() + h.eol + ")"}, nil
		}
	}
	after := h.file.Name.End()
	if n := len(h.decls); n > 0 {
		after = h.decls[n-1].End()
	}
	if !h.endsAlone(after) {
		return Edit{}, refuse("the package clause or an import shares its line with other code")
	}
	at := h.lineEnd(after)
	text := h.eol + "import " + imp.spec() + h.eol
	if next, _, _ := bytes.Cut(h.src[at:], []byte("\n")); len(bytes.TrimSpace(next)) > 0 {
		text += h.eol
	}
	return Edit{at, at, text}, nil
}

// onlyC reports whether g imports nothing but "C".
func onlyC(g *ast.GenDecl) bool {
	for _, s := range g.Specs {
		if importPath(s.(*ast.ImportSpec)) != "C" {
			return false
		}
	}
	return true
}

// wellLaidOut reports whether each spec of the block g has lines of its own.
func (h *imports) wellLaidOut(g *ast.GenDecl) bool {
	for _, s := range g.Specs {
		if !h.startsAlone(s.Pos()) || !h.endsAlone(s.End()) {
			return false
		}
	}
	return h.startsAlone(g.Rparen)
}

// groups returns the groups of the block g.
func (h *imports) groups(g *ast.GenDecl) []importGroup {
	var groups []importGroup
	last := 0
	for _, s := range g.Specs {
		spec := s.(*ast.ImportSpec)
		first := h.line(specStart(spec))
		if len(groups) == 0 || first > last+1 {
			groups = append(groups, importGroup{block: g})
		}
		group := &groups[len(groups)-1]
		group.specs = append(group.specs, spec)
		last = h.line(spec.End())
	}
	return groups
}

// specStart returns the position of spec or of the comment above it.
func specStart(spec *ast.ImportSpec) token.Pos {
	if spec.Doc != nil {
		return spec.Doc.Pos()
	}
	return spec.Pos()
}

// addToGroups adds imp to the group that it belongs to: the first one with
// standard packages, or the one that shares the longest path prefix. Without
// such a group it makes one, the standard library's at the top.
func (h *imports) addToGroups(groups []importGroup, imp newImport) Edit {
	best, score := -1, -1
	for i, g := range groups {
		for _, s := range g.specs {
			p := importPath(s)
			if p == "C" || isStd(p) != isStd(imp.path) {
				continue
			}
			n := 0
			if !isStd(p) {
				n = sharedElements(p, imp.path)
			}
			if n > score {
				best, score = i, n
			}
		}
	}
	text := "\t" + imp.spec() + h.eol
	if best >= 0 {
		g := groups[best]
		for _, s := range g.specs {
			if p := importPath(s); p > imp.path || p == imp.path && specName(s) > imp.alias {
				at := h.lineStart(specStart(s))
				return Edit{at, at, text}
			}
		}
		at := h.lineEnd(g.specs[len(g.specs)-1].End())
		return Edit{at, at, text}
	}
	if isStd(imp.path) {
		at := h.lineStart(specStart(groups[0].specs[0]))
		return Edit{at, at, text + h.eol}
	}
	specs := groups[len(groups)-1].specs
	at := h.lineEnd(specs[len(specs)-1].End())
	return Edit{at, at, h.eol + text}
}

// specName returns the explicit name of spec, "" if it has none.
func specName(spec *ast.ImportSpec) string {
	if spec.Name == nil {
		return ""
	}
	return spec.Name.Name
}

// sharedElements returns the number of leading path elements that a and b
// have in common.
func sharedElements(a, b string) int {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}

// addToSingles adds imp to a file whose imports are declarations of one spec
// without parentheses. A lone one becomes a block; among several, or where a
// comment is attached, imp gets a declaration of its own.
func (h *imports) addToSingles(singles []*ast.GenDecl, imp newImport) (Edit, error) {
	for _, g := range singles {
		if !h.startsAlone(g.Pos()) || !h.endsAlone(g.End()) {
			return Edit{}, refuse("an import shares its line with other code")
		}
	}
	only := singles[0].Specs[0].(*ast.ImportSpec)
	if len(singles) == 1 && singles[0].Doc == nil && only.Doc == nil && only.Comment == nil {
		p := importPath(only)
		text := string(h.src[h.tf.Offset(only.Pos()):h.tf.Offset(only.End())])
		lines := []string{text, imp.spec()}
		std := isStd(imp.path)
		switch {
		case std != isStd(p) && std:
			lines = []string{imp.spec(), "", text}
		case std != isStd(p):
			lines = []string{text, "", imp.spec()}
		case imp.path < p || imp.path == p && imp.alias < specName(only):
			lines = []string{imp.spec(), text}
		}
		block := "import (" + h.eol
		for _, line := range lines {
			if line != "" {
				line = "\t" + line
			}
			block += line + h.eol
		}
		return Edit{h.tf.Offset(singles[0].Pos()), h.tf.Offset(singles[0].End()), block + ")"}, nil
	}
	text := "import " + imp.spec() + h.eol
	after := singles[len(singles)-1]
	for _, g := range singles {
		p := importPath(g.Specs[0].(*ast.ImportSpec))
		if isStd(p) != isStd(imp.path) {
			continue
		}
		if p > imp.path {
			start := g.Pos()
			if g.Doc != nil {
				start = g.Doc.Pos()
			}
			at := h.lineStart(start)
			return Edit{at, at, text}, nil
		}
		after = g
	}
	at := h.lineEnd(after.End())
	return Edit{at, at, text}, nil
}
