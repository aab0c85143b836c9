package dstedit

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/dave/dst"
)

// Option adjusts a Rewrite.
type Option func(*Decl)

// WithPackage lets Import know the package that file belongs to: the names of
// its package scope and of the packages that it imports. pkg may be nil.
func WithPackage(pkg *types.Package) Option {
	return func(d *Decl) { d.pkg = pkg }
}

// File is a file whose declarations can be rewritten. Its methods must not run
// at the same time.
type File struct {
	fset *token.FileSet
	file *ast.File
	src  []byte
	// The declaration of the last rewrite, because the next one is likely to
	// be about the same.
	last struct {
		decl ast.Decl
		r    region
		frag *fragment
		err  error
	}
}

// NewFile returns the file that was parsed from src, with comments and without
// errors; fset must map its positions.
func NewFile(fset *token.FileSet, file *ast.File, src []byte) *File {
	return &File{fset: fset, file: file, src: src}
}

// Rewrite is [File.Rewrite] for a single edit.
func Rewrite(fset *token.FileSet, file *ast.File, src []byte, decl ast.Decl, edit func(*Decl) error, opts ...Option) ([]Edit, error) {
	return NewFile(fset, file, src).Rewrite(decl, edit, opts...)
}

// Rewrite runs edit on the declaration decl, a member of the file's Decls, and
// returns the edits that make its source into the edited one: sorted, not
// overlapping, in whole lines. Without a change the result is empty.
//
// The error of edit is returned as it is. Every other error wraps ErrRefused:
// the declaration cannot be edited without a change to code or comments that
// the edit did not ask for. Nothing is modified in any case.
func (f *File) Rewrite(decl ast.Decl, edit func(*Decl) error, opts ...Option) ([]Edit, error) {
	if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil && len(fn.Body.List) >= longBody {
		if edits, err := f.rewriteWindow(fn, edit, opts); err != errNoWindow {
			return edits, err
		}
	}
	r, frag, err := f.fragment(decl)
	if err != nil {
		return nil, err
	}
	fset, file, src := f.fset, f.file, f.src
	d := &Decl{file: file, decl: decl, root: frag.file.Decls[0], nodes: frag.nodes}
	for _, o := range opts {
		o(d)
	}
	if err := edit(d); err != nil {
		return nil, err
	}
	if d.err != nil {
		return nil, d.err
	}
	edits, err := finish(src, r, frag)
	if err != nil || len(edits) == 0 {
		return nil, err
	}
	imports, err := addImports(src, d.imports)
	if err != nil {
		return nil, err
	}
	all := append(imports, edits...)
	tf := fset.File(decl.Pos())
	if err := chunkOf(tf, file, src, decl).check(src, all); err != nil {
		return nil, err
	}
	if len(imports) > 0 {
		if err := headOf(tf, file, src).check(src, all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// fragment returns the fragment of decl, for one edit, and its region.
func (f *File) fragment(decl ast.Decl) (region, *fragment, error) {
	l := &f.last
	if l.decl != decl || decl == nil {
		l.decl = decl
		l.r, l.frag, l.err = f.newFragment(decl)
	}
	if l.err != nil {
		return l.r, nil, l.err
	}
	return l.r, l.frag.clone(), nil
}

func (f *File) newFragment(decl ast.Decl) (region, *fragment, error) {
	if !slices.Contains(f.file.Decls, decl) {
		return region{}, nil, refuse("the declaration is not one of the file's")
	}
	switch g := decl.(type) {
	case *ast.FuncDecl:
	case *ast.GenDecl:
		if g.Tok == token.IMPORT {
			return region{}, nil, refuse("an import declaration cannot be rewritten")
		}
	default:
		return region{}, nil, refuse("the declaration has syntax errors")
	}
	r, err := cut(f.fset, f.src, decl)
	if err != nil {
		return r, nil, err
	}
	frag, err := newFragment(decl, string(f.src[r.start:r.end]))
	return r, frag, err
}

// finish prints the edited fragment and returns the edits of the region r of
// src that it stands for.
func finish(src []byte, r region, frag *fragment) ([]Edit, error) {
	printed, err := printFile(frag.file)
	if err != nil {
		return nil, err
	}
	if printed == frag.text {
		return nil, nil
	}
	if len(printed) < len(header) {
		return nil, refuse("the edited declaration is empty")
	}
	// Printing new nodes is not always stable; formatting makes it so.
	edited, err := formatDecl(printed[len(header):])
	if err != nil {
		return nil, refuse("the edited declaration does not parse")
	}
	before, err := comments(frag.text)
	if err != nil {
		return nil, err
	}
	after, err := comments(edited)
	if err != nil {
		return nil, err
	}
	if !maps.Equal(before, after) {
		return nil, refuse("a comment would be lost")
	}
	edits, err := transplant(src, r, frag.text[len(header):], edited[len(header):])
	if err != nil {
		return nil, err
	}
	// The proof of the transplant: the new source of the declaration formats
	// to exactly what was printed.
	text, err := formatDecl(string(r.apply(src, edits)))
	if err != nil || text != edited {
		return nil, refuse("the edit cannot be carried over to the layout of the file")
	}
	return edits, nil
}

// Decl is a declaration that is being edited. Nodes are always named by the
// nodes of the original file; new nodes are dst nodes, which are copied, so
// that one may be used several times.
type Decl struct {
	file  *ast.File
	decl  ast.Decl
	pkg   *types.Package        // may be nil
	root  dst.Decl              // the edited form of decl
	nodes map[ast.Node]dst.Node // from nodes of decl to nodes of root

	imports []newImport
	missing *[]ast.Node // nodes that were asked for and are not in nodes; nil where nobody wants to know
	err     error       // the first error of a method that cannot return one
}

// node returns the dst form of n, which must be in the declaration.
func (d *Decl) node(n ast.Node) (dst.Node, error) {
	if x, ok := n.(ast.Expr); ok {
		n = ast.Unparen(x)
	}
	if out, ok := d.nodes[n]; ok {
		return out, nil
	}
	if d.missing != nil {
		*d.missing = append(*d.missing, n)
	}
	return nil, refuse("%s is not in the declaration", kind(n))
}

// kind returns a short name for the kind of n.
func kind(n ast.Node) string {
	switch n := n.(type) {
	case nil:
		return "no node"
	case *ast.EmptyStmt:
		return "an empty statement"
	case ast.Stmt:
		return "the statement"
	case *ast.Ident:
		return fmt.Sprintf("the name %s", n.Name)
	case ast.Expr:
		return "the expression"
	}
	return "the node"
}
