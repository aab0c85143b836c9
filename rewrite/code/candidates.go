package code

import (
	"go/ast"
	"iter"

	"golang.org/x/tools/go/ast/inspector"
)

// Candidates yields the nodes of the package that have one of the given types,
// in the order of the source, for a rule that looks at one after the other. The
// pass remembers the declaration that it is at, so that a panic of the rule
// costs this one only: see [Pass.At] and [Pass.Mask].
func (p *Pass) Candidates(types ...ast.Node) iter.Seq[inspector.Cursor] {
	return func(yield func(inspector.Cursor) bool) {
		around := p.visiting // the rule may be at a candidate already
		for file := range p.Inspector.Root().Children() {
			for d := range file.Children() {
				decl, ok := d.Node().(ast.Decl)
				if !ok || p.masked[decl] {
					continue
				}
				for c := range d.Preorder(types...) {
					p.visiting = decl
					if !yield(c) {
						p.visiting = around
						return
					}
				}
			}
		}
		p.visiting = around
	}
}

// At returns the declaration of the candidate that the rule is at; nil outside of
// a loop over candidates.
func (p *Pass) At() ast.Decl { return p.visiting }

// Mask returns a pass over the same package that has no candidates in decls. All
// that is asked about them has the same answers.
func (p *Pass) Mask(decls map[ast.Decl]bool) *Pass {
	q := NewPass(p.Pass, p.Inspector, p.Facts)
	q.masked = decls
	return q
}
