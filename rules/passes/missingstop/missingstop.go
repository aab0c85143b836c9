// Package missingstop has the analyzer missingstop for drivers that take one package for
// each, such as nogo of Bazel.
package missingstop

import "github.com/goroutinefix/goroutinefix/rules"

// Analyzer is the analyzer missingstop; all packages here share what they know.
var Analyzer = rules.Analyzer("missingstop")
