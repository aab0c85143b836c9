package dstedit

import (
	"reflect"
	"strings"

	"github.com/dave/dst"
)

// Decorations are lists of comments and "\n" items. A "//" comment ends its
// line by itself, so a "\n" after it is a blank line; after anything else it
// only ends the line.

// endsLine reports whether the last item of decs ends its line by itself.
func endsLine(decs dst.Decorations) bool {
	return len(decs) > 0 && strings.HasPrefix(decs[len(decs)-1], "//")
}

// splitEnd splits the End decorations of a statement into head, the comments
// on its last line, and rest, the comments below it. A non-empty rest always
// begins with the "\n" that ends the statement's line.
func splitEnd(decs dst.Decorations) (head, rest dst.Decorations) {
	for i, x := range decs {
		switch {
		case x == "\n":
			return clip(decs[:i]), clip(decs[i:])
		case strings.HasPrefix(x, "//"):
			if i+1 == len(decs) {
				return clip(decs), nil
			}
			return clip(decs[:i+1]), append(dst.Decorations{"\n"}, decs[i+1:]...)
		}
	}
	return clip(decs), nil
}

// joinEnd appends rest, as splitEnd returns it, to the End decorations head.
func joinEnd(head, rest dst.Decorations) dst.Decorations {
	if len(rest) > 0 && rest[0] == "\n" && endsLine(head) {
		rest = rest[1:]
	}
	return append(clip(head), rest...)
}

// splitStart splits the Start decorations of a statement into detached, the
// comments that a blank line separates from it, and attached, those that
// stand directly above it. A non-empty detached ends with the blank line.
func splitStart(decs dst.Decorations) (detached, attached dst.Decorations) {
	for i := len(decs) - 1; i > 0; i-- {
		if decs[i] == "\n" && (decs[i-1] == "\n" || strings.HasPrefix(decs[i-1], "//")) {
			return clip(decs[:i+1]), clip(decs[i+1:])
		}
	}
	return nil, clip(decs)
}

// clip returns a copy of decs, nil if it is empty. Decorations are cut out of
// one another, so none may share its backing array.
func clip(decs dst.Decorations) dst.Decorations {
	return append(dst.Decorations(nil), decs...)
}

// isComment reports whether the decoration item x is a comment.
func isComment(x string) bool { return strings.HasPrefix(x, "/") }

// hasComment reports whether decs holds a comment.
func hasComment(decs dst.Decorations) bool {
	for _, x := range decs {
		if isComment(x) {
			return true
		}
	}
	return false
}

// eachDecorations calls f with every decoration list of the single node n.
func eachDecorations(n dst.Node, f func(*dst.Decorations)) {
	v := reflect.ValueOf(n)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return
	}
	decs := v.Elem().FieldByName("Decs")
	if !decs.IsValid() {
		return
	}
	walkDecorations(decs, f)
}

func walkDecorations(v reflect.Value, f func(*dst.Decorations)) {
	for i := range v.NumField() {
		field := v.Field(i)
		switch p := field.Addr().Interface().(type) {
		case *dst.Decorations:
			f(p)
		case *dst.NodeDecs:
			walkDecorations(field, f)
		}
	}
}

// stripComments removes every comment in the tree n and keeps its line breaks
// where that is possible.
func stripComments(n dst.Node) {
	dst.Inspect(n, func(n dst.Node) bool {
		if n == nil {
			return false
		}
		eachDecorations(n, func(d *dst.Decorations) {
			if hasComment(*d) {
				*d = nil
			}
		})
		return true
	})
}

// holdsComment reports whether the tree n holds a comment.
func holdsComment(n dst.Node) bool {
	found := false
	dst.Inspect(n, func(n dst.Node) bool {
		if n == nil || found {
			return false
		}
		eachDecorations(n, func(d *dst.Decorations) { found = found || hasComment(*d) })
		return !found
	})
	return found
}

// bare clears the spacing and the comments around n, not those inside it.
func bare(n dst.Node) {
	decs := n.Decorations()
	decs.Before, decs.After = dst.None, dst.None
	decs.Start, decs.End = nil, nil
}

// broken returns s, or a line break if s is less than that.
func broken(s dst.SpaceType) dst.SpaceType { return max(s, dst.NewLine) }

// layOut gives the statements inside the new tree n lines of their own.
func layOut(n dst.Node) {
	own := func(list []dst.Stmt) {
		for _, s := range list {
			d := s.Decorations()
			d.Before, d.After = broken(d.Before), broken(d.After)
		}
	}
	dst.Inspect(n, func(n dst.Node) bool {
		switch n := n.(type) {
		case *dst.BlockStmt:
			// The body of a literal with a single short statement may stay on
			// one line; gofmt breaks every other body anyway.
			if len(n.List) > 1 {
				own(n.List)
			}
		case *dst.CaseClause:
			own(n.Body)
		case *dst.CommClause:
			own(n.Body)
		}
		return true
	})
}
