// Package bodyclose has the analyzer bodyclose for drivers that take one package for
// each, such as nogo of Bazel.
package bodyclose

import "github.com/goroutinefix/goroutinefix/rules"

// Analyzer is the analyzer bodyclose; all packages here share what they know.
var Analyzer = rules.Analyzer("bodyclose")
