// Package lostcancel has the analyzer lostcancel for drivers that take one package for
// each, such as nogo of Bazel.
package lostcancel

import "github.com/goroutinefix/goroutinefix/rules"

// Analyzer is the analyzer lostcancel; all packages here share what they know.
var Analyzer = rules.Analyzer("lostcancel")
