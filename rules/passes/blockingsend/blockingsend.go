// Package blockingsend has the analyzer blockingsend for drivers that take one package for
// each, such as nogo of Bazel.
package blockingsend

import "github.com/goroutinefix/goroutinefix/rules"

// Analyzer is the analyzer blockingsend; all packages here share what they know.
var Analyzer = rules.Analyzer("blockingsend")
