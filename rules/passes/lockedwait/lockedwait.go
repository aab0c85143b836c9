// Package lockedwait has the analyzer lockedwait for drivers that take one package for
// each, such as nogo of Bazel.
package lockedwait

import "github.com/goroutinefix/goroutinefix/rules"

// Analyzer is the analyzer lockedwait; all packages here share what they know.
var Analyzer = rules.Analyzer("lockedwait")
