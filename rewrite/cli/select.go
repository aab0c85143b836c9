package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// selectRules returns the rules named in only, all without any, less the ones
// in skip. Both hold comma-separated names or "all".
func selectRules(rules []rule.Rule, only, skip []string) ([]rule.Rule, error) {
	names := func(flag string, values []string) (map[string]bool, error) {
		chosen := map[string]bool{}
		for _, v := range values {
			for n := range strings.SplitSeq(v, ",") {
				n = strings.TrimSpace(n)
				if n == "" {
					continue
				}
				if n != "all" && find(rules, n) == nil {
					return nil, unknownRule("-"+flag, n, rules)
				}
				chosen[n] = true
			}
		}
		return chosen, nil
	}
	in, err := names("rules", only)
	if err != nil {
		return nil, err
	}
	out, err := names("skip", skip)
	if err != nil {
		return nil, err
	}
	var chosen []rule.Rule
	for _, r := range rules {
		if (len(only) == 0 || in["all"] || in[r.Name]) && !out["all"] && !out[r.Name] {
			chosen = append(chosen, r)
		}
	}
	if len(chosen) == 0 {
		return nil, errors.New("-rules and -skip leave no rule to run")
	}
	return chosen, nil
}

// find returns the rule with the given name, or nil.
func find(rules []rule.Rule, name string) *rule.Rule {
	if i := slices.IndexFunc(rules, func(r rule.Rule) bool { return r.Name == name }); i >= 0 {
		return &rules[i]
	}
	return nil
}

// unknownRule returns the error for a name that is no rule.
func unknownRule(where, name string, rules []rule.Rule) error {
	var names []string
	for _, r := range rules {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return fmt.Errorf("%s: unknown rule %q%s; the rules are %s", where, name,
		didYouMean(name, names, ""), strings.Join(names, ", "))
}
