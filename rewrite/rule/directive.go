package rule

import (
	"fmt"
	"reflect"
	"slices"

	"golang.org/x/tools/go/analysis"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/internal/suppress"
)

// DirectiveName is the name under which mistakes in our own directives are
// reported. It is no rule: it cannot be chosen, suppressed or fixed.
const DirectiveName = "directive"

// DirectiveDoc is the page about directives, in the form of a rule's.
const DirectiveDoc = `Comments of this tool that are wrong or suppress nothing.

# What it does

It reports a comment "//goroutinefix:ignore RULE[,RULE] reason" or
"//goroutinefix:file-ignore RULE reason" that has no reason, names an unknown
rule, has a space in front, or covers no finding. The comment speaks of its
line or, alone on a line, of the head of the statement below; in the doc
comment of a function, of all of the function.

# Why it matters

A comment without a reason is not honoured, so the finding stands. One that
suppresses nothing hides the next leak that somebody writes there.

# What is not reported

Comments of staticcheck (//lint:ignore) and golangci-lint (//nolint), which are
read and belong to these tools. Whether a comment suppresses something is left
open if its rule did not run, or if a package that its package imports from the
same module was not analysed: a callee in there may be what it is about.

# Fix safety

There is no fix: a comment is for people to mend.`

// Suite returns an analyzer for each rule and, if the options know the names
// of all rules, one for the directives that suppress their findings.
func Suite(rules []Rule, opt Options) []*analysis.Analyzer {
	var analyzers []*analysis.Analyzer
	for _, r := range rules {
		analyzers = append(analyzers, Analyzer(r, opt))
	}
	if opt.Known != nil {
		analyzers = append(analyzers, Directives(analyzers, opt))
	}
	return analyzers
}

// Directives returns the analyzer that reports directives of our own form
// which are not honoured or which suppress nothing. Its result is a *Result.
func Directives(rules []*analysis.Analyzer, opt Options) *analysis.Analyzer {
	a := &analysis.Analyzer{
		Name:       DirectiveName,
		Doc:        DirectiveDoc,
		URL:        "https://github.com/goroutinefix/goroutinefix#suppressions",
		Requires:   slices.Concat([]*analysis.Analyzer{suppress.Analyzer}, rules),
		ResultType: reflect.TypeFor[*Result](),
	}
	a.Run = func(pass *analysis.Pass) (any, error) {
		used := map[*suppress.Directive]map[string]bool{}
		sound := true // every rule could see what it needs
		for _, r := range rules {
			result := pass.ResultOf[r].(*Result)
			sound = sound && len(result.Internal) == 0
			for _, d := range result.Used {
				if used[d] == nil {
					used[d] = map[string]bool{}
				}
				used[d][r.Name] = true
			}
		}
		ran := func(name string) bool {
			return slices.ContainsFunc(rules, func(r *analysis.Analyzer) bool { return r.Name == name })
		}
		judge := sound && (opt.DepsAnalyzed == nil || opt.DepsAnalyzed(pass.Pkg.Path()))
		out := &Result{}
		run := runner{rule: Rule{Name: DirectiveName}, pass: &code.Pass{Pass: pass}}
		for _, d := range pass.ResultOf[suppress.Analyzer].(*suppress.Index).Directives {
			if !d.Own {
				continue
			}
			for _, text := range problems(d, used[d], opt.Known, ran, judge) {
				m := Match{Pos: d.Pos, End: d.End, Message: text, Category: "Directive"}
				out.Findings = append(out.Findings, run.directive(m))
				pass.Report(analysis.Diagnostic{Pos: m.Pos, End: m.End, Category: m.Category, Message: m.Message})
			}
		}
		return out, nil
	}
	return a
}

// problems says what is wrong with a directive. Whether it suppresses
// something is judged only where that can be known: if the rule has run, on
// a package whose own dependencies were analysed, too.
func problems(d *suppress.Directive, used map[string]bool, known []string, ran func(string) bool, judge bool) []string {
	if d.Problem != "" {
		return []string{fmt.Sprintf("%s %s", d, d.Problem)}
	}
	if d.Rules == nil {
		if judge && len(used) == 0 && !slices.ContainsFunc(known, func(n string) bool { return !ran(n) }) {
			return []string{fmt.Sprintf("%s suppresses nothing; remove it", d)}
		}
		return nil
	}
	var out []string
	for _, name := range d.Rules {
		switch {
		case !slices.Contains(known, name):
			out = append(out, fmt.Sprintf("%s names the unknown rule %q", d, name))
		case judge && ran(name) && !used[name]:
			out = append(out, fmt.Sprintf("%s suppresses no finding of %s; remove it", d.Verb, name))
		}
	}
	return out
}

// directive returns the finding of a mistake in a directive.
func (r *runner) directive(m Match) finding.Finding {
	f := finding.Finding{
		Rule: DirectiveName, Category: m.Category, Package: r.pass.Pkg.Path(), Place: r.place(m.Pos, m.End), Message: m.Message,
		Applicability: finding.None, Outcome: finding.Outcome{Status: finding.NoFix},
	}
	if file := r.pass.FileOf(m.Pos); file != nil {
		f.Function = declName(declAt(file, m.Pos), r.pass.TypesInfo)
	}
	return f
}
