// Package waitgroupwait has the analyzer waitgroupwait for drivers that take one package for
// each, such as nogo of Bazel.
package waitgroupwait

import "github.com/goroutinefix/goroutinefix/rules"

// Analyzer is the analyzer waitgroupwait; all packages here share what they know.
var Analyzer = rules.Analyzer("waitgroupwait")
