package dstedit

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"github.com/dave/dst"
	"github.com/dave/dst/decorator"
)

// header makes a file of a lone declaration.
const header = "package p\n\n"

// region is the range of whole lines of a source that holds a declaration
// without its doc comment.
type region struct {
	start, end int // byte offsets; end is after the last line's line ending
}

// cut returns the region of decl in src. It refuses a declaration that shares
// a line with anything but a comment after it.
func cut(fset *token.FileSet, src []byte, decl ast.Decl) (region, error) {
	tf := fset.File(decl.Pos())
	if tf == nil || tf.Size() != len(src) {
		return region{}, refuse("the source is not what was parsed")
	}
	start, end := tf.Offset(decl.Pos()), tf.Offset(decl.End())
	bol := bytes.LastIndexByte(src[:start], '\n') + 1
	if len(bytes.TrimSpace(src[bol:start])) > 0 {
		return region{}, refuse("the declaration shares its first line with other code")
	}
	eol := len(src)
	if i := bytes.IndexByte(src[end:], '\n'); i >= 0 {
		eol = end + i + 1
	}
	if !onlyComments(string(src[end:eol])) {
		return region{}, refuse("the declaration shares its last line with other code")
	}
	if bytes.ContainsAny(src[bol:eol], "\f\v") {
		// The printer uses these itself, and then has other blank lines.
		return region{}, refuse("the declaration holds a form feed or a vertical tab")
	}
	return region{bol, eol}, nil
}

// onlyComments reports whether line holds white space and comments that end on
// the line, and nothing else.
func onlyComments(line string) bool {
	for {
		line = strings.TrimSpace(line)
		switch {
		case line == "", strings.HasPrefix(line, "//"):
			return true
		case strings.HasPrefix(line, "/*"):
			i := strings.Index(line[2:], "*/")
			if i < 0 {
				return false
			}
			line = line[2+i+2:]
		default:
			return false
		}
	}
}

// lf returns s with its CRLF line endings turned into LF.
func lf(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// bom is the byte order mark that the go command accepts at the start of a file.
const bom = "\ufeff"

// formatDecl returns the formatted file that holds only the declaration text.
func formatDecl(text string) (string, error) {
	out, err := format.Source([]byte(header + lf(text)))
	if err != nil {
		return "", fmt.Errorf("format declaration: %w", err)
	}
	if !bytes.HasPrefix(out, []byte(header)) {
		return "", refuse("the declaration cannot be formatted alone")
	}
	return string(out), nil
}

// fragment is a declaration as a formatted file of its own, and its dst form.
type fragment struct {
	text string    // the formatted file
	file *dst.File // its dst tree, which edits change
	// nodes maps the nodes of the original declaration to those of file.
	// Parentheses, empty statements and comments are not in it.
	nodes map[ast.Node]dst.Node
}

// newFragment makes the fragment of the declaration orig, whose source is
// text. It refuses what dst cannot print back byte for byte.
func newFragment(orig ast.Decl, text string) (*fragment, error) {
	formatted, err := formatDecl(text)
	if err != nil {
		return nil, refuse("the declaration cannot be formatted alone")
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "", formatted, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil || len(file.Decls) != 1 {
		return nil, refuse("the declaration cannot be parsed alone")
	}
	// A resolver would fold selectors into identifiers and guess names; the
	// plain decorator keeps the tree as it is written.
	dec := decorator.NewDecorator(fset)
	tree, err := decorate(dec, file)
	if err != nil {
		return nil, err
	}
	printed, err := printFile(tree)
	if err != nil {
		return nil, err
	}
	if printed != formatted {
		return nil, refuse("the layout of comments in the declaration cannot be kept")
	}
	nodes, err := mapNodes(orig, file.Decls[0], dec.Dst.Nodes)
	if err != nil {
		return nil, err
	}
	return &fragment{text: formatted, file: tree, nodes: nodes}, nil
}

// clone returns a copy with a tree of its own.
func (f *fragment) clone() *fragment {
	c := &fragment{text: f.text, file: dst.Clone(f.file).(*dst.File), nodes: make(map[ast.Node]dst.Node, len(f.nodes))}
	var from, to []dst.Node
	list := func(nodes *[]dst.Node) func(dst.Node) bool {
		return func(n dst.Node) bool {
			if n != nil {
				*nodes = append(*nodes, n)
			}
			return true
		}
	}
	dst.Inspect(f.file, list(&from))
	dst.Inspect(c.file, list(&to))
	copies := make(map[dst.Node]dst.Node, len(from))
	for i, n := range from {
		copies[n] = to[i]
	}
	for n, x := range f.nodes {
		if y := copies[x]; y != nil {
			c.nodes[n] = y
		}
	}
	return c
}

// decorate returns the dst form of file; a panic of the decorator is a refusal.
func decorate(dec *decorator.Decorator, file *ast.File) (tree *dst.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			tree, err = nil, refuse("the declaration cannot be decorated: %s", oneLine(r))
		}
	}()
	tree, err = dec.DecorateFile(file)
	if err != nil {
		return nil, refuse("the declaration cannot be decorated: %s", oneLine(err))
	}
	return tree, nil
}

