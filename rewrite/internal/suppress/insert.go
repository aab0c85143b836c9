package suppress

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// Target is a finding to be suppressed: its rule and where it begins in the
// file, as a byte offset.
type Target struct {
	Rule   string
	Offset int
}

// errNoPlace means that no comment can stand where it would cover a finding.
var errNoPlace = errors.New("there is no place for a directive that covers this finding alone; write it by hand")

// Insert returns src with directives for the targets, each with the reason,
// and an error for each target that none could be written for. Only lines
// with comments are added; a file that is gofmt-clean stays it, at worst by
// aligning other comments anew, and line ends stay what they are. A target that is covered already needs no directive.
func Insert(src []byte, targets []Target, reason string) ([]byte, error) {
	reason = strings.Join(strings.Fields(reason), " ")
	for _, t := range targets {
		if t.Offset > len(src) {
			return src, errors.New("the file changed since it was analysed")
		}
	}
	// The parser counts a line end as one byte more with CRLF, and gofmt
	// drops it: work on plain line ends and put them back.
	crlf := bytes.Contains(src, []byte("\r\n")) && bytes.Count(src, []byte("\r\n")) == bytes.Count(src, []byte("\n"))
	targets = slices.Clone(targets)
	if crlf {
		for i := range targets {
			targets[i].Offset -= bytes.Count(src[:targets[i].Offset], []byte("\r\n"))
		}
		src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
	}
	slices.SortFunc(targets, func(a, b Target) int { return a.Offset - b.Offset })
	var errs []error
	for len(targets) > 0 {
		n := 1
		for n < len(targets) && targets[n].Offset == targets[0].Offset {
			n++
		}
		next, moved, err := insert(src, targets[:n], reason)
		targets = targets[n:]
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for i := range targets {
			targets[i].Offset = moved(targets[i].Offset)
		}
		src = next
	}
	if crlf {
		src = bytes.ReplaceAll(src, []byte("\n"), []byte("\r\n"))
	}
	return src, errors.Join(errs...)
}

// insert writes one directive for targets at the same offset. moved says
// where an offset has gone.
func insert(src []byte, targets []Target, reason string) (out []byte, moved func(int) int, err error) {
	fset := token.NewFileSet()
	f, err := parse(fset, src)
	if err != nil {
		return nil, nil, err
	}
	file := fset.File(f.FileStart)
	pos := file.Pos(targets[0].Offset)
	ix := NewIndex(fset, []*ast.File{f})
	var rules []string
	for _, t := range targets {
		if len(ix.Covering(t.Rule, pos)) == 0 && !slices.Contains(rules, t.Rule) {
			rules = append(rules, t.Rule)
		}
	}
	if len(rules) == 0 {
		return src, func(offset int) int { return offset }, nil
	}
	slices.Sort(rules)
	text := fmt.Sprintf("//%s:ignore %s %s", Tool, strings.Join(rules, ","), reason)
	candidates := places(file, f, src, pos)
	clean := isClean(src)
	for _, p := range candidates {
		out, moved := p.insert(src, text)
		if (!clean || isClean(out)) && covers(out, rules, moved(targets[0].Offset)) {
			return out, moved, nil
		}
	}
	// What is left are lines whose comments gofmt aligns with those of the
	// next line, which is not the next one any more.
	for _, p := range candidates {
		added, moved := p.insert(src, text)
		out, err := format.Source(added)
		if err != nil || !clean {
			continue
		}
		formatted := func(offset int) int { return sameText(added, out, moved(offset)) }
		if covers(out, rules, formatted(targets[0].Offset)) {
			return out, formatted, nil
		}
	}
	return nil, nil, fmt.Errorf("line %d: %w", lineOf(file, pos), errNoPlace)
}

// place is where a directive may be written: at a byte offset, with something
// in front of it and after it.
type place struct {
	offset        int
	before, after string
}

