package dstedit

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// chunkOf returns the part of src around the declaration decl that gofmt lays
// out without a look at the rest of the file: the declarations that no blank
// line separates from it, because gofmt aligns one-line declarations with
// their neighbours. To ask gofmt about the chunk costs as much as the
// declaration is long, not as much as the file.
func chunkOf(tf *token.File, file *ast.File, src []byte, decl ast.Decl) region {
	at := slices.Index(file.Decls, decl)
	c := region{0, endOfChunk(tf, file, src, at)}
	for i := at - 1; i >= -1; i-- {
		if end, ok := blankAfter(src, tf.Offset(endOf(file, i))); ok {
			c.start = end
			break
		}
	}
	return c
}

// headOf returns the part of src that ends with the chunk of the last import
// or, without imports, of the package clause.
func headOf(tf *token.File, file *ast.File, src []byte) region {
	last := -1
	for i, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			last = i
		}
	}
	return region{0, endOfChunk(tf, file, src, last)}
}

// endOfChunk returns where the chunk of the declaration with index i ends; -1
// stands for the package clause.
func endOfChunk(tf *token.File, file *ast.File, src []byte, i int) int {
	for ; i < len(file.Decls)-1; i++ {
		if end, ok := blankAfter(src, tf.Offset(endOf(file, i))); ok {
			return end
		}
	}
	return len(src)
}

func endOf(file *ast.File, i int) token.Pos {
	if i < 0 {
		return file.Name.End()
	}
	return file.Decls[i].End()
}

// blankAfter returns the offset after the line of at and whether a blank line
// comes next. A line with more than comments after at, or with one that does
// not end there, has nothing blank after it.
func blankAfter(src []byte, at int) (end int, ok bool) {
	i := bytes.IndexByte(src[at:], '\n')
	if i < 0 || !onlyComments(string(src[at:at+i])) {
		return 0, false
	}
	end = at + i + 1
	next, _, more := bytes.Cut(src[end:], []byte("\n"))
	return end, more && len(bytes.TrimSpace(next)) == 0
}

// asFile returns part, which is the source of the chunk c, as a file.
func (c region) asFile(part []byte) string {
	text := lf(string(part))
	if c.start == 0 {
		return strings.TrimPrefix(text, bom)
	}
	return header + strings.TrimLeft(text, " \t\n")
}

// gofmtClean reports whether gofmt would leave text alone.
func gofmtClean(text string) bool {
	out, err := format.Source([]byte(text))
	return err == nil && string(out) == text
}

// check refuses edits inside the chunk c of src whose result does not parse,
// or is no longer gofmt-clean although the chunk was, line endings and byte
// order mark apart.
func (c region) check(src []byte, edits []Edit) error {
	text := c.asFile(c.apply(src, edits))
	if gofmtClean(text) {
		return nil // and it parses
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
		return refuse("the edited file does not parse: %s", oneLine(err))
	}
	if gofmtClean(c.asFile(src[c.start:c.end])) {
		return refuse("the edited file would no longer be gofmt-clean")
	}
	return nil
}

// apply returns the source of the region c of src with those of the edits that
// lie in it carried out.
func (c region) apply(src []byte, edits []Edit) []byte {
	var inside []Edit
	for _, e := range edits {
		if c.start <= e.Start && e.End <= c.end {
			inside = append(inside, Edit{e.Start - c.start, e.End - c.start, e.New})
		}
	}
	return Apply(src[c.start:c.end], inside)
}
