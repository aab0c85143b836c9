package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

const (
	// maxAnnotations is the number of annotations of one level that GitHub
	// shows for a step.
	maxAnnotations = 10
	// maxSummary is the size in bytes from which GitHub refuses a step summary;
	// what other tools write into it counts, too.
	maxSummary = 1 << 19
)

// GitHub writes the run as workflow commands, which become annotations: an
// error for each thing that keeps the run from being complete, a warning for
// each open finding, the most important first, because GitHub shows ten of
// each. The last line is the summary of [Text], which accounts for the others,
// too. [StepSummary] holds what has no annotation.
func GitHub(w io.Writer, run Run, opt Options) error {
	b := bufio.NewWriter(w)
	for _, p := range problems(run) {
		fmt.Fprintf(b, "::error title=goroutinefix::%s\n", githubData(p))
	}
	for _, f := range byImportance(run.Findings) {
		if settled(f) {
			continue
		}
		p := f.Place
		fmt.Fprintf(b, "::warning file=%s,line=%d,endLine=%d", githubProperty(oneLine(relative(opt.root(), p.Path))), max(1, p.Line), max(1, p.Line, p.EndLine))
		if p.EndLine == p.Line && p.Column > 0 {
			// Columns over several lines make GitHub drop the annotation.
			fmt.Fprintf(b, ",col=%d,endColumn=%d", p.Column, max(p.Column, p.EndColumn))
		}
		fmt.Fprintf(b, ",title=%s::%s\n", githubProperty(f.Rule+" ("+oneLine(verdict(f))+")"), githubData(githubMessage(f, opt)))
	}
	if s := summary(run); s != "" {
		fmt.Fprintln(b, s)
	} else if run.Err == nil {
		fmt.Fprintln(b, "no findings in "+plural(run.Packages, "package"))
	}
	return b.Flush()
}

// githubMessage is the message of a finding and, below it, the places that explain it.
func githubMessage(f *finding.Finding, opt Options) string {
	lines := []string{oneLine(f.Message)}
	for _, r := range f.Related {
		lines = append(lines, fmt.Sprintf("%s:%d: %s", oneLine(relative(opt.root(), r.Path)), r.Line, oneLine(r.Message)))
	}
	return strings.Join(lines, "\n")
}

var (
	githubDataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubPropertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func githubData(s string) string     { return githubDataEscapes.Replace(s) }
func githubProperty(s string) string { return githubPropertyEscapes.Replace(s) }

// StepSummary writes what GitHub shows below the steps of a job, in markdown:
// what kept the run from being complete, and a table of the findings that have
// no annotation. A run whose annotations tell everything writes nothing.
func StepSummary(w io.Writer, run Run, opt Options) error {
	var rest []*finding.Finding
	shown := 0
	for _, f := range byImportance(run.Findings) {
		if !settled(f) {
			if shown++; shown <= maxAnnotations {
				continue
			}
		}
		rest = append(rest, f)
	}
	faults := problems(run)
	if len(rest) == 0 && len(faults) <= maxAnnotations {
		return nil
	}
	var b strings.Builder
	b.WriteString("### goroutinefix\n\n" + mdText(summary(run)) + "\n\n")
	for _, p := range faults {
		b.WriteString("- " + mdText(p) + "\n")
	}
	if len(rest) > 0 {
		fmt.Fprintf(&b, "\nWithout an annotation:\n\n%s", mdTableHead)
	}
	for i, f := range rest {
		row := mdTableRow(f, opt)
		if b.Len()+len(row) > maxSummary {
			fmt.Fprintf(&b, "\nand %d more.\n", len(rest)-i)
			break
		}
		b.WriteString(row)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

const mdTableHead = "| where | rule | finding | fix |\n|---|---|---|---|\n"

func mdTableRow(f *finding.Finding, opt Options) string {
	at := fmt.Sprintf("%s:%d", relative(opt.root(), f.Place.Path), f.Place.Line)
	return fmt.Sprintf("| %s | %s | %s | %s |\n", mdCell(mdCode(at)), mdCell(mdText(f.Rule)), mdCell(mdText(f.Message)), mdCell(mdText(verdict(f))))
}
