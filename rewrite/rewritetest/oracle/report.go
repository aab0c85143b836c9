package oracle

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// String prints the report for people.
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d functions (%d of them leak, %d with more paths than were run), %d paths\n", r.Functions, r.Leaking, r.Unsure, r.Paths)
	for _, text := range r.Broken[:min(len(r.Broken), 5)] {
		fmt.Fprintf(&b, "not judged: %s\n", text)
	}
	if n := len(r.Broken); n > 5 {
		fmt.Fprintf(&b, "not judged: %d in all\n", n)
	}
	table := func(title string, counts map[string]int, most int) {
		if len(counts) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s\n", title)
		names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
			return cmp.Or(counts[b]-counts[a], strings.Compare(a, b))
		})
		for i, name := range names {
			if i == most {
				fmt.Fprintf(&b, "        ... %d more\n", len(names)-most)
				break
			}
			fmt.Fprintf(&b, "%7d %s\n", counts[name], name)
		}
	}
	table("findings", r.Findings, 100)
	table("fixes applied", r.Fixes, 100)
	table("fixes dropped", r.Dropped, 100)
	shapes := map[string]int{}
	for shape, n := range r.Misses {
		shapes[fmt.Sprintf("%s (function %d)", shape, r.MissedAt[shape])] = n
	}
	table("misses by shape", shapes, 40)
	kinds := map[string]int{}
	for _, f := range r.Failures {
		kinds[f.Key()]++
	}
	table("failures", kinds, 100)
	return b.String()
}

// String prints a failure: what is wrong, the function, and what it has become.
func (f Failure) String() string {
	comment := func(text string) string {
		return "// " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n// ") + "\n"
	}
	text := comment(fmt.Sprintf("%s %s: seed %d, function %d\n%s\n%s%s", f.Kind, f.Rule, f.Seed, f.Function, f.Detail, f.Report, f.Tree)) + f.Source
	if f.Fixed != "" {
		text += "\n" + comment("After:\n"+f.Fixed)
	}
	return text
}

// Write writes each failure into a file of its own, in place of larger ones.
func Write(dir string, failures []Failure) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, f := range failures {
		name := fmt.Sprintf("%s_%d_%d.go", strings.NewReplacer(" ", "_", "+", "_").Replace(f.Key()), f.Seed, f.Function)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(f.String()), 0o666); err != nil {
			return err
		}
	}
	return nil
}
