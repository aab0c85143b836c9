package report

import (
	"strings"
	"testing"
)

// TestHostileCode shows code that drives a terminal, turns the direction of
// text, and looks like markup of its own.
func TestHostileCode(t *testing.T) {
	s := &tree{t: t, dir: t.TempDir(), run: Run{Packages: 1}}
	s.write("x.go", strings.ReplaceAll(blocking, "\tcase <-stop:", "\tcase <-stop: // \x1b[2K \u202e\u009b1A\x7f</td><script>``` | [x](y)"))
	s.add("blockingsend", "x.go", "Fetch", "ch <- 1", "send", "\treturn 0", "\treturn 1", "Return")
	f := &s.run.Findings[0]
	f.Related = append(f.Related, f.Related...)
	s.finish()
	for _, name := range []string{"markdown", "html"} {
		got := s.format(name)
		if !strings.Contains(got, `\x1b[2K \u202e\u009b1A\x7f`) || strings.ContainsFunc(strings.NewReplacer("\n", "", "\t", "").Replace(got), drives) {
			t.Errorf("%s:\n%q", name, got)
		}
		if name == "html" && strings.Contains(got, "</td><script>") {
			t.Errorf("code that becomes a script:\n%s", got)
		}
		if name == "markdown" && (!strings.Contains(got, "\n````diff\n") || !strings.Contains(got, "\n````\n")) {
			t.Errorf("code that ends its block:\n%s", got)
		}
	}
}
