// Package suppress reads the comments by which users keep findings silent,
// says which lines each of them covers, and writes new ones.
package suppress

import (
	"go/token"
	"path"
	"slices"
	"strings"
	"unicode"
)

// Tool is the name in front of the directives of our own form and, after
// nolint, the name that stands for all rules.
const Tool = "goroutinefix"

// Directive is one comment that suppresses findings.
type Directive struct {
	Verb   string   // as written: "goroutinefix:ignore"
	Rules  []string // names or, after lint:ignore, patterns; nil for all rules
	Reason string
	// Own marks the form that belongs to this tool alone: only there a
	// mistake is ours to report.
	Own bool
	// File marks a directive for the whole file.
	File bool
	// Problem says why the directive is not honoured, or is "".
	Problem string

	Pos, End token.Pos
	lines    []span
}

// span is a range of lines, both ends included.
type span struct{ from, to int }

// Parse reads the text of a // comment. ok is false for a comment that is no
// directive, or one that says nothing about suppressing.
func Parse(text string) (d Directive, ok bool) {
	body, isLine := strings.CutPrefix(text, "//")
	if !isLine {
		return d, false
	}
	body = strings.TrimRight(body, "\r")
	switch {
	case strings.HasPrefix(body, Tool+":"):
		return parseOwn(body), true
	case strings.HasPrefix(body, "lint:ignore "), strings.HasPrefix(body, "lint:file-ignore "):
		return parseLint(body)
	}
	trimmed := strings.TrimLeft(body, "/ \t")
	if rest, found := strings.CutPrefix(trimmed, "nolint"); found {
		return parseNolint(rest)
	}
	for _, verb := range []string{Tool + ":ignore", Tool + ":file-ignore"} {
		if rest, found := strings.CutPrefix(trimmed, verb); found && (rest == "" || rest[0] == ' ') {
			return Directive{Verb: verb, Own: true, Problem: "has a space in front of it, so it is a comment for people; write //" + verb}, true
		}
	}
	return d, false
}

// parseOwn reads "goroutinefix:ignore RULE[,RULE] reason".
func parseOwn(body string) Directive {
	d := Directive{Own: true}
	d.Verb, body = cutWord(body)
	switch strings.TrimPrefix(d.Verb, Tool+":") {
	case "ignore":
	case "file-ignore":
		d.File = true
	default:
		d.Problem = "is no directive; there are " + Tool + ":ignore and " + Tool + ":file-ignore"
		return d
	}
	d.Rules, d.Reason = rulesAndReason(body)
	switch {
	case len(d.Rules) == 0:
		d.Problem = "names no rule, so it suppresses nothing; write //" + d.Verb + " RULE reason"
	case d.Reason == "":
		d.Problem = "has no reason, so it suppresses nothing; write after the rule why this is no leak"
	}
	if slices.Contains(d.Rules, "all") {
		d.Rules = nil
	}
	return d
}

// parseLint reads staticcheck's form, which wants a reason, too. A mistake in
// it is for staticcheck to report.
func parseLint(body string) (Directive, bool) {
	var d Directive
	d.Verb, body = cutWord(body)
	d.File = d.Verb == "lint:file-ignore"
	d.Rules, d.Reason = rulesAndReason(body)
	return d, len(d.Rules) > 0 && d.Reason != ""
}

// parseNolint reads what stands after the word nolint, as golangci-lint does.
func parseNolint(rest string) (Directive, bool) {
	d := Directive{Verb: "nolint"}
	list, named := strings.CutPrefix(rest, ":")
	if !named {
		return d, rest == "" || rest[0] == ' '
	}
	if strings.HasPrefix(list, "all") {
		return d, true
	}
	list, d.Reason, _ = strings.Cut(list, "//")
	d.Reason = strings.TrimSpace(d.Reason)
	for name := range strings.SplitSeq(list, ",") {
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "all", Tool:
			d.Rules = nil
			return d, true
		case "":
		default:
			d.Rules = append(d.Rules, name)
		}
	}
	return d, len(d.Rules) > 0
}

// rulesAndReason splits "a,b why" and, leniently, "a, b why". A comment
// inside the comment is no reason.
func rulesAndReason(text string) (rules []string, reason string) {
	for more := true; more && text != ""; {
		var word string
		word, text = cutWord(text)
		if before, _, comment := strings.Cut(word, "//"); comment {
			word, text = before, ""
		}
		more = strings.HasSuffix(word, ",")
		for name := range strings.SplitSeq(word, ",") {
			if name != "" {
				rules = append(rules, name)
			}
		}
	}
	reason, _, _ = strings.Cut(text, "//")
	if i := strings.Index(text, "://"); i >= 0 { // a reason may hold an address
		reason = text
	}
	return rules, strings.TrimSpace(reason)
}

// cutWord splits text after its first word.
func cutWord(text string) (word, rest string) {
	i := strings.IndexFunc(text, unicode.IsSpace)
	if i < 0 {
		return text, ""
	}
	return text[:i], strings.TrimSpace(text[i:])
}

// names reports whether the directive speaks of a rule.
func (d *Directive) names(rule string) bool {
	return d.Rules == nil || slices.ContainsFunc(d.Rules, func(pattern string) bool {
		if d.Own || d.Verb == "nolint" {
			return pattern == rule
		}
		ok, _ := path.Match(pattern, rule)
		return ok
	})
}

// IsNolint reports whether the directive is a //nolint comment that golangci-lint
// reads as one for this tool: for all linters, or for it by name.
func (d *Directive) IsNolint() bool { return d.Verb == "nolint" && d.Rules == nil }
