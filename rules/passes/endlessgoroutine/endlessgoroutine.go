// Package endlessgoroutine has the analyzer endlessgoroutine for drivers that take one package for
// each, such as nogo of Bazel.
package endlessgoroutine

import "github.com/goroutinefix/goroutinefix/rules"

// Analyzer is the analyzer endlessgoroutine; all packages here share what they know.
var Analyzer = rules.Analyzer("endlessgoroutine")
