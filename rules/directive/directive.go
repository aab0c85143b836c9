// Package directive has the analyzer of the comments that suppress findings, for
// drivers that take one package for each analyzer, such as nogo of Bazel.
package directive

import "github.com/goroutinefix/goroutinefix/rules"

// Analyzer reports comments that are wrong or suppress nothing. It needs the
// results of all rules.
var Analyzer = rules.Directive()
