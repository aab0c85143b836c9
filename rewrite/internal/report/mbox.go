package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/patch"
)

const (
	maxSubject  = 72 // characters, as in git's own advice
	messageText = 72 // the width to which messages are wrapped
	maxListed   = 30 // findings that a message tells of one by one
)

// Mbox writes the fixes as a series of commits for "git am": one for each rule
// and package, whose message says why it leaks and what was found. The series
// ends in the state that was verified. Where the fixes of several rules cannot
// be told apart, because they meet in one function, these rules share a commit
// that names them all. Findings without a fix are not in it.
func Mbox(w io.Writer, run Run, opt Options) error {
	byPackage := map[string][]finding.FileChange{}
	for _, c := range run.Changes {
		if !bytes.Equal(c.Old, c.New) {
			byPackage[c.Package] = append(byPackage[c.Package], c)
		}
	}
	var commits []patch.Commit
	for _, pkg := range slices.Sorted(maps.Keys(byPackage)) {
		commits = append(commits, series(byPackage[pkg], opt)...)
	}
	data, err := patch.Mbox(commits, patch.Options{Root: opt.root()})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// series returns the commits for the changed files of one package.
func series(changes []finding.FileChange, opt Options) []patch.Commit {
	slices.SortFunc(changes, func(a, b finding.FileChange) int { return cmp.Compare(a.Path, b.Path) })
	var all []finding.Finding
	for _, c := range changes {
		all = append(all, c.Findings...)
	}
	names := rulesOf(all, opt)
	if len(names) == 0 {
		return nil // nothing says why
	}
	// Rules that meet in a file that cannot be split share a commit.
	group := map[string]string{}
	for _, n := range names {
		group[n] = n
	}
	for _, c := range changes {
		if splittable(c) {
			continue
		}
		for _, f := range c.Findings {
			from, to := group[f.Rule], group[c.Findings[0].Rule]
			for n, g := range group {
				if g == from {
					group[n] = to
				}
			}
		}
	}
	var commits []patch.Commit
	done := map[string]bool{}
	state := map[string][]byte{}
	for _, c := range changes {
		state[c.Path] = c.Old
	}
	for _, n := range names {
		if done[n] {
			continue
		}
		var together []string
		for _, m := range names {
			if group[m] == group[n] {
				together = append(together, m)
				done[m] = true
			}
		}
		commit := patch.Commit{}
		var fixed []finding.Finding
		for _, c := range changes {
			next := after(c, done)
			if len(c.Findings) == 0 && len(commits) == 0 {
				next = c.New // edits that belong to findings in other files
			}
			if !bytes.Equal(next, state[c.Path]) {
				commit.Changes = append(commit.Changes, finding.FileChange{Path: c.Path, Old: state[c.Path], New: next, Package: c.Package})
				state[c.Path] = next
			}
			for _, f := range c.Findings {
				if slices.Contains(together, f.Rule) {
					fixed = append(fixed, f)
				}
			}
		}
		commit.Subject, commit.Body = subject(together, fixed, opt), message(together, fixed, opt)
		commits = append(commits, commit)
	}
	return commits
}

// splittable reports whether the fixes in a file can be applied rule by rule:
// all of them together, as they were computed on the text that was analysed, are
// what was verified, and no function is changed by two rules. Fixes stay inside
// functions, so that each step compiles if the last one does.
func splittable(c finding.FileChange) bool {
	owner := map[string]string{}
	all := map[string]bool{}
	for _, f := range c.Findings {
		if f.Fix == nil || cmp.Or(owner[f.Function], f.Rule) != f.Rule {
			return false
		}
		owner[f.Function] = f.Rule
		all[f.Rule] = true
	}
	if len(all) < 2 {
		return true
	}
	text, ok := applied(c.Old, editsOf(c, all))
	return ok && bytes.Equal(text, c.New)
}

// after returns the text of a file when the fixes of the given rules are in it.
func after(c finding.FileChange, rules map[string]bool) []byte {
	some, every := false, true
	for _, f := range c.Findings {
		some = some || rules[f.Rule]
		every = every && rules[f.Rule]
	}
	switch {
	case !some:
		return c.Old
	case every:
		return c.New
	}
	// A part of edits that fit as a whole.
	text, _ := applied(c.Old, editsOf(c, rules))
	return text
}

func editsOf(c finding.FileChange, rules map[string]bool) []finding.Edit {
	var edits []finding.Edit
	for _, f := range c.Findings {
		if !rules[f.Rule] || f.Fix == nil {
			continue
		}
		for _, e := range f.Fix.Edits {
			if e.Path == c.Path {
				edits = append(edits, e)
			}
		}
	}
	return edits
}

// subject returns the first line of a commit message: the package as Go
// projects write it, and what the commit does.
func subject(rules []string, fixed []finding.Finding, opt Options) string {
	dir := "."
	what := fmt.Sprintf("fix %s (%s)", plural(len(fixed), "goroutine leak"), strings.Join(rules, ", "))
	if len(fixed) > 0 {
		dir = path.Dir(relative(opt.root(), fixed[0].Place.Path))
		if dir == "." {
			dir = path.Base(fixed[0].Package)
		}
		if m := sharedFix(fixed); m != "" {
			what = m
		}
	}
	for _, s := range []string{dir + ": " + what, path.Base(dir) + ": " + what} {
		if utf8.RuneCountInString(s) <= maxSubject {
			return s
		}
	}
	return cutWords(path.Base(dir)+": "+what, maxSubject)
}

// sharedFix returns what all fixes do, starting in lower case, or "".
func sharedFix(fixed []finding.Finding) string {
	for _, f := range fixed {
		if f.Fix == nil || f.Fix.Message != fixed[0].Fix.Message {
			return ""
		}
	}
	// What the fix leaves as it is, after a semicolon, is for the body.
	first, _, _ := strings.Cut(fixed[0].Fix.Message, "; ")
	r, n := utf8.DecodeRuneInString(first)
	if n == 0 {
		return ""
	}
	return string(unicode.ToLower(r)) + first[n:]
}

// cutWords cuts s to at most n characters, between words if it can.
func cutWords(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	cut := string(runes[:n-3])
	if i := strings.LastIndexByte(cut, ' '); i > n/2 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,:;") + "..."
}

// message returns the body of a commit message: why it leaks, what was found,
// and where to read why the fix is safe.
func message(rules []string, fixed []finding.Finding, opt Options) string {
	var b strings.Builder
	for _, r := range rules {
		if s := opt.page(r).sections[whyItLeaks]; s != "" {
			b.WriteString(s + "\n\n")
		}
	}
	for i := range fixed {
		if i == maxListed {
			b.WriteString(fmt.Sprintf("and %d more of the same kind\n", len(fixed)-i))
			break
		}
		f := &fixed[i]
		at := fmt.Sprintf("%s:%d", oneLine(relative(opt.root(), f.Place.Path)), f.Place.Line)
		b.WriteString(wrap("* "+at+": "+oneLine(f.Message)+" ("+f.Rule+")", "  "))
		for _, r := range f.Related {
			at := fmt.Sprintf("line %d", r.Line)
			if r.Path != f.Place.Path {
				at = fmt.Sprintf("%s:%d", oneLine(relative(opt.root(), r.Path)), r.Line)
			}
			b.WriteString(wrap("  "+at+": "+oneLine(r.Message), "    "))
		}
		if f.Fix != nil {
			b.WriteString(wrap(fmt.Sprintf("  %s (%s)", oneLine(f.Fix.Message), f.Applicability), "  "))
		}
	}
	b.WriteString("\n" + wrap(fmt.Sprintf("Lines are those before this series. %q says why the fix can be trusted.", "goroutinefix explain "+rules[0]), ""))
	return b.String()
}

// wrap breaks a line between words; lines but the first start with indent.
func wrap(s, indent string) string {
	lead := s[:len(s)-len(strings.TrimLeft(s, " "))]
	line, out := "", ""
	for _, w := range strings.Fields(s) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w) > messageText {
			out += line + "\n"
			line = ""
		}
		switch {
		case line != "":
			line += " " + w
		case out == "":
			line = lead + w
		default:
			line = indent + w
		}
	}
	return out + line + "\n"
}