// places returns the candidates for a finding at pos, the best ones first:
// above the innermost statement around it that has a line of its own, after
// its line, and above its line.
func places(file *token.File, f *ast.File, src []byte, pos token.Pos) []place {
	var list []place
	for _, n := range slices.Backward(enclosing(f, pos)) {
		switch n := n.(type) {
		case ast.Stmt, *ast.ValueSpec:
		case *ast.GenDecl:
			if n.Doc != nil { // below what the comment says for people
				list = append(list, above(file, src, n.Pos(), "//"))
			}
		default:
			continue
		}
		list = append(list, above(file, src, n.Pos(), ""))
	}
	line := lineOf(file, pos)
	end := len(bytes.TrimSuffix(src, []byte("\n")))
	if line < file.LineCount() {
		end = file.Offset(file.LineStart(line+1)) - 1
	}
	list = append(list, place{end, " ", ""})
	// Above a line such as "} else if x := f(); x {" the comment is the last
	// thing in the block that ends there, one step further in.
	for _, more := range []string{"\t", ""} {
		p := above(file, src, file.LineStart(line), "")
		p.offset = file.Offset(file.LineStart(line))
		p.before = more + indent(src[p.offset:])
		p.after = "\n"
		list = append(list, p)
	}
	return slices.DeleteFunc(list, func(p place) bool { return p.offset < 0 })
}

// above returns the place on a line of its own above pos, with blank above
// it if that is not empty. The offset is negative when something else stands
// in front of pos on its line.
func above(file *token.File, src []byte, pos token.Pos, blank string) place {
	start := file.Offset(file.LineStart(lineOf(file, pos)))
	in := indent(src[start:])
	if start+len(in) != file.Offset(pos) {
		return place{offset: -1}
	}
	p := place{start, in, "\n"}
	if blank != "" {
		p.before = in + blank + "\n" + in
	}
	return p
}

func indent(line []byte) string { return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))]) }

// enclosing returns the nodes around pos, the outermost first.
func enclosing(f *ast.File, pos token.Pos) []ast.Node {
	var path []ast.Node
	ast.Inspect(f, func(n ast.Node) bool {
		if n == nil || pos < n.Pos() || n.End() <= pos {
			return false
		}
		path = append(path, n)
		return true
	})
	return path
}

// insert writes text at p.
func (p place) insert(src []byte, text string) (out []byte, moved func(int) int) {
	added := p.before + text + p.after
	out = slices.Concat(src[:p.offset], []byte(added), src[p.offset:])
	return out, func(offset int) int {
		if offset >= p.offset {
			offset += len(added)
		}
		return offset
	}
}

// covers reports whether a directive of our own covers a finding of each rule
// at offset, and no more than it must.
func covers(src []byte, rules []string, offset int) bool {
	fset := token.NewFileSet()
	f, err := parse(fset, src)
	if err != nil {
		return false
	}
	ix := NewIndex(fset, []*ast.File{f})
	return !slices.ContainsFunc(rules, func(r string) bool {
		covering := ix.Covering(r, fset.File(f.FileStart).Pos(offset))
		return !slices.ContainsFunc(covering, func(d *Directive) bool { return d.Own && !d.File })
	})
}

// sameText returns where the byte at offset in old is in text, which differs
// from it in white space only.
func sameText(old, text []byte, offset int) int {
	n := 0
	for _, c := range old[:offset] {
		if c > ' ' {
			n++
		}
	}
	for i, c := range text {
		if c > ' ' {
			if n == 0 {
				return i
			}
			n--
		}
	}
	return len(text)
}

func parse(fset *token.FileSet, src []byte) (*ast.File, error) {
	return parser.ParseFile(fset, "", src, parser.ParseComments|parser.SkipObjectResolution)
}

func isClean(src []byte) bool {
	formatted, err := format.Source(src)
	return err == nil && bytes.Equal(formatted, src)
}
