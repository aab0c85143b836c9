package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/patch"
)

const (
	// maxBody is the number of characters that GitHub takes for the text of a
	// pull request. Bytes are counted, of which there are no fewer.
	maxBody = 65536
	// maxArgued is the part of it for fixes that are argued one by one.
	maxArgued = 40000
	// maxCounted is the room for the line that counts what is left out.
	maxCounted = 200
	// maxLine is the length up to which a line of code is quoted.
	maxLine = 120
)

// Markdown writes the run as the text of a pull request: for each rule why it
// leaks and why its fix can be trusted, for each fix the way to the leak, what
// it does and, folded, its diff; then what is left to do by hand. Fixes that
// the text has no room to argue for stand in a table, and what GitHub would
// not take even so is counted.
func Markdown(w io.Writer, run Run, opt Options) error {
	m := markdownWriter{run: run, opt: opt, src: newSources(run, opt)}
	m.write()
	_, err := io.WriteString(w, m.b.String())
	return err
}

type markdownWriter struct {
	run Run
	opt Options
	src *sources
	b   strings.Builder
}

// mended reports whether the fix of a finding is in the changes of the run.
func (m *markdownWriter) mended(f *finding.Finding) bool {
	return len(m.run.Changes) > 0 && (f.Status == finding.Fixable || f.Status == finding.Fixed)
}

func (m *markdownWriter) write() {
	m.head()
	byRule := map[string][]*finding.Finding{}
	var rest, more []*finding.Finding
	for _, f := range byImportance(m.run.Findings) {
		if m.mended(f) {
			byRule[f.Rule] = append(byRule[f.Rule], f)
		} else {
			rest = append(rest, f)
		}
	}
	room, rules := maxArgued, len(byRule)
	for _, rule := range rulesOf(m.run.Findings, m.opt) {
		list := byRule[rule]
		if list == nil {
			continue
		}
		// What a rule does not need is there for the next ones.
		share := room / rules
		rules--
		head := m.ruleHead(rule)
		used := len(head)
		var texts []string
		for len(list) > 0 {
			text := m.finding(list[0])
			if used += len(text); used > share {
				break
			}
			texts, list = append(texts, text), list[1:]
		}
		more = append(more, list...)
		if len(texts) > 0 {
			text := head + strings.Join(texts, "")
			m.b.WriteString(text)
			room -= len(text)
		}
	}
	m.table("## Fixed in the same way", more, len(rest))
	title := "## Not changed here"
	if len(m.run.Changes) == 0 {
		title = "## Findings"
	}
	m.table(title, rest, 0)
}

// table lists findings as far as there is room, and counts the others and the
// ones that would come after the table.
func (m *markdownWriter) table(title string, list []*finding.Finding, after int) {
	if len(list) == 0 {
		return
	}
	if m.b.Len()+len(title)+len(mdTableHead)+2*maxCounted > maxBody {
		return // counted already
	}
	m.b.WriteString("\n" + title + "\n\n" + mdTableHead)
	for i, f := range list {
		row := mdTableRow(f, m.opt)
		if m.b.Len()+len(row)+2*maxCounted > maxBody {
			fmt.Fprintf(&m.b, "\nand %d more that do not fit in here; `goroutinefix ./...` shows them all.\n", len(list)-i+after)
			return
		}
		m.b.WriteString(row)
	}
}

// head writes the headline, the account and what is missing.
func (m *markdownWriter) head() {
	n := count(m.run.Findings)
	title := "Goroutine leaks: " + plural(len(m.run.Findings), "finding") // not all of them leaks
	if mended := n[finding.Fixable] + n[finding.Fixed]; mended > 0 && len(m.run.Changes) > 0 {
		title = fmt.Sprintf("Fix %s", plural(mended, "goroutine leak"))
	} else if len(m.run.Findings) == 0 {
		title = "No goroutine leaks found"
	}
	if len(m.run.Findings) == 0 && m.run.incomplete() {
		title = "Goroutine leaks: the analysis is incomplete"
	}
	m.b.WriteString("# " + title + "\n")
	if s := summary(m.run); s != "" {
		m.b.WriteString("\n" + mdText(s) + ".\n")
	}
	faults := problems(m.run)
	if len(faults) == 0 {
		return
	}
	m.b.WriteString("\n**Incomplete:**\n\n")
	for i, p := range faults {
		if m.b.Len() > maxBody/4 {
			fmt.Fprintf(&m.b, "- and %d more\n", len(faults)-i)
			break
		}
		m.b.WriteString("- " + clip(mdText(p), maxBody/8) + "\n")
	}
}

// ruleHead is the heading of a rule: its sentence, why it leaks, and, folded,
// why the fix is safe.
func (m *markdownWriter) ruleHead(rule string) string {
	var b strings.Builder
	p := m.opt.page(rule)
	fmt.Fprintf(&b, "\n## %s\n", mdText(rule))
	if p.headline != "" {
		fmt.Fprintf(&b, "\n%s\n", mdProse(p.headline))
	}
	if s := p.sections[whyItLeaks]; s != "" {
		fmt.Fprintf(&b, "\n**%s.** %s\n", whyItLeaks, mdProse(s))
	}
	if s := p.sections[fixSafety]; s != "" {
		b.WriteString(mdFold(fixSafety, mdProse(s)+"\n"))
	}
	return b.String()
}

// finding argues for one fix.
func (m *markdownWriter) finding(f *finding.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s", mdCode(m.at(f.Place)))
	if f.Function != "" {
		fmt.Fprintf(&b, " in %s", mdCode(f.Function))
	}
	fmt.Fprintf(&b, "\n\n%s.\n", mdText(f.Message))
	if len(f.Related) > 0 {
		b.WriteByte('\n')
		for i, s := range steps(f) {
			what := mdText(s.Message)
			if s.Place == f.Place {
				what = "**reported here**"
			}
			line := strings.TrimSpace(strings.ToValidUTF8(string(m.src.line(s.Path, s.Line)), "\uFFFD"))
			if line != "" && len(line) <= maxLine {
				what += ": " + mdCode(line)
			}
			fmt.Fprintf(&b, "%d. %s %s\n", i+1, mdCode(m.at(s.Place)), what)
		}
	}
	if f.Fix == nil {
		fmt.Fprintf(&b, "\n**Fix** (%s), together with others in this function.\n", f.Applicability)
		return b.String()
	}
	fmt.Fprintf(&b, "\n**Fix** (%s): %s.\n", f.Applicability, mdText(f.Fix.Message))
	if f.Applicability == finding.Unsafe {
		b.WriteString("It may change more than the leak, so it was asked for with `-unsafe`: please look at it.\n")
	}
	var diff bytes.Buffer
	for _, c := range m.src.fixed(f) {
		diff.Write(patch.Hunks(c.Old, c.New))
	}
	if diff.Len() > 0 {
		b.WriteString(mdFold("Diff", mdFence("diff", string(patch.Visible(diff.Bytes())))))
	}
	return b.String()
}

func (m *markdownWriter) at(p finding.Place) string {
	return fmt.Sprintf("%s:%d", relative(m.opt.root(), p.Path), p.Line)
}

// mdFold hides markdown under a line that opens it.
func mdFold(title, markdown string) string {
	return "\n<details><summary>" + mdText(title) + "</summary>\n\n" + markdown + "\n</details>\n"
}

// clip cuts s after at most n bytes, and says so.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + " ..."
}
