package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// Text writes the run for people: a line for each finding and, indented, for
// each place that explains it, then what was skipped, then a summary that
// accounts for every finding, below a table by rule where there are many. A
// complete run that found nothing writes nothing, unless it is verbose.
func Text(w io.Writer, run Run, opt Options) error {
	b := bufio.NewWriter(w)
	p := textPrinter{Writer: b, opt: opt}
	for i := range run.Findings {
		// What was settled earlier is counted below.
		f := &run.Findings[i]
		if f.Status != finding.Suppressed && f.Status != finding.Baselined || opt.Verbose {
			p.finding(f)
		}
	}
	p.problems(run)
	for i, line := range table(run.Findings, opt) {
		if i == 0 {
			line = "\n" + p.paint("1", line)
		}
		fmt.Fprintln(b, line)
	}
	if s := summary(run); s != "" {
		fmt.Fprintln(b, s)
	} else if opt.Verbose && run.Err == nil {
		fmt.Fprintln(b, "no findings in "+plural(run.Packages, "package"))
	}
	return b.Flush()
}

// Finding writes the lines of one finding, as [Text] does.
func Finding(w io.Writer, f *finding.Finding, opt Options) {
	textPrinter{Writer: w, opt: opt}.finding(f)
}

// Problems writes only what keeps the run from being complete, as [Text] does:
// packages that were skipped and errors. A complete run writes nothing.
func Problems(w io.Writer, run Run, opt Options) error {
	b := bufio.NewWriter(w)
	p := textPrinter{Writer: b, opt: opt}
	p.problems(run)
	return b.Flush()
}

type textPrinter struct {
	io.Writer
	opt Options
}

func (p textPrinter) finding(f *finding.Finding) {
	fmt.Fprintf(p, "%s: %s %s\n", p.paint("1", p.place(f.Place)), oneLine(f.Message),
		p.paint(verdictColor(f), "("+f.Rule+", "+oneLine(verdict(f))+")"))
	for _, r := range f.Related {
		fmt.Fprintf(p, "\t%s: %s\n", p.place(r.Place), oneLine(r.Message))
	}
	if f.Applicability == finding.Unsafe && f.Fix != nil && (f.Status == finding.Fixable || f.Status == finding.UnsafeHidden || f.Status == finding.Fixed) {
		fmt.Fprintf(p, "\tunsafe fix: %s\n", oneLine(f.Fix.Message)) // who writes it should know what changes
	}
}

// verdictColor is green for what is done or can be done safely, yellow for what
// a person should look at, and faint for the rest.
func verdictColor(f *finding.Finding) string {
	switch {
	case f.Status == finding.Fixed, f.Status == finding.Fixable && f.Applicability == finding.Safe:
		return "32"
	case f.Status == finding.Fixable, f.Status == finding.UnsafeHidden, f.Status == finding.Conflict, f.Status == finding.WouldNotCompile:
		return "33"
	}
	return "2"
}

// verdict says in a few words what becomes of a finding.
func verdict(f *finding.Finding) string {
	because := func(what string) string {
		if f.Reason == "" {
			return what
		}
		return what + ": " + f.Reason
	}
	switch f.Status {
	case finding.Fixable, finding.UnsafeHidden:
		return string(f.Applicability) + " fix"
	case finding.Fixed:
		return "fixed"
	case finding.Conflict:
		return because("fix dropped, conflict")
	case finding.WouldNotCompile:
		return because("fix dropped, would not compile")
	case finding.Generated:
		return "no fix: " + cmp.Or(f.Reason, "generated file")
	case finding.Cgo:
		return "no fix: " + cmp.Or(f.Reason, "cgo file")
	case finding.Outside:
		return "no fix: " + cmp.Or(f.Reason, "the file belongs to no main module")
	case finding.NoFix:
		return because("no fix")
	}
	return because(cmp.Or(string(f.Status), "no fix"))
}

