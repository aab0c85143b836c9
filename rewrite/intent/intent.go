// Package intent reads from comments that the author means what the code does.
package intent

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/suppress"
)

// intent are the words by which a comment says that something is meant.
var intent = []string{"purpose", "intention", "deliberat", "leak", "cancel", "never", "not needed", "don't", "do not", "unbuffered", "nolint"}

// Intentional reports whether a comment on the lines of n, or right above them,
// says that what n does is meant.
func Intentional(p *code.Pass, n ast.Node) bool { return IntentionalBetween(p, n.Pos(), n.End()) }

// stays are the words of intent that do not also describe what a goroutine is for.
var stays = []string{"purpose", "intention", "deliberat", "leak", "nolint"}

// Stays reports whether a comment on the lines of n, or right above them, says that a
// goroutine which waits to cancel something is meant to stay.
func Stays(p *code.Pass, n ast.Node) bool { return commented(p, n.Pos(), n.End(), stays) }

// IntentionalBetween is Intentional for the lines from start to end.
func IntentionalBetween(p *code.Pass, start, end token.Pos) bool {
	return commented(p, start, end, intent)
}

func commented(p *code.Pass, start, end token.Pos, words []string) bool {
	return Commented(p, start, end, func(text string) bool {
		return !othersOnly(text) && slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
	})
}

// Commented reports whether is holds for a comment, in lower case, on the lines
// from start to end or right above them.
func Commented(p *code.Pass, start, end token.Pos, is func(text string) bool) bool {
	file, comments := p.Fset.File(start), p.FileOf(start).Comments
	line := func(pos token.Pos) int { return file.PositionFor(pos, false).Line }
	first, last := line(start), line(end)
	from := file.LineStart(max(1, first-1))
	i, _ := slices.BinarySearchFunc(comments, from, func(g *ast.CommentGroup, pos token.Pos) int { return int(g.End() - pos) })
	for _, group := range comments[i:] {
		if line(group.Pos()) > last {
			break
		}
		for _, c := range group.List {
			if d, ok := suppress.Parse(c.Text); ok && d.Own {
				continue // it has a reason, and needs a finding
			}
			text, _, _ := strings.Cut(strings.ToLower(c.Text), "// want ") // an expectation of a test speaks to the test
			if is(text) {
				return true
			}
		}
	}
	return false
}

// othersOnly reports whether a comment silences named linters that look for
// something else than leaks.
func othersOnly(comment string) bool {
	_, list, ok := strings.Cut(comment, "nolint:")
	if !ok {
		return false
	}
	list, why, _ := strings.Cut(list, "//")
	for _, name := range []string{"all", "bodyclose", "govet", "lostcancel", "contextcheck", "staticcheck", "gocritic", "goroutinefix"} {
		if strings.Contains(list, name) {
			return false
		}
	}
	for _, word := range intent {
		if strings.Contains(why, word) {
			return false
		}
	}
	return true
}
