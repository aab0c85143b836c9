// Package directive has the analyzer directive for drivers that take one package for
// each, such as nogo of Bazel.
package directive

import "github.com/goroutinefix/goroutinefix/rules"

// Analyzer is the analyzer directive; all packages here share what they know.
var Analyzer = rules.Analyzer("directive")
