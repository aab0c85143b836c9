// Package report writes the result of a run, one format a file. Every finding
// is accounted for once in every format, and what could not be analysed is
// named in every format.
package report

import (
	"cmp"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// Run is the result of a run, as far as formats tell of it.
type Run struct {
	Findings []finding.Finding // sorted, with their status
	Skipped  []finding.Skipped
	Packages int // number of packages analysed
	// Hidden counts the findings that are not shown, by the status that is
	// the reason.
	Hidden map[finding.Status]int
	Err    error // why the run failed or is incomplete beyond Skipped; may be nil
	// Elsewhere are changed files that other build configurations compile
	// together with files that were not checked.
	Elsewhere []string
	// Changes are the files that were planned or written. Where a file is
	// among them, its Old is the text that the findings tell of.
	Changes []finding.FileChange
}

// incomplete reports whether the run may have missed something.
func (r Run) incomplete() bool { return r.Err != nil || len(r.Skipped) > 0 }

// Options says how a result is written.
type Options struct {
	// Dir is the absolute directory that paths are relative to.
	Dir string
	// Color allows terminal colours; machine formats ignore it.
	Color bool
	// Verbose has formats for people tell of runs that found nothing, too.
	Verbose bool
	// Root is the absolute directory of the repository, to which the formats
	// of code hosts are relative; "" for Dir.
	Root string
	// Rules are the rules of the run, with their pages.
	Rules []Rule
	// Version is the version of the program, "v1.2.3" or "".
	Version string
	// ReadFile returns the text of a file that the run did not change; nil for
	// the file on disk.
	ReadFile func(path string) ([]byte, error)
}

// Rule is what formats tell of a rule.
type Rule struct {
	Name string
	Doc  string // its page: one sentence, then sections under "# Title" lines
}

// root returns the directory of the repository.
func (o Options) root() string { return cmp.Or(o.Root, o.Dir) }

const homepage = "https://github.com/goroutinefix/goroutinefix"

// Writer writes a run in one format. Its error is the one of w.
type Writer func(w io.Writer, run Run, opt Options) error

// formats holds every format by its name.
var formats = map[string]Writer{
	"github":   GitHub,
	"gitlab":   GitLab,
	"html":     HTML,
	"json":     JSON,
	"jsonl":    JSONL,
	"markdown": Markdown,
	"mbox":     Mbox,
	"rdjson":   RDJSON,
	"sarif":    SARIF,
	"text":     Text,
}

// Format returns the writer of the named format, or nil.
func Format(name string) Writer { return formats[name] }

// Formats returns the names of all formats, sorted.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// Machine reports whether the named format is one document for a program to
// read, with nothing around it.
func Machine(name string) bool { return name != "text" }

// Accounts reports whether the document in the named format tells of every
// finding. Text does too, but beside another document; mbox holds only what
// is fixed.
func Accounts(name string) bool { return Machine(name) && name != "mbox" }

// statuses are all values of the status of a finding, in the order in which
// they are counted.
var statuses = []finding.Status{
	finding.Fixable, finding.Fixed, finding.UnsafeHidden, finding.Conflict, finding.WouldNotCompile,
	finding.Generated, finding.Cgo, finding.Outside, finding.NoFix, finding.Suppressed, finding.Baselined,
}

// settled reports whether nobody has to do anything about a finding: it was
// fixed, or somebody has said that it stays.
func settled(f *finding.Finding) bool {
	return f.Status == finding.Fixed || f.Status.Settled()
}

// count returns the number of findings of each status.
func count(findings []finding.Finding) map[finding.Status]int {
	n := map[finding.Status]int{}
	for i := range findings {
		n[findings[i].Status]++
	}
	return n
}

// relative returns path relative to dir with slashes, or as it is when it
// lies on another volume.
func relative(dir, path string) string {
	if rel, err := filepath.Rel(dir, path); err == nil {
		path = rel
	}
	return filepath.ToSlash(path)
}

// problems returns what keeps the run from being complete, one text each.
func problems(run Run) []string {
	var list []string
	for _, s := range run.Skipped {
		list = append(list, oneLine("not analysed: "+s.Package+": "+s.Reason))
	}
	if run.Err != nil {
		for line := range strings.Lines(run.Err.Error()) {
			if line = oneLine(line); line != "" {
				list = append(list, line)
			}
		}
	}
	return list
}

// local reports whether path lies below the repository.
func local(opt Options, path string) bool {
	return filepath.IsLocal(filepath.FromSlash(relative(opt.root(), path)))
}
