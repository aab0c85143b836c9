// Package finding holds what is known of a leak once its package has been
// analysed: plain data, free of syntax trees and types, so that it can be
// cached, sorted, written out and compared without the packages it came from.
package finding

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Applicability says how far the fix of a finding can be trusted.
type Applicability string

const (
	// Safe fixes keep the behaviour of the program but for the leak; -w writes them.
	Safe Applicability = "safe"
	// Unsafe fixes are useful but may change behaviour; only -unsafe writes them.
	Unsafe Applicability = "unsafe"
	// None marks a finding without a fix; its outcome says why there is none.
	None Applicability = "none"
)

// Status says what became of a finding in this run.
type Status string

const (
	// Fixable findings have a fix in the diff that this run shows.
	Fixable Status = "fixable"
	// Fixed findings have a fix that this run wrote to disk.
	Fixed Status = "fixed"
	// UnsafeHidden findings have an unsafe fix that was not asked for.
	UnsafeHidden Status = "unsafe-hidden"
	// Conflict marks a fix that was dropped because another one or a new finding stands against it.
	Conflict Status = "conflict"
	// WouldNotCompile marks a fix that was dropped because the result did not type-check.
	WouldNotCompile Status = "would-not-compile"
	// Generated marks a finding in a generated file, which is never edited.
	Generated Status = "generated"
	// Cgo marks a finding in a file that cgo preprocesses, which is never edited.
	Cgo Status = "cgo"
	// Outside marks a finding in a file that belongs to no main module of the
	// run, such as the standard library or a dependency: it is never edited.
	Outside Status = "outside"
	// NoFix findings have no fix; Reason says why.
	NoFix Status = "no-fix"
	// Suppressed findings are covered by a comment; Reason is its reason.
	Suppressed Status = "suppressed"
	// Baselined findings were there when the baseline was taken.
	Baselined Status = "baselined"
	// Old findings touch nothing that changed since the revision that was
	// named; they are counted, but not shown.
	Old Status = "old"
	// Excluded findings lie where the configuration wants none of their
	// rule; they are counted, but not shown.
	Excluded Status = "excluded"
	// Declined findings are ones whose fix the user did not want.
	Declined Status = "declined"
)

// Settled reports whether it was decided, by a person or by a policy, that a
// finding with this status is not to be fixed.
func (s Status) Settled() bool {
	switch s {
	case Suppressed, Baselined, Old, Excluded, Declined:
		return true
	}
	return false
}

// Edit replaces the bytes [Start, End) of the file at Path with New.
// Offsets are byte offsets into the file as it was analysed.
type Edit struct {
	Path  string
	Start int
	End   int
	New   string
}

// Place is a range in a source file. Lines and columns count from 1, columns
// in bytes; the end is exclusive.
type Place struct {
	Path      string
	Line      int
	Column    int
	EndLine   int
	EndColumn int
	Offset    int // byte offset of the start
	EndOffset int // byte offset of the end
}

// Related is a place that explains a finding: where the goroutine starts,
// where the channel is made, the return that skips the receive.
type Related struct {
	Place
	Message string
}

// Fix is the rewrite that a rule offers for its finding.
type Fix struct {
	Message string // verb phrase: "Buffer ch so the sender cannot block"
	Edits   []Edit // sorted by path and start, not overlapping
	// Also names the further declarations that the edits change, such as the
	// callers of a function that gets another signature. The fix is applied to
	// all of them or not at all.
	Also []Site
	// Edited marks a fix that the user has changed: no later analysis can
	// compute it again.
	Edited bool
}

// Site is a declaration.
type Site struct {
	Path     string // absolute
	Function string // as in Finding
}

// Outcome is what became of a finding in a run. Whoever decides that replaces the
// whole of it: a status does not keep the reason of the one before.
type Outcome struct {
	Status Status
	Reason string // why the status is what it is, where it does not say so itself
}

// Finding is one leak, accounted for once in every output: what it is, and its outcome.
type Finding struct {
	Rule          string
	Category      string // a category of the literature such as "Timeout", or ""
	Package       string // import path of the package
	Function      string // enclosing declaration: "F", "(*T).M", or "" outside of functions
	Place         Place  // absolute path
	Message       string
	Applicability Applicability
	Fix           *Fix // nil without a fix
	Related       []Related
	Outcome
}

// Sites returns the declarations that the fix of f changes, that of the finding first.
func (f *Finding) Sites() []Site {
	sites := []Site{{f.Place.Path, f.Function}}
	if f.Fix != nil {
		sites = append(sites, f.Fix.Also...)
	}
	return sites
}

// Touches reports whether the finding lies in the file at path, or its fix changes it.
func (f *Finding) Touches(path string) bool {
	return slices.ContainsFunc(f.Sites(), func(s Site) bool { return s.Path == path })
}

// Key tells findings apart within one text of the files, whatever the build.
type Key struct {
	rule, message string
	place         Place
}

// Key returns what tells f apart from others.
func (f *Finding) Key() Key { return Key{f.Rule, f.Message, f.Place} }

// Fingerprint identifies a finding across edits of its file: it holds the
// rule, the package, the function and the message, and no line number. Two
// findings with the same text in one function share it.
func (f *Finding) Fingerprint() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{f.Rule, f.Package, f.Function, f.Message}, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// Compare orders findings by path, offset, rule and message.
func Compare(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.Place.Path, b.Place.Path),
		cmp.Compare(a.Place.Offset, b.Place.Offset),
		cmp.Compare(a.Rule, b.Rule),
		cmp.Compare(a.Message, b.Message),
	)
}

// Sort orders findings so that the output does not depend on the order of analysis.
func Sort(fs []Finding) { slices.SortStableFunc(fs, Compare) }

// FileChange is the whole effect of a run on one file.
type FileChange struct {
	Path     string // absolute
	Old, New []byte
	Package  string    // import path; the changes of one package are written together or not at all
	Findings []Finding // the findings fixed here, in order of position
}

// Skipped names something that was not analysed and why. A run that skipped
// anything is incomplete.
type Skipped struct {
	Package string // import path, pattern or file
	Reason  string // one line
	// Excluded marks what the build leaves out: it may be there in another one.
	Excluded bool
}
