// missingsignal in one sentence, which is the first line of the page.
//
// # What it does
//
// # Why it leaks
//
// # Example
//
// # What is not reported
//
// # Fix safety
//
// # See also
package missingsignal

import (
	_ "embed"

	"github.com/goroutinefix/goroutinefix/rewrite/code"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// Rule is the rule of this package, Analyzer the same for other drivers.
var (
	Rule     = rule.Rule{Name: "missingsignal", Doc: rule.Page(source), Find: find}
	Analyzer = rule.Analyzer(Rule, rule.Options{})
)

//go:embed missingsignal.go
var source string

func find(p *code.Pass) []rule.Match {
	var out []rule.Match
	return out
}
