package rewritetest

import (
	"bufio"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goroutinefix/goroutinefix/rewrite/finding"
	"github.com/goroutinefix/goroutinefix/rewrite/rule"
)

// driven is the share of the rows with a safe fix whose leak must be shown by running it.
const driven = 0.8

// scenario is what a scenario of a fixture has shown; see fixtures/internal/probe.
type scenario struct {
	Name   string
	Left   int
	Output string
	Early  bool
}

// calls is probe.Calls.
const calls = 3

// prove runs the scenarios of r in the trees fixtures and fixed, before and after
// the safe fixes: before, each leaves its goroutines behind, and after, none, and
// what it returns is the same. Found is what was found in fixtures.
func prove(t *testing.T, r rule.Rule, fixtures, fixed string, found []finding.Finding) {
	t.Helper()
	safe := map[string]bool{} // function -> its fix is safe
	for _, f := range within(found, filepath.Join(fixtures, r.Name)) {
		safe[f.Function] = safe[f.Function] || f.Applicability == finding.Safe
	}
	if !slices.Contains(slices.Collect(maps.Values(safe)), true) {
		return // no fix is written without being asked for
	}
	before, after := scenarios(t, filepath.Join(fixtures, r.Name)), scenarios(t, filepath.Join(fixed, r.Name))
	for name, b := range before {
		a, ok := after[name]
		switch {
		case !safe[name]:
			t.Errorf("scenario %s drives no function with a safe fix", name)
		case !ok:
			t.Errorf("%s: did not run after the fix", name)
		case b.Early:
			if a.Early || a.Output != "in time" || a.Left > 0 {
				t.Errorf("%s: after the fix it is %q and leaves %d goroutines", name, a.Output, a.Left)
			}
		case b.Left < calls:
			t.Errorf("%s: %d calls leave %d goroutines or resources behind before the fix, want at least %d", name, calls, b.Left, calls)
		case a.Left > 0:
			t.Errorf("%s: %d goroutines or resources are left after the fix", name, a.Left)
		case a.Output != b.Output && b.Output != "does not return":
			t.Errorf("%s: returns %q after the fix, %q before", name, a.Output, b.Output)
		}
	}
	coverage(t, safe, before)
}

var rowName = regexp.MustCompile(`(?:^|\.)(?:Test|Benchmark|[a-z]+)?([A-Z]+\d+[a-z]?)[A-Z_]`)

// coverage fails if too few of the rows with a safe fix are driven.
func coverage(t *testing.T, safe map[string]bool, scenarios map[string]scenario) {
	rows := map[string]bool{} // row -> driven
	for function, ok := range safe {
		m := rowName.FindStringSubmatch(function)
		if !ok || m == nil || strings.Contains(m[1], "X") { // shapes without a row
			continue
		}
		_, has := scenarios[function]
		rows[m[1]] = rows[m[1]] || has
	}
	n := 0
	var missing []string
	for row, has := range rows {
		if has {
			n++
		} else {
			missing = append(missing, row)
		}
	}
	slices.Sort(missing)
	t.Logf("%d of %d rows with a safe fix are driven by %d scenarios; not: %s", n, len(rows), len(scenarios), strings.Join(missing, " "))
	if float64(n) < driven*float64(len(rows)) {
		t.Errorf("only %d of %d rows are driven", n, len(rows))
	}
}

// scenarios runs the scenarios in dir, each in parallel with the others.
func scenarios(t *testing.T, dir string) map[string]scenario {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report")
	// The scenarios take seconds. One that hangs is to be shown with its goroutines
	// before this test itself runs out of time.
	cmd := exec.Command("go", "test", "-count=1", "-vet=off", "-timeout=2m", "-parallel=500", "-run=^TestScenarios$", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOROUTINEFIX_PROBE="+report)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go test in %s: %v\n%s", dir, err, out)
	}
	f, err := os.Open(report)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]scenario{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var s scenario
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		all[s.Name] = s
	}
	if len(all) == 0 {
		t.Fatalf("no scenario in %s", dir)
	}
	return all
}
