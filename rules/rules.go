// Package rules holds what goroutinefix knows of leaks: one rule, one file.
package rules

import (
	"embed"
	"go/ast"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"

	"github.com/goroutinefix/goroutinefix/rewrite/match"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// All returns the rules in the order in which they are listed.
func All() []rule.Rule {
	return []rule.Rule{
		bodyclose,
		lostcancel,
		waitgroupadd,
		waitgroupwait,
		blockingsend,
		blockingreceive,
		lockedwait,
		missingstop,
		endlessgoroutine,
	}
}

// Analyzers returns one analyzer for each rule, named like it, and one called
// "directive" that reports mistakes in the comments which suppress findings.
// They are for drivers other than this program: they offer the safe fixes,
// one for each diagnostic, and the unsafe ones with their flag "unsafe".
func Analyzers() []*analysis.Analyzer { return slices.Clone(suite()) }

// Analyzer returns the one of [Analyzers] with the given name.
func Analyzer(name string) *analysis.Analyzer {
	for _, a := range suite() {
		if a.Name == name {
			return a
		}
	}
	panic("no rule " + name) // a mistake of the build
}

// FactsOf reports whether the rules use facts about the functions of the package
// with the given import path. What they know of the standard library is
// written down in tables.
func FactsOf(path string) bool { return !match.IsStandard(path) }

// suite makes the analyzers once, so that the one of directives gets the
// results of the very rules that run beside it.
var suite = sync.OnceValue(func() []*analysis.Analyzer {
	var names []string
	for _, r := range All() {
		names = append(names, r.Name)
	}
	list := rule.Suite(All(), rule.Options{Known: names})
	for _, a := range list {
		run := a.Run
		a.Run = func(pass *analysis.Pass) (any, error) {
			if pass.ReadFile == nil { // as in older versions of nogo
				p := *pass
				p.ReadFile = os.ReadFile
				pass = &p
			}
			return run(pass)
		}
	}
	return list
})

//go:embed *.go
var sources embed.FS

// doc returns the page of a rule: the comment above its variable in its own
// file, so that what users read stands where the rule is written. The file is
// not parsed, because this runs at each start of the program.
func doc(name string) string {
	src, err := sources.ReadFile(name + ".go")
	if err != nil {
		panic(err) // a rule whose file has another name: a mistake of the build
	}
	above, _, found := strings.Cut(string(src), "\nvar "+name+" = ")
	if !found {
		panic("no variable " + name + " in " + name + ".go")
	}
	var page ast.CommentGroup
	lines := strings.Split(above, "\n")
	for i := len(lines) - 1; i >= 0 && strings.HasPrefix(lines[i], "//"); i-- {
		page.List = append(page.List, &ast.Comment{Text: lines[i]})
	}
	slices.Reverse(page.List)
	return page.Text()
}