// printFile prints tree; an invalid tree is a refusal.
func printFile(tree *dst.File) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			text, err = "", refuse("the edited declaration cannot be printed: %s", oneLine(r))
		}
	}()
	var b bytes.Buffer
	if err := decorator.Fprint(&b, tree); err != nil {
		return "", refuse("the edited declaration cannot be printed: %s", oneLine(err))
	}
	return b.String(), nil
}

// oneLine returns v as text on a single line.
func oneLine(v any) string {
	return strings.Join(strings.Fields(fmt.Sprint(v)), " ")
}

// mapNodes walks orig and formatted, two parses of the same declaration, in
// step, and returns the nodes of orig mapped through toDst.
func mapNodes(orig, formatted ast.Node, toDst map[ast.Node]dst.Node) (map[ast.Node]dst.Node, error) {
	a, b := flatten(orig), flatten(formatted)
	if len(a) != len(b) {
		return nil, refuse("formatting changes the shape of the declaration")
	}
	nodes := make(map[ast.Node]dst.Node, len(a))
	for i := range a {
		if !sameNode(a[i], b[i]) {
			return nil, refuse("formatting changes the shape of the declaration")
		}
		if n := toDst[b[i]]; n != nil {
			nodes[a[i]] = n
		}
	}
	return nodes, nil
}

// sameNode reports whether a and b are nodes of the same kind and, as far as
// gofmt must leave it alone, of the same text.
func sameNode(a, b ast.Node) bool {
	if reflect.TypeOf(a) != reflect.TypeOf(b) {
		return false
	}
	switch a := a.(type) {
	case *ast.Ident:
		return a.Name == b.(*ast.Ident).Name
	case *ast.BasicLit:
		return a.Kind == b.(*ast.BasicLit).Kind // gofmt normalizes numbers
	}
	return true
}

// flatten returns the nodes of the tree n in the order of ast.Inspect without
// those that formatting may add or drop.
func flatten(n ast.Node) []ast.Node {
	var list []ast.Node
	ast.Inspect(n, func(n ast.Node) bool {
		switch n.(type) {
		case nil, *ast.CommentGroup, *ast.Comment:
			return false
		case *ast.ParenExpr, *ast.EmptyStmt:
			return true
		}
		list = append(list, n)
		return true
	})
	return list
}

// comments counts the comments of the formatted file text. The indentation
// inside a block comment does not count: it follows the code around it.
func comments(text string) (map[string]int, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, refuse("the edited declaration does not parse: %s", oneLine(err))
	}
	count := make(map[string]int)
	for _, group := range file.Comments {
		for _, c := range group.List {
			lines := strings.Split(c.Text, "\n")
			for i := range lines {
				lines[i] = strings.TrimSpace(lines[i])
			}
			count[strings.Join(lines, "\n")]++
		}
	}
	return count, nil
}
