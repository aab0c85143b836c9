// Package rules lists the rules of goroutinefix. Each has a package of its own,
// whose documentation is the page of the rule.
package rules

import (
	"slices"
	"sync"

	"golang.org/x/tools/go/analysis"

	"github.com/goroutinefix/goroutinefix/rewrite/knowledge"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rules/blockingreceive"
	"github.com/goroutinefix/goroutinefix/rules/blockingsend"
	"github.com/goroutinefix/goroutinefix/rules/bodyclose"
	"github.com/goroutinefix/goroutinefix/rules/deafwait"
	"github.com/goroutinefix/goroutinefix/rules/endlessgoroutine"
	"github.com/goroutinefix/goroutinefix/rules/lockedwait"
	"github.com/goroutinefix/goroutinefix/rules/lostcancel"
	"github.com/goroutinefix/goroutinefix/rules/missingsignal"
	"github.com/goroutinefix/goroutinefix/rules/missingstop"
	"github.com/goroutinefix/goroutinefix/rules/resourceclose"
	"github.com/goroutinefix/goroutinefix/rules/stalewatcher"
	"github.com/goroutinefix/goroutinefix/rules/waitgroupadd"
	"github.com/goroutinefix/goroutinefix/rules/waitgroupwait"
)

// registry lists the rules in the order in which they are shown.
var registry = []struct {
	rule     rule.Rule
	analyzer *analysis.Analyzer
}{
	{bodyclose.Rule, bodyclose.Analyzer},
	{lostcancel.Rule, lostcancel.Analyzer},
	{waitgroupadd.Rule, waitgroupadd.Analyzer},
	{waitgroupwait.Rule, waitgroupwait.Analyzer},
	{blockingsend.Rule, blockingsend.Analyzer},
	{blockingreceive.Rule, blockingreceive.Analyzer},
	{lockedwait.Rule, lockedwait.Analyzer},
	{missingstop.Rule, missingstop.Analyzer},
	{endlessgoroutine.Rule, endlessgoroutine.Analyzer},
	{resourceclose.Rule, resourceclose.Analyzer},
	{deafwait.Rule, deafwait.Analyzer},
	{missingsignal.Rule, missingsignal.Analyzer},
	{stalewatcher.Rule, stalewatcher.Analyzer},
}

// All returns the rules in the order in which they are listed.
func All() []rule.Rule {
	var list []rule.Rule
	for _, r := range registry {
		list = append(list, r.rule)
	}
	return list
}

// Analyzers returns the analyzer of each rule, named like it, and one called
// "directive" that reports mistakes in the comments which suppress findings.
// They are for drivers other than this program: they offer the safe fixes,
// one for each diagnostic, and the unsafe ones with their flag "unsafe".
func Analyzers() []*analysis.Analyzer { return slices.Clone(suite()) }

// Directive returns the one called "directive". It needs the results of all others.
func Directive() *analysis.Analyzer { return suite()[len(registry)] }

// FactsOf reports whether the rules use facts about the functions of the package
// with the given import path. What they know of the standard library is
// written down in tables.
func FactsOf(path string) bool { return !knowledge.Standard(path) }

// suite makes the list once, because there may be only one analyzer of directives.
var suite = sync.OnceValue(func() (list []*analysis.Analyzer) {
	var names []string
	for _, r := range registry {
		list, names = append(list, r.analyzer), append(names, r.rule.Name)
	}
	return append(list, rule.Directives(list, rule.Options{Known: names}))
})
