package report

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	if got := table(many(10).Findings, Options{}); got != nil {
		t.Errorf("a table for a few findings: %q", got)
	}
	run := many(24)
	got := strings.Join(table(run.Findings, Options{Rules: pages}), "\n")
	const want = `              findings  fixable  fixed  unsafe  conflict  no compile  generated  cgo  outside  no fix  suppressed  baselined
bodyclose           12        2      1       1         1           1          1    1        1       1           1          1
blockingsend        12        1      2       1         1           1          1    1        1       1           1          1
all                 24        3      3       2         2           2          2    2        2       2           2          2`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	text := render(t, "text", run, Options{Dir: wd, Rules: pages})
	if !strings.Contains(text, "\n\n"+want+"\n24 findings in 3 packages: ") {
		t.Errorf("got\n%s", text)
	}
	one := many(40)
	for i := range one.Findings {
		one.Findings[i].Rule = "bodyclose"
	}
	if got := table(one.Findings, Options{}); got != nil {
		t.Errorf("a table for one rule: %q", got)
	}
}
