// Package rule says what a rule is and turns rules into analyzers.
package rule

import (
	"go/token"
	"slices"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/dstedit"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
)

// Rule finds one kind of leak and knows how to mend it.
type Rule struct {
	// Name is the rule's file, fixture, golden, flag value and anchor: a
	// lower-case Go identifier that names the fault.
	Name string
	// Doc is the rule's page in markdown; its first line is one sentence.
	Doc string
	// Find returns the leaks of a package. It decides and never edits.
	Find func(*code.Pass) []Match
}

// Match is one leak.
type Match struct {
	Pos, End token.Pos
	// Message names the variable and the blocking operation, in lower case,
	// without a period and without a position.
	Message  string
	Category string
	// Applicability is None exactly when Fix is nil; Reason says why then.
	Applicability finding.Applicability
	Reason        string
	FixMessage    string
	// Fix edits the declaration that holds Pos. It edits and never decides.
	Fix func(*dstedit.Decl) error
	// Parts are the edits of further declarations of the package that belong
	// to the fix: it is applied with all of them or not at all.
	Parts   []Part
	Related []Related
}

// Part is an edit of the declaration that holds Pos, in any file of the
// package. Parts of the same declaration are carried out in order.
type Part struct {
	Pos  token.Pos
	Edit func(*dstedit.Decl) error
}

// Related is a place that explains a match.
type Related struct {
	Pos, End token.Pos
	Message  string
}

// Safe returns the match with a fix that keeps the behaviour of the program.
func (m Match) Safe(message string, fix func(*dstedit.Decl) error) Match {
	m.Applicability, m.FixMessage, m.Fix = finding.Safe, message, fix
	return m
}

// With returns the match with further parts of its fix. What reaches beyond one
// function is for unsafe fixes: files of other build configurations are not seen.
func (m Match) With(parts ...Part) Match {
	m.Parts = append(slices.Clip(m.Parts), parts...)
	return m
}

// Unsafe returns the match with a fix that may change behaviour; message says how.
func (m Match) Unsafe(message string, fix func(*dstedit.Decl) error) Match {
	m.Applicability, m.FixMessage, m.Fix = finding.Unsafe, message, fix
	return m
}

// None returns the match without a fix; reason says why there is none.
func (m Match) None(reason string) Match {
	m.Applicability, m.Reason, m.Fix, m.Parts = finding.None, reason, nil, nil
	return m
}
