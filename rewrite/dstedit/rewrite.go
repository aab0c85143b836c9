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

// Rewrite runs edit on the declaration decl, a member of file.Decls, and
// returns the edits that make src into the edited file: sorted, not
// overlapping, in whole lines. src must be the bytes that file was parsed
// from, with comments and without errors, and fset must map its positions.
// Without a change the result is empty.
//
// The error of edit is returned as it is. Every other error wraps ErrRefused:
// the declaration cannot be edited without a change to code or comments that
// the edit did not ask for. Nothing is modified in any case.
func Rewrite(fset *token.FileSet, file *ast.File, src []byte, decl ast.Decl, edit func(*Decl) error, opts ...Option) ([]Edit, error) {
	if !slices.Contains(file.Decls, decl) {
		return nil, refuse("the declaration is not one of the file's")
	}
	switch g := decl.(type) {
	case *ast.FuncDecl:
	case *ast.GenDecl:
		if g.Tok == token.IMPORT {
			return nil, refuse("an import declaration cannot be rewritten")
		}
	default:
		return nil, refuse("the declaration has syntax errors")
	}
	r, err := cut(fset, src, decl)
	if err != nil {
		return nil, err
	}
	frag, err := newFragment(decl, string(src[r.start:r.end]))
	if err != nil {
		return nil, err
	}
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
	err     error // the first error of a method that cannot return one
}

// node returns the dst form of n, which must be in the declaration.
func (d *Decl) node(n ast.Node) (dst.Node, error) {
	if x, ok := n.(ast.Expr); ok {
		n = ast.Unparen(x)
	}
	if out, ok := d.nodes[n]; ok {
		return out, nil
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
