// Package report writes the result of a run, one format a file. Every finding
// is accounted for once in every format, and what could not be analysed is
// named in every format.
package report

import (
	"io"
	"maps"
	"path/filepath"
	"slices"

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
}

// Options says how a result is written.
type Options struct {
	// Dir is the absolute directory that paths are relative to.
	Dir string
	// Color allows terminal colours; machine formats ignore it.
	Color bool
	// Verbose has formats for people tell of runs that found nothing, too.
	Verbose bool
}

// Writer writes a run in one format. Its error is the one of w.
type Writer func(w io.Writer, run Run, opt Options) error

// formats holds every format by its name.
var formats = map[string]Writer{
	"json": JSON,
	"text": Text,
}

// Format returns the writer of the named format, or nil.
func Format(name string) Writer { return formats[name] }

// Formats returns the names of all formats, sorted.
func Formats() []string { return slices.Sorted(maps.Keys(formats)) }

// Machine reports whether the named format is one document for a program to
// read, with nothing around it.
func Machine(name string) bool { return name != "text" }

// statuses are all values of the status of a finding, in the order in which
// they are counted.
var statuses = []finding.Status{
	finding.Fixable, finding.Fixed, finding.UnsafeHidden, finding.Conflict, finding.WouldNotCompile,
	finding.Generated, finding.Cgo, finding.NoFix, finding.Suppressed, finding.Baselined,
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
