package dstedit

import (
	"bytes"
	"go/ast"
	"go/token"
	"sort"

	"github.com/dave/dst"
)

// longBody is the number of statements in a body from which on an edit is made in a
// window: the statements that it is about, under the head of the function. To print a
// body with thousands of statements for each of thousands of edits takes minutes.
var longBody = 200

// errNoWindow says that an edit needs the whole declaration.
var errNoWindow = refuse("the edit needs the whole declaration")

// window is a function that is left with some of the statements of its body.
type window struct {
	f      *File
	decl   *ast.FuncDecl
	r      region // of decl
	lo, hi int    // the statements [lo,hi)
}

// rewriteWindow is Rewrite for a long function. It returns errNoWindow where the edit,
// the layout of the source or a statement without end asks for the whole of it.
func (f *File) rewriteWindow(decl *ast.FuncDecl, edit func(*Decl) error, opts []Option) ([]Edit, error) {
	r, err := cut(f.fset, f.src, decl)
	if err != nil {
		return nil, err
	}
	w := &window{f: f, decl: decl, r: r}
	frag := &fragment{file: &dst.File{Decls: []dst.Decl{&dst.FuncDecl{Name: dst.NewIdent("_"), Type: &dst.FuncType{}, Body: &dst.BlockStmt{}}}}}
	var src []byte
	var start int
	for {
		var missing []ast.Node
		d := &Decl{file: f.file, decl: decl, root: frag.file.Decls[0], nodes: frag.nodes, missing: &missing}
		if d.nodes == nil {
			d.nodes = map[ast.Node]dst.Node{}
		}
		for _, o := range opts {
			o(d)
		}
		err := edit(d)
		if len(missing) > 0 || w.lo == w.hi {
			// The edit has changed the tree so far, so it starts again with another one.
			if !w.grow(missing) {
				return nil, errNoWindow
			}
			if src, start, frag = w.fragment(); frag == nil {
				return nil, errNoWindow
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if d.err != nil {
			return nil, d.err
		}
		return w.finish(src, start, frag, d.imports)
	}
}

// grow widens the window so that it holds nodes. It reports whether it is wider and
// still much shorter than the body.
func (w *window) grow(nodes []ast.Node) bool {
	list := w.decl.Body.List
	lo, hi := w.lo, w.hi
	if len(nodes) == 0 {
		return false // it is about nothing in the body
	}
	for _, n := range nodes {
		if n == nil || n == ast.Node(w.decl) || n == ast.Node(w.decl.Body) || n.Pos() < list[0].Pos() || n.Pos() >= list[len(list)-1].End() {
			return false
		}
		i := sort.Search(len(list), func(i int) bool { return list[i].End() > n.Pos() })
		if lo == hi {
			lo, hi = i, i+1
		}
		// With the neighbours, whose distance an edit keeps.
		lo, hi = min(lo, max(i-1, 0)), max(hi, min(i+2, len(list)))
	}
	for lo > 0 && !w.apart(lo) {
		lo--
	}
	for hi < len(list) && !w.apart(hi) {
		hi++
	}
	wider := lo < w.lo || hi > w.hi
	w.lo, w.hi = lo, hi
	return wider && hi-lo < len(list)/4
}

// apart reports whether gofmt lays out the statements before and after the one with
// index i without a look at one another: it aligns only comments at the ends of lines that follow each other.
func (w *window) apart(i int) bool {
	src, end := w.f.src, w.offset(w.decl.Body.List[i-1].End())
	eol := bytes.IndexByte(src[end:], '\n')
	return eol >= 0 && len(bytes.TrimSpace(src[end:end+eol])) == 0
}

func (w *window) offset(pos token.Pos) int { return w.f.fset.File(pos).Offset(pos) }

// lineAfter returns the offset after the line of at; ok is false if more than white space
// and comments follow on it.
func (w *window) lineAfter(at int) (end int, ok bool) {
	eol := bytes.IndexByte(w.f.src[at:], '\n')
	if eol < 0 || !onlyComments(string(w.f.src[at:at+eol])) {
		return 0, false
	}
	return at + eol + 1, true
}

// fragment returns the source of the window as a declaration, where its statements start
// in the file, and its fragment; nil if it is not laid out as gofmt would.
func (w *window) fragment() (src []byte, start int, frag *fragment) {
	list := w.decl.Body.List
	head, ok := w.lineAfter(w.offset(w.decl.Body.Lbrace) + 1)
	if !ok {
		return nil, 0, nil
	}
	start = head
	if w.lo > 0 {
		if start, ok = w.lineAfter(w.offset(list[w.lo-1].End())); !ok {
			return nil, 0, nil
		}
	}
	end, ok := w.lineAfter(w.offset(list[w.hi-1].End()))
	foot := bytes.LastIndexByte(w.f.src[:w.offset(w.decl.Body.Rbrace)], '\n') + 1
	if w.hi == len(list) {
		end = foot
	}
	if !ok || start > end || end > foot || w.offset(list[w.lo].Pos()) < start {
		return nil, 0, nil
	}
	// A blank line at the edge of the window would be at the edge of the body.
	for w.lo > 0 {
		line, rest, _ := bytes.Cut(w.f.src[start:end], []byte("\n"))
		if len(bytes.TrimSpace(line)) > 0 {
			break
		}
		start = end - len(rest)
	}
	src = append(src, w.f.src[w.r.start:head]...)
	src = append(src, w.f.src[start:end]...)
	src = append(src, w.f.src[foot:w.r.end]...)
	if !gofmtClean(header + lf(string(src))) {
		return nil, 0, nil
	}
	return src, start, w.parse(string(src))
}

// parse makes the fragment, in which the function and its body as a whole are no nodes
// that can be edited.
func (w *window) parse(text string) *fragment {
	part := *w.decl
	part.Doc = nil
	part.Body = &ast.BlockStmt{Lbrace: w.decl.Body.Lbrace, List: w.decl.Body.List[w.lo:w.hi], Rbrace: w.decl.Body.Rbrace}
	frag, err := newFragment(&part, text)
	if err != nil {
		return nil
	}
	delete(frag.nodes, &part)
	delete(frag.nodes, part.Body)
	return frag
}

// finish returns the edits of the file that the edited fragment stands for.
func (w *window) finish(src []byte, start int, frag *fragment, imports []newImport) ([]Edit, error) {
	edits, err := finish(src, region{0, len(src)}, frag)
	if err != nil || len(edits) == 0 {
		return nil, err
	}
	if !gofmtClean(header + lf(string(Apply(src, edits)))) {
		return nil, errNoWindow
	}
	head, _ := w.lineAfter(w.offset(w.decl.Body.Lbrace) + 1)
	from := head - w.r.start // where the statements start in src
	to := len(src) - (w.r.end - (bytes.LastIndexByte(w.f.src[:w.offset(w.decl.Body.Rbrace)], '\n') + 1))
	for i := range edits {
		if edits[i].Start < from || edits[i].End > to {
			return nil, errNoWindow
		}
		edits[i].Start += start - from
		edits[i].End += start - from
	}
	heads, err := addImports(w.f.src, imports)
	if err != nil {
		return nil, err
	}
	all := append(heads, edits...)
	if len(heads) > 0 {
		if err := headOf(w.f.fset.File(w.decl.Pos()), w.f.file, w.f.src).check(w.f.src, all); err != nil {
			return nil, err
		}
	}
	return all, nil
}
