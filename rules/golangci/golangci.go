// Package golangci makes the rules a module plugin of golangci-lint v2.
package golangci

import (
	"fmt"
	"slices"
	"strings"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/goroutinefix/goroutinefix/rewrite/rule"
	"github.com/goroutinefix/goroutinefix/rules"
)

func init() { register.Plugin("goroutinefix", New) }

// settings are what golangci-lint's configuration may say.
type settings struct {
	Rules  []string `json:"rules"`  // rules to run; all without it
	Skip   []string `json:"skip"`   // rules not to run
	Unsafe bool     `json:"unsafe"` // offer fixes that may change behaviour, too
}

// plugin is a suite of rules that was chosen.
type plugin struct{ settings }

// New returns the plugin with the given settings.
func New(conf any) (register.LinterPlugin, error) {
	s, err := register.DecodeSettings[settings](conf)
	if err != nil {
		return nil, fmt.Errorf("goroutinefix: settings: %w", err)
	}
	known := names()
	for _, n := range slices.Concat(s.Rules, s.Skip) {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("goroutinefix: settings: unknown rule %q; the rules are %s", n, strings.Join(known, ", "))
		}
	}
	return &plugin{s}, nil
}

func names() []string {
	var list []string
	for _, r := range rules.All() {
		list = append(list, r.Name)
	}
	return list
}

// BuildAnalyzers returns an analyzer for each chosen rule. Each of their
// diagnostics has one fix at most, because golangci-lint applies all of them,
// and no related place, because it reports each as an issue of its own, even
// where the finding itself is covered by //nolint.
func (p *plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) {
	var chosen []rule.Rule
	for _, r := range rules.All() {
		if (p.Rules == nil || slices.Contains(p.Rules, r.Name)) && !slices.Contains(p.Skip, r.Name) {
			chosen = append(chosen, r)
		}
	}
	analyzers := rule.Suite(chosen, rule.Options{Known: names(), Nolint: true, NoRelated: true})
	if p.Unsafe {
		for _, a := range analyzers {
			if a.Flags.Lookup("unsafe") != nil {
				if err := a.Flags.Set("unsafe", "true"); err != nil {
					return nil, err
				}
			}
		}
	}
	return analyzers, nil
}

// GetLoadMode says that the rules need types.
func (*plugin) GetLoadMode() string { return register.LoadModeTypesInfo }
