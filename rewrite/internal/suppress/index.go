package suppress

import (
	"go/ast"
	"go/token"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Analyzer reads the directives of a package once for all rules. Its result
// is an *Index.
var Analyzer = &analysis.Analyzer{
	Name:             "suppressions",
	Doc:              "read the comments that suppress findings",
	ResultType:       reflect.TypeFor[*Index](),
	RunDespiteErrors: true,
	Run: func(pass *analysis.Pass) (any, error) {
		return NewIndex(pass.Fset, pass.Files), nil
	},
}

// Index holds the directives of a package.
type Index struct {
	fset  *token.FileSet
	files map[*token.File][]*Directive
	// Directives are all of them, also the ones that are not honoured, in
	// the order of the files.
	Directives []*Directive
}

// NewIndex reads the directives of files.
func NewIndex(fset *token.FileSet, files []*ast.File) *Index {
	ix := &Index{fset: fset, files: map[*token.File][]*Directive{}}
	for _, f := range files {
		if list := read(fset, f); list != nil {
			ix.files[fset.File(f.FileStart)] = list
			ix.Directives = append(ix.Directives, list...)
		}
	}
	return ix
}

// Covering returns the directives that suppress a finding of a rule at pos.
func (ix *Index) Covering(rule string, pos token.Pos) []*Directive {
	file := ix.fset.File(pos)
	var found []*Directive
	for _, d := range ix.files[file] {
		if d.Problem == "" && d.names(rule) && d.covers(lineOf(file, pos)) {
			found = append(found, d)
		}
	}
	return found
}

func (d *Directive) covers(line int) bool {
	return d.File || slices.ContainsFunc(d.lines, func(s span) bool { return s.from <= line && line <= s.to })
}

// read returns the directives of one file with the lines that they cover.
func read(fset *token.FileSet, f *ast.File) []*Directive {
	var list []*Directive
	var groups []*ast.CommentGroup // the one of each directive
	for _, g := range f.Comments {
		for _, c := range g.List {
			if d, ok := Parse(c.Text); ok {
				d.Pos, d.End = c.Pos(), c.End()
				list = append(list, &d)
				groups = append(groups, g)
			}
		}
	}
	if list == nil {
		return nil
	}
	l := newLayout(fset.File(f.FileStart), f)
	for i, d := range list {
		switch {
		case d.File || d.Problem != "":
		case d.Verb == "nolint":
			d.lines = l.block(groups[i])
		default:
			d.lines = l.target(d.Pos, groups[i])
		}
	}
	return list
}

// layout knows where the code of a file stands. Lines are the physical ones,
// whatever //line directives say.
type layout struct {
	file     *token.File
	first    map[int]int                 // line -> first column with code
	comments map[int]bool                // lines that hold a comment
	starting map[int][]ast.Node          // line -> nodes that begin on it
	docs     map[*ast.CommentGroup]*span // doc of a function -> its lines
}

func newLayout(file *token.File, f *ast.File) *layout {
	l := &layout{
		file: file, first: map[int]int{}, comments: map[int]bool{},
		starting: map[int][]ast.Node{}, docs: map[*ast.CommentGroup]*span{},
	}
	see := func(pos token.Pos) {
		p := file.PositionFor(pos, false)
		if c, ok := l.first[p.Line]; !ok || p.Column < c {
			l.first[p.Line] = p.Column
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil:
			return false
		case *ast.Comment, *ast.CommentGroup:
			return false
		case *ast.FuncDecl:
			if n.Doc != nil {
				l.docs[n.Doc] = &span{l.line(n.Pos()), l.line(n.End())}
			}
		}
		if !n.Pos().IsValid() || !n.End().IsValid() {
			return true
		}
		see(n.Pos())
		if n.End() > n.Pos() {
			see(n.End() - 1)
		}
		line := l.line(n.Pos())
		l.starting[line] = append(l.starting[line], n)
		return true
	})
	for _, g := range f.Comments {
		for line := l.line(g.Pos()); line <= l.line(g.End()-1); line++ {
			l.comments[line] = true
		}
	}
	return l
}