func (p textPrinter) problems(run Run) {
	for _, s := range run.Skipped {
		fmt.Fprintf(p, "%s %s: %s\n", p.paint("33", "skipped"), oneLine(s.Package), oneLine(s.Reason))
	}
	if run.Err != nil {
		for line := range strings.Lines(run.Err.Error()) {
			fmt.Fprintf(p, "%s: %s\n", p.paint("31", "goroutinefix"), printable(line))
		}
	}
}

// summary returns the line that accounts for every finding, or "" when there
// is nothing to tell, or nothing but the error of a run that did not start.
func summary(run Run) string {
	if len(run.Findings) == 0 && len(run.Hidden) == 0 && len(run.Skipped) == 0 && (run.Err == nil || run.Packages == 0) {
		return ""
	}
	n := count(run.Findings)
	var parts []string
	for _, s := range statuses {
		if n[s] > 0 {
			parts = append(parts, part(s, n[s], run.Findings))
		}
	}
	line := plural(len(run.Findings), "finding") + " in " + plural(run.Packages, "package")
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	for _, s := range slices.Sorted(maps.Keys(run.Hidden)) {
		line += "; " + hidden(s, run.Hidden[s])
	}
	if n := len(run.Elsewhere); n > 0 {
		line += "; " + plural(n, "changed file") + " in packages that other configurations build with more files (check those, too, with -matrix)"
	}
	switch {
	case len(run.Skipped) > 0:
		line += fmt.Sprintf("; incomplete: %d skipped", len(run.Skipped))
	case run.Err != nil:
		line += "; incomplete"
	}
	return line
}

// hidden says how many findings are not shown for the reason that a status is.
func hidden(s finding.Status, n int) string {
	switch s {
	case finding.Old:
		return plural(n, "old finding") + " not shown"
	case finding.Generated:
		return plural(n, "finding") + " in generated files not shown (use -generated)"
	}
	return plural(n, string(s)+" finding") + " not shown"
}

// part says how many findings have a status.
func part(s finding.Status, n int, findings []finding.Finding) string {
	switch s {
	case finding.UnsafeHidden:
		rules := map[string]bool{}
		for i := range findings {
			if findings[i].Status == s {
				rules[findings[i].Rule] = true
			}
		}
		names := strings.Join(slices.Sorted(maps.Keys(rules)), ", ")
		return fmt.Sprintf("%d with an unsafe fix (%s; use -unsafe)", n, names)
	case finding.Conflict:
		return fmt.Sprintf("%d in conflict", n)
	case finding.WouldNotCompile:
		return fmt.Sprintf("%d whose fix would not compile", n)
	case finding.Generated:
		return fmt.Sprintf("%d in generated files", n)
	case finding.Cgo:
		return fmt.Sprintf("%d in cgo files", n)
	case finding.Outside:
		return fmt.Sprintf("%d outside of the main modules", n)
	case finding.NoFix:
		return fmt.Sprintf("%d without a fix", n)
	}
	return fmt.Sprintf("%d %s", n, s)
}

// place formats the start of a place, relative to the directory of the run.
func (p textPrinter) place(at finding.Place) string {
	return fmt.Sprintf("%s:%d:%d", oneLine(relative(p.opt.Dir, at.Path)), at.Line, at.Column)
}

// paint returns s in a terminal colour, where colours are allowed.
func (p textPrinter) paint(code, s string) string {
	if !p.opt.Color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[m"
}

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// oneLine returns s as a line.
func oneLine(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(printable(s), "\t", " "))
}

// printable returns a line without its end, and with spaces for control
// characters, but for tabs, which indent stack traces, and for those that turn
// the direction of text: nothing in a name or message drives the terminal or
// passes for something else.
func printable(line string) string {
	return strings.Map(func(r rune) rune {
		if drives(r) && r != '\t' || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.TrimRight(line, "\r\n"))
}

// drives reports whether a terminal takes r for more than a character: control
// characters, and those that turn the direction of text.
func drives(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }
