// Package waitgroupadd has the analyzer waitgroupadd for drivers that take one package for
// each, such as nogo of Bazel.
package waitgroupadd

import "github.com/goroutinefix/goroutinefix/rules"

// Analyzer is the analyzer waitgroupadd; all packages here share what they know.
var Analyzer = rules.Analyzer("waitgroupadd")