func lineOf(file *token.File, pos token.Pos) int { return file.PositionFor(pos, false).Line }

func (l *layout) line(pos token.Pos) int { return lineOf(l.file, pos) }

// target returns the lines of a directive of our own form or staticcheck's:
// the body of the function whose doc comment it is in; else the line that it
// stands on or, alone on its line, the next one below the comment, together
// with the other lines of the heads of the statements that begin there.
func (l *layout) target(pos token.Pos, group *ast.CommentGroup) []span {
	if s := l.docs[group]; s != nil {
		return []span{*s}
	}
	at := l.file.PositionFor(pos, false)
	line := at.Line
	if c, ok := l.first[line]; !ok || c > at.Column {
		for line++; l.comments[line]; line++ {
			if _, code := l.first[line]; code {
				break
			}
		}
	}
	lines := []span{{line, line}}
	for _, n := range l.starting[line] {
		lines = append(lines, l.head(n)...)
	}
	return lines
}

// block returns the lines of a nolint comment by golangci-lint's rule: those
// of the comment group, and each node that begins on the next line in the
// same column.
func (l *layout) block(group *ast.CommentGroup) []span {
	start := l.file.PositionFor(group.Pos(), false)
	end := l.line(group.End())
	lines := []span{{start.Line, end}}
	for _, n := range l.starting[end+1] {
		if l.file.PositionFor(n.Pos(), false).Column == start.Column {
			lines = append(lines, span{start.Line, l.line(n.End())})
		}
	}
	return lines
}

// head returns the lines of a statement or declaration without those of the
// blocks inside of it: a directive above an if or a go statement does not
// speak of what is in its braces.
func (l *layout) head(n ast.Node) []span {
	end := n.End()
	switch n := n.(type) {
	case *ast.IfStmt:
		end = n.Body.Lbrace
	case *ast.ForStmt:
		end = n.Body.Lbrace
	case *ast.RangeStmt:
		end = n.Body.Lbrace
	case *ast.SwitchStmt:
		end = n.Body.Lbrace
	case *ast.TypeSwitchStmt:
		end = n.Body.Lbrace
	case *ast.SelectStmt:
		end = n.Body.Lbrace
	case *ast.CaseClause:
		end = n.Colon
	case *ast.CommClause:
		end = n.Colon
	case *ast.LabeledStmt:
		return append([]span{{l.line(n.Pos()), l.line(n.Colon)}}, l.head(n.Stmt)...)
	case *ast.FuncDecl:
		if n.Body != nil {
			end = n.Body.Lbrace
		}
	case *ast.GenDecl:
		if n.Lparen.IsValid() {
			end = n.Lparen
		}
	case *ast.AssignStmt, *ast.ExprStmt, *ast.SendStmt, *ast.IncDecStmt, *ast.GoStmt, *ast.DeferStmt, *ast.ReturnStmt,
		*ast.DeclStmt, *ast.ValueSpec:
	default:
		return nil
	}
	// The lines inside the braces of function literals are left out; those
	// of the braces stay.
	lines, from := []span(nil), l.line(n.Pos())
	ast.Inspect(n, func(c ast.Node) bool {
		lit, ok := c.(*ast.FuncLit)
		if !ok || lit.Pos() >= end {
			return true
		}
		lines = append(lines, span{from, l.line(lit.Body.Lbrace)})
		from = l.line(lit.Body.Rbrace)
		return false
	})
	return append(lines, span{from, l.line(end)})
}

// String returns the directive as it names itself in a message.
func (d *Directive) String() string {
	if len(d.Rules) == 0 {
		return d.Verb
	}
	return d.Verb + " " + strings.Join(d.Rules, ",")
}
