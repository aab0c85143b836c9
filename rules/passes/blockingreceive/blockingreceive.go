// Package blockingreceive has the analyzer blockingreceive for drivers that take one package for
// each, such as nogo of Bazel.
package blockingreceive

import "github.com/goroutinefix/goroutinefix/rules"

// Analyzer is the analyzer blockingreceive; all packages here share what they know.
var Analyzer = rules.Analyzer("blockingreceive")
